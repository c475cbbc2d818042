//! A prompt's turns, back from its tokens: servers apply the chat template themselves.

use processor::Processor;

use super::wire::{Part, Turn, Url};
use crate::{Error, Result};

const TURN: &str = "<|im_start|>";
const END: &str = "<|im_end|>";
const VISION: (&str, &str) = ("<|vision_start|>", "<|vision_end|>");

/// The turns of the prompt `ids` in ChatML, the format of the Qwen family, without the assistant's head that ends it. The
/// place of the frames becomes the video at `video`.
///
/// # Errors
/// When the prompt is of another format, or has several places for frames.
pub fn turns(processor: &Processor, ids: &[u32], video: Option<&str>) -> Result<Vec<Turn>> {
    let text = processor.tokenizer().decode(ids, false)?;
    let refuse = |found: &str| Error::Conversation { found: found.chars().take(60).collect() };
    let mut turns = Vec::new();
    for turn in text.split(TURN).skip(1) {
        let (role, content) = turn.split_once('\n').ok_or_else(|| refuse(turn))?;
        // The assistant's turn has no end yet.
        if let Some((content, _)) = content.split_once(END) {
            turns.push(Turn { role: role.to_owned(), content: parts(content, video).ok_or_else(|| refuse(content))? });
        }
    }
    match turns.is_empty() {
        true => Err(refuse(&text)),
        false => Ok(turns),
    }
}

fn parts(content: &str, video: Option<&str>) -> Option<Vec<Part>> {
    let words = |text: &str| (!text.is_empty()).then(|| Part::Text { text: text.to_owned() });
    let Some((before, rest)) = content.split_once(VISION.0) else { return Some(words(content).into_iter().collect()) };
    let (_, after) = rest.split_once(VISION.1)?;
    if after.contains(VISION.0) {
        return None;
    }
    let video = Part::VideoUrl { video_url: Url { url: video?.to_owned() } };
    Some(words(before).into_iter().chain([video]).chain(words(after)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_the_frames_becomes_the_video() {
        let video = Part::VideoUrl { video_url: Url { url: "data:x".into() } };
        let text = |text: &str| Part::Text { text: text.into() };
        let content = "look <|vision_start|><|video_pad|><|video_pad|><|vision_end|>how far?";
        assert_eq!(parts(content, Some("data:x")).unwrap(), [text("look "), video, text("how far?")]);
        assert_eq!(parts("how far?", None).unwrap(), [text("how far?")]);
        assert_eq!(parts(content, None), None);
        assert_eq!(parts(&content.repeat(2), Some("data:x")), None);
    }
}
