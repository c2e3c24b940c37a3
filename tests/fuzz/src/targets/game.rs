//! Games of arbitrary moves about an honest trace: its claimant loses by silence only, and each game ends.

use codec::{Decode, DecodeAll, Encode};
use noema_disputes::{
    DisputedLeaf, EvidenceError, Fault, Game, GameEnd, GameRules, GameTerms, Line, NoTrace, Place,
    Shape, StepJudge, StepProof, Tree,
};
use noema_protocol::{
    hashing::{blake2_256, merkle_leaf},
    merkle, CheckpointId, ClaimId,
};
use sp_core::H256;

const RULES: GameRules<u32> = GameRules {
    per_move: 5,
    tokens_per_block: 100,
    row_bits: 2,
};
/// Steps of the trace.
const STEPS: u64 = 37;
const SEED: u64 = 9;

/// The leaf before, with its path; nothing for the first step.
type Before = Option<(H256, Vec<H256>)>;

/// Each step hashes the leaf before it.
struct Chain;

fn step(number: u64, before: Option<H256>) -> H256 {
    let mut bytes = [SEED.to_le_bytes(), number.to_le_bytes()].concat();
    bytes.extend(before.unwrap_or_default().0);
    blake2_256(&bytes)
}

impl StepJudge for Chain {
    type Statement = H256;
    type Evidence = Before;

    fn leaf(statement: &H256) -> H256 {
        merkle_leaf(statement)
    }

    fn shape(_: &DisputedLeaf, statement: &H256) -> Result<Shape, NoTrace> {
        Ok(Shape {
            steps: STEPS,
            result: *statement,
        })
    }

    fn execute(
        _: &DisputedLeaf,
        _: &H256,
        trace: &Tree,
        number: u64,
        evidence: &Before,
    ) -> Result<H256, EvidenceError> {
        match (number.checked_sub(1), evidence) {
            (None, None) => Ok(step(number, None)),
            (Some(before), Some((leaf, path))) if trace.verify_step(before, leaf, path) => {
                Ok(step(number, Some(*leaf)))
            }
            (Some(_), Some(_)) => Err(EvidenceError::NotInTrace),
            _ => Err(EvidenceError::Malformed),
        }
    }
}

#[derive(Encode, Decode)]
enum Move {
    Join,
    Point {
        line: u8,
        node: Place,
        hash: H256,
        siblings: Vec<H256>,
    },
    Show {
        line: u8,
        row: Vec<H256>,
    },
    Prove(StepProof<Before>),
    ProveIn {
        line: u8,
        proof: StepProof<Before>,
    },
    /// An honest move of the claimant.
    Answer {
        line: u8,
    },
    Wait(u8),
}

/// All rows of the honest tree, and its leaves.
fn rows() -> (Vec<H256>, Vec<Vec<H256>>) {
    let mut leaves = Vec::new();
    for number in 0..STEPS {
        leaves.push(step(number, leaves.last().copied()));
    }
    let mut rows = vec![leaves.iter().map(merkle_leaf).collect::<Vec<_>>()];
    while let Some(row) = rows.last().filter(|row| row.len() > 1) {
        let above = merkle::row_above(row);
        rows.push(above);
    }
    (leaves, rows)
}

fn siblings(rows: &[Vec<H256>], height: usize, mut index: usize) -> Vec<H256> {
    let mut found = Vec::new();
    for row in &rows[height..] {
        found.extend(row.get(index ^ 1));
        index >>= 1;
    }
    found
}

fn row_below(rows: &[Vec<H256>], tree: &Tree, node: &Place) -> Vec<H256> {
    let Some((first, count)) = tree.row_below(node, RULES.row_bits) else {
        return Vec::new();
    };
    let start = first.index as usize;
    rows[first.row as usize][start..start + count as usize].to_vec()
}

pub(super) fn run(bytes: &[u8]) -> String {
    let Ok(moves) = Vec::<Move>::decode_all(&mut &bytes[..]) else {
        return "undecodable".into();
    };
    let (leaves, rows) = rows();
    let root = rows[rows.len() - 1][0];
    let statement = leaves[leaves.len() - 1];
    let terms = GameTerms {
        claimant: 1_u32,
        subject: DisputedLeaf {
            claim: ClaimId(1),
            leaf: 0,
            checkpoint: CheckpointId(H256::repeat_byte(7)),
        },
        tokens: 100,
        rules: RULES,
    };
    let mut now = 1;
    let mut game: Game<u32, u32> = Game::new(terms, now, 100);
    let path = siblings(&rows, 0, STEPS as usize - 1);
    let tree = game
        .open::<Chain>(&statement, root, &path, now)
        .expect("an honest claimant opens");
    let mut lines: Vec<Option<Line<u32>>> = Vec::new();
    let mut outcome = Vec::new();
    let mut silent = false;
    for made in moves.iter().take(40) {
        let line = |line: u8| usize::from(line).checked_rem(lines.len());
        let name = match made {
            Move::Join => match game.join(now, 100) {
                Ok(line) if lines.len() < 4 => {
                    lines.push(Some(line));
                    "join"
                }
                _ => "no join",
            },
            Move::Point {
                line: at,
                node,
                hash,
                siblings,
            } => match line(*at).and_then(|at| lines[at].as_mut()) {
                Some(line) => match game.point(line, (*node, *hash), siblings, now, 100) {
                    Ok(()) => {
                        assert_eq!(rows[node.row as usize][node.index as usize], *hash);
                        "point"
                    }
                    Err(_) => "no point",
                },
                None => "no line",
            },
            Move::Show { line: at, row } => match line(*at).and_then(|at| lines[at].as_mut()) {
                Some(line) => {
                    let node = line.node;
                    match game.show(line, row, now, 100) {
                        Ok(()) => {
                            let (node, _) = node.expect("a node to show the row of");
                            assert_eq!(row_below(&rows, &tree, &node), *row);
                            "show"
                        }
                        Err(_) => "no show",
                    }
                }
                None => "no line",
            },
            Move::Answer { line: at } => match line(*at).and_then(|at| lines[at].as_mut()) {
                Some(line) => {
                    let node = line.node.map(|(node, _)| node);
                    let row = node.map_or(Vec::new(), |node| row_below(&rows, &tree, &node));
                    match game.show(line, &row, now, 100) {
                        Ok(()) => "answer",
                        Err(_) => "no answer",
                    }
                }
                None => "no line",
            },
            Move::Prove(proof) => match game.prove::<Chain>(&statement, proof) {
                Ok(fault) => panic!("an honest trace fell: {fault:?}"),
                Err(error) => {
                    outcome.push(format!("{error:?}"));
                    "prove"
                }
            },
            Move::ProveIn { line: at, proof } => {
                let at = line(*at);
                match at.and_then(|at| lines[at]) {
                    Some(line) => {
                        if game
                            .prove_in::<Chain>(&line, &statement, proof, now)
                            .is_ok()
                            && let Some(at) = at
                        {
                            lines[at] = None;
                        }
                        "prove in"
                    }
                    None => "no line",
                }
            }
            Move::Wait(blocks) => {
                now += u32::from(*blocks % 16);
                game.expire(now);
                for line in &mut lines {
                    if let Some(late) = *line {
                        silent |= late.turn.side == noema_disputes::Side::Claimant;
                        if game.expire_line(&late, now).is_some() {
                            *line = None;
                        }
                    }
                }
                "wait"
            }
        };
        outcome.push(name.into());
        if let Some(end) = game.end() {
            match end {
                GameEnd::Upheld => {}
                GameEnd::Fallen(Fault::NotShown(_)) => assert!(silent),
                GameEnd::Fallen(fault) => panic!("an honest trace fell: {fault:?}"),
                GameEnd::HandedOver => panic!("a computation with steps was handed over"),
            }
            outcome.push(format!("{end:?}").chars().take(6).collect());
            break;
        }
    }
    // All that is left ends by itself.
    now += 10_000;
    for line in lines.into_iter().flatten() {
        game.expire_line(&line, now);
    }
    assert!(game.expire(now).is_some(), "a game that does not end");
    outcome.dedup();
    outcome.truncate(6);
    outcome.join(", ")
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let (leaves, rows) = rows();
    let root = rows[rows.len() - 1][0];
    let tree = Tree::new(root, STEPS).expect("a tree");
    let top = tree.top();
    let point = |node: Place| {
        let (height, index) = (node.row as usize, node.index as usize);
        Move::Point {
            line: 0,
            node,
            hash: rows[height][index],
            siblings: siblings(&rows, height, index),
        }
    };
    let proof = |number: u64| StepProof {
        step: number,
        node: rows[0][number as usize],
        siblings: siblings(&rows, 0, number as usize),
        evidence: number.checked_sub(1).map(|before| {
            let before = before as usize;
            (leaves[before], siblings(&rows, 0, before))
        }),
    };
    let below = Place {
        row: top.row - 2,
        index: 1,
    };
    let show = |node: &Place| Move::Show {
        line: 0,
        row: row_below(&rows, &tree, node),
    };
    vec![
        vec![
            Move::Join,
            point(top),
            show(&top),
            point(below),
            Move::Answer { line: 0 },
            Move::ProveIn {
                line: 0,
                proof: proof(17),
            },
            Move::Wait(15),
        ]
        .encode(),
        vec![
            Move::Prove(proof(0)),
            Move::Join,
            Move::Wait(9),
            Move::Prove(proof(36)),
        ]
        .encode(),
        vec![
            Move::Join,
            Move::Join,
            point(top),
            Move::Wait(15),
            Move::Wait(15),
        ]
        .encode(),
    ]
}
