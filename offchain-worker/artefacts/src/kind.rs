//! The kinds of artefacts.

/// The kind of artefact that a hash names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Directory,
}
