use crate::{mock::*, Devices, Error, Event};
use frame_support::{assert_noop, assert_ok};
use pallet_duties::AsDuty;

fn is_duty(who: AccountId) -> bool {
    let call = crate::Call::<Test>::report_device { device: gpu() };
    call.as_duty(&who, System::block_number())
        .is_some_and(|duty| duty.is_ok())
}

#[test]
fn report_device_records_the_device() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        advance_to(3);
        assert_ok!(Operators::report_device(signed(key_of(ALICE)), gpu()));
        let report = Devices::<Test>::get(ALICE).expect("just reported");
        assert_eq!((report.device, report.at), (gpu(), 3));
        System::assert_last_event(
            Event::DeviceReported {
                controller: ALICE,
                device: gpu(),
            }
            .into(),
        );
    });
}

#[test]
fn report_device_refuses_an_account_that_is_no_key() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        assert_noop!(
            Operators::report_device(signed(ALICE), gpu()),
            Error::<Test>::NotAKey
        );
    });
}

#[test]
fn report_device_is_free_for_a_key_once_a_period() {
    test(|| {
        register(ALICE, WORKER, MIN_BOND);
        assert!(is_duty(key_of(ALICE)));
        assert!(!is_duty(ALICE));
        assert_ok!(Operators::report_device(signed(key_of(ALICE)), gpu()));
        assert!(!is_duty(key_of(ALICE)));
        advance_to(21);
        assert!(is_duty(key_of(ALICE)));
    });
}
