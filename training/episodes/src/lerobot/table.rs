//! Parquet tables.

use std::path::Path;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, FloatType, Int64Type};
use parquet::errors::Result as ParquetResult;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{Type, TypePtr};

use crate::{Error, Result};

/// A column without nulls.
pub(super) enum Column {
    Int(Vec<i64>),
    Float(Vec<f32>),
    Double(Vec<f64>),
    Text(Vec<String>),
    /// Lists.
    Floats(Vec<Vec<f32>>),
    /// Lists.
    Texts(Vec<Vec<String>>),
}

/// Writes columns of one length as a file with one row group. `metadata`: a key of the file and its value.
pub(super) fn write<N: AsRef<str>>(
    path: &Path,
    columns: &[(N, Column)],
    metadata: Option<(&str, String)>,
) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
    }
    let file = std::fs::File::create(path).map_err(Error::io(path))?;
    write_columns(file, columns, metadata).map_err(Error::parquet(path))
}

fn write_columns<N: AsRef<str>>(
    file: std::fs::File,
    columns: &[(N, Column)],
    metadata: Option<(&str, String)>,
) -> ParquetResult<()> {
    let fields: ParquetResult<Vec<TypePtr>> =
        columns.iter().map(|(name, column)| field(name.as_ref(), column)).collect();
    let schema = Arc::new(Type::group_type_builder("schema").with_fields(fields?).build()?);
    let metadata = metadata.map(|(key, value)| vec![KeyValue::new(key.to_owned(), value)]);
    let properties =
        WriterProperties::builder().set_compression(Compression::SNAPPY).set_key_value_metadata(metadata).build();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    for (_, column) in columns {
        write_column(&mut group, column)?;
    }
    group.close()?;
    writer.close()?;
    Ok(())
}

fn field(name: &str, column: &Column) -> ParquetResult<TypePtr> {
    let (physical, is_text, is_list) = match column {
        Column::Int(_) => (Physical::INT64, false, false),
        Column::Float(_) => (Physical::FLOAT, false, false),
        Column::Double(_) => (Physical::DOUBLE, false, false),
        Column::Text(_) => (Physical::BYTE_ARRAY, true, false),
        Column::Floats(_) => (Physical::FLOAT, false, true),
        Column::Texts(_) => (Physical::BYTE_ARRAY, true, true),
    };
    let leaf = Type::primitive_type_builder(if is_list { "element" } else { name }, physical)
        .with_repetition(Repetition::REQUIRED)
        .with_logical_type(is_text.then_some(LogicalType::String))
        .build()?;
    if !is_list {
        return Ok(Arc::new(leaf));
    }
    let items = Type::group_type_builder("list")
        .with_repetition(Repetition::REPEATED)
        .with_fields(vec![Arc::new(leaf)])
        .build()?;
    let list = Type::group_type_builder(name)
        .with_repetition(Repetition::REQUIRED)
        .with_logical_type(Some(LogicalType::List))
        .with_fields(vec![Arc::new(items)])
        .build()?;
    Ok(Arc::new(list))
}

type Group<'a> = SerializedRowGroupWriter<'a, std::fs::File>;

fn write_column(group: &mut Group<'_>, column: &Column) -> ParquetResult<()> {
    let bytes = |text: &String| ByteArray::from(text.as_str());
    match column {
        Column::Int(values) => write_values::<Int64Type>(group, values, None),
        Column::Float(values) => write_values::<FloatType>(group, values, None),
        Column::Double(values) => write_values::<DoubleType>(group, values, None),
        Column::Text(values) => {
            write_values::<ByteArrayType>(group, &values.iter().map(bytes).collect::<Vec<_>>(), None)
        }
        Column::Floats(rows) => {
            let lengths: Vec<usize> = rows.iter().map(Vec::len).collect();
            write_values::<FloatType>(group, &rows.concat(), Some(&lengths))
        }
        Column::Texts(rows) => {
            let lengths: Vec<usize> = rows.iter().map(Vec::len).collect();
            write_values::<ByteArrayType>(group, &rows.iter().flatten().map(bytes).collect::<Vec<_>>(), Some(&lengths))
        }
    }
}

/// `lengths`: those of the lists that the values stand in.
fn write_values<T: DataType>(group: &mut Group<'_>, values: &[T::T], lengths: Option<&[usize]>) -> ParquetResult<()> {
    let Some(mut column) = group.next_column()? else { return Ok(()) };
    let (definitions, repetitions) = lengths.map(levels).unzip();
    column.typed::<T>().write_batch(values, definitions.as_deref(), repetitions.as_deref())?;
    column.close()
}

/// Definition and repetition levels: 0 and 0 for an empty list, else 1 for each item, repeated from the second on.
fn levels(lengths: &[usize]) -> (Vec<i16>, Vec<i16>) {
    let levels = lengths.iter().flat_map(|&length| {
        let definition = i16::from(length > 0);
        (0..length.max(1)).map(move |item| (definition, i16::from(item > 0)))
    });
    levels.unzip()
}
