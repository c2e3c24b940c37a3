//! The signed payload of a transaction, and the account that pays for it.

use crate::common::{chain, signed};
use codec::{Decode, Encode};
use noema_runtime::{Runtime, RuntimeCall, TxExtension, UncheckedExtrinsic, VERSION};
use sp_keyring::Sr25519Keyring::Bob;
use sp_runtime::traits::Checkable;

#[test]
fn a_signed_transaction_survives_encoding_and_is_checked() {
    chain("development").execute_with(|| {
        let call = RuntimeCall::System(frame_system::Call::remark { remark: vec![1] });
        let transaction = signed(call, Bob, 0);

        let bytes = transaction.encode();
        let decoded = UncheckedExtrinsic::decode(&mut bytes.as_slice()).expect("it decodes");

        assert_eq!(decoded.encode(), bytes);
        assert!(decoded
            .check(&frame_system::ChainContext::<Runtime>::default())
            .is_ok());
    });
}

#[test]
fn the_extensions_are_those_that_wallets_know() {
    use sp_runtime::traits::TransactionExtension;
    let names: Vec<_> = <TxExtension as TransactionExtension<RuntimeCall>>::metadata()
        .into_iter()
        .map(|extension| extension.identifier)
        .collect();
    assert_eq!(
        names,
        [
            "AuthorizeCall",
            "CheckNonZeroSender",
            "CheckSpecVersion",
            "CheckTxVersion",
            "CheckGenesis",
            "CheckMortality",
            "CheckNonce",
            "CheckWeight",
            "ChargeTransactionPayment",
            "CheckMetadataHash",
            "StorageWeightReclaim",
        ]
    );
    assert_eq!(VERSION.transaction_version, 1);
}
