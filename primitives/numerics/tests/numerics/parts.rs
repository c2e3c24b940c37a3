//! Operators in parts: any cut of a vector, a reduction, a context or a vocabulary gives the bits of the whole.

use noema_numerics::{
    attention::{self, Query, Reciprocal, WeightScale},
    blocks, embedding,
    head_norm::{self, epsilon_drop},
    linear::{self, add_products, round_sum},
    loss,
    model::{Gains, Linear},
    norm::{self, Normaliser},
    sampling::{
        self,
        search::{Goal, Histogram, Search, DIGITS},
        Sampler, Sampling,
    },
    testing::{tiles, values, Random},
    tile::{TILE_BYTES, TILE_ROWS},
    Architecture, Blocks, KvCache, Variant, BLOCK,
};
use proptest::prelude::*;

/// Consecutive ranges that cover `count`.
fn cut(count: usize, random: &mut Random) -> Vec<core::ops::Range<usize>> {
    let mut cuts = Vec::new();
    let mut start = 0;
    while start < count {
        let end = start + 1 + random.below((count - start) as u64) as usize;
        cuts.push(start..end);
        start = end;
    }
    cuts
}

/// Compares one row of blocks through a matrix with the sums of parts of the reduction.
fn compare_linear(matrix: &Linear<'_>, input: &Blocks, fraction: i32, random: &mut Random) {
    let mut whole = vec![0; matrix.rows()];
    linear::linear(matrix, input.view(), fraction, &mut whole);
    let (mantissas, shifts) = input.view().row(0);
    let exponent = linear::output_exponent(matrix, 0, input.view().fraction(), fraction);
    for group in 0..matrix.groups() {
        let mut sums = [0; TILE_ROWS];
        for part in cut(shifts.len(), random) {
            add_products(
                &matrix.group(group)[part.clone()],
                &mantissas[part.start * BLOCK..part.end * BLOCK],
                &shifts[part],
                &mut sums,
            );
        }
        for (row, y) in whole
            .iter()
            .skip(group * TILE_ROWS)
            .take(TILE_ROWS)
            .enumerate()
        {
            assert_eq!(round_sum(sums[row], exponent), *y);
        }
    }
}

#[test]
fn the_longest_reduction_is_exact_in_parts() {
    let columns = Architecture::MAX_COLUMNS as usize;
    let mut random = Random::new(1);
    for (q, s) in [(-128i8, u16::MAX), (127, u16::MAX), (1, 1)] {
        let tile = noema_numerics::tile::encode(&[[q; 32]; 16], &[s; 16]);
        let bytes = tile.repeat(columns / BLOCK);
        for exponent in [i8::MIN, -60, -40, 0, i8::MAX] {
            let matrix = Linear::new(16, columns, exponent, &bytes).expect("a matrix");
            for largest in [i32::MIN, i32::MAX, 1 << 14, 1] {
                let mut input = vec![largest; columns];
                input[BLOCK..columns / 2].fill(1);
                let input = Blocks::quantise(&input, columns, 16);
                compare_linear(&matrix, &input, 16, &mut random);
            }
        }
    }
}

proptest! {
    #[test]
    fn a_linear_layer_is_the_sum_of_its_parts(
        seed in any::<u64>(),
        (rows, blocks) in (1..70usize, 1..20usize),
        (exponent, fraction) in (any::<i8>(), -8..24i32),
    ) {
        let mut random = Random::new(seed);
        let columns = blocks * BLOCK;
        let bytes = tiles(rows, columns, &mut random);
        let matrix = Linear::new(rows, columns, exponent, &bytes).expect("a matrix");
        let input = Blocks::quantise(&values(columns, &mut random), columns, 16);
        compare_linear(&matrix, &input, fraction, &mut random);
    }

    #[test]
    fn an_embedding_is_that_of_its_blocks(
        seed in any::<u64>(),
        (rows, blocks, exponent) in (1..40usize, 1..9usize, any::<i8>()),
    ) {
        let mut random = Random::new(seed);
        let bytes = tiles(rows, blocks * BLOCK, &mut random);
        let table = Linear::new(rows, blocks * BLOCK, exponent, &bytes).expect("a matrix");
        let token = random.below(rows as u64) as usize;
        let mut whole = vec![0; blocks * BLOCK];
        embedding::embedding(&table, token, &mut whole);
        let tiles = table.group(token / TILE_ROWS);
        for part in cut(blocks, &mut random) {
            let mut output = vec![0; part.len() * BLOCK];
            embedding::embed_blocks(&tiles[part.clone()], token % 16, exponent.into(), &mut output);
            prop_assert_eq!(&output, &whole[part.start * BLOCK..part.end * BLOCK]);
        }
        prop_assert_eq!(bytes.len() % TILE_BYTES, 0);
    }

    #[test]
    fn a_norm_is_that_of_its_parts(
        seed in any::<u64>(),
        (blocks, exponent) in (1..40usize, -40..-20i8),
        epsilon in prop::sample::select(vec![0, 42_950, u32::MAX]),
    ) {
        let mut random = Random::new(seed);
        let input = values(blocks * BLOCK, &mut random);
        let gains: Vec<u8> = values(input.len(), &mut random)
            .iter()
            .flat_map(|g| (g >> 2).to_le_bytes())
            .collect();
        let gains = Gains::new(exponent, &gains);
        let mut whole = vec![0; input.len()];
        norm::norm_row(&gains, epsilon, &input, &mut whole);
        let cuts = cut(input.len(), &mut random);
        let range = cuts.iter().map(|part| blocks::range(&input[part.clone()])).max();
        let range = range.expect("a part");
        let squares = cuts.iter().map(|part| norm::squares(&input[part.clone()], range)).sum();
        let normaliser = Normaliser::of_sums(input.len(), range, squares, epsilon, epsilon_drop(14));
        for ((x, g), y) in input.iter().zip(gains.values()).zip(whole) {
            prop_assert_eq!(norm::scale(&normaliser, *x, g), y);
        }
        let mut in_place = input.clone();
        head_norm::head_norm(&gains, epsilon, 14, &mut in_place);
        let exponent = head_norm::output_exponent(&gains, 14);
        for ((x, g), y) in input.iter().zip(gains.values()).zip(in_place) {
            prop_assert_eq!(head_norm::scale(&normaliser, *x, g, exponent), y);
        }
    }

    #[test]
    fn blocks_are_those_of_their_parts(seed in any::<u64>(), count in 1..40usize) {
        let mut random = Random::new(seed);
        let input = values(count * BLOCK, &mut random);
        let whole = Blocks::quantise(&input, input.len(), 0);
        let cuts = cut(count, &mut random);
        let of = |part: &core::ops::Range<usize>| &input[part.start * BLOCK..part.end * BLOCK];
        let range = cuts.iter().map(|part| blocks::range(of(part))).max().expect("a part");
        for part in &cuts {
            let (mut mantissas, mut shifts) = (vec![0; part.len() * BLOCK], vec![0; part.len()]);
            blocks::quantise_part(of(part), range, &mut mantissas, &mut shifts);
            let (all, all_shifts) = whole.view().row(0);
            prop_assert_eq!(&mantissas, &all[part.start * BLOCK..part.end * BLOCK]);
            prop_assert_eq!(&shifts, &all_shifts[part.clone()]);
        }
    }

    #[test]
    fn attention_is_that_of_blocks_of_positions(
        seed in any::<u64>(),
        (share, kv_heads, head_blocks) in (1..4u32, 1..3u32, 1..5u32),
        positions in 1..150usize,
        window in prop::option::of(1..100u32),
    ) {
        let mut random = Random::new(seed);
        let head_dim = head_blocks * 32;
        let architecture = Architecture {
            layers: 1,
            hidden: 32,
            heads: kv_heads * share,
            kv_heads,
            head_dim,
            feed_forward: 32,
            vocabulary: 1,
            context_length: 256,
            norm_epsilon_q32: 0,
            tied_head: true,
            variant: Variant::LLAMA,
        };
        let mut cache = KvCache::new(&architecture, 256);
        let stored = positions * architecture.kv_width();
        cache.store(0, 0, &values(stored, &mut random), &values(stored, &mut random));
        let heads = architecture.heads as usize;
        let queries = values(architecture.attention_width(), &mut random);
        let mut whole = vec![0; queries.len()];
        let layer = cache.layer(0);
        attention::attention(layer, heads, window, positions - 1, &queries, &mut whole);
        let seen = attention::seen(window, positions - 1);
        let d = head_dim as usize;
        for (head, (query, whole)) in queries.chunks(d).zip(whole.chunks(d)).enumerate() {
            let (keys, values) = (layer.keys(head / share as usize), layer.values(head / share as usize));
            let blocks = d / BLOCK;
            let query = Query::new(query);
            let logit = |t: usize| {
                query.logit(&keys.quants[t * d..][..d], &keys.scales[t * blocks..][..blocks])
            };
            let largest = seen.clone().map(logit).max().expect("a position");
            let power = |t: usize| attention::power(logit(t), largest);
            let sum = seen.clone().map(|t| u64::from(power(t))).sum();
            for block in 0..blocks {
                let weight = |t: usize| u64::from(power(t)) * u64::from(values.scales[t * blocks + block]);
                let scale = WeightScale::new(seen.clone().map(weight).max().expect("a position"));
                let mut sums = [0; BLOCK];
                for chunk in seen.start / BLOCK..seen.end.div_ceil(BLOCK) {
                    let places = chunk * BLOCK..(chunk + 1) * BLOCK;
                    let weights = core::array::from_fn(|at| match places.start + at {
                        t if seen.contains(&t) => scale.scale(weight(t)),
                        _ => 0,
                    });
                    let nothing = [0; BLOCK];
                    let rows = places.map(|t| match seen.contains(&t) {
                        true => &values.quants[t * d..][..d].as_chunks::<BLOCK>().0[block],
                        false => &nothing,
                    });
                    attention::mix(&weights, scale, rows, &mut sums);
                }
                for (sum_of, out) in sums.iter().zip(&whole[block * BLOCK..]) {
                    let got = attention::ratio(*sum_of, scale.sum_exponent(), Reciprocal::new(sum));
                    prop_assert_eq!(got, *out);
                }
            }
        }
    }

    #[test]
    fn a_search_finds_the_token_that_sorting_finds(
        seed in any::<[u8; 32]>(),
        logits in prop_oneof![
            prop::collection::vec(-300_000..300_000i32, 1..400),
            prop::collection::vec(any::<i32>(), 1..100),
            prop::collection::vec(0..3i32, 1..300),
        ],
        (temperature_milli, top_k, top_p_milli) in (1..10_000u16, 0..60u16, 0..1_001u16),
        position in any::<u32>(),
        part in 1..90usize,
    ) {
        let sampling = Sampling { temperature_milli, top_k, top_p_milli };
        let sorted = Sampler::new(sampling, seed).sample(&logits, position);
        let largest = logits[sampling::greedy(&logits) as usize];
        let histogram = |search: &Search| {
            let mut histogram = Histogram::default();
            for (index, logits) in logits.chunks(part).enumerate() {
                histogram.add(search, largest, temperature_milli, (index * part) as u32, logits);
            }
            histogram
        };
        let all = histogram(&Search::default()).total();
        let find = |goal| (0..DIGITS).fold(Search::default(), |search, _| {
            search.next(goal, &histogram(&search))
        });
        let mut kept = all;
        if top_k > 0 {
            kept = find(Goal::top_k(top_k, kept)).through;
        }
        if top_p_milli < 1_000 {
            kept = find(Goal::top_p(top_p_milli, kept)).through;
        }
        let drawn = find(Goal::draw(sampling::draw(&seed, position), kept));
        prop_assert_eq!(drawn.token(), sorted);
        prop_assert_eq!(drawn.digits, DIGITS);
    }

    #[test]
    fn a_loss_is_that_of_parts_of_the_vocabulary(
        logits in prop::collection::vec(any::<i32>(), 1..200),
        target in any::<prop::sample::Index>(),
        part in 1..70usize,
    ) {
        let target = target.index(logits.len());
        let largest = *logits.iter().max().expect("a logit");
        let sum = logits.chunks(part).map(|logits| loss::weights(largest, logits)).sum();
        let octaves = loss::octaves_below(largest, logits[target]);
        prop_assert_eq!(Some(loss::of_sum(octaves, sum)), loss::loss(&logits, target as u32));
    }
}
