//! Shapes of the Qwen2.5-VL family. 3b and 7b are the published ones; 0.5b is Qwen2.5-0.5B's decoder with a small tower,
//! as no such model was published; nano is spacer-nano's.

use serde_json::{Value, json};

/// Which program the checkpoint seems to come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// The hub's flat config.
    Hub,
    /// transformers 5.
    Nested,
}

/// Sizes of the decoder, and the tower's.
pub(crate) struct Shape {
    pub vocab: usize,
    pub hidden: usize,
    pub intermediate: usize,
    pub layers: usize,
    pub heads: usize,
    pub kv_heads: usize,
    pub tied: bool,
    pub vision: VisionShape,
    max_positions: usize,
    theta: f64,
    sections: [usize; 3],
}

/// Sizes of the vision tower.
pub(crate) struct VisionShape {
    pub depth: usize,
    pub hidden: usize,
    pub intermediate: usize,
    pub heads: usize,
    window: usize,
    full: Vec<usize>,
}

/// Special tokens.
pub(crate) struct Tokens {
    pub eos: usize,
    pub pad: usize,
    image: usize,
    video: usize,
    vision_start: usize,
    vision_end: usize,
}

impl Shape {
    /// nano, 0.5b, 3b or 7b.
    pub fn named(name: &str) -> Option<Self> {
        let tower = || VisionShape {
            depth: 32,
            hidden: 1280,
            intermediate: 3420,
            heads: 16,
            window: 112,
            full: vec![7, 15, 23, 31],
        };
        let qwen = |vocab, [hidden, intermediate, layers, heads, kv_heads]: [usize; 5], tied, vision| Self {
            vocab,
            hidden,
            intermediate,
            layers,
            heads,
            kv_heads,
            tied,
            vision,
            max_positions: 32_768,
            theta: 1e6,
            sections: if hidden / heads == 64 { [8, 12, 12] } else { [16, 24, 24] },
        };
        match name {
            "nano" => Some(Self {
                max_positions: 2048,
                theta: 1e4,
                sections: [4, 6, 6],
                ..qwen(
                    819,
                    [192, 512, 4, 6, 2],
                    true,
                    VisionShape {
                        depth: 6,
                        hidden: 160,
                        intermediate: 400,
                        heads: 5,
                        window: 448,
                        full: (0..6).collect(),
                    },
                )
            }),
            "0.5b" => Some(qwen(
                151_936,
                [896, 4864, 24, 14, 2],
                true,
                VisionShape {
                    depth: 12,
                    hidden: 640,
                    intermediate: 1712,
                    heads: 8,
                    window: 112,
                    full: vec![2, 5, 8, 11],
                },
            )),
            "3b" => Some(qwen(151_936, [2048, 11_008, 36, 16, 2], true, tower())),
            "7b" => Some(qwen(152_064, [3584, 18_944, 28, 28, 4], false, tower())),
            _ => None,
        }
    }

    /// The last ids of a small vocabulary, Qwen's own in a large one.
    pub fn tokens(&self) -> Tokens {
        let base = if self.vocab > 151_657 { 151_643 } else { self.vocab - 14 };
        Tokens {
            eos: base + 2,
            pad: base,
            vision_start: base + 9,
            vision_end: base + 10,
            image: base + 12,
            video: base + 13,
        }
    }

    /// `config.json`.
    pub fn config(&self, layout: Layout) -> Value {
        let tokens = self.tokens();
        let mut text = json!({
            "vocab_size": self.vocab, "hidden_size": self.hidden, "intermediate_size": self.intermediate,
            "num_hidden_layers": self.layers, "num_attention_heads": self.heads, "num_key_value_heads": self.kv_heads,
            "hidden_act": "silu", "max_position_embeddings": self.max_positions, "rms_norm_eps": 1e-6,
            "tie_word_embeddings": self.tied, "use_sliding_window": false,
            "bos_token_id": tokens.pad, "eos_token_id": tokens.eos, "pad_token_id": tokens.pad,
        });
        let vision = &self.vision;
        let mut root = json!({
            "architectures": ["Qwen2_5_VLForConditionalGeneration"], "model_type": "qwen2_5_vl",
            "tie_word_embeddings": self.tied,
            "image_token_id": tokens.image, "video_token_id": tokens.video,
            "vision_start_token_id": tokens.vision_start, "vision_end_token_id": tokens.vision_end,
            "vision_config": {
                "depth": vision.depth, "hidden_size": vision.hidden, "intermediate_size": vision.intermediate,
                "num_heads": vision.heads, "hidden_act": "silu", "in_channels": 3, "patch_size": 14,
                "spatial_merge_size": 2, "temporal_patch_size": 2, "tokens_per_second": 2,
                "window_size": vision.window, "fullatt_block_indexes": vision.full, "out_hidden_size": self.hidden,
            },
        });
        match layout {
            Layout::Hub => {
                text["rope_theta"] = json!(self.theta);
                text["rope_scaling"] = json!({ "type": "mrope", "mrope_section": self.sections });
                text["torch_dtype"] = json!("bfloat16");
                if let (Value::Object(root), Value::Object(text)) = (&mut root, text) {
                    root.extend(text);
                }
            }
            Layout::Nested => {
                text["model_type"] = json!("qwen2_5_vl_text");
                text["rope_parameters"] =
                    json!({ "rope_type": "default", "rope_theta": self.theta, "mrope_section": self.sections });
                root["text_config"] = text;
                root["dtype"] = json!("bfloat16");
            }
        }
        root
    }
}
