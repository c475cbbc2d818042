//! Fields out of the body of a CDR message (DDS XTypes 1.3, 7.4), for serde.

use std::fmt;

use serde::de::{self, DeserializeSeed, SeqAccess, Visitor};

/// Name of the type that [`crate::cdr::sequence_of_structs`] asks for.
const SEQUENCE_OF_STRUCTS: &str = "SequenceOfStructs";

/// How fields lie in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The first byte of a number counts most.
    pub big_endian: bool,
    /// Numbers of 8 bytes are aligned to 4, and sequences of structures begin with their length in bytes.
    pub is_version_2: bool,
}

/// Why a body can't be read.
#[derive(Debug)]
pub(crate) struct CdrError(String);

impl fmt::Display for CdrError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for CdrError {}

impl de::Error for CdrError {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self(reason.to_string())
    }
}

/// A body, read up to `at`.
pub(crate) struct CdrReader<'de> {
    body: &'de [u8],
    at: usize,
    layout: Layout,
}

impl<'de> CdrReader<'de> {
    /// A reader of a message without its header.
    pub fn new(body: &'de [u8], layout: Layout) -> Self {
        Self { body, at: 0, layout }
    }

    fn take(&mut self, count: usize) -> Result<&'de [u8], CdrError> {
        let end = self.at.checked_add(count);
        let Some(bytes) = end.and_then(|end| self.body.get(self.at..end)) else {
            let (at, length) = (self.at, self.body.len());
            return Err(CdrError(format!("expected {count} bytes at byte {at}, found the end at byte {length}")));
        };
        self.at += count;
        Ok(bytes)
    }

    /// The bytes of a number, least first.
    fn number<const N: usize>(&mut self) -> Result<[u8; N], CdrError> {
        let align = if self.layout.is_version_2 { N.min(4) } else { N };
        self.take(self.at.next_multiple_of(align) - self.at)?;
        let mut bytes = [0; N];
        bytes.copy_from_slice(self.take(N)?);
        if self.layout.big_endian {
            bytes.reverse();
        }
        Ok(bytes)
    }

    fn length(&mut self) -> Result<usize, CdrError> {
        self.number().map(|bytes| u32::from_le_bytes(bytes) as usize)
    }

    /// What may have been put behind the fields to fill a multiple of four bytes up.
    fn is_at_end(&self) -> bool {
        let rest = self.body.get(self.at..).unwrap_or_default();
        rest.len() < 4 && rest.iter().all(|byte| *byte == 0)
    }

    fn text(&mut self) -> Result<&'de str, CdrError> {
        let length = self.length()?;
        let bytes = self.take(length)?;
        // Some write an empty text without its end.
        let bytes = bytes.split_last().map_or(bytes, |(_, text)| text);
        std::str::from_utf8(bytes).map_err(|error| CdrError(format!("expected a text of UTF-8, found none: {error}")))
    }
}

/// The elements of a sequence, or the fields of a structure.
struct Elements<'a, 'de> {
    reader: &'a mut CdrReader<'de>,
    left: usize,
}

impl<'de> SeqAccess<'de> for Elements<'_, 'de> {
    type Error = CdrError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, CdrError> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        seed.deserialize(&mut *self.reader).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $type:ty,)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CdrError> {
            visitor.$visit(<$type>::from_le_bytes(self.number()?))
        })*
    };
}

impl<'de> de::Deserializer<'de> for &mut CdrReader<'de> {
    type Error = CdrError;

    numbers! {
        deserialize_i8 visit_i8 i8,
        deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64,
        deserialize_u8 visit_u8 u8,
        deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64,
        deserialize_f32 visit_f32 f32,
        deserialize_f64 visit_f64 f64,
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CdrError> {
        match self.number()? {
            [0] => visitor.visit_bool(false),
            [1] => visitor.visit_bool(true),
            [other] => Err(CdrError(format!("expected 0 or 1 for a truth value, found {other}"))),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CdrError> {
        visitor.visit_borrowed_str(self.text()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CdrError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CdrError> {
        let length = self.length()?;
        visitor.visit_borrowed_bytes(self.take(length)?)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CdrError> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CdrError> {
        let left = self.length()?;
        visitor.visit_seq(Elements { reader: self, left })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, CdrError> {
        visitor.visit_seq(Elements { reader: self, left: len })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, CdrError> {
        self.deserialize_tuple(fields.len(), visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, CdrError> {
        if name == SEQUENCE_OF_STRUCTS && self.layout.is_version_2 {
            self.length()?;
        }
        visitor.visit_newtype_struct(self)
    }

    /// CDR has no such thing: it stands for a field that older bodies end before.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, CdrError> {
        if self.is_at_end() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, CdrError> {
        Err(CdrError("expected a field of a known type, found one that CDR can't tell".to_owned()))
    }

    serde::forward_to_deserialize_any! { char unit unit_struct tuple_struct map enum identifier ignored_any }

    fn is_human_readable(&self) -> bool {
        false
    }
}
