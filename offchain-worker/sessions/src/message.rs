//! The messages between a worker and its payers, and drawn validators.
//!
//! A message is its SCALE encoding, after its length as four bytes, the lowest first. Each stream of a connection
//! begins with a message to the worker. The first one of a connection agrees on the version; its form, and that of
//! the reply, never changes. In all others, the numbers of variants stay as they are within a version.

use crate::{AccountBytes, SessionLeaf};
use codec::{Decode, Encode};
use noema_protocol::{ClaimId, SessionId};
use noema_sessions::{Ask, SessionReceipt, Voucher, WorkerError};
use std::fmt;
use std::ops::RangeInclusive;

/// The name of the protocol, by which a peer asks for it.
pub const ALPN: &[u8] = b"noema/session";
/// The versions of the protocol that this program knows.
pub const VERSIONS: RangeInclusive<u16> = 1..=1;
/// Most bytes of a message: a prompt of 200,000 tokens, and more.
pub const MAX_MESSAGE: usize = 1 << 20;
/// Most bytes of a message of a peer that has not proven who it is.
pub const MAX_GREETING: usize = 1 << 10;

/// A signature with an sr25519 key.
pub type SignatureBytes = [u8; 64];

/// A message to a worker.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum ToWorker {
    /// The versions that the peer knows. The first message of a connection.
    #[codec(index = 0)]
    Hello {
        /// The lowest.
        lowest: u16,
        /// The highest.
        highest: u16,
    },
    /// Opens a session on this connection.
    #[codec(index = 1)]
    Open {
        /// The session.
        session: SessionId,
        /// The signature of the voucher key over [`noema_protocol::hashing::session_peer_payload`].
        signature: SignatureBytes,
    },
    /// Asks for an answer. The stream stays open for it.
    #[codec(index = 2)]
    Ask(Box<AskMessage>),
    /// Ends the answer of this stream early.
    #[codec(index = 3)]
    End,
    /// Pays for the last answer.
    #[codec(index = 4)]
    Pay(Box<SignedVoucher>),
    /// Asks for a leaf of a claim.
    #[codec(index = 5)]
    Leaf(LeafRequest),
}

/// A reply of a worker.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum FromWorker {
    /// The version of this connection.
    #[codec(index = 0)]
    Hello {
        /// The version.
        version: u16,
    },
    /// The message is refused, and nothing follows on this stream.
    #[codec(index = 1)]
    Refused(WorkerRefusal),
    /// The session is open on this connection.
    #[codec(index = 2)]
    Opened {
        /// How many of its answers are paid.
        count: u32,
    },
    /// The next tokens of an answer, at least one.
    #[codec(index = 3)]
    Tokens(Vec<u32>),
    /// The answer is complete.
    #[codec(index = 4)]
    Answered(Box<SignedReceipt>),
    /// The voucher is taken.
    #[codec(index = 5)]
    Paid {
        /// How many answers of the session are paid.
        count: u32,
    },
    /// A leaf of a claim.
    #[codec(index = 6)]
    Leaf(Box<SessionLeaf>),
}

/// Asks for an answer of a session.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct AskMessage {
    /// The session.
    pub session: SessionId,
    /// What is asked for.
    pub ask: Ask,
    /// The tokens of the prompt.
    pub prompt: Vec<u32>,
    /// The voucher over all answers so far; `None` before the first.
    pub voucher: Option<SignedVoucher>,
}

/// A voucher, signed by the voucher key of its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SignedVoucher {
    /// The voucher.
    pub voucher: Voucher,
    /// The signature over [`Voucher::payload`].
    pub signature: SignatureBytes,
}

/// A receipt, signed by the hot key of the worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SignedReceipt {
    /// The receipt.
    pub receipt: SessionReceipt,
    /// The signature over [`SessionReceipt::hash`].
    pub signature: SignatureBytes,
}

/// Asks for a leaf, by a validator that was drawn for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct LeafRequest {
    /// The claim.
    pub claim: ClaimId,
    /// The leaf.
    pub leaf: u32,
    /// The hot key of the validator.
    pub key: AccountBytes,
    /// Its signature over [`noema_protocol::hashing::leaf_request_payload`].
    pub signature: SignatureBytes,
}

/// Why a worker refuses a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[non_exhaustive]
pub enum WorkerRefusal {
    /// It knows none of the peer's versions.
    #[codec(index = 0)]
    Version {
        /// The lowest version that it knows.
        lowest: u16,
        /// The highest version that it knows.
        highest: u16,
    },
    /// It starts or stops.
    #[codec(index = 1)]
    NotReady,
    /// It does not serve this session: it knows none of this number, or lost its records, or the session has no seed
    /// yet, closes or has ended.
    #[codec(index = 2)]
    NotServed,
    /// The signature does not prove that the peer may ask this.
    #[codec(index = 3)]
    NotProven,
    /// As many answers as it gives at a time are in progress, and others wait.
    #[codec(index = 4)]
    Busy,
    /// The rules of the session refuse the step.
    #[codec(index = 5)]
    Rules(WorkerError),
    /// The tokens of the prompt are not those of the ask, or the checkpoint has no answer to them.
    #[codec(index = 6)]
    Prompt,
    /// The execution failed.
    #[codec(index = 7)]
    Failed,
    /// The answer was stopped, since the connection was lost or the worker stops.
    #[codec(index = 8)]
    Stopped,
    /// It does not have the leaf, or the validator was not drawn for it.
    #[codec(index = 9)]
    NoLeaf,
    /// Its disk is full, so it cannot store what it would sign.
    #[codec(index = 10)]
    NoRoom,
}

impl WorkerRefusal {
    /// Whether the same message may be accepted later.
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::NotReady | Self::Busy | Self::Failed | Self::Stopped | Self::NoRoom => true,
            Self::Rules(reason) => matches!(
                reason,
                WorkerError::ClaimFirst | WorkerError::Busy | WorkerError::Unpaid
            ),
            Self::Version { .. }
            | Self::NotServed
            | Self::NotProven
            | Self::Prompt
            | Self::NoLeaf => false,
        }
    }
}

impl fmt::Display for WorkerRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version { lowest, highest } => write!(
                f,
                "it knows the versions {lowest} to {highest} of the protocol: update the older program"
            ),
            Self::NotReady => f.write_str("it starts or stops: ask again later"),
            Self::NotServed => f.write_str("it does not serve this session: open another one"),
            Self::NotProven => {
                f.write_str("the signature is not that of the key of the session or of an operator")
            }
            Self::Busy => f.write_str("it is busy: ask again later"),
            Self::Rules(reason) => write!(f, "{reason}"),
            Self::Prompt => f.write_str(
                "the tokens of the prompt are not those of the ask, or have no answer: ask for others",
            ),
            Self::Failed => f.write_str("the execution failed: ask again"),
            Self::Stopped => f.write_str("the answer was stopped: ask again"),
            Self::NoLeaf => f.write_str("it does not have the leaf, or the validator was not drawn"),
            Self::NoRoom => f.write_str(
                "its disk is full, so that it cannot store what it would sign: ask another worker",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use codec::DecodeAll;
    use noema_protocol::SamplingParameters;
    use sp_core::H256;

    #[test]
    fn the_longest_prompt_fits_into_a_message() {
        let ask = ToWorker::Ask(Box::new(AskMessage {
            session: SessionId(1),
            ask: Ask {
                n: 0,
                prompt_hash: H256::zero(),
                prompt_tokens: 200_000,
                parameters: SamplingParameters::greedy(1),
            },
            prompt: vec![u32::MAX; 200_000],
            voucher: None,
        }));
        let bytes = ask.encode();
        assert!(bytes.len() <= MAX_MESSAGE, "{}", bytes.len());
        assert_eq!(ToWorker::decode_all(&mut &bytes[..]), Ok(ask));
    }

    #[test]
    fn a_greeting_is_short_and_its_form_is_fixed() {
        let hello = ToWorker::Hello {
            lowest: 1,
            highest: 0x0203,
        };
        assert_eq!(hello.encode(), [0, 1, 0, 3, 2]);
        assert_eq!(FromWorker::Hello { version: 1 }.encode(), [0, 1, 0]);
        let refused = FromWorker::Refused(WorkerRefusal::Version {
            lowest: 1,
            highest: 1,
        });
        assert_eq!(refused.encode(), [1, 0, 1, 0, 1, 0]);
        let open = ToWorker::Open {
            session: SessionId(u64::MAX),
            signature: [7; 64],
        };
        assert!(open.encode().len() <= MAX_GREETING);
    }
}
