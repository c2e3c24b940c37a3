//! What encoded types derive, in one word each:
//!
//! | attribute | for | derives |
//! |---|---|---|
//! | [`#[apply(encoded)]`](crate::encoded) | results of view functions, and other values without a bound on their size | `Clone`, `Debug`, `PartialEq`, `Eq`, `Encode`, `Decode`, `TypeInfo` |
//! | [`#[apply(stored)]`](crate::stored) | values in storage | these and `MaxEncodedLen` |
//! | [`#[apply(sent)]`](crate::sent) | parts of calls and events | these and `DecodeWithMemTracking` |
//!
//! Below it come further derives, such as `#[derive(Copy)]`, and then the attributes that derives read, such as
//! `#[scale_info(..)]`. The derived code names `parity-scale-codec` and `scale-info`: the crate of the type
//! depends on both.

#[doc(no_inline)]
pub use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
#[doc(no_inline)]
pub use scale_info::TypeInfo;

/// `#[apply(encoded)]`, on a result of view functions, or another value without a bound on its size: derives
/// `Clone`, `Debug`, `PartialEq`, `Eq`, `Encode`, `Decode` and `TypeInfo`. See [`derives`](crate::derives).
#[macro_export]
macro_rules! encoded {
    ($($item:tt)*) => {
        #[derive(
            Clone,
            Debug,
            PartialEq,
            Eq,
            $crate::derives::Encode,
            $crate::derives::Decode,
            $crate::derives::TypeInfo,
        )]
        $($item)*
    };
}

/// `#[apply(stored)]`, on a value in storage: derives what [`encoded`] does, and `MaxEncodedLen`.
/// See [`derives`](crate::derives).
#[macro_export]
macro_rules! stored {
    ($($item:tt)*) => {
        $crate::encoded! {
            #[derive($crate::derives::MaxEncodedLen)]
            $($item)*
        }
    };
}

/// `#[apply(sent)]`, on a part of calls or events: derives what [`stored`] does, and
/// `DecodeWithMemTracking`. See [`derives`](crate::derives).
#[macro_export]
macro_rules! sent {
    ($($item:tt)*) => {
        $crate::stored! {
            #[derive($crate::derives::DecodeWithMemTracking)]
            $($item)*
        }
    };
}
