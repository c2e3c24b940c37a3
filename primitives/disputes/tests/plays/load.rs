//! Many games at once, and what a game costs the sides.

use crate::support::*;
use noema_disputes::{Effort, Game, GameStage, Place, Side, Tariff};
use std::collections::VecDeque;

/// A claimant with one executor, which builds one trace after the other, in a thousand games at once. Each challenger
/// points down to a leaf as fast as it can.
#[test]
fn a_thousand_games_at_once_do_not_make_a_claimant_lose() {
    const GAMES: usize = 1_000;
    let trace = Trace::right(1, 60);
    let statement = trace.statement(1);
    let tree = trace.tree();
    let mut owed = 0;
    let mut games: Vec<_> = (0..GAMES)
        .map(|_| {
            owed += TOKENS;
            let mut game: TestGame = Game::new(terms(), 0, owed);
            let line = game.join(0, TOKENS).expect("it has not ended");
            (game, line)
        })
        .collect();
    // The claimant takes its moves in the order in which it came to owe them.
    let mut queue: VecDeque<_> = (0..GAMES).collect();
    let (mut now, mut moves) = (0u32, 0);
    while let Some(place) = queue.pop_front() {
        now += RULES.work(TOKENS);
        owed -= TOKENS;
        let (game, line) = &mut games[place];
        if let GameStage::Opening { .. } = game.stage {
            let last = Place::of_leaf(tree.steps() - 1);
            game.open::<Hashes>(&statement, tree.root(), &trace.path(last), now)
                .expect("it is in time");
        } else {
            let (node, _) = line.node.expect("the challenger has pointed");
            let row = trace.row_below(node, RULES.row_bits);
            game.show(line, &row, now, TOKENS).expect("it is in time");
        }
        moves += 1;
        let below = match line.node {
            None => tree.top(),
            Some((node, _)) => {
                let row = tree.row_below(&node, RULES.row_bits);
                row.expect("the node is above the leaves").0
            }
        };
        if below.row > 0 {
            owed += TOKENS;
            let hash = trace.hash(below).expect("the trace has all nodes");
            game.point(line, (below, hash), &trace.path(below), now, owed)
                .expect("it is the challenger's turn");
            queue.push_back(place);
        }
    }
    assert_eq!(moves, GAMES * (1 + RULES.rounds(tree.height()) as usize));
    for (game, line) in &mut games {
        assert_eq!(line.turn.side, Side::Challenger);
        assert_eq!(game.end(), None);
    }
}

#[test]
fn a_game_costs_what_its_moves_and_traces_do() {
    let trace = Trace::right(1, 60);
    let mut game: TestGame = Game::new(terms(), 10, TOKENS);
    assert_eq!(
        game.cost(15),
        Effort {
            moves: 1,
            tokens: 300,
            blocks: 5
        }
    );
    // Six rows, three rounds of two.
    let height = trace.tree().height();
    assert_eq!(
        game.cost_of_line(height),
        Effort {
            moves: 3,
            tokens: 900,
            blocks: u64::from(7 * 3 + 2 * 20u32),
        }
    );
    game.shown = 3;
    assert_eq!(
        game.cost_of_proof(),
        Effort {
            moves: 4,
            tokens: 300,
            blocks: 0
        }
    );
}

/// A claimant challenges itself with accounts of its own before the honest challenger does.
#[test]
fn a_ring_pays_for_each_of_its_lines() {
    let tariff = Tariff {
        per_move: 1_000,
        per_token: 10,
        per_block: 50,
    };
    let game: TestGame = Game::new(terms(), 0, TOKENS);
    let cost = game.cost_of_line(27);
    let bond = tariff.bond(&cost);
    let back_to_the_claimant = tariff.cost(&cost).min(bond / 2);
    assert!(bond - back_to_the_claimant >= bond / 2, "half of it burns");
    assert!(
        back_to_the_claimant >= tariff.cost(&cost),
        "an honest claimant is paid"
    );
}
