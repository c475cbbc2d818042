//! What an ONNX file says of its weights, read before ONNX Runtime sees it: where they lie, and that the file holds nothing
//! which may run without end.
//!
//! Of protobuf's encoding only what the walk needs is known. Field numbers are those of `onnx.proto`.

/// An initializer whose data lie in another file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct External {
    pub(crate) name: String,
    /// ONNX's number of the element type.
    pub(crate) element: u64,
    pub(crate) dims: Vec<u64>,
    /// Name of the file.
    pub(crate) location: String,
    /// Byte of the file that the data begin at.
    pub(crate) offset: u64,
    /// Bytes; `None` is all up to the end.
    pub(crate) length: Option<u64>,
}

/// The external initializers of an ONNX file.
///
/// # Errors
/// What was found instead of a graph without sub-graphs and functions whose external data lie in files beside it.
pub(crate) fn externals(file: &[u8]) -> Result<Vec<External>, String> {
    let mut found = Vec::new();
    each(file, |field, value| match (field, value) {
        (7, Value::Bytes(graph)) => each(graph, |field, value| match (field, value) {
            (1, Value::Bytes(node)) => check_node(node),
            (5, Value::Bytes(tensor)) => {
                found.extend(external(tensor)?);
                Ok(())
            }
            (15, _) => Err("a sparse initializer".to_owned()),
            _ => Ok(()),
        }),
        (25, _) => Err("a function".to_owned()),
        _ => Ok(()),
    })?;
    Ok(found)
}

fn check_node(node: &[u8]) -> Result<(), String> {
    each(node, |field, value| match (field, value) {
        (5, Value::Bytes(attribute)) => each(attribute, |field, value| match (field, value) {
            (6 | 11, _) => Err("a sub-graph, as loops have".to_owned()),
            (5 | 10, Value::Bytes(tensor)) if external(tensor)?.is_some() => {
                Err("a constant with external data".to_owned())
            }
            _ => Ok(()),
        }),
        _ => Ok(()),
    })
}

/// What a tensor says of external data, if it has any.
fn external(tensor: &[u8]) -> Result<Option<External>, String> {
    let (mut dims, mut element, mut name, mut entries) = (Vec::new(), 0, String::new(), Vec::new());
    let mut is_external = false;
    each(tensor, |field, value| {
        match (field, value) {
            (1, Value::Number(dim)) => dims.push(dim),
            (1, Value::Bytes(packed)) => dims.extend(numbers(packed)?),
            (2, Value::Number(number)) => element = number,
            (8, Value::Bytes(bytes)) => name = text(bytes)?,
            (13, Value::Bytes(entry)) => entries.push(key_and_value(entry)?),
            (14, Value::Number(location)) => is_external = location == 1,
            _ => {}
        }
        Ok(())
    })?;
    if !is_external && entries.is_empty() {
        return Ok(None);
    }
    let entry = |key: &str| entries.iter().find(|(found, _)| found == key).map(|(_, value)| value.as_str());
    let number = |key: &str| match entry(key) {
        None => Ok(None),
        Some(value) => value.parse().map(Some).map_err(|_| format!("{name}: {key} {value:?} of its external data")),
    };
    let location = entry("location").unwrap_or_default().to_owned();
    if location.is_empty() || location.contains(['/', '\\', '\0']) || location.starts_with('.') {
        return Err(format!("{name}: external data in {location:?}"));
    }
    let (offset, length) = (number("offset")?.unwrap_or(0), number("length")?);
    Ok(Some(External { offset, length, name, element, dims, location }))
}

fn key_and_value(entry: &[u8]) -> Result<(String, String), String> {
    let (mut key, mut value) = (String::new(), String::new());
    each(entry, |field, found| {
        match (field, found) {
            (1, Value::Bytes(bytes)) => key = text(bytes)?,
            (2, Value::Bytes(bytes)) => value = text(bytes)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok((key, value))
}

fn text(bytes: &[u8]) -> Result<String, String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| "a name that is not UTF-8".to_owned())
}

/// A field's value.
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    /// Of fixed width.
    Fixed,
}

/// Calls `look` with number and value of each field of a message.
fn each<'a>(mut message: &'a [u8], mut look: impl FnMut(u64, Value<'a>) -> Result<(), String>) -> Result<(), String> {
    while !message.is_empty() {
        let tag = number(&mut message)?;
        let value = match tag & 7 {
            0 => Value::Number(number(&mut message)?),
            1 => take(&mut message, 8).map(|_| Value::Fixed)?,
            2 => {
                let length = number(&mut message)?;
                Value::Bytes(take(&mut message, length)?)
            }
            5 => take(&mut message, 4).map(|_| Value::Fixed)?,
            _ => return Err("bytes that are no protobuf".to_owned()),
        };
        look(tag >> 3, value)?;
    }
    Ok(())
}

fn take<'a>(message: &mut &'a [u8], length: u64) -> Result<&'a [u8], String> {
    let split = usize::try_from(length).ok().and_then(|length| message.split_at_checked(length));
    let (taken, rest) = split.ok_or_else(|| format!("{} bytes where {length} are announced", message.len()))?;
    *message = rest;
    Ok(taken)
}

/// A number of seven bits a byte, the low ones first.
fn number(message: &mut &[u8]) -> Result<u64, String> {
    let mut number = 0;
    for shift in (0..70).step_by(7) {
        let [byte] = take(message, 1)? else { break };
        number |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err("a number of more than 64 bits".to_owned())
}

fn numbers(mut packed: &[u8]) -> Result<Vec<u64>, String> {
    let mut found = Vec::new();
    while !packed.is_empty() {
        found.push(number(&mut packed)?);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field of bytes.
    fn bytes(field: u8, content: &[u8]) -> Vec<u8> {
        assert!(content.len() < 128, "one byte of length");
        [&[field << 3 | 2, content.len() as u8], content].concat()
    }

    fn entry(key: &str, value: &str) -> Vec<u8> {
        bytes(13, &[bytes(1, key.as_bytes()), bytes(2, value.as_bytes())].concat())
    }

    fn file(location: &str) -> Vec<u8> {
        let place = [entry("location", location), entry("offset", "8"), entry("length", "24")].concat();
        let tensor = [&[8, 2, 8, 3, 16, 1], bytes(8, b"w").as_slice(), &place, &[14 << 3, 1]].concat();
        bytes(7, &bytes(5, &tensor))
    }

    #[test]
    fn external_data_are_found_and_lie_beside_the_graph() {
        let found = externals(&file("x.data")).unwrap();
        let (name, location) = ("w".to_owned(), "x.data".to_owned());
        let expected = External { name, element: 1, dims: vec![2, 3], location, offset: 8, length: Some(24) };
        assert_eq!(found, [expected]);
        for elsewhere in ["../x.data", "/etc/passwd", "", ".", "..", "a/b", ".hidden"] {
            let error = externals(&file(elsewhere)).unwrap_err();
            assert!(error.contains("external data in"), "{elsewhere}: {error}");
        }
    }

    #[test]
    fn loops_functions_and_broken_files_are_refused() {
        let sub_graph = bytes(7, &bytes(1, &bytes(5, &bytes(6, b""))));
        assert!(externals(&sub_graph).unwrap_err().contains("sub-graph"));
        // Field 25 takes two bytes.
        assert!(externals(&[0xca, 0x01, 0]).unwrap_err().contains("function"));
        let whole = file("x.data");
        for length in 1..whole.len() {
            assert!(externals(&whole[..length]).is_err(), "{length} bytes");
        }
        assert!(externals(&[0xff; 12]).unwrap_err().contains("more than 64 bits"));
    }
}
