//! Bits in bytes, lowest first.

use alloc::vec::Vec;

/// Most bits that are read or written at once.
pub(crate) const MOST: u32 = 32;

/// Reads bits from the lowest of the first byte on.
#[derive(Clone, Debug)]
pub(crate) struct BitReader<'a> {
    rest: &'a [u8],
    /// Unread bits of the bytes before `rest`, the next one lowest.
    window: u64,
    /// Number of them, at most 63.
    bits: u32,
}

/// The bits ended too early.
pub(crate) struct End;

impl<'a> BitReader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            window: 0,
            bits: 0,
        }
    }

    /// Skips the first `count` bits, at most 7, of `bytes`.
    pub(crate) fn after(bytes: &'a [u8], count: u32) -> Result<Self, End> {
        let mut reader = Self::new(bytes);
        reader.take(count)?;
        Ok(reader)
    }

    fn fill(&mut self) {
        while self.bits < u64::BITS - u8::BITS {
            let Some((&byte, rest)) = self.rest.split_first() else {
                return;
            };
            self.window |= u64::from(byte) << self.bits;
            self.bits += u8::BITS;
            self.rest = rest;
        }
    }

    const fn skip(&mut self, count: u32) {
        self.window >>= count;
        self.bits -= count;
    }

    /// The next `count` bits, at most [`MOST`], the first one lowest.
    pub(crate) fn take(&mut self, count: u32) -> Result<u32, End> {
        if self.bits < count {
            self.fill();
            if self.bits < count {
                return Err(End);
            }
        }
        let value = self.window & ((1 << count) - 1);
        self.skip(count);
        Ok(value as u32)
    }

    /// Reads zeros and the one after them; the number of zeros, or `None` if there are more than
    /// `limit`.
    pub(crate) fn zeros(&mut self, limit: u32) -> Result<Option<u32>, End> {
        let mut zeros = 0;
        loop {
            if self.bits == 0 {
                self.fill();
                if self.bits == 0 {
                    return Err(End);
                }
            }
            let run = self.window.trailing_zeros().min(self.bits);
            zeros += run;
            if zeros > limit {
                return Ok(None);
            }
            if run < self.bits {
                self.skip(run + 1);
                return Ok(Some(zeros));
            }
            self.skip(run);
        }
    }

    /// Skips the bits up to the next byte; whether all of them are zero.
    pub(crate) const fn align(&mut self) -> bool {
        let count = self.bits % u8::BITS;
        let zero = self.window & ((1 << count) - 1) == 0;
        self.skip(count);
        zero
    }

    /// Bits that have not been read.
    pub(crate) const fn bits_left(&self) -> u64 {
        self.rest.len() as u64 * u8::BITS as u64 + self.bits as u64
    }

    /// Whole bytes that have not been read.
    pub(crate) const fn bytes_left(&self) -> usize {
        self.rest.len() + (self.bits / u8::BITS) as usize
    }
}

/// Appends bits to bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct BitWriter {
    bytes: Vec<u8>,
    /// Bits after `bytes`, the first one lowest.
    window: u64,
    /// Number of them, below 8 between calls.
    bits: u32,
}

impl BitWriter {
    /// Writes the lowest `count` bits of `value`, at most [`MOST`]; the others are zero.
    pub(crate) fn put(&mut self, value: u32, count: u32) {
        self.window |= u64::from(value) << self.bits;
        self.bits += count;
        while self.bits >= u8::BITS {
            self.bytes.push(self.window as u8);
            self.window >>= u8::BITS;
            self.bits -= u8::BITS;
        }
    }

    /// Writes `count` zeros and a one.
    pub(crate) fn put_zeros(&mut self, mut count: u32) {
        while count >= MOST {
            self.put(0, MOST);
            count -= MOST;
        }
        self.put(1 << count, count + 1);
    }

    /// The bytes, with zeros up to the end of the last.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        if self.bits > 0 {
            self.bytes.push(self.window as u8);
        }
        self.bytes
    }
}
