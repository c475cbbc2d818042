//! The parameters that a node declares, and what the command line and parameter files give for them.
//!
//! All are read once, at start. A number of the other type is taken where nothing is lost; anything else of a
//! wrong type is refused with the parameter's name, what was expected and what was found. A name that the
//! node does not have is warned about, as one file may serve several nodes.

use r2r::indexmap::IndexMap;
use r2r::rcl_interfaces::msg::ParameterValue as ValueMessage;
use r2r::{Parameter, ParameterValue, RosParams};
use thiserror::Error;

/// Integers up to here are exact as double.
const EXACT_DOUBLE: i64 = 1 << 53;
/// Parameters that other parts of ROS read.
const OF_ROS: [&str; 3] = ["use_sim_time", "start_type_description_service", "enable_logger_service"];
/// Edits by which a name may differ from a declared one to be taken for a slip.
const SLIP: usize = 3;

/// A parameter of a node with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Declared {
    /// Its name.
    pub name: String,
    /// What it is, with its unit.
    pub about: String,
    /// Its value, whose type is its own.
    pub value: ParameterValue,
}

/// Why a value is not taken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ParameterError {
    /// Of another type.
    #[error("{name}: expected {expected}, found {found}{hint}")]
    WrongType {
        /// The parameter.
        name: String,
        /// Its type.
        expected: &'static str,
        /// Type and value.
        found: String,
        /// What to write instead.
        hint: String,
    },
    /// A number that the parameter can't hold.
    #[error("{name}: expected a number of its range, found {found}: {reason}")]
    OutOfRange {
        /// The parameter.
        name: String,
        /// The value.
        found: String,
        /// Why not.
        reason: String,
    },
    /// No parameter of that name.
    #[error("{name}: this node has no such parameter{hint}")]
    Unknown {
        /// The name.
        name: String,
        /// The nearest one.
        hint: String,
    },
    /// It is read at start only.
    #[error("{name} is read at start: restart the node with -p {name}:={wanted}")]
    Fixed {
        /// The parameter.
        name: String,
        /// The value that it shall have.
        wanted: String,
    },
}

/// A node's parameters, as they are from its start on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Registry {
    declared: Vec<Declared>,
}

impl Registry {
    /// Reads `given` into `parameters`; the fields keep their values where nothing is given. Returns also the
    /// complaints about given names that are none of this node's.
    ///
    /// # Errors
    /// [`ParameterError`] for a value that the parameter can't have.
    pub fn read(
        parameters: &mut impl RosParams,
        given: &IndexMap<String, Parameter>,
    ) -> Result<(Self, Vec<ParameterError>), ParameterError> {
        let mut registry = Self { declared: declared(parameters)? };
        let mut unknown = Vec::new();
        for (name, Parameter { value, .. }) in given {
            let Some(known) = registry.declared.iter_mut().find(|declared| declared.name == *name) else {
                if !is_of_ros(name) {
                    unknown.push(registry.unknown(name));
                }
                continue;
            };
            known.value = converted(name, &known.value, value)?;
            // A field named by a keyword of Rust keeps its mark in the derived code.
            let set = match parameters.set_parameter(name, &known.value) {
                Err(r2r::Error::InvalidParameterName { .. }) => {
                    parameters.set_parameter(&format!("r#{name}"), &known.value)
                }
                set => set,
            };
            set.map_err(|error| out_of_range(name, &known.value, &error))?;
        }
        Ok((registry, unknown))
    }

    /// Declares one more parameter, with what is `given` for it.
    ///
    /// # Errors
    /// [`ParameterError`] for a value that the parameter can't have.
    pub fn declare(
        &mut self,
        name: &str,
        about: &str,
        default: ParameterValue,
        given: Option<&ParameterValue>,
    ) -> Result<ParameterValue, ParameterError> {
        let value = given.map_or(Ok(default.clone()), |given| converted(name, &default, given))?;
        self.declared.push(Declared { name: name.to_owned(), about: about.to_owned(), value: value.clone() });
        Ok(value)
    }

    /// The parameters, in the order of their declaration.
    pub fn declared(&self) -> &[Declared] {
        &self.declared
    }

    /// The parameter of that name.
    pub fn get(&self, name: &str) -> Option<&Declared> {
        self.declared.iter().find(|declared| declared.name == name)
    }

    /// Whether `name` may be set to `value` while the node runs: only to what it is already.
    ///
    /// # Errors
    /// [`ParameterError`], to be told to whoever wants to set it.
    pub fn set(&self, name: &str, value: &ParameterValue) -> Result<(), ParameterError> {
        let declared = self.get(name).ok_or_else(|| self.unknown(name))?;
        let wanted = converted(name, &declared.value, value)?;
        if wanted == declared.value {
            return Ok(());
        }
        Err(ParameterError::Fixed { name: name.to_owned(), wanted: shown(&wanted) })
    }

    fn unknown(&self, name: &str) -> ParameterError {
        let distance = |declared: &&Declared| strsim::damerau_levenshtein(&declared.name, name);
        // The distance costs the product of both lengths.
        let candidates = self.declared.iter().filter(|declared| name.len() <= declared.name.len() + 4 * SLIP);
        let nearest = candidates.min_by_key(distance).filter(|nearest| distance(nearest) <= SLIP);
        let hint = nearest.map(|nearest| format!("; did you mean {}?", nearest.name)).unwrap_or_default();
        ParameterError::Unknown { name: crate::log_line::cut(name, 100), hint }
    }
}

/// What the fields of `parameters` are, by the names that ROS knows them by.
fn declared(parameters: &mut impl RosParams) -> Result<Vec<Declared>, ParameterError> {
    let mut fields = IndexMap::new();
    let registered = parameters.register_parameters("", None, &mut fields);
    registered.map_err(|error| out_of_range("parameters", &ParameterValue::NotSet, &error))?;
    let declared = fields.into_iter().map(|(name, Parameter { value, description })| {
        let name = name.strip_prefix("r#").map_or(name.clone(), ToOwned::to_owned);
        Declared { name, about: description.to_owned(), value }
    });
    Ok(declared.collect())
}

fn is_of_ros(name: &str) -> bool {
    OF_ROS.contains(&name) || name.starts_with("qos_overrides.")
}

/// `found` as a value of the type of `like`.
fn converted(name: &str, like: &ParameterValue, found: &ParameterValue) -> Result<ParameterValue, ParameterError> {
    use ParameterValue::{Double, Integer};
    match (like, found) {
        (Double(_), Integer(number)) if number.abs() <= EXACT_DOUBLE => Ok(Double(*number as f64)),
        (Integer(_), Double(number)) if number.fract() == 0.0 && number.abs() <= EXACT_DOUBLE as f64 => {
            Ok(Integer(*number as i64))
        }
        _ if std::mem::discriminant(like) == std::mem::discriminant(found) => Ok(found.clone()),
        _ => Err(ParameterError::WrongType {
            name: name.to_owned(),
            expected: kind(like),
            found: format!("{} {}", kind(found), shown(found)),
            hint: hint(name, like, found),
        }),
    }
}

fn kind(value: &ParameterValue) -> &'static str {
    match value {
        ParameterValue::NotSet => "nothing",
        ParameterValue::Bool(_) => "true or false",
        ParameterValue::Integer(_) => "a whole number",
        ParameterValue::Double(_) => "a number",
        ParameterValue::String(_) => "text",
        ParameterValue::ByteArray(_) => "a list of bytes",
        ParameterValue::BoolArray(_) => "a list of true and false",
        ParameterValue::IntegerArray(_) => "a list of whole numbers",
        ParameterValue::DoubleArray(_) => "a list of numbers",
        ParameterValue::StringArray(_) => "a list of texts",
    }
}

/// The value as YAML has it.
fn shown(value: &ParameterValue) -> String {
    match value {
        ParameterValue::Bool(value) => value.to_string(),
        ParameterValue::Integer(value) => value.to_string(),
        ParameterValue::Double(value) => format!("{value:?}"),
        ParameterValue::String(value) => crate::log_line::cut(value, 100),
        ParameterValue::NotSet => String::new(),
        list => crate::log_line::cut(&format!("{list:?}"), 100),
    }
}

fn hint(name: &str, like: &ParameterValue, found: &ParameterValue) -> String {
    match (like, found) {
        (
            ParameterValue::String(_),
            ParameterValue::Bool(_) | ParameterValue::Integer(_) | ParameterValue::Double(_),
        ) => {
            format!("; text that YAML reads as something else is quoted: -p {name}:=\"'{}'\"", shown(found))
        }
        (ParameterValue::Bool(_), ParameterValue::Integer(0 | 1)) => "; write true or false".to_owned(),
        _ => String::new(),
    }
}

fn out_of_range(name: &str, found: &ParameterValue, error: &r2r::Error) -> ParameterError {
    let reason = match error {
        r2r::Error::ParameterValueConv { msg, .. } => msg.clone(),
        other => other.to_string(),
    };
    ParameterError::OutOfRange { name: name.to_owned(), found: shown(found), reason }
}

/// A value as it travels.
pub fn value_message(value: &ParameterValue) -> ValueMessage {
    let mut message = ValueMessage { type_: type_code(value), ..ValueMessage::default() };
    match value.clone() {
        ParameterValue::NotSet => {}
        ParameterValue::Bool(value) => message.bool_value = value,
        ParameterValue::Integer(value) => message.integer_value = value,
        ParameterValue::Double(value) => message.double_value = value,
        ParameterValue::String(value) => message.string_value = value,
        ParameterValue::ByteArray(values) => message.byte_array_value = values,
        ParameterValue::BoolArray(values) => message.bool_array_value = values,
        ParameterValue::IntegerArray(values) => message.integer_array_value = values,
        ParameterValue::DoubleArray(values) => message.double_array_value = values,
        ParameterValue::StringArray(values) => message.string_array_value = values,
    }
    message
}

/// A value that travelled; of an unknown type it is none.
pub fn value_from_message(message: &ValueMessage) -> ParameterValue {
    let message = message.clone();
    match message.type_ {
        1 => ParameterValue::Bool(message.bool_value),
        2 => ParameterValue::Integer(message.integer_value),
        3 => ParameterValue::Double(message.double_value),
        4 => ParameterValue::String(message.string_value),
        5 => ParameterValue::ByteArray(message.byte_array_value),
        6 => ParameterValue::BoolArray(message.bool_array_value),
        7 => ParameterValue::IntegerArray(message.integer_array_value),
        8 => ParameterValue::DoubleArray(message.double_array_value),
        9 => ParameterValue::StringArray(message.string_array_value),
        _ => ParameterValue::NotSet,
    }
}

/// The number of a value's type in `rcl_interfaces/msg/ParameterType`.
pub fn type_code(value: &ParameterValue) -> u8 {
    match value {
        ParameterValue::NotSet => 0,
        ParameterValue::Bool(_) => 1,
        ParameterValue::Integer(_) => 2,
        ParameterValue::Double(_) => 3,
        ParameterValue::String(_) => 4,
        ParameterValue::ByteArray(_) => 5,
        ParameterValue::BoolArray(_) => 6,
        ParameterValue::IntegerArray(_) => 7,
        ParameterValue::DoubleArray(_) => 8,
        ParameterValue::StringArray(_) => 9,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(RosParams, Clone, Debug, PartialEq)]
    struct Fields {
        /// Width, in px
        image_width: u32,
        /// Difference
        still_luma: f64,
        /// Folder
        folder: String,
        /// Again
        r#loop: bool,
    }

    fn fields() -> Fields {
        Fields { image_width: 640, still_luma: 2.0, folder: "here".to_owned(), r#loop: false }
    }

    fn read(given: &[(&str, ParameterValue)]) -> Result<(Fields, Registry, Vec<ParameterError>), ParameterError> {
        let given = given.iter().map(|(name, value)| ((*name).to_owned(), Parameter::new(value.clone()))).collect();
        let mut fields = fields();
        Registry::read(&mut fields, &given).map(|(registry, unknown)| (fields, registry, unknown))
    }

    #[test]
    fn numbers_of_the_other_type_are_taken_where_nothing_is_lost() {
        use ParameterValue::{Bool, Double, Integer};
        let given = [("image_width", Double(320.0)), ("still_luma", Integer(0)), ("loop", Bool(true))];
        let (found, registry, unknown) = read(&given).unwrap();
        assert_eq!(found, Fields { image_width: 320, still_luma: 0.0, r#loop: true, ..fields() });
        assert!(unknown.is_empty());
        assert_eq!(registry.get("still_luma").map(|known| known.value.clone()), Some(Double(0.0)));
        let loops = registry.get("loop").expect("declared without Rust's mark");
        assert_eq!((loops.about.as_str(), &loops.value), ("Again", &Bool(true)));
        assert_eq!(registry.declared().len(), 4);
    }

    #[test]
    fn a_wrong_type_names_parameter_expected_and_found() {
        use ParameterValue::{Bool, Double, Integer, String, StringArray};
        for (name, value, words) in [
            ("image_width", Double(0.5), ["image_width", "whole number", "0.5"]),
            ("image_width", Integer(-1), ["image_width", "of its range", "-1"]),
            ("image_width", String("wide\n".to_owned()), ["image_width", "whole number", r"wide\n"]),
            ("still_luma", Integer(i64::MAX), ["still_luma", "a number", "9223372036854775807"]),
            ("still_luma", StringArray(vec!["x".to_owned()]), ["still_luma", "a number", "list of texts"]),
            ("folder", Integer(5), ["folder", "text", "'5'"]),
            ("folder", Bool(true), ["folder", "text", "'true'"]),
            ("loop", Integer(1), ["loop", "true or false", "a whole number 1"]),
        ] {
            let text = read(&[(name, value)]).unwrap_err().to_string();
            assert!(words.iter().all(|word| text.contains(word)), "{text}");
        }
    }

    #[test]
    fn a_slip_in_a_name_is_told_with_the_nearest_name() {
        let wide = ParameterValue::Integer(1);
        let given = ["image_widht", "qos_overrides./tf.subscription.depth", "use_sim_time", "nothing_like_it"];
        let (_, _, unknown) = read(&given.map(|name| (name, wide.clone()))).unwrap();
        let texts: Vec<_> = unknown.iter().map(ToString::to_string).collect();
        assert_eq!(texts.len(), 2, "{texts:?}");
        assert!(texts[0].starts_with("image_widht") && texts[0].ends_with("did you mean image_width?"), "{texts:?}");
        assert!(texts[1].ends_with("no such parameter"), "{texts:?}");
    }

    #[test]
    fn nothing_pretends_to_be_set() {
        let (_, registry, _) = read(&[]).unwrap();
        assert_eq!(registry.set("still_luma", &ParameterValue::Integer(2)), Ok(()), "what it is already");
        let text = registry.set("folder", &ParameterValue::String("there".to_owned())).unwrap_err().to_string();
        assert_eq!(text, "folder is read at start: restart the node with -p folder:=there");
        assert!(registry.set("folders", &ParameterValue::Bool(true)).unwrap_err().to_string().contains("folder?"));
        let wrong = registry.set("loop", &ParameterValue::Double(1.0)).unwrap_err();
        assert!(matches!(wrong, ParameterError::WrongType { .. }), "{wrong}");
    }

    #[test]
    fn values_travel() {
        for value in [
            ParameterValue::Bool(true),
            ParameterValue::Integer(3),
            ParameterValue::Double(0.5),
            ParameterValue::String("x".to_owned()),
            ParameterValue::DoubleArray(vec![1.0]),
        ] {
            assert_eq!(value_from_message(&value_message(&value)), value);
        }
        assert_eq!(value_from_message(&ValueMessage { type_: 77, ..Default::default() }), ParameterValue::NotSet);
    }
}
