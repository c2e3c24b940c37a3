//! Errors of connections, stores and sessions.

use crate::WorkerRefusal;
use noema_sessions::PayerError;
use std::{fmt, io, path::PathBuf};

/// Most characters of an error of the transport.
const MOST_TOLD: usize = 200;

/// An error of the transport in one line, for a terminal and a log: it can quote what the other side wrote when it closed
/// the connection. Characters that control a terminal, or change the order in which text is read, are replaced.
pub(crate) fn told(error: impl fmt::Display) -> String {
    let is_obeyed = |character: char| {
        let is_direction_mark = matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        );
        is_direction_mark || character.is_control()
    };
    let shown = |character| match is_obeyed(character) {
        true => char::REPLACEMENT_CHARACTER,
        false => character,
    };
    error
        .to_string()
        .chars()
        .take(MOST_TOLD)
        .map(shown)
        .collect()
}

/// Why a connection to a worker does not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionFault {
    /// There is no connection.
    #[error("the worker is not reached ({0}); check that it runs and that no firewall blocks UDP")]
    Unreachable(String),
    /// The connection broke.
    #[error("the connection to the worker broke ({0}); connect again")]
    Broken(String),
    /// The other side sent nothing in time, or took nothing.
    #[error("the other side is too slow; connect again, or choose another worker")]
    Slow,
    /// The other side sent bytes that are no message.
    #[error("the other side sent something else than a message ({0}); choose another worker")]
    Malformed(String),
    /// A message is longer than any may be.
    #[error("a message of {bytes} bytes is longer than the {limit} that one may have")]
    TooLong {
        /// Its bytes.
        bytes: usize,
        /// The most that are accepted.
        limit: usize,
    },
    /// The other side sent a message that has no place here.
    #[error("the other side sent a message that has no place here; choose another worker")]
    OutOfPlace,
    /// The worker refused.
    #[error("the worker refuses: {0}")]
    Refused(WorkerRefusal),
}

/// Why a store of sessions cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionStoreError {
    /// Another process has the file open.
    #[error("the session store {0} is in use by another process; stop that process, or use another file")]
    InUse(PathBuf),
    /// A record cannot be read back.
    #[error("the session store holds {what} that this version cannot read ({source}); use the version that wrote it, or move the file away once no session is open")]
    Unreadable {
        /// The record.
        what: String,
        /// The decoder's error.
        source: codec::Error,
    },
    /// The disk is full.
    #[error("the disk of the session store {path} is full: {source}")]
    DiskFull {
        /// The store's file.
        path: PathBuf,
        /// The bytes that are free and needed.
        source: io::Error,
    },
    /// The database failed.
    #[error("the session store failed: {0}; check that its folder exists and is writable, and that the disk has room")]
    Database(Box<redb::Error>),
}

impl<E: Into<redb::Error>> From<E> for SessionStoreError {
    fn from(error: E) -> Self {
        Self::Database(Box::new(error.into()))
    }
}

/// Why a payer gets no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The connection failed, or the worker refused.
    #[error(transparent)]
    Connection(#[from] ConnectionFault),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] SessionStoreError),
    /// The rules of the session refuse the ask, or the receipt of the worker.
    #[error("the session does not go on: {0}")]
    Rules(#[from] PayerError),
    /// The worker sent more tokens than were asked for.
    #[error("the worker sent more tokens than were asked for; close the session, and choose another worker")]
    TooManyTokens,
    /// Nothing was asked for.
    #[error("no answer is in progress; ask first")]
    NothingAsked,
}

impl SessionError {
    /// Whether the worker is at fault in a way that asking it again does not change.
    pub const fn is_breach(&self) -> bool {
        matches!(
            self,
            Self::Rules(
                PayerError::OtherSession
                    | PayerError::OtherAsk
                    | PayerError::OtherAnswer
                    | PayerError::WrongEnd
                    | PayerError::WrongPrice
                    | PayerError::WrongBundle
                    | PayerError::WrongSignature
            ) | Self::TooManyTokens
                | Self::Connection(
                    ConnectionFault::Malformed(_)
                        | ConnectionFault::TooLong { .. }
                        | ConnectionFault::OutOfPlace
                )
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_other_side_wrote_controls_no_terminal_and_adds_no_line() {
        assert_eq!(
            told("closed by peer: busy (code 1)"),
            "closed by peer: busy (code 1)"
        );
        let shown = told("\u{1b}[2Ja\r\nERROR b\u{202e}c\u{2028}");
        assert_eq!(
            shown,
            "\u{fffd}[2Ja\u{fffd}\u{fffd}ERROR b\u{fffd}c\u{fffd}"
        );
        assert_eq!(told("é".repeat(1_000)), "é".repeat(200));
    }
}
