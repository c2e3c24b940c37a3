//! Leaves that claimants posted: their tokens are in the calls, and nowhere in the state.

use super::{At, ChainError, Node};
use noema_protocol::ClaimId;
use noema_session_transport::SessionLeaf;
use noema_sessions::SessionReceipt;
use sp_core::H256;
use subxt::ext::scale_decode::DecodeAsType;

/// A call that posts a leaf, by the names of its arguments.
#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct Post {
    claim: ClaimId,
    leaf: u32,
    receipt: SessionReceipt,
    path: Vec<H256>,
    prompt: Vec<u32>,
    answer: Vec<u32>,
}

/// A call of the runtime that posts a leaf. A value of another variant is not decoded.
#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
enum PostingCall {
    Claims(ClaimsCall),
}

/// A call of pallet `claims`, by its name in the runtime.
#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
#[allow(non_camel_case_types)]
enum ClaimsCall {
    post_leaf {
        claim: ClaimId,
        leaf: u32,
        receipt: SessionReceipt,
        path: Vec<H256>,
        prompt: Vec<u32>,
        answer: Vec<u32>,
    },
}

impl Node {
    /// The leaf of a claim that its claimant posted in the finalized block `last` or earlier, but not before block
    /// `first`, and which `is_right`; `None` if there is none. Reads the calls of these blocks, the youngest first: one
    /// that the chain refused is found, too, and is not the right one.
    pub async fn posted_leaf(
        &self,
        (claim, leaf): (ClaimId, u32),
        (first, last): (u64, u64),
        is_right: impl Fn(&SessionLeaf) -> bool,
    ) -> Result<Option<SessionLeaf>, ChainError> {
        for number in (first..=last).rev() {
            let at = self.at(number).await?;
            let posts = at.posts_of(claim, leaf).await?;
            if let Some(post) = posts.into_iter().find(&is_right) {
                return Ok(Some(post));
            }
        }
        Ok(None)
    }
}

impl At {
    /// The leaves that calls in this block post.
    async fn posts_of(&self, claim: ClaimId, leaf: u32) -> Result<Vec<SessionLeaf>, ChainError> {
        let extrinsics = self.block.extrinsics();
        let extrinsics = self
            .in_time("extrinsics of a block", extrinsics.fetch())
            .await?;
        // One that cannot be decoded is none that this program knows how to make.
        let posts = extrinsics
            .iter()
            .filter_map(Result::ok)
            .filter_map(
                |extrinsic| match (extrinsic.pallet_name(), extrinsic.call_name()) {
                    ("Claims", "post_leaf") => extrinsic
                        .decode_call_data_fields_unchecked_as::<Post>()
                        .ok(),
                    ("Duties", "perform") => extrinsic
                        .iter_call_data_fields()
                        .find(|field| field.name() == "duty")
                        .and_then(|field| field.decode_as::<PostingCall>().ok())
                        .map(Post::from),
                    _ => None,
                },
            );
        let posts = posts.filter(|post| (post.claim, post.leaf) == (claim, leaf));
        let leaves = posts.map(|post| SessionLeaf {
            receipt: post.receipt,
            path: post.path,
            prompt: post.prompt,
            answer: post.answer,
        });
        Ok(leaves.collect())
    }
}

impl From<PostingCall> for Post {
    fn from(call: PostingCall) -> Self {
        let PostingCall::Claims(ClaimsCall::post_leaf {
            claim,
            leaf,
            receipt,
            path,
            prompt,
            answer,
        }) = call;
        Self {
            claim,
            leaf,
            receipt,
            path,
            prompt,
            answer,
        }
    }
}
