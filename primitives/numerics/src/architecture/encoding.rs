//! The SCALE encoding of a variant.

use super::{AttentionWindow, ExpertMixture, LayerPattern, Variant};
use alloc::vec::Vec;
use codec::{
    decode_vec_with_len, Compact, Decode, DecodeWithMemTracking, Encode, EncodeLike, Error, Input,
    MaxEncodedLen, Output,
};
use scale_info::{Type, TypeInfo};

/// One difference from Llama 2.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum Feature {
    /// [`Variant::projection_biases`].
    #[codec(index = 0)]
    ProjectionBiases,
    /// [`Variant::head_norms`].
    #[codec(index = 1)]
    HeadNorms,
    /// [`Variant::unrotated`].
    #[codec(index = 2)]
    Unrotated(LayerPattern),
    /// [`Variant::window`].
    #[codec(index = 3)]
    Window(AttentionWindow),
    /// [`Variant::post_norms`].
    #[codec(index = 4)]
    PostNorms,
    /// [`Variant::gelu`].
    #[codec(index = 5)]
    Gelu,
    /// [`Variant::scaled_embedding`].
    #[codec(index = 6)]
    ScaledEmbedding,
    /// [`Variant::windowed_rope`].
    #[codec(index = 7)]
    WindowedRope,
    /// [`Variant::experts`].
    #[codec(index = 8)]
    Experts(ExpertMixture),
}

/// Most differences of a variant.
const MOST: usize = 9;

impl Variant {
    fn features(&self) -> Vec<Feature> {
        let Self {
            projection_biases,
            head_norms,
            unrotated,
            window,
            post_norms,
            gelu,
            scaled_embedding,
            windowed_rope,
            experts,
        } = *self;
        let features: [Option<Feature>; MOST] = [
            projection_biases.then_some(Feature::ProjectionBiases),
            head_norms.then_some(Feature::HeadNorms),
            unrotated.map(Feature::Unrotated),
            window.map(Feature::Window),
            post_norms.then_some(Feature::PostNorms),
            gelu.then_some(Feature::Gelu),
            scaled_embedding.then_some(Feature::ScaledEmbedding),
            windowed_rope.then_some(Feature::WindowedRope),
            experts.map(Feature::Experts),
        ];
        features.into_iter().flatten().collect()
    }
}

impl Encode for Variant {
    fn size_hint(&self) -> usize {
        self.features().size_hint()
    }

    fn encode_to<T: Output + ?Sized>(&self, output: &mut T) {
        self.features().encode_to(output);
    }
}

impl EncodeLike for Variant {}

impl Decode for Variant {
    fn decode<I: Input>(input: &mut I) -> Result<Self, Error> {
        let Compact(count) = Compact::<u32>::decode(input)?;
        let count = count as usize;
        if count > MOST {
            return Err("there are more differences than a variant can have".into());
        }
        let features = decode_vec_with_len::<Feature, I>(input, count)?;
        let mut variant = Self::LLAMA;
        for feature in &features {
            match *feature {
                Feature::ProjectionBiases => variant.projection_biases = true,
                Feature::HeadNorms => variant.head_norms = true,
                Feature::Unrotated(pattern) => variant.unrotated = Some(pattern),
                Feature::Window(window) => variant.window = Some(window),
                Feature::PostNorms => variant.post_norms = true,
                Feature::Gelu => variant.gelu = true,
                Feature::ScaledEmbedding => variant.scaled_embedding = true,
                Feature::WindowedRope => variant.windowed_rope = true,
                Feature::Experts(experts) => variant.experts = Some(experts),
            }
        }
        // Equal variants have one encoding.
        match variant.features() == features {
            true => Ok(variant),
            false => Err("the differences are not in their order".into()),
        }
    }
}

impl DecodeWithMemTracking for Variant {}

impl MaxEncodedLen for Variant {
    fn max_encoded_len() -> usize {
        // The number of differences, the index of each, and what some of them contain.
        1 + MOST
            + LayerPattern::max_encoded_len()
            + AttentionWindow::max_encoded_len()
            + ExpertMixture::max_encoded_len()
    }
}

impl TypeInfo for Variant {
    type Identity = <Vec<Feature> as TypeInfo>::Identity;

    fn type_info() -> Type {
        <Vec<Feature> as TypeInfo>::type_info()
    }
}
