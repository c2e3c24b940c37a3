//! Benchmarks of the calls and the turns.

use crate::*;
use alloc::{boxed::Box, vec, vec::Vec};
use frame_benchmarking::v2::*;
use frame_support::{
    traits::{fungible::Mutate, Get, Hooks},
    weights::{Weight, WeightMeter},
    BoundedVec,
};
use frame_system::RawOrigin;
use noema_disputes::{
    Fault, GameStage, LineEnd, Place, StepJudge, StepProof, Tree, MAX_SIBLINGS, MAX_STEPS,
};
use noema_economics::Balance;
use noema_protocol::{hashing::merkle_node, CheckpointId, ClaimId};
use sp_core::H256;
use sp_runtime::traits::{One, Saturating};

const CHECKPOINT: CheckpointId = CheckpointId(H256::repeat_byte(7));

/// A trace of a disputed leaf with a step that is wrong.
pub struct WrongTrace<Statement, Evidence> {
    /// What the leaf states.
    pub statement: Statement,
    /// The siblings of the leaf, up to the claim's root.
    pub path: Vec<H256>,
    /// The root of the trace.
    pub root: H256,
    /// The siblings of the last leaf of the trace.
    pub siblings: Vec<H256>,
    /// Shows that a step is wrong.
    pub proof: StepProof<Evidence>,
}

/// Creates state that only the runtime can.
pub trait BenchmarkHelper<AccountId, Statement, Evidence> {
    /// Makes a claim about `checkpoint`, which is active from then on, with as much to settle as a claim can have.
    /// Opens a dispute by challenging one of its leaves, as any account can. Returns the leaf.
    fn challenged(checkpoint: CheckpointId) -> (ClaimId, u32);

    /// The hot key of the claimant.
    fn hot_key(claim: ClaimId) -> AccountId;

    /// A wrong trace of that leaf, whose statement it supports.
    fn wrong_trace(claim: ClaimId, leaf: u32) -> WrongTrace<Statement, Evidence>;
}

type Helper<T> = <T as Config>::BenchmarkHelper;

fn challenger<T: Config>(index: u32) -> T::AccountId {
    account("line", index, 0)
}

/// A game that has just begun.
fn begun<T: Config>() -> GameId {
    let id = Helper::<T>::challenged(CHECKPOINT);
    assert!(Games::<T>::contains_key(id.0, id.1));
    id
}

/// A path of the longest tree from its first place, from the row `height`.
fn longest_tree(height: u32, hash: H256) -> (Tree, Vec<H256>) {
    let siblings = vec![H256::repeat_byte(5); (MAX_SIBLINGS - height) as usize];
    let root = siblings
        .iter()
        .fold(hash, |at, sibling| merkle_node(&at, sibling));
    let tree = Tree::new(root, MAX_STEPS).expect("a tree has so many steps; qed");
    (tree, siblings)
}

/// Opens a game with a tree.
fn open_with<T: Config>(id: GameId, tree: Tree, statement: H256) {
    Games::<T>::mutate(id.0, id.1, |open| {
        let game = &mut open.as_mut().expect("the game has begun; qed").game;
        let claimant = game.terms.claimant.clone();
        Pallet::<T>::pay_off(&claimant, game.terms.tokens);
        game.stage = GameStage::Open {
            tree,
            statement,
            since: Pallet::<T>::now(),
        };
    });
}

/// Lets an account join a game with a bond.
fn joined<T: Config>(id: GameId, index: u32) -> T::AccountId {
    let challenger = challenger::<T>(index);
    T::Currency::set_balance(&challenger, Balance::MAX / 1_000);
    Pallet::<T>::join(RawOrigin::Signed(challenger.clone()).into(), id.0, id.1)
        .expect("an account may join; qed");
    challenger
}

/// The row below the first node that is so many rows above the leaves, with the hash of that node.
fn row<T: Config>() -> (Place, H256, Vec<H256>) {
    let height = u32::from(T::RowBits::get());
    let row = vec![H256::repeat_byte(6); 1usize << height];
    let mut above = row.clone();
    while above.len() > 1 {
        above = above
            .chunks_exact(2)
            .map(|pair| merkle_node(&pair[0], &pair[1]))
            .collect();
    }
    let node = Place {
        row: height,
        index: 0,
    };
    (node, above[0], row)
}

#[benchmarks]
mod benches {
    use super::*;

    #[benchmark]
    fn open_trace() {
        let (claim, leaf) = begun::<T>();
        let WrongTrace {
            statement,
            path,
            root,
            siblings,
            ..
        } = Helper::<T>::wrong_trace(claim, leaf);
        #[extrinsic_call]
        _(
            RawOrigin::Signed(Helper::<T>::hot_key(claim)),
            claim,
            leaf,
            Box::new(statement),
            path,
            root,
            siblings,
        );
        let game = Games::<T>::get(claim, leaf)
            .expect("the game is open; qed")
            .game;
        assert!(matches!(game.stage, GameStage::Open { .. }));
    }

    #[benchmark]
    fn join() {
        let (claim, leaf) = begun::<T>();
        let who = challenger::<T>(0);
        T::Currency::set_balance(&who, Balance::MAX / 1_000);
        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), claim, leaf);
        assert!(Lines::<T>::contains_key((claim, leaf), &who));
    }

    #[benchmark]
    fn point() {
        let (claim, leaf) = begun::<T>();
        let hash = H256::repeat_byte(4);
        let (tree, siblings) = longest_tree(1, hash);
        open_with::<T>((claim, leaf), tree, H256::zero());
        let who = joined::<T>((claim, leaf), 0);
        let node = Place { row: 1, index: 0 };
        #[extrinsic_call]
        _(
            RawOrigin::Signed(who.clone()),
            claim,
            leaf,
            node,
            hash,
            siblings,
        );
        let line = Lines::<T>::get((claim, leaf), &who).expect("the line is open; qed");
        assert_eq!(line.line.node, Some((node, hash)));
    }

    /// The longest row, for `l` lines.
    #[benchmark]
    fn show(l: Linear<1, { T::MaxAnswered::get() }>) {
        let (claim, leaf) = begun::<T>();
        let (node, hash, row) = row::<T>();
        let (tree, siblings) = longest_tree(node.row, hash);
        open_with::<T>((claim, leaf), tree, H256::zero());
        let challengers: Vec<_> = (0..l)
            .map(|index| {
                let who = joined::<T>((claim, leaf), index);
                Pallet::<T>::do_point(who.clone(), claim, leaf, (node, hash), &siblings)
                    .expect("the node is in the tree; qed");
                who
            })
            .collect();
        let challengers = BoundedVec::truncate_from(challengers);
        let row = BoundedVec::truncate_from(row);
        #[extrinsic_call]
        _(
            RawOrigin::Signed(Helper::<T>::hot_key(claim)),
            claim,
            leaf,
            challengers,
            row,
        );
        let game = Games::<T>::get(claim, leaf)
            .expect("the game is open; qed")
            .game;
        assert_eq!(game.shown, l);
    }

    /// A proof that shows nothing, and costs its line: without the step, and without the end of a claim.
    #[benchmark]
    fn prove() {
        let (claim, leaf) = begun::<T>();
        let WrongTrace {
            statement,
            mut proof,
            ..
        } = Helper::<T>::wrong_trace(claim, leaf);
        let (tree, siblings) = longest_tree(0, H256::repeat_byte(4));
        let stated = T::Judge::leaf(&statement);
        open_with::<T>((claim, leaf), tree, stated);
        let who = joined::<T>((claim, leaf), 0);
        proof.step = 0;
        proof.node = H256::repeat_byte(4);
        proof.siblings = siblings;
        #[extrinsic_call]
        _(
            RawOrigin::Signed(who.clone()),
            claim,
            leaf,
            Box::new(statement),
            Box::new(proof),
        );
        assert!(!Lines::<T>::contains_key((claim, leaf), &who));
    }

    /// The claim falls, and an account is paid for that.
    #[benchmark]
    fn conclude() {
        let id = begun::<T>();
        let who = joined::<T>(id, 0);
        let open = Games::<T>::get(id.0, id.1).expect("the game is open; qed");
        #[block]
        {
            Pallet::<T>::conclude_fallen(id, open, Fault::WrongStep(0), Some(who), true);
        }
        assert!(!Games::<T>::contains_key(id.0, id.1));
    }

    /// No turn is due.
    #[benchmark]
    fn poll_base() {
        let now = Pallet::<T>::now().saturating_add(One::one());
        GameTime::<T>::put(now);
        AgendaCursor::<T>::put(now);
        #[block]
        {
            Pallet::<T>::poll(&mut WeightMeter::new());
        }
        assert!(AgendaCursor::<T>::get() > now);
    }

    /// Leaves a time without turns.
    #[benchmark]
    fn skip() {
        let now = Pallet::<T>::now().saturating_add(One::one());
        AgendaCursor::<T>::put(now);
        let turns: Vec<GameTurn<T::AccountId>>;
        #[block]
        {
            turns = Agenda::<T>::take_due(now, 1);
        }
        assert!(turns.is_empty());
    }

    /// The bond of a line is lost, and its game goes on.
    #[benchmark]
    fn turn() {
        let id = begun::<T>();
        let (tree, _) = longest_tree(0, H256::zero());
        open_with::<T>(id, tree, H256::zero());
        let who = joined::<T>(id, 0);
        let mut open = Games::<T>::get(id.0, id.1).expect("the game is open; qed");
        let line = Lines::<T>::get(id, &who).expect("the line is open; qed");
        #[block]
        {
            open.game.lines = open.game.lines.saturating_sub(1);
            Pallet::<T>::lose_line(id, open, who.clone(), line, LineEnd::Late);
        }
        assert!(!Lines::<T>::contains_key(id, &who));
    }

    /// The end of a block with room.
    #[benchmark]
    fn tick() {
        let before = Pallet::<T>::now();
        #[block]
        {
            Pallet::<T>::on_idle(One::one(), Weight::MAX);
        }
        assert!(Pallet::<T>::now() >= before);
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
