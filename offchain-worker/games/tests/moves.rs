//! Single moves: what a player needs, and what it refuses to play.

use noema_disputes::{
    DisputedLeaf, Game, GameRules, GameStage, GameTerms, Line, Place, Side, Tree,
};
use noema_games::{
    challenger_move, claimant_moves, open, show,
    testing::{Traced, World, WorldJudge},
    ChallengerMove, ClaimantMove, PlayError,
};
use noema_numerics::{
    testing::{Random, TestModel},
    Sampling,
};
use noema_protocol::{CheckpointId, ClaimId};
use sp_core::H256;
use std::{collections::BTreeMap, sync::Arc};

const TOKENS: u64 = 10;

fn world() -> Arc<World> {
    Arc::new(World::answer(TestModel::TINY, 3, 2, Sampling::GREEDY))
}

/// A game about a world that its claimant opened with this trace.
fn opened(world: &Arc<World>, mut claimed: &Traced) -> Game<u32, u32> {
    let terms = GameTerms {
        claimant: 1,
        subject: DisputedLeaf {
            claim: ClaimId(1),
            leaf: 0,
            checkpoint: CheckpointId(H256::zero()),
        },
        tokens: TOKENS,
        rules: GameRules {
            per_move: 10,
            tokens_per_block: 100,
            row_bits: 4,
        },
    };
    let mut game = Game::new(terms, 0, TOKENS);
    let opening = open(&mut claimed).expect("a trace that supports the statement");
    let tree = game.open::<WorldJudge>(world, opening.root, &opening.siblings, 1);
    tree.expect("it is opened");
    game
}

fn tree(game: &Game<u32, u32>) -> Tree {
    match game.stage {
        GameStage::Open { tree, .. } => tree,
        _ => panic!("the game is open"),
    }
}

/// A forged trace, and the step that is wrong in it.
fn forged(world: &Arc<World>) -> (Traced, u64) {
    let honest = Traced::honest(world.clone());
    let step = honest.steps() / 3;
    (honest.with(step, b"forged"), step)
}

/// Points, and shows the row; as long as the challenger points. Returns the nodes and the rows.
fn descend(
    game: &mut Game<u32, u32>,
    line: &mut Line<u32>,
    (mut own, mut claimed): (&Traced, &Traced),
) -> (Vec<Place>, Vec<Vec<H256>>) {
    let (mut nodes, mut rows) = (Vec::new(), Vec::new());
    let tree = tree(game);
    while let Some(ChallengerMove::Point {
        node,
        hash,
        siblings,
    }) = challenger_move(&mut own, game, line, &rows).expect("a move")
    {
        let pointed = game.point(line, (node, hash), &siblings, 2, TOKENS);
        pointed.expect("a point");
        let row = show(&mut claimed, &tree, (node, hash), 4).expect("a row");
        game.show(line, &row, 2, TOKENS).expect("a row");
        nodes.push(node);
        rows.push(row);
    }
    (nodes, rows)
}

#[test]
fn a_player_that_starts_again_needs_no_more_than_chain_and_rows() {
    let world = world();
    let honest = Traced::honest(world.clone());
    let (claimed, step) = forged(&world);
    let mut game = opened(&world, &claimed);
    let mut line = game.join(1, TOKENS).expect("a line");
    let (_, mut rows) = descend(&mut game, &mut line, (&honest, &claimed));
    rows.reverse();
    rows.push(vec![H256::zero(); 2]);
    let found = challenger_move(&mut &honest, &game, &line, &rows);
    let Ok(Some(ChallengerMove::Prove(proof))) = found else {
        panic!("{found:?}");
    };
    assert_eq!(proof.step, step);
    assert!(game.prove::<WorldJudge>(&world, &proof).is_ok());
}

#[test]
fn a_row_that_was_not_read_is_asked_for_and_a_wrong_one_is_none() {
    let world = world();
    let honest = Traced::honest(world.clone());
    let (claimed, _) = forged(&world);
    let mut game = opened(&world, &claimed);
    let mut line = game.join(1, TOKENS).expect("a line");
    let (nodes, rows) = descend(&mut game, &mut line, (&honest, &claimed));
    assert!(rows.len() > 1, "several rows");
    for (place, node) in nodes.into_iter().enumerate() {
        let mut others = rows.clone();
        others[place][0] = H256::zero();
        let found = challenger_move(&mut &honest, &game, &line, &others);
        assert_eq!(found, Err(PlayError::RowUnread(node)));
        others.remove(place);
        let found = challenger_move(&mut &honest, &game, &line, &others);
        assert_eq!(found, Err(PlayError::RowUnread(node)));
    }
}

#[test]
fn no_side_moves_out_of_turn_or_against_a_right_claim() {
    let world = world();
    let honest = Traced::honest(world.clone());
    let mut game = opened(&world, &honest);
    let mut line = game.join(1, TOKENS).expect("a line");
    let none = challenger_move(&mut &honest, &game, &line, &[]);
    assert_eq!(none, Ok(None), "the claim is right");
    let none = claimant_moves(&mut &honest, &game, &[(2, line)], 8);
    assert_eq!(none, Ok(Vec::new()), "the challenger has to move");
    line.turn.side = Side::Claimant;
    let (other, _) = forged(&world);
    let none = challenger_move(&mut &other, &game, &line, &[]);
    assert_eq!(none, Ok(None), "the claimant has to move");
}

#[test]
fn challengers_at_one_node_are_answered_together() {
    let world = world();
    let honest = Traced::honest(world.clone());
    let mut game = opened(&world, &honest);
    let tree = tree(&game);
    let mut line = game.join(1, TOKENS).expect("a line");
    let pointed = game.point(&mut line, (tree.top(), tree.root()), &[], 2, TOKENS);
    pointed.expect("a point");
    let lines: Vec<(u32, Line<u32>)> = (2..7).map(|challenger| (challenger, line)).collect();
    let moves = claimant_moves(&mut &honest, &game, &lines, 3).expect("moves");
    let answered: Vec<Vec<u32>> = moves
        .into_iter()
        .map(|shown| match shown {
            ClaimantMove::Show {
                node,
                challengers,
                row,
            } => {
                assert_eq!((node, row.len()), (tree.top(), row.len().min(16)));
                challengers
            }
            ClaimantMove::Open(_) => panic!("it is open"),
        })
        .collect();
    assert_eq!(answered, [vec![2, 3, 4], vec![5, 6]]);
}

#[test]
fn a_claimant_that_finds_its_own_claim_false_shows_nothing() {
    let world = Arc::new(world().falsified(&mut Random::new(3)));
    let honest = Traced::honest(world);
    assert_eq!(open(&mut &honest), Err(PlayError::OwnClaimFalse));
}

#[test]
fn traces_of_other_executions_are_not_played_from() {
    let world = world();
    let honest = Traced::honest(world.clone());
    let (claimed, _) = forged(&world);
    let mut game = opened(&world, &claimed);
    let tree = tree(&game);
    let longer = Traced::honest(Arc::new(World::answer(
        TestModel::TINY,
        4,
        2,
        Sampling::GREEDY,
    )));
    let top = (tree.top(), tree.root());
    let other_steps = PlayError::OtherSteps {
        own: longer.steps(),
        claimed: tree.steps(),
    };
    let mut line = game.join(1, TOKENS).expect("a line");
    assert_eq!(show(&mut &longer, &tree, top, 4), Err(other_steps.clone()));
    let found = challenger_move(&mut &longer, &game, &line, &[]);
    assert_eq!(found, Err(other_steps));
    let shown = show(&mut &honest, &tree, top, 4);
    assert_eq!(shown, Err(PlayError::OtherNode(tree.top())));

    let (nodes, rows) = descend(&mut game, &mut line, (&honest, &claimed));
    let forged = BTreeMap::from([(0, b"other".to_vec())]);
    let other = Traced::forged(world, forged, true);
    let last = *nodes.last().expect("rows");
    let found = challenger_move(&mut &other, &game, &line, &rows);
    assert_eq!(found, Err(PlayError::OtherWay(last)));
}
