//! The header of a GGUF file: the metadata and the list of tensors.
//!
//! Numbers are little-endian. The fixed part of 24 bytes is `GGUF`, the version, the number of tensors and the number
//! of metadata values. Every length is checked against the rest of the file before anything of that length is
//! allocated, so memory is bounded by a small multiple of the header's size.

use super::{super::files::Mapped, super::ImportError, types::TensorType};
use candle_core::quantized::gguf_file::Value;
use std::{collections::HashMap, path::Path};

/// Longest header that is read: metadata, tokenizer and the list of tensors. A tokenizer of a quarter of a
/// million tokens needs half of it; one byte of it takes at most 32 in memory.
const MAX_HEADER_BYTES: usize = 32 << 20;
/// Most dimensions of a tensor.
const MAX_DIMENSIONS: u32 = 4;
/// Most lists within each other.
const MAX_DEPTH: usize = 16;
/// Fewest bytes of a tensor in the list: name, number of dimensions, type and offset.
const MIN_TENSOR_BYTES: u64 = 8 + 4 + 4 + 8;
/// Fewest bytes of a metadata value: name, type and content.
const MIN_VALUE_BYTES: u64 = 8 + 4 + 1;
/// The alignment of the tensors' data in a file that states none.
const DEFAULT_ALIGNMENT: u64 = 32;

const MAGIC: &[u8] = b"GGUF";
const ALIGNMENT: &str = "general.alignment";

/// Everything before the tensors' data.
pub(super) struct Header {
    pub(super) metadata: HashMap<String, Value>,
    pub(super) tensors: HashMap<String, TensorInfo>,
    /// First byte of the tensors' data.
    data: u64,
}

/// A tensor in the list.
pub(super) struct TensorInfo {
    /// The outermost dimension first.
    pub(super) dims: Vec<usize>,
    pub(super) kind: TensorType,
    /// First byte in the tensors' data.
    offset: u64,
}

impl Header {
    pub(super) fn read(mapped: &Mapped) -> Result<Self, ImportError> {
        let (path, bytes) = (mapped.path.as_path(), mapped.bytes());
        if !bytes.starts_with(MAGIC) {
            let problem = if bytes.is_empty() {
                "it is empty"
            } else if path.extension().is_some_and(|end| end == "safetensors") {
                "it does not begin with the letters GGUF; import the folder with this safetensors file and its \
                 config.json"
            } else {
                "it does not begin with the letters GGUF"
            };
            return Err(ImportError::Foreign {
                path: path.into(),
                problem: problem.into(),
            });
        }
        let mut reader = Reader {
            path,
            bytes: bytes.get(..MAX_HEADER_BYTES).unwrap_or(bytes),
            at: MAGIC.len(),
            cut: bytes.len() > MAX_HEADER_BYTES,
        };
        reader.version()?;
        let (tensors, values) = (reader.u64()?, reader.u64()?);
        let least = tensors
            .saturating_mul(MIN_TENSOR_BYTES)
            .saturating_add(values.saturating_mul(MIN_VALUE_BYTES));
        if least > reader.rest() {
            return Err(reader.damaged(format!(
                "{tensors} tensors and {values} metadata values do not fit into the {} bytes that follow",
                reader.rest()
            )));
        }
        let mut header = Self {
            metadata: HashMap::new(),
            tensors: HashMap::new(),
            data: 0,
        };
        for _ in 0..values {
            let key = reader.text()?;
            let kind = reader.u32()?;
            let value = reader.value(kind, 0)?;
            if header.metadata.insert(key.clone(), value).is_some() {
                let problem = format!("two metadata values have the same name {key:?}");
                return Err(reader.damaged(problem));
            }
        }
        for _ in 0..tensors {
            let name = reader.text()?;
            let tensor = reader.tensor(&name)?;
            if header.tensors.insert(name.clone(), tensor).is_some() {
                let problem = format!("two tensors have the same name {name:?}");
                return Err(reader.damaged(problem));
            }
        }
        let alignment = match header.metadata.get(ALIGNMENT) {
            None => Some(DEFAULT_ALIGNMENT),
            Some(value) => super::metadata::integer(value).and_then(|value| value.try_into().ok()),
        };
        let end = reader.at as u64;
        let data = alignment.and_then(|alignment| end.checked_next_multiple_of(alignment));
        header.data = data.ok_or_else(|| {
            ImportError::value(path, ALIGNMENT, "which is not a positive number of bytes")
        })?;
        Ok(header)
    }

    /// First byte of a tensor's data in the file.
    pub(super) fn start(&self, tensor: &TensorInfo) -> u64 {
        self.data.saturating_add(tensor.offset)
    }
}

/// A place in the header.
struct Reader<'a> {
    path: &'a Path,
    bytes: &'a [u8],
    at: usize,
    /// Whether the file goes on after `bytes`.
    cut: bool,
}

impl<'a> Reader<'a> {
    fn damaged(&self, problem: impl Into<String>) -> ImportError {
        ImportError::malformed(self.path, self.at as u64, problem)
    }

    /// Number of bytes that follow.
    fn rest(&self) -> u64 {
        self.bytes.len().saturating_sub(self.at) as u64
    }

    fn bytes(&mut self, length: u64) -> Result<&'a [u8], ImportError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let taken = usize::try_from(length)
            .ok()
            .and_then(|length| rest.get(..length));
        match taken {
            Some(taken) => {
                self.at += taken.len();
                Ok(taken)
            }
            None if self.cut => Err(self.damaged(format!(
                "the header is longer than {MAX_HEADER_BYTES} bytes"
            ))),
            None => Err(self.damaged(format!(
                "{length} bytes have to follow, and the file has {} more; if it was cut off, download it again",
                rest.len()
            ))),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ImportError> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(N as u64)?);
        Ok(array)
    }

    fn u32(&mut self) -> Result<u32, ImportError> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, ImportError> {
        self.array().map(u64::from_le_bytes)
    }

    /// A text; the zeros that some programs write after it are left out.
    fn text(&mut self) -> Result<String, ImportError> {
        let length = self.u64()?;
        let mut text = self.bytes(length)?;
        while let [before @ .., 0] = text {
            text = before;
        }
        Ok(String::from_utf8_lossy(text).into_owned())
    }

    fn version(&mut self) -> Result<(), ImportError> {
        let version = self.u32()?;
        let (what, hint) = match version {
            2 | 3 => return Ok(()),
            _ if matches!(version.swap_bytes(), 1..=3) => (
                "big-endian numbers".to_owned(),
                "convert the file with gguf_convert_endian.py of llama.cpp",
            ),
            _ => (format!("GGUF version {version}"), "versions 2 and 3 are"),
        };
        Err(ImportError::unsupported(self.path, what, hint))
    }

    /// A metadata value of the type with the number `kind`, within `depth` lists.
    fn value(&mut self, kind: u32, depth: usize) -> Result<Value, ImportError> {
        Ok(match kind {
            0 => Value::U8(self.array().map(u8::from_le_bytes)?),
            1 => Value::I8(self.array().map(i8::from_le_bytes)?),
            2 => Value::U16(self.array().map(u16::from_le_bytes)?),
            3 => Value::I16(self.array().map(i16::from_le_bytes)?),
            4 => Value::U32(self.u32()?),
            5 => Value::I32(self.array().map(i32::from_le_bytes)?),
            6 => Value::F32(self.array().map(f32::from_le_bytes)?),
            7 => match self.array::<1>()? {
                [0] => Value::Bool(false),
                [1] => Value::Bool(true),
                [other] => return Err(self.damaged(format!("{other} is not a Boolean value"))),
            },
            8 => Value::String(self.text()?),
            9 => self.list(depth)?,
            10 => Value::U64(self.u64()?),
            11 => Value::I64(self.array().map(i64::from_le_bytes)?),
            12 => Value::F64(self.array().map(f64::from_le_bytes)?),
            other => {
                return Err(self.damaged(format!("no metadata value has a type of number {other}")))
            }
        })
    }

    fn list(&mut self, depth: usize) -> Result<Value, ImportError> {
        if depth == MAX_DEPTH {
            return Err(self.damaged(format!("more than {MAX_DEPTH} lists are within each other")));
        }
        let (kind, length) = (self.u32()?, self.u64()?);
        // Each element takes at least one byte.
        if length > self.rest() && !self.cut {
            return Err(self.damaged(format!(
                "a list of {length} elements does not fit into the {} bytes that follow",
                self.rest()
            )));
        }
        let mut values = Vec::new();
        for _ in 0..length {
            values.push(self.value(kind, depth + 1)?);
        }
        Ok(Value::Array(values))
    }

    fn tensor(&mut self, name: &str) -> Result<TensorInfo, ImportError> {
        let count = self.u32()?;
        if count > MAX_DIMENSIONS {
            return Err(self.damaged(format!(
                "the tensor {name:?} has {count} dimensions; {MAX_DIMENSIONS} are the most"
            )));
        }
        let mut dims = Vec::new();
        for _ in 0..count {
            let dim = self.u64()?;
            dims.push(usize::try_from(dim).map_err(|_| {
                self.damaged(format!("the tensor {name:?} has a dimension of {dim}"))
            })?);
        }
        dims.reverse();
        Ok(TensorInfo {
            dims,
            kind: TensorType(self.u32()?),
            offset: self.u64()?,
        })
    }
}
