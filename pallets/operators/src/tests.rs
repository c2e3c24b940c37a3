//! One file for each call, one for what other pallets do, one for rosters that all left, one for everything
//! at random.

mod bond_extra;
mod deserted;
mod follow_canonical;
mod interface;
mod register;
mod report_device;
mod rotate_key;
mod sequences;
mod serve;
mod set_endpoint;
mod set_prices;
mod unbonding;
mod views;
