//! The reports of hot keys: the device of an operator, and its endpoint.

use crate::{
    Config, Device, DeviceReport, Devices, Endpoint, EndpointReport, Endpoints, Error, Event, Keys,
    NetworkAddress, Pallet,
};
use frame_support::{ensure, pallet_prelude::DispatchResult};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_report_device(key: T::AccountId, device: Device) -> DispatchResult {
        let controller = Keys::<T>::get(key).ok_or(Error::<T>::NotAKey)?;
        let report = DeviceReport {
            device: device.clone(),
            at: Self::now(),
        };
        Devices::<T>::insert(&controller, report);
        Self::deposit_event(Event::DeviceReported { controller, device });
        Ok(())
    }

    pub(crate) fn do_set_endpoint(key: T::AccountId, endpoint: Option<Endpoint>) -> DispatchResult {
        let controller = Keys::<T>::get(key).ok_or(Error::<T>::NotAKey)?;
        Self::check_endpoint(&endpoint)?;
        let report = EndpointReport {
            endpoint: endpoint.clone(),
            at: Self::now(),
        };
        Endpoints::<T>::insert(&controller, report);
        Self::deposit_event(Event::EndpointSet {
            controller,
            endpoint,
        });
        Ok(())
    }

    /// Refuses an endpoint without an address that could name a machine.
    pub(crate) fn check_endpoint(endpoint: &Option<Endpoint>) -> Result<(), Error<T>> {
        let is_possible = endpoint.as_ref().is_none_or(|endpoint| {
            let addresses = &endpoint.addresses;
            !addresses.is_empty() && addresses.iter().all(NetworkAddress::is_possible)
        });
        ensure!(is_possible, Error::<T>::AddressImpossible);
        Ok(())
    }
}
