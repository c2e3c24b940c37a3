//! The transaction in which a hot key performs a duty.
//!
//! It is a *general* transaction of extrinsic format 5: it has no signer, and so neither nonce nor fee.
//! The hot key's signature is an argument of the call `Duties.perform`. It covers a recent block, the hot key
//! and the duty.

use super::ChainError;
use crate::keys::Key;
use codec::{Compact, Encode};
use noema_protocol::hashing;
use sp_core::H256;
use subxt::Metadata;

const PALLET: &str = "Duties";
const CALL: &str = "perform";

/// Marks a general transaction of format 5.
const GENERAL: u8 = 0b0100_0000 | 5;

/// The number of sr25519 among the kinds of signatures.
const SR25519: u8 = 1;

/// The prefix of a pallet's error number in a message of the pool.
const CUSTOM: &str = "Custom error: ";

/// A call that is already encoded.
struct Encoded<'a>(&'a [u8]);

impl Encode for Encoded<'_> {
    fn using_encoded<R, F: FnOnce(&[u8]) -> R>(&self, use_bytes: F) -> R {
        use_bytes(self.0)
    }
}

/// The transaction with which `key` performs `duty`, an encoded call, signed over a recent block: its
/// number and its hash.
///
/// # Errors
/// [`ChainError::Incompatible`] if the runtime has no such call, or a transaction extension that this program
/// does not know.
pub(super) fn transaction(
    metadata: &Metadata,
    (number, block): (u64, H256),
    duty: &[u8],
    key: &Key,
) -> Result<Vec<u8>, ChainError> {
    let incompatible = |reason: String| ChainError::Incompatible {
        what: format!("call {PALLET}.{CALL}"),
        reason,
    };
    let pallet = metadata
        .pallet_by_name(PALLET)
        .ok_or_else(|| incompatible("there is no such pallet".into()))?;
    let call = pallet
        .call_variant_by_name(CALL)
        .ok_or_else(|| incompatible("there is no such call".into()))?;
    let extrinsic = metadata.extrinsic();

    let mut bytes = vec![
        GENERAL,
        extrinsic.transaction_extension_version_to_use_for_encoding(),
    ];
    for extension in extrinsic.transaction_extensions_to_use_for_encoding() {
        match extension.identifier() {
            // Immortal; no nonce; no tip; no hash of the metadata: each encoded as a zero.
            "CheckMortality" | "CheckNonce" | "ChargeTransactionPayment" | "CheckMetadataHash" => {
                bytes.push(0);
            }
            "AuthorizeCall"
            | "CheckNonZeroSender"
            | "CheckSpecVersion"
            | "CheckTxVersion"
            | "CheckGenesis"
            | "CheckWeight"
            | "StorageWeightReclaim" => {}
            other => {
                return Err(incompatible(format!(
                    "transactions have the unknown extension {other}"
                )))
            }
        }
    }
    let account = key.account();
    let payload = hashing::duty_payload(block, &account, &Encoded(duty));
    let number = u32::try_from(number)
        .map_err(|_| incompatible("the chain numbers its blocks with more than 32 bits".into()))?;
    bytes.extend([pallet.call_index(), call.index]);
    bytes.extend(account);
    bytes.extend(duty);
    number.encode_to(&mut bytes);
    bytes.push(SR25519);
    bytes.extend(key.pair().sign(payload.as_bytes()).0);

    let length = u32::try_from(bytes.len())
        .map_err(|_| incompatible("the duty is too long for a transaction".into()))?;
    let mut transaction = Compact(length).encode();
    transaction.append(&mut bytes);
    Ok(transaction)
}

/// The name of the error of `pallet` with which the pool refused a duty, if `reason` contains its number.
pub(super) fn refusal(metadata: &Metadata, pallet: &str, reason: &str) -> Option<String> {
    let (_, number) = reason.split_once(CUSTOM)?;
    let digits = number
        .find(|character: char| !character.is_ascii_digit())
        .map_or(number, |end| &number[..end]);
    let number = digits.parse::<u8>().ok()?;
    let error = metadata
        .pallet_by_name(pallet)?
        .error_variant_by_index(number)?;
    Some(format!("{pallet}::{}", error.name))
}
