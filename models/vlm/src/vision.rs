//! Frames to image embeds: the vision tower (`vision.onnx`).
//!
//! A frame pair is the unit. Attention in Qwen2.5-VL's vision tower never crosses
//! one grid step of time (windows are cut inside it and the full-attention blocks
//! attend within it), so encoding pair by pair is exact, bounds memory, and lets a
//! pair be encoded when its frames arrive rather than when a question does.

use processor::{ModelInputs, VisionInput};

use crate::engine::{Engine, Profile};
use crate::error::{Error, Result};
use crate::graph::Inputs;
use crate::tensor;

/// Merged vision tokens of one picture, one video, or one frame pair.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ImageEmbeds {
    /// Tokens: t · h · w / merge² of the grid.
    pub rows: usize,
    /// Width of the decoder.
    pub hidden: usize,
    /// \[rows, hidden\], in placeholder order.
    pub data: Vec<f32>,
}

impl ImageEmbeds {
    /// Appends `next`, the later frame pair of the same video.
    fn append(&mut self, next: Self) {
        self.rows += next.rows;
        self.hidden = next.hidden;
        self.data.extend(next.data);
    }
}

impl Engine {
    /// Encodes one picture or video, frame pair by frame pair.
    ///
    /// # Errors
    /// [`Error::Shape`] when patches and grid disagree, [`Error::Run`].
    pub fn encode(&self, input: &VisionInput) -> Result<ImageEmbeds> {
        let [steps, height, width] = input.grid_thw;
        let pair = height * width * self.dims.patch_values;
        if input.pixel_values.len() != steps * pair || pair == 0 {
            return Err(Error::Shape {
                what: "pixel_values",
                expected: format!("{} values, grid {:?} × {}", steps * pair, input.grid_thw, self.dims.patch_values),
                found: input.pixel_values.len().to_string(),
            });
        }
        let mut embeds = ImageEmbeds::default();
        for patches in input.pixel_values.chunks_exact(pair) {
            embeds.append(self.encode_pair(patches, [height, width])?);
        }
        Ok(embeds)
    }

    /// Encodes one frame pair: `patches` \[height · width, 1176\] on a grid of one time step.
    ///
    /// # Errors
    /// [`Error::Shape`] when patches and grid disagree or the graph returns another
    /// number of tokens, [`Error::Run`].
    pub fn encode_pair(&self, patches: &[f32], [height, width]: [usize; 2]) -> Result<ImageEmbeds> {
        let (graph, dims) = (&self.vision, &self.dims);
        let merge = dims.merge;
        if height % merge != 0 || width % merge != 0 || patches.len() != height * width * dims.patch_values {
            return Err(Error::Shape {
                what: "frame pair",
                expected: format!("multiples of {merge} and {} values", height * width * dims.patch_values),
                found: format!("grid {height}×{width} and {} values", patches.len()),
            });
        }
        let pixels = tensor::borrow_f32(vec![height * width, dims.patch_values], patches)
            .map_err(|error| graph.failed(error))?;
        let mut inputs: Inputs<'_> = vec![("pixel_values".into(), pixels.into())];
        match &self.profile {
            Profile::Growing => {
                let grid = tensor::from_i64(vec![1, 3], vec![1, height as i64, width as i64]);
                inputs.push(("image_grid_thw".into(), grid.map_err(|error| graph.failed(error))?.into()));
            }
            Profile::Fixed(fixed) => inputs.extend(fixed.vision_inputs([1, height, width], graph)?),
        }
        let outputs = graph.run(inputs)?;
        let (shape, data) = tensor::to_f32(&outputs[self.image_features]).map_err(|error| graph.failed(error))?;
        let rows = height * width / (merge * merge);
        if shape != [rows, dims.hidden] {
            let expected = format!("[{rows}, {}]", dims.hidden);
            return Err(Error::Shape { what: "image_features of vision.onnx", expected, found: format!("{shape:?}") });
        }
        Ok(ImageEmbeds { rows, hidden: dims.hidden, data })
    }

    /// Encodes every picture and video of a prompt, in the order of their
    /// placeholders, which is the order that prefill expects.
    ///
    /// # Errors
    /// [`Error::Shape`] when placeholders and vision inputs disagree, else those of [`Self::encode`].
    pub fn encode_all(&self, inputs: &ModelInputs) -> Result<Vec<ImageEmbeds>> {
        self.placeholder_order(inputs)?.into_iter().map(|vision| self.encode(vision)).collect()
    }

    /// The prompt's vision inputs in the order of their placeholders.
    fn placeholder_order<'i>(&self, inputs: &'i ModelInputs) -> Result<Vec<&'i VisionInput>> {
        let (mut images, mut videos) = (inputs.images.iter(), inputs.videos.iter());
        let mut order = Vec::with_capacity(inputs.images.len() + inputs.videos.len());
        let mut at = 0;
        while let Some(&token) = inputs.input_ids.get(at) {
            let (queue, kind) = match token {
                token if token == self.dims.image_token_id => (&mut images, "placeholders of pictures"),
                token if token == self.dims.video_token_id => (&mut videos, "placeholders of videos"),
                _ => {
                    at += 1;
                    continue;
                }
            };
            let vision = queue.next().ok_or_else(|| Error::Shape {
                what: kind,
                expected: "one run for each vision input".into(),
                found: format!("one more at token {at}"),
            })?;
            at += vision.grid_thw.iter().product::<usize>().max(1) / self.dims.merge.pow(2);
            order.push(vision);
        }
        let left = images.len() + videos.len();
        if left > 0 {
            let found = format!("{left} vision inputs without one");
            return Err(Error::Shape { what: "placeholders", expected: "one run for each vision input".into(), found });
        }
        Ok(order)
    }
}
