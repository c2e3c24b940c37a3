//! Numbers taken from the bytes of an input.

/// The rest of an input. Where nothing is left, numbers are zero.
pub(crate) struct Input<'a>(pub(crate) &'a [u8]);

impl<'a> Input<'a> {
    pub(crate) fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut found = [0; N];
        let count = N.min(self.0.len());
        let (first, rest) = self.0.split_at(count);
        found[..count].copy_from_slice(first);
        self.0 = rest;
        found
    }

    pub(crate) fn u8(&mut self) -> u8 {
        self.take::<1>()[0]
    }

    pub(crate) fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }

    /// One of `of`, which has some.
    pub(crate) fn choose<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        &of[usize::from(self.u8()) % of.len()]
    }

    /// What is left.
    pub(crate) const fn rest(self) -> &'a [u8] {
        self.0
    }
}
