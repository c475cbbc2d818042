//! The tokenizer as llguidance sees it: the bytes of every token, and a way to
//! split forced bytes as the tokenizer would.
//!
//! Only byte-level tokenizers (GPT-2's alphabet, which Qwen's are) are known: a
//! character of a token stands for one byte. A special token has no text of its
//! own, so no grammar over text ever allows one; the end of a completion is the
//! exception that llguidance adds where the grammar may end.

use std::collections::HashMap;

use llguidance::toktrie::{TokRxInfo, TokTrie, TokenId, TokenizerEnv};
use processor::tokens::TextTokenizer;

use crate::error::{Error, Result};

/// A vocabulary as a trie of bytes.
pub(crate) struct Vocabulary {
    trie: TokTrie,
    tokens: TextTokenizer,
}

impl Vocabulary {
    /// The first `size` ids of `tokens`; ids without a token are never allowed. `eos_ids` may end a completion.
    pub(crate) fn new(tokens: &TextTokenizer, size: usize, eos_ids: &[u32]) -> Result<Self> {
        let eos_ids: Vec<u32> = eos_ids.iter().copied().filter(|&id| (id as usize) < size).collect();
        let &[eos, ..] = eos_ids.as_slice() else {
            return Err(Error::Setting {
                name: "eos_ids",
                expected: "a token of the vocabulary",
                found: "none".into(),
            });
        };
        let (inner, bytes) = (tokens.inner(), byte_alphabet());
        let added = inner.get_added_tokens_decoder();
        let words = (0..size as u32).map(|id| match (added.get(&id), inner.id_to_token(id)) {
            (Some(token), _) if token.special => Ok(special(&token.content)),
            (Some(token), _) => Ok(token.content.clone().into_bytes()),
            (None, Some(text)) => text.chars().map(|c| bytes.get(&c).copied()).collect::<Option<_>>().ok_or(text),
            (None, None) => Ok(Vec::new()),
        });
        let words: Vec<Vec<u8>> =
            words.collect::<std::result::Result<_, String>>().map_err(|token| Error::Setting {
                name: "tokenizer of a constraint",
                expected: "a byte-level vocabulary",
                found: format!("token {token:?}"),
            })?;
        let trie = TokTrie::from(&TokRxInfo::new(size as u32, eos), &words).with_eos_tokens(&eos_ids);
        Ok(Self { trie, tokens: tokens.clone() })
    }
}

impl TokenizerEnv for Vocabulary {
    fn tok_trie(&self) -> &TokTrie {
        &self.trie
    }

    fn tokenize_bytes(&self, bytes: &[u8]) -> Vec<TokenId> {
        self.trie.tokenize_with_greedy_fallback(bytes, |text| match self.tokens.inner().encode(text, false) {
            Ok(encoding) => encoding.get_ids().to_vec(),
            Err(_) => self.trie.greedy_tokenize(text.as_bytes()),
        })
    }
}

fn special(content: &str) -> Vec<u8> {
    [&[TokTrie::SPECIAL_TOKEN_MARKER], content.as_bytes()].concat()
}

/// GPT-2's `bytes_to_unicode`, inverted: printable Latin-1 characters stand for themselves, the other 68 bytes are
/// written as the characters from U+0100 on, in the order of the bytes.
fn byte_alphabet() -> HashMap<char, u8> {
    let printable = |byte: u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    let (own, other): (Vec<u8>, Vec<u8>) = (0..=u8::MAX).partition(|&byte| printable(byte));
    let own = own.into_iter().map(|byte| (char::from(byte), byte));
    own.chain(('\u{100}'..).zip(other)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabet_has_a_character_for_every_byte() {
        let alphabet = byte_alphabet();
        assert_eq!(alphabet.len(), 256);
        assert_eq!((alphabet[&'a'], alphabet[&'Ġ'], alphabet[&'Ċ'], alphabet[&'ÿ']), (b'a', b' ', b'\n', 0xff));
    }
}
