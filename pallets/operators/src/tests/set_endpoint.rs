use crate::{mock::*, Endpoint, Error, Event, NetworkAddress};
use frame_support::{assert_noop, assert_ok, BoundedVec};
use pallet_duties::AsDuty;

fn is_duty(who: AccountId, endpoint: Option<Endpoint>) -> bool {
    let call = crate::Call::<Test>::set_endpoint { endpoint };
    call.as_duty(&who, System::block_number())
        .is_some_and(|duty| duty.is_ok())
}

fn at(addresses: Vec<NetworkAddress>) -> Option<Endpoint> {
    Some(Endpoint {
        addresses: BoundedVec::truncate_from(addresses),
        ..endpoint()
    })
}

fn v4(address: [u8; 4], port: u16) -> NetworkAddress {
    NetworkAddress::Ipv4 { address, port }
}

fn v6(address: [u8; 16], port: u16) -> NetworkAddress {
    NetworkAddress::Ipv6 { address, port }
}

#[test]
fn set_endpoint_publishes_and_withdraws_the_endpoint() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        assert_eq!(Operators::endpoint(ALICE), None);
        let published = Some(endpoint());
        assert_ok!(Operators::set_endpoint(
            signed(key_of(ALICE)),
            published.clone()
        ));
        assert_eq!(Operators::endpoint(ALICE), published);
        System::assert_last_event(
            Event::EndpointSet {
                controller: ALICE,
                endpoint: published,
            }
            .into(),
        );
        assert_ok!(Operators::set_endpoint(signed(key_of(ALICE)), None));
        assert_eq!(Operators::endpoint(ALICE), None);
    });
}

#[test]
fn set_endpoint_refuses_an_account_that_is_no_key() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        assert_noop!(
            Operators::set_endpoint(signed(ALICE), Some(endpoint())),
            Error::<Test>::NotAKey
        );
    });
}

#[test]
fn set_endpoint_refuses_what_no_machine_has() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        let good = v4([203, 0, 113, 7], 1);
        let bad = [
            v4([203, 0, 113, 7], 0),
            v4([0; 4], 1),
            v4([255; 4], 1),
            v4([224, 0, 0, 1], 1),
            v6([0; 16], 1),
            v6([0xff; 16], 1),
            v6([0x20; 16], 0),
        ];
        let bad = bad.into_iter().map(|address| at(vec![good, address]));
        for endpoint in bad.chain([at(vec![])]) {
            assert_noop!(
                Operators::set_endpoint(signed(key_of(ALICE)), endpoint),
                Error::<Test>::AddressImpossible
            );
        }
        let both = at(vec![good, v6([0x20; 16], u16::MAX)]);
        assert_ok!(Operators::set_endpoint(signed(key_of(ALICE)), both));
    });
}

#[test]
fn set_endpoint_is_free_for_a_key_with_news() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        assert!(is_duty(key_of(ALICE), Some(endpoint())));
        assert!(!is_duty(key_of(ALICE), None));
        assert!(!is_duty(ALICE, Some(endpoint())));
        let key = signed(key_of(ALICE));
        assert_ok!(Operators::set_endpoint(key, Some(endpoint())));
        assert!(!is_duty(key_of(ALICE), None));
        advance_to(System::block_number() + 5);
        assert!(is_duty(key_of(ALICE), None));
        assert!(!is_duty(key_of(ALICE), Some(endpoint())));
    });
}

#[test]
fn set_endpoint_refuses_what_was_signed_before_the_last_report() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        let first = crate::Call::<Test>::set_endpoint {
            endpoint: Some(endpoint()),
        };
        let is_duty = |signed_at| {
            first
                .as_duty(&key_of(ALICE), signed_at)
                .is_some_and(|duty| duty.is_ok())
        };
        let signed_at = System::block_number();
        assert!(is_duty(signed_at));
        assert_ok!(Operators::set_endpoint(
            signed(key_of(ALICE)),
            Some(endpoint())
        ));
        advance_to(30);
        assert_ok!(Operators::set_endpoint(signed(key_of(ALICE)), None));
        advance_to(60);
        assert!(!is_duty(signed_at), "another account repeats it");
        assert!(!is_duty(30));
        assert!(is_duty(31), "the hot key signs it again");
    });
}
