//! The Llama and its variants, step by step: the formula of [`crate::transformer`].

use super::{builder::Builder, Network, TensorRole, Value};
use crate::{
    route::SCORE_FRACTION,
    swiglu::{GATE_FRACTION, PRODUCT_FRACTION},
    units::{ATTENTION_FRACTION, LOGIT_FRACTION, RESIDUAL_FRACTION},
    Architecture, ExpertMixture,
};

/// Describes the network of `a`, whose dimensions are within their bounds.
pub(super) fn describe(a: Architecture) -> Network {
    let mut n = Builder::new(a);
    let x = n.integers("residual", a.hidden, RESIDUAL_FRACTION);
    n.embedding(TensorRole::TokenEmbedding, x);
    for layer in 0..a.layers {
        n.begin_layer(layer);
        attend(&mut n, a, layer, x);
        match a.variant.experts(layer) {
            Some(experts) => mixture(&mut n, a, experts, x),
            None => feed_forward(&mut n, a, x),
        }
    }
    n.begin_hidden();
    let hidden = n.normed("hidden", a.hidden);
    n.norm(TensorRole::FinalNorm, x, hidden);
    n.begin_logits();
    let logits = n.integers("logits", a.vocabulary, LOGIT_FRACTION);
    let head = match a.tied_head {
        true => TensorRole::TokenEmbedding,
        false => TensorRole::OutputHead,
    };
    n.linear(head, hidden, logits);
    n.finish(x, hidden, logits)
}

/// `x ⊕ linear(Blocks(attention(rope(q), cache of rope(k), v)))` with `q, k, v = linear(norm(x))`, to which some
/// variants add biases, of which they norm each head of q and k, or which
/// they do not rotate in some layers, or by a table of their own. Attention may see only the last positions. What is
/// added may be normed before.
fn attend(n: &mut Builder, a: Architecture, layer: u32, x: Value) {
    let (width, kv_width) = (a.heads * a.head_dim, a.kv_heads * a.head_dim);
    let normed = n.normed("normed", a.hidden);
    let queries = n.integers("queries", width, ATTENTION_FRACTION);
    let keys = n.integers("keys", kv_width, ATTENTION_FRACTION);
    let values = n.integers("values", kv_width, ATTENTION_FRACTION);
    let mixed = n.integers("mixed", width, ATTENTION_FRACTION);
    let mixed_blocks = n.blocks("mixed_blocks", width, ATTENTION_FRACTION);
    let delta = n.integers("delta", a.hidden, RESIDUAL_FRACTION);

    n.norm(TensorRole::AttentionNorm, x, normed);
    n.linear(TensorRole::Query, normed, queries);
    n.linear(TensorRole::Key, normed, keys);
    n.linear(TensorRole::Value, normed, values);
    if a.variant.projection_biases {
        n.bias(TensorRole::QueryBias, queries);
        n.bias(TensorRole::KeyBias, keys);
        n.bias(TensorRole::ValueBias, values);
    }
    if a.variant.head_norms {
        n.head_norm(TensorRole::QueryNorm, queries);
        n.head_norm(TensorRole::KeyNorm, keys);
    }
    if a.variant.rotates(layer) {
        let table = match a.variant.windowed_rope && a.variant.window(layer).is_some() {
            true => TensorRole::WindowedRope,
            false => TensorRole::Rope,
        };
        n.rope(table, queries);
        n.rope(table, keys);
    }
    n.store(keys, values);
    n.attention(a.variant.window(layer), queries, mixed);
    n.quantise(mixed, mixed_blocks);
    n.linear(TensorRole::AttentionOutput, mixed_blocks, delta);
    if a.variant.post_norms {
        n.post_norm(TensorRole::AttentionPostNorm, delta);
    }
    n.add(delta, x);
}

/// `x ⊕ linear(swiglu(gate, up))` with `gate, up = linear(norm(x))`; some variants have GELU instead, and norm what is
/// added.
fn feed_forward(n: &mut Builder, a: Architecture, x: Value) {
    let normed = n.normed("normed", a.hidden);
    let gate = n.integers("gate", a.feed_forward, GATE_FRACTION);
    let up = n.integers("up", a.feed_forward, GATE_FRACTION);
    let product = n.blocks("product", a.feed_forward, PRODUCT_FRACTION);
    let delta = n.integers("delta", a.hidden, RESIDUAL_FRACTION);

    n.norm(TensorRole::FeedForwardNorm, x, normed);
    n.linear(TensorRole::Gate, normed, gate);
    n.linear(TensorRole::Up, normed, up);
    match a.variant.gelu {
        true => n.geglu(gate, up, product),
        false => n.swiglu(gate, up, product),
    }
    n.linear(TensorRole::Down, product, delta);
    if a.variant.post_norms {
        n.post_norm(TensorRole::FeedForwardPostNorm, delta);
    }
    n.add(delta, x);
}

/// `x ⊕ Σ weight * linear(swiglu(gate, up))` over the experts that `linear(norm(x))` scores highest, each with its
/// `gate, up = linear(norm(x))`; some variants have GELU instead, and norm what is added.
fn mixture(n: &mut Builder, a: Architecture, experts: ExpertMixture, x: Value) {
    let ExpertMixture {
        count,
        chosen,
        width,
        renormalised,
        layers: _,
    } = experts;
    let normed = n.normed("normed", a.hidden);
    let scores = n.integers("scores", count, SCORE_FRACTION);
    let routes = n.routes("routes", chosen);
    let gates = n.integers("gates", chosen * width, GATE_FRACTION);
    let ups = n.integers("ups", chosen * width, GATE_FRACTION);
    let products = n.blocks("products", chosen * width, PRODUCT_FRACTION);
    let downs = n.integers("downs", chosen * a.hidden, RESIDUAL_FRACTION);
    let delta = n.integers("delta", a.hidden, RESIDUAL_FRACTION);
    let [wide, narrow] = [[count, width, a.hidden], [count, a.hidden, width]];

    n.norm(TensorRole::FeedForwardNorm, x, normed);
    n.linear(TensorRole::Router, normed, scores);
    n.route(renormalised, scores, routes);
    n.experts(TensorRole::ExpertGates, wide, routes, [normed, gates]);
    n.experts(TensorRole::ExpertUps, wide, routes, [normed, ups]);
    match a.variant.gelu {
        true => n.geglu(gates, ups, products),
        false => n.swiglu(gates, ups, products),
    }
    n.experts(TensorRole::ExpertDowns, narrow, routes, [products, downs]);
    n.mix(routes, downs, delta);
    if a.variant.post_norms {
        n.post_norm(TensorRole::FeedForwardPostNorm, delta);
    }
    n.add(delta, x);
}
