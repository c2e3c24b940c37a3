//! One file for each call, and files for the interface to other pallets, views, deserted rosters and random
//! sequences of calls.

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
mod set_reserve;
mod unbonding;
mod views;
