//! The kinds of steps.

use core::fmt;
use noema_protocol::{apply, sent};

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal,)*) => {
        /// What a step computes. `docs/referee.md` lists inputs, output and bytes of each.
        #[apply(sent)]
        #[derive(Copy, PartialOrd, Ord, Hash)]
        pub enum StepKind {
            $($(#[$doc])* $kind,)*
        }

        impl StepKind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// Its name.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }
        }
    };
}

kinds! {
    /// A part of the embedding of a token.
    Embedding = "embedding",
    /// The largest magnitude of a residual stream up to a part.
    NormRange = "norm range",
    /// The sum of squares of a residual stream up to a part.
    NormSquares = "norm squares",
    /// A part of a norm's output, before quantisation.
    NormScale = "norm scale",
    /// The largest magnitude of a vector that is written as blocks, up to a part.
    BlocksRange = "blocks range",
    /// A part of a vector as blocks.
    BlocksWrite = "blocks write",
    /// Sums of some rows of a matrix, up to a part of the reduction; the output of these rows at the last part.
    Linear = "linear",
    /// A part of a vector with its biases.
    Bias = "bias",
    /// Some heads, normed.
    HeadNorm = "head norm",
    /// Some heads, rotated.
    Rope = "rope",
    /// A key as the cache stores it.
    StoreKey = "store key",
    /// A value as the cache stores it.
    StoreValue = "store value",
    /// The scores of some heads for a block of positions, and the largest up to these.
    Scores = "scores",
    /// The sums of weights, and the largest weights, of some heads up to a block of positions.
    Sums = "sums",
    /// The mixed values of some heads up to a block of positions; their output at the last one.
    Mix = "mix",
    /// A part of a gated product, before quantisation.
    Swiglu = "swiglu",
    /// As swiglu, with GELU.
    Geglu = "geglu",
    /// The experts of a position, and their weights.
    Route = "route",
    /// As linear, of one of a position's experts: its tiles follow from the routes.
    Experts = "experts",
    /// A part of the sum of what a position's experts return.
    MixExperts = "mix experts",
    /// A part of a sum of two vectors.
    Add = "add",
    /// The tree of hidden states up to that of a position.
    State = "state",
    /// The largest logit up to a part of the vocabulary.
    Largest = "largest",
    /// The histogram of a digit of a search, up to a part of the vocabulary.
    Count = "count",
    /// A search with one digit more.
    Select = "select",
    /// Whether all tokens of the answer up to a position's are those that were drawn, and whether it ends as stated.
    Answered = "answered",
    /// The weight of the logits up to a part of the vocabulary, and how far a text's next token is below the largest.
    LossWeights = "loss weights",
    /// The loss of a text up to the token after a position.
    Loss = "loss",
    /// Whether all tokens that were given up to a part of them are in the vocabulary.
    Tokens = "tokens",
    /// Whether the statement is true.
    Outcome = "outcome",
}

impl fmt::Display for StepKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
