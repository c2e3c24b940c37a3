//! What is signed, and who pays for it.

mod common;

use codec::{Decode, Encode};
use common::{account, chain};
use frame_support::{assert_ok, dispatch::CheckIfFeeless, traits::fungible::Inspect};
use noema_protocol::interfaces::Prices;
use noema_runtime::{
    constants::UNIT, AccountId, Balances, Nonce, Operators, Runtime, RuntimeCall, RuntimeOrigin,
    System, TxExtension, UncheckedExtrinsic, VERSION,
};
use pallet_operators::Roles;
use sp_core::Pair;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob};
use sp_runtime::{
    generic::Era, traits::Checkable, transaction_validity::TransactionSource, MultiSignature,
};

fn extension(nonce: Nonce) -> TxExtension {
    cumulus_pallet_weight_reclaim::StorageWeightReclaim::new((
        frame_system::AuthorizeCall::new(),
        frame_system::CheckNonZeroSender::new(),
        frame_system::CheckSpecVersion::new(),
        frame_system::CheckTxVersion::new(),
        frame_system::CheckGenesis::new(),
        frame_system::CheckMortality::from(Era::Immortal),
        frame_system::CheckNonce::from(nonce),
        frame_system::CheckWeight::new(),
        pallet_skip_feeless_payment::SkipCheckIfFeeless::from(
            pallet_transaction_payment::ChargeTransactionPayment::from(0),
        ),
        frame_metadata_hash_extension::CheckMetadataHash::new(false),
    ))
}

fn signed(call: RuntimeCall, by: Sr25519Keyring, nonce: Nonce) -> UncheckedExtrinsic {
    let extension = extension(nonce);
    let payload = noema_runtime::SignedPayload::new(call.clone(), extension.clone())
        .expect("a transaction without metadata hash can be signed");
    let signature = payload.using_encoded(|bytes| by.pair().sign(bytes));
    UncheckedExtrinsic::new_signed(
        call,
        account(by).into(),
        MultiSignature::from(signature),
        extension,
    )
}

/// Registers //Alice as a worker with the hot key `key`.
fn operator(key: AccountId) {
    assert_ok!(Operators::register(
        RuntimeOrigin::signed(account(Alice)),
        Roles {
            worker: true,
            validator: false,
            trainer: false,
        },
        key,
        Prices::default(),
        1_000 * UNIT,
    ));
}

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

#[test]
fn a_hot_key_that_owns_nothing_can_give_a_sign_of_life() {
    chain("development").execute_with(|| {
        let key = Sr25519Keyring::One;
        assert_eq!(Balances::total_balance(&account(key)), 0);
        operator(account(key));
        System::set_block_number(100);

        let call = RuntimeCall::Operators(pallet_operators::Call::heartbeat {});
        assert!(call.is_feeless(&RuntimeOrigin::signed(account(key))));
        let valid = noema_runtime::Executive::validate_transaction(
            TransactionSource::External,
            signed(call, key, 0),
            System::block_hash(0),
        );
        assert!(valid.is_ok(), "{valid:?}");
    });
}

#[test]
fn a_key_of_nobody_pays_like_everybody() {
    chain("development").execute_with(|| {
        let call = RuntimeCall::Operators(pallet_operators::Call::heartbeat {});
        assert!(!call.is_feeless(&RuntimeOrigin::signed(account(Sr25519Keyring::Two))));
        let refused = noema_runtime::Executive::validate_transaction(
            TransactionSource::External,
            signed(call, Sr25519Keyring::Two, 0),
            System::block_hash(0),
        );
        assert!(refused.is_err(), "who owns nothing cannot pay");
    });
}
