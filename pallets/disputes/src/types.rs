//! The types of the pallet's storage and interfaces.

use crate::{AgendaCursor, Config, Turns};
use alloc::vec::Vec;
use frame_support::weights::Weight;
use frame_system::pallet_prelude::BlockNumberFor;
use noema_disputes::{Game, Line, Place, StepJudge};
use noema_economics::Balance;
use noema_protocol::{apply, encoded, sent, stored, CheckpointId, ClaimId};

/// What a leaf states, in the runtime.
pub type StatementOf<T> = <<T as Config>::Judge as StepJudge>::Statement;
/// What a step is computed from, in the runtime.
pub type EvidenceOf<T> = <<T as Config>::Judge as StepJudge>::Evidence;
/// A game of the runtime.
pub type GameOf<T> = Game<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;
/// An open game of the runtime.
pub type OpenGameOf<T> = OpenGame<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;
/// An open line of the runtime.
pub type OpenLineOf<T> = OpenLine<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;
/// The information on a game of the runtime.
pub type GameInfoOf<T> = GameInfo<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;

/// The agenda of games and lines, by game time.
pub(crate) type Agenda<T> = noema_agenda::Agenda<Turns<T>, AgendaCursor<T>>;

/// A claim and one of its leaves: the subject of a game.
pub type GameId = (ClaimId, u32);

/// Most bytes of a move: evidence of 80 KiB, a statement with a manifest of 16 KiB, and the paths beside them.
pub const MOVE_BYTES: u32 = 104 * 1024;
/// Most parts, each the fee of a juror, that the loser of a game owes the winner.
pub const MAX_PARTS: u32 = 36;
/// Most bytes of the evidence of one step. 64 KiB would do for checkpoints of up to 70 billion weights; the widest hidden
/// state that the format allows has 65.
pub const MAX_EVIDENCE_BYTES: usize = 80 * 1024;

/// The weights of steps.
pub trait StepWeight<Evidence> {
    /// The weight of executing a step with this evidence, whatever it contains.
    fn weigh(evidence: &Evidence) -> Weight;

    /// The highest weight of a step.
    fn heaviest() -> Weight;
}

/// A game that is not over.
#[apply(stored)]
pub struct OpenGame<AccountId, BlockNumber> {
    /// The game.
    pub game: Game<AccountId, BlockNumber>,
    /// The game time of its turn in the agenda; `None` once that was taken.
    pub turn: Option<BlockNumber>,
}

/// A line that is not over.
#[apply(stored)]
pub struct OpenLine<AccountId, BlockNumber> {
    /// The line.
    pub line: Line<BlockNumber>,
    /// The bond of an account that joined the game; `None` for a challenger, whose stake the claims pallet has.
    pub bond: Option<LineBond<AccountId>>,
    /// The account that owes the next move.
    pub owes: AccountId,
    /// The tokens of the trace that it has to build for that.
    pub tokens: u64,
    /// The game time of its turn in the agenda.
    pub turn: BlockNumber,
}

/// The bond of an account that joined a game.
#[apply(stored)]
pub struct LineBond<AccountId> {
    /// The account that the amount is held from.
    pub from: AccountId,
    /// The amount.
    pub amount: Balance,
}

/// What has a turn in the agenda.
#[apply(stored)]
pub enum GameTurn<AccountId> {
    /// The game over a leaf: the time to open a trace, and to join, is over.
    Game(GameId),
    /// The line of a challenger: the time of a side is over.
    Line(GameId, AccountId),
}

/// The information on a game.
#[apply(encoded)]
pub struct GameInfo<AccountId, BlockNumber> {
    /// The game.
    pub game: Game<AccountId, BlockNumber>,
    /// Its challengers, each with its line and the last game time in which the side that has to move may; `None` before
    /// the trace is open.
    pub lines: Vec<(AccountId, Line<BlockNumber>, Option<BlockNumber>)>,
    /// The present game time: deadlines are in game time.
    pub time: BlockNumber,
    /// The bond of an account that joins now.
    pub bond: Balance,
}

/// The next move of an account.
#[apply(sent)]
pub enum MoveStep<AccountId> {
    /// Show the root of the trace with `open_trace`.
    Open,
    /// Show the row below this node to this challenger with `show`.
    Show(Place, AccountId),
    /// Point further down with `point`, or `prove`; the last node pointed to, where there is one.
    PointOrProve(Option<Place>),
}

/// A game in which an account owes a move.
#[apply(encoded)]
pub struct MoveDue<AccountId, BlockNumber> {
    /// The claim.
    pub claim: ClaimId,
    /// The leaf.
    pub leaf: u32,
    /// The checkpoint to execute.
    pub checkpoint: CheckpointId,
    /// The move.
    pub step: MoveStep<AccountId>,
    /// The number of further blocks, if each has room for a move, in which it is accepted.
    pub blocks: BlockNumber,
}
