//! Calls of the operators of a mixture of experts.

use super::{between, tiles, values, Case, Random};
use crate::{
    tile::{self, TILE_ROWS},
    Architecture, BLOCK,
};
use alloc::{vec, vec::Vec};

pub(super) fn random_route(random: &mut Random) -> Case {
    let count = between(1, 150, random);
    let batch = between(1, 5, random);
    Case::Route {
        count,
        chosen: between(1, count.min(Architecture::MAX_CHOSEN_EXPERTS), random),
        renormalised: random.below(2) == 1,
        scores: values((batch * count) as usize, random),
    }
}

pub(super) fn random_experts(random: &mut Random) -> Case {
    let (count, chosen) = (between(1, 6, random), between(1, 5, random));
    let (rows, columns) = (between(1, 3, random) * 16, between(1, 4, random) * 32);
    let batch = between(1, 40, random);
    let own_inputs = random.below(2) == 1;
    let parts = if own_inputs { chosen } else { 1 };
    Case::Experts {
        count,
        chosen,
        rows,
        columns,
        exponent: random.below(78) as i8 - 70,
        tiles: tiles((count * rows) as usize, columns as usize, random),
        routes: routes(batch * chosen, chosen, count, random),
        own_inputs,
        input: values((batch * parts * columns) as usize, random),
        fraction: random.below(32) as i32 - 8,
    }
}

pub(super) fn random_mix(random: &mut Random) -> Case {
    let (chosen, columns) = (between(1, 9, random), between(1, 5, random) * 32);
    let batch = between(1, 5, random);
    Case::Mix {
        chosen,
        columns,
        routes: routes(batch * chosen, chosen, 9, random),
        input: values((batch * chosen * columns) as usize, random),
    }
}

/// `places` experts below `count`, and any weights; some of both outside their range.
fn routes(places: u32, chosen: u32, count: u32, random: &mut Random) -> Vec<i32> {
    let mut routes = values(2 * places as usize, random);
    for row in routes.chunks_exact_mut(2 * chosen as usize) {
        let (experts, weights) = row.split_at_mut(chosen as usize);
        for expert in experts {
            if random.below(8) > 0 {
                *expert = random.below(u64::from(count)) as i32;
            }
        }
        for weight in weights {
            if random.below(8) > 0 {
                *weight = random.below((1 << 24) + 1) as i32;
            }
        }
    }
    routes
}

/// The ends of every range: equal scores, the widest distance between scores, the largest sums.
pub(super) fn extremes() -> Vec<Case> {
    let (count, chosen) = (Architecture::MAX_EXPERTS, Architecture::MAX_CHOSEN_EXPERTS);
    let mut cases = Vec::new();
    let mut apart = vec![i32::MIN; count as usize];
    apart[300] = i32::MAX;
    let scores = [
        vec![0; count as usize],
        vec![i32::MIN; count as usize],
        apart,
    ];
    for scores in scores {
        for renormalised in [false, true] {
            cases.push(Case::Route {
                count,
                chosen,
                renormalised,
                scores: scores.clone(),
            });
        }
    }
    let columns = Architecture::MAX_COLUMNS / chosen;
    let places: Vec<i32> = (0..chosen as i32).collect();
    for (q, input) in [(127, i32::MAX), (-128, i32::MAX), (-128, i32::MIN)] {
        let tile = tile::encode(&[[q; BLOCK]; TILE_ROWS], &[u16::MAX; TILE_ROWS]);
        cases.push(Case::Experts {
            count: chosen,
            chosen,
            rows: 16,
            columns,
            exponent: -45,
            tiles: tile.repeat(chosen as usize * columns as usize / BLOCK),
            routes: [places.clone(), places.clone()].concat(),
            own_inputs: true,
            input: vec![input; Architecture::MAX_COLUMNS as usize],
            fraction: 0,
        });
    }
    for weight in [i32::MIN, 0, 1 << 24, i32::MAX] {
        for x in [i32::MIN, i32::MAX] {
            cases.push(Case::Mix {
                chosen,
                columns: 32,
                routes: vec![weight; 2 * chosen as usize],
                input: vec![x; chosen as usize * 32],
            });
        }
    }
    cases
}
