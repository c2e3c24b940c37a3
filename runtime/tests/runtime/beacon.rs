//! Randomness is available exactly when it was unpredictable.

use crate::common::{chain, randomness, relay};
use noema_interfaces::BlockRandomness;
use noema_runtime::{beacon::RelayBeacon, Runtime, System};

type Beacon = RelayBeacon<Runtime>;

#[test]
fn a_fresh_relay_block_gives_a_value_for_each_subject() {
    chain("development").execute_with(|| {
        relay(1, 10, randomness(Some([7; 32])));

        let value = Beacon::random(b"assign").expect("the relay block is fresh");

        assert_eq!(Beacon::random(b"assign"), Some(value));
        assert_ne!(Beacon::random(b"check"), Some(value));
        relay(2, 11, randomness(Some([8; 32])));
        assert_ne!(Beacon::random(b"assign"), Some(value));
    });
}

#[test]
fn there_is_no_value_before_the_inherent_of_a_block() {
    chain("development").execute_with(|| {
        assert_eq!(Beacon::random(b"assign"), None);
        relay(1, 10, randomness(Some([7; 32])));

        System::set_block_number(2);

        assert_eq!(Beacon::random(b"assign"), None);
    });
}

#[test]
fn a_relay_block_serves_only_the_first_block_built_on_it() {
    chain("development").execute_with(|| {
        relay(1, 10, randomness(Some([7; 32])));

        relay(2, 10, randomness(Some([7; 32])));
        assert_eq!(Beacon::random(b"assign"), None);

        relay(3, 11, randomness(Some([9; 32])));
        assert!(Beacon::random(b"assign").is_some());
    });
}

#[test]
fn a_relay_block_without_randomness_gives_no_value() {
    chain("development").execute_with(|| {
        relay(1, 10, randomness(Some([7; 32])));
        relay(2, 11, randomness(None));
        assert_eq!(Beacon::random(b"assign"), None);
    });
}

#[test]
fn the_collator_is_asked_to_prove_what_is_read() {
    let request = noema_runtime::beacon::keys_to_prove();
    let (key, _) = noema_runtime::beacon::encode_entry(None);
    assert_eq!(
        request.keys,
        vec![cumulus_primitives_core::RelayStorageKey::Top(key)]
    );
}
