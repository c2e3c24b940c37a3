//! Typed access to a GGUF file's metadata.

use super::super::ImportError;
use candle_core::quantized::gguf_file::Value;
use std::{collections::HashMap, path::Path};

pub(super) struct Metadata<'a> {
    pub(super) path: &'a Path,
    pub(super) values: &'a HashMap<String, Value>,
}

impl<'a> Metadata<'a> {
    fn wrong(&self, key: &str, wanted: &str) -> ImportError {
        ImportError::value(self.path, key, format!("which is not {wanted}"))
    }

    fn required<T>(&self, key: &str, found: Option<T>) -> Result<T, ImportError> {
        found.ok_or_else(|| ImportError::missing(self.path, format!("the metadata {key}")))
    }

    pub(super) fn optional_u32(&self, key: &str) -> Result<Option<u32>, ImportError> {
        let Some(value) = self.values.get(key) else {
            return Ok(None);
        };
        let wrong = || self.wrong(key, "a number of at most 32 bits");
        let number = match value {
            // A value with one entry for each layer is accepted if all are equal.
            Value::Array(values) => {
                let numbers: Option<Vec<i64>> = values.iter().map(integer).collect();
                match numbers.as_deref() {
                    Some([first, rest @ ..]) if rest.iter().all(|n| n == first) => *first,
                    Some([_, _, ..]) => {
                        return Err(ImportError::unsupported(
                            self.path,
                            format!("a different {key} in each layer"),
                            "all layers must have the same shape",
                        ))
                    }
                    _ => return Err(wrong()),
                }
            }
            value => integer(value).ok_or_else(wrong)?,
        };
        u32::try_from(number).map(Some).map_err(|_| wrong())
    }

    pub(super) fn u32(&self, key: &str) -> Result<u32, ImportError> {
        let found = self.optional_u32(key)?;
        self.required(key, found)
    }

    pub(super) fn optional_f64(&self, key: &str) -> Result<Option<f64>, ImportError> {
        match self.values.get(key) {
            None => Ok(None),
            Some(Value::F32(value)) => Ok(Some(f64::from(*value))),
            Some(Value::F64(value)) => Ok(Some(*value)),
            Some(_) => Err(self.wrong(key, "a floating-point number")),
        }
    }

    pub(super) fn f64(&self, key: &str) -> Result<f64, ImportError> {
        let found = self.optional_f64(key)?;
        self.required(key, found)
    }

    pub(super) fn optional_text(&self, key: &str) -> Result<Option<&'a str>, ImportError> {
        match self.values.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong(key, "a text")),
        }
    }

    pub(super) fn text(&self, key: &str) -> Result<&'a str, ImportError> {
        let found = self.optional_text(key)?;
        self.required(key, found)
    }

    pub(super) fn optional_bool(&self, key: &str) -> Result<Option<bool>, ImportError> {
        match self.values.get(key) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(_) => Err(self.wrong(key, "true or false")),
        }
    }

    fn array(&self, key: &str) -> Result<&'a [Value], ImportError> {
        match self.values.get(key) {
            None => Err(ImportError::missing(
                self.path,
                format!("the metadata {key}"),
            )),
            Some(Value::Array(values)) => Ok(values),
            Some(_) => Err(self.wrong(key, "a list")),
        }
    }

    pub(super) fn texts(&self, key: &str) -> Result<Vec<String>, ImportError> {
        let text = |value: &Value| match value {
            Value::String(text) => Ok(text.clone()),
            _ => Err(self.wrong(key, "a list of texts")),
        };
        self.array(key)?.iter().map(text).collect()
    }

    pub(super) fn floats(&self, key: &str) -> Result<Vec<f32>, ImportError> {
        let number = |value: &Value| match value {
            Value::F32(value) => Ok(*value),
            Value::I32(value) => Ok(*value as f32),
            _ => Err(self.wrong(key, "a list of numbers")),
        };
        self.array(key)?.iter().map(number).collect()
    }

    pub(super) fn integers(&self, key: &str) -> Result<Vec<i64>, ImportError> {
        let number =
            |value: &Value| integer(value).ok_or_else(|| self.wrong(key, "a list of numbers"));
        self.array(key)?.iter().map(number).collect()
    }
}

pub(super) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::U8(v) => Some((*v).into()),
        Value::I8(v) => Some((*v).into()),
        Value::U16(v) => Some((*v).into()),
        Value::I16(v) => Some((*v).into()),
        Value::U32(v) => Some((*v).into()),
        Value::I32(v) => Some((*v).into()),
        Value::U64(v) => i64::try_from(*v).ok(),
        Value::I64(v) => Some(*v),
        _ => None,
    }
}
