//! Benchmarks of the steps, by kind.

use crate::{
    forged::{Executed, Forged},
    Config, Pallet,
};
use frame_benchmarking::v2::*;
use noema_trace::StepKind;

#[benchmarks]
mod benches {
    use super::*;

    #[benchmark]
    fn embedding() {
        let forged = Forged::of(StepKind::Embedding);
        let executed: Executed;
        #[block]
        {
            executed = forged.execute();
        }
        assert!(executed.is_ok());
    }

    #[benchmark]
    fn norm_range() {
        let forged = Forged::of(StepKind::NormRange);
        let executed: Executed;
        #[block]
        {
            executed = forged.execute();
        }
        assert!(executed.is_ok());
    }

    #[benchmark]
    fn norm_squares() {
        let forged = Forged::of(StepKind::NormSquares);
        let executed: Executed;
        #[block]
        {
            executed = forged.execute();
        }
        assert!(executed.is_ok());
    }

    #[benchmark]
    fn norm_scale() {
        let forged = Forged::of(StepKind::NormScale);
        let executed: Executed;
        #[block]
        {
            executed = forged.execute();
        }
        assert!(executed.is_ok());
    }

    #[benchmark]
    fn blocks_range() {
        let forged = Forged::of(StepKind::BlocksRange);
        let executed: Executed;
        #[block]
        {
            executed = forged.execute();
        }
        assert!(executed.is_ok());
    }

    #[benchmark]
    fn blocks_write() {
        let forged = Forged::of(StepKind::BlocksWrite);
        let executed: Executed;
        #[block]
        {
            executed = forged.execute();
        }
        assert!(executed.is_ok());
    }

    #[benchmark]
    fn linear() {
        let forged = Forged::of(StepKind::Linear);
        let executed: Executed;
        #[block]
        {
            executed = forged.execute();
        }
        assert!(executed.is_ok());
    }

    #[benchmark]
    fn bias() {
        let forged = Forged::of(StepKind::Bias);
        let executed: Executed;
        #[block]
        {
            executed = forged.execute();
        }
        assert!(executed.is_ok());
    }

    #[benchmark]
    fn head_norm() {
        let forged = Forged::of(StepKind::HeadNorm);
        let executed: Executed;
        #[block]
        {
            executed = forged.execute();
        }
        assert!(executed.is_ok());
    }

    #[benchmark]
    fn rope() {
        let forged = Forged::of(StepKind::Rope);
        let executed: Executed;
        #[block]
        {
            executed = forged.execute();
        }
        assert!(executed.is_ok());
    }

    #[benchmark]
    fn store_key() {
        let forged = Forged::of(StepKind::StoreKey);
        let executed: Executed;
        #[block]
        {
            executed = forged.execute();
        }
        assert!(executed.is_ok());
    }

    #[benchmark]
    fn store_value() {
        let forged = Forged::of(StepKind::StoreValue);
        let executed: Executed;
        #[block]
        {
            executed = forged.execute();
        }
        assert!(executed.is_ok());
    }

    #[benchmark]
    fn scores() {
        let forged = Forged::of(StepKind::Scores);
        let executed: Executed;
        #[block]
        {
            executed = forged.execute();
        }
        assert!(executed.is_ok());
    }

    #[benchmark]
    fn sums() {
        let forged = Forged::of(StepKind::Sums);
        let executed: Executed;
        #[block]
        {
            executed = forged.execute();
        }
        assert!(executed.is_ok());
    }

    #[benchmark]
    fn mix() {
        let forged = Forged::of(StepKind::Mix);
        let executed: Executed;
        #[block]
        {
            executed = forged.execute();
        }
        assert!(executed.is_ok());
    }

    #[benchmark]
    fn swiglu() {
        let forged = Forged::of(StepKind::Swiglu);
        let executed: Executed;
        #[block]
        {
            executed = forged.execute();
        }
        assert!(executed.is_ok());
    }

    #[benchmark]
    fn geglu() {
        let forged = Forged::of(StepKind::Geglu);
        let executed: Executed;
        #[block]
        {
            executed = forged.execute();
        }
        assert!(executed.is_ok());
    }

    #[benchmark]
    fn route() {
        let forged = Forged::of(StepKind::Route);
        let executed: Executed;
        #[block]
        {
            executed = forged.execute();
        }
        assert!(executed.is_ok());
    }

    #[benchmark]
    fn experts() {
        let forged = Forged::of(StepKind::Experts);
        let executed: Executed;
        #[block]
        {
            executed = forged.execute();
        }
        assert!(executed.is_ok());
    }

    #[benchmark]
    fn mix_experts() {
        let forged = Forged::of(StepKind::MixExperts);
        let executed: Executed;
        #[block]
        {
            executed = forged.execute();
        }
        assert!(executed.is_ok());
    }

    #[benchmark]
    fn add() {
        let forged = Forged::of(StepKind::Add);
        let executed: Executed;
        #[block]
        {
            executed = forged.execute();
        }
        assert!(executed.is_ok());
    }

    #[benchmark]
    fn state() {
        let forged = Forged::of(StepKind::State);
        let executed: Executed;
        #[block]
        {
            executed = forged.execute();
        }
        assert!(executed.is_ok());
    }

    #[benchmark]
    fn largest() {
        let forged = Forged::of(StepKind::Largest);
        let executed: Executed;
        #[block]
        {
            executed = forged.execute();
        }
        assert!(executed.is_ok());
    }

    #[benchmark]
    fn count() {
        let forged = Forged::of(StepKind::Count);
        let executed: Executed;
        #[block]
        {
            executed = forged.execute();
        }
        assert!(executed.is_ok());
    }

    #[benchmark]
    fn select() {
        let forged = Forged::of(StepKind::Select);
        let executed: Executed;
        #[block]
        {
            executed = forged.execute();
        }
        assert!(executed.is_ok());
    }

    #[benchmark]
    fn answered() {
        let forged = Forged::of(StepKind::Answered);
        let executed: Executed;
        #[block]
        {
            executed = forged.execute();
        }
        assert!(executed.is_ok());
    }

    #[benchmark]
    fn loss_weights() {
        let forged = Forged::of(StepKind::LossWeights);
        let executed: Executed;
        #[block]
        {
            executed = forged.execute();
        }
        assert!(executed.is_ok());
    }

    #[benchmark]
    fn loss() {
        let forged = Forged::of(StepKind::Loss);
        let executed: Executed;
        #[block]
        {
            executed = forged.execute();
        }
        assert!(executed.is_ok());
    }

    #[benchmark]
    fn tokens() {
        let forged = Forged::of(StepKind::Tokens);
        let executed: Executed;
        #[block]
        {
            executed = forged.execute();
        }
        assert!(executed.is_ok());
    }

    #[benchmark]
    fn outcome() {
        let forged = Forged::of(StepKind::Outcome);
        let executed: Executed;
        #[block]
        {
            executed = forged.execute();
        }
        assert!(executed.is_ok());
    }
}
