//! Rules worked by hand: sampling, positions of several inputs, rotary order, both configuration layouts, streaming.

use processor::*;
use proptest::prelude::*;
use std::path::PathBuf;

fn golden_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/qwen2_5_vl_tiny/tiny-qwen2_5_vl")
}

#[test]
fn sampling_clamps_and_floors_to_even() {
    let chosen = |total, fps| sample_frames(total, fps, &SamplingRule::default()).unwrap();
    assert_eq!(chosen(20, 10.0).indices, [0, 5, 10, 15]);
    assert_eq!(chosen(20, 10.0).sampled_fps, 2.0);
    assert_eq!(chosen(30, 10.0).indices, [0, 5, 10, 15, 20, 25]);
    assert_eq!(chosen(35, 10.0).indices, [0, 5, 11, 17, 23, 29], "7 frames floor to 6");
    assert_eq!(chosen(10, 30.0).indices, [0, 2, 5, 7], "never fewer than 4");
    assert_eq!(chosen(3, 30.0).indices, [0, 1], "but no more than there are, and an even count");
    assert_eq!(chosen(1, 30.0).indices, [0], "a single frame is kept");
    assert_eq!(chosen(100_000, 30.0).indices.len(), 768);
}

#[test]
fn positions_of_two_videos_and_an_image() {
    let config = MropeConfig { tokens_per_second: 2.0, spatial_merge_size: 2, image_token_id: 8, video_token_id: 9 };
    let ids = [1, 9, 9, 9, 2, 8, 8, 9, 9];
    // Video 0: three steps of one token, 0.75 s apart: trunc(0, 1.5, 3.0). Video 1: two steps, 5 s apart.
    let ([t, h, w], delta) = position_ids(&ids, &[[1, 2, 4]], &[[3, 2, 2], [2, 2, 2]], &[0.75, 5.0], &config).unwrap();
    assert_eq!(t, [0, 1, 2, 4, 5, 6, 6, 8, 18]);
    assert_eq!(h, [0, 1, 1, 1, 5, 6, 6, 8, 8]);
    assert_eq!(w, [0, 1, 1, 1, 5, 6, 7, 8, 8]);
    assert_eq!(delta, 19 - 9);
}

#[test]
fn rotary_positions_follow_merge_order() {
    let expected = [[0, 0], [0, 1], [1, 0], [1, 1], [0, 2], [0, 3], [1, 2], [1, 3]];
    assert_eq!(vision_positions(&[[1, 2, 4]]).unwrap(), expected);
    assert_eq!(vision_positions(&[[2, 2, 4]]).unwrap(), [expected, expected].concat());
    assert_eq!(cu_seqlens(&[[2, 2, 4], [1, 2, 2]]), [0, 8, 16, 20]);
}

#[test]
fn windows_of_a_second_grid_continue_the_first() {
    let vision = Processor::from_dir(&golden_dir()).unwrap().config().vision.clone();
    let both = window_index(&[[1, 4, 6], [2, 4, 4]], &vision).unwrap();
    assert_eq!(both.index, [0, 1, 3, 4, 2, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    assert_eq!(both.cu_window_seqlens, [0, 16, 24, 40, 56]);
}

#[test]
fn odd_frames_repeat_the_last() {
    let processor = Processor::from_dir(&golden_dir()).unwrap();
    let pictures: Vec<Vec<u8>> = (0..3).map(|k| vec![40 * k + 7; 56 * 56 * 3]).collect();
    let views: Vec<_> = [0, 1, 2].map(|i: usize| RgbView::new(56, 56, &pictures[i]).unwrap()).to_vec();
    let odd = processor.video(&views, 1.0).unwrap();
    assert_eq!(odd.grid_thw, [2, 4, 4]);
    assert_eq!(odd, processor.video(&[views[0], views[1], views[2], views[2]], 1.0).unwrap());
    let image = processor.image(&views[2]).unwrap();
    assert_eq!(image.pixel_values, odd.pixel_values[image.pixel_values.len()..], "an image is its frame twice");
    assert_eq!((image.grid_thw, image.second_per_grid), ([1, 4, 4], None));
}

/// The layout of the hub's `Qwen2.5-VL-7B-Instruct/config.json`.
const HUB_7B: &str = r#"{
  "architectures": ["Qwen2_5_VLForConditionalGeneration"], "attention_dropout": 0.0, "bos_token_id": 151643,
  "eos_token_id": 151645, "vision_start_token_id": 151652, "vision_end_token_id": 151653, "vision_token_id": 151654,
  "image_token_id": 151655, "video_token_id": 151656, "hidden_act": "silu", "hidden_size": 3584,
  "initializer_range": 0.02, "intermediate_size": 18944, "max_position_embeddings": 128000, "max_window_layers": 28,
  "model_type": "qwen2_5_vl", "num_attention_heads": 28, "num_hidden_layers": 28, "num_key_value_heads": 4,
  "rms_norm_eps": 1e-06, "rope_theta": 1000000.0, "sliding_window": 32768, "tie_word_embeddings": false,
  "torch_dtype": "bfloat16", "use_cache": true, "use_sliding_window": false,
  "vision_config": {"depth": 32, "hidden_act": "silu", "hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16,
    "in_chans": 3, "out_hidden_size": 3584, "patch_size": 14, "spatial_merge_size": 2, "spatial_patch_size": 14,
    "window_size": 112, "fullatt_block_indexes": [7, 15, 23, 31], "tokens_per_second": 2, "temporal_patch_size": 2},
  "rope_scaling": {"type": "mrope", "mrope_section": [16, 24, 24]}, "vocab_size": 152064}"#;

#[test]
fn the_hubs_flat_layout_is_read() {
    let config = ModelConfig::from_json(HUB_7B).unwrap();
    assert_eq!((config.text.head_dim, config.text.mrope_section, config.text.rope_theta), (128, [16, 24, 24], 1e6));
    assert_eq!((config.vision.depth, config.vision.patch_dim(), config.vision.tokens_per_second), (32, 1176, 2.0));
    assert_eq!((config.tokens.image, config.tokens.eos.as_slice()), (151_655, [151_645].as_slice()));
}

#[test]
fn the_nested_layout_is_read() {
    let config = ModelConfig::from_dir(&golden_dir()).unwrap();
    assert_eq!((config.text.hidden_size, config.text.head_dim, config.text.mrope_section), (64, 16, [2, 3, 3]));
    assert_eq!((config.vision.window_size, config.vision.fullatt_block_indexes), (56, vec![1]));
    assert_eq!((config.tokens.eos, config.tokens.pad), (vec![386], Some(384)));
    assert!(!config.tie_word_embeddings);
}

#[test]
fn both_spellings_of_the_preprocessor_are_read() {
    let joint = PreprocessorConfig::from_dir(&golden_dir()).unwrap();
    assert_eq!(joint.image, PixelLimits { min_pixels: 3136, max_pixels: 15_680 });
    assert_eq!(joint.video, PixelLimits { min_pixels: 3136, max_pixels: 9408 });
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("preprocessor_config.json");
    let limits = PixelLimits { min_pixels: 12_544, max_pixels: 100_352 };
    for text in [
        r#"{"min_pixels": 12544, "max_pixels": 100352, "patch_size": 14, "merge_size": 2}"#,
        r#"{"size": {"shortest_edge": 12544, "longest_edge": 100352}, "resample": 3}"#,
    ] {
        std::fs::write(&file, text).unwrap();
        let hub = PreprocessorConfig::from_dir(dir.path()).unwrap();
        assert_eq!((hub.image, hub.video), (limits, limits), "one file counts for both");
    }
}

#[test]
fn the_template_may_stand_in_the_tokenizers_configuration() {
    let source = std::fs::read_to_string(golden_dir().join("chat_template.jinja")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let expected = ChatTemplate::from_dir(&golden_dir()).unwrap().render(&[Message::text("user", "hi")], true).unwrap();
    for value in [serde_json::json!(source), serde_json::json!([{ "name": "default", "template": source }])] {
        let text = serde_json::json!({ "chat_template": value }).to_string();
        std::fs::write(dir.path().join("tokenizer_config.json"), text).unwrap();
        let template = ChatTemplate::from_dir(dir.path()).unwrap();
        assert_eq!(template.render(&[Message::text("user", "hi")], true).unwrap(), expected);
    }
}

#[test]
fn a_character_of_several_tokens_streams_whole() {
    let tokenizer = TextTokenizer::from_dir(&golden_dir()).unwrap();
    let text = "Größe: 3 m² → 👍🏽 ok";
    let ids = tokenizer.encode(text).unwrap();
    let mut stream = tokenizer.stream();
    let pieces: Vec<_> = ids.iter().map(|&id| stream.push(id).unwrap()).collect();
    assert!(pieces.iter().any(String::is_empty), "some tokens are parts of characters");
    assert_eq!(pieces.concat(), text);
    assert_eq!(stream.finish().unwrap(), "");
}

proptest! {
    /// Whatever tokens a random network emits, the pieces joined are the text.
    #[test]
    fn streamed_pieces_join_to_the_decoded_text(ids in prop::collection::vec(0u32..398, 0..40)) {
        let tokenizer = TextTokenizer::from_dir(&golden_dir()).unwrap();
        let mut stream = tokenizer.stream();
        let mut text: String = ids.iter().map(|&id| stream.push(id).unwrap()).collect();
        text += &stream.finish().unwrap();
        prop_assert_eq!(text, tokenizer.decode(&ids, true).unwrap());
    }

    #[test]
    fn resized_sides_are_multiples_near_the_limits(height in 1usize..5000, width in 1usize..5000) {
        prop_assume!(height.max(width) <= 200 * height.min(width));
        let (h, w) = smart_resize(height, width, 28, 12_544, 100_352).unwrap();
        prop_assert!(h % 28 == 0 && w % 28 == 0 && h * w >= 12_544);
        prop_assert_eq!(smart_resize(h, w, 28, 12_544, h * w).unwrap(), (h, w), "a resized picture keeps its size");
    }
}
