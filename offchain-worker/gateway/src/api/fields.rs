//! The parameters of a call, with errors that name them.

use crate::fault::ApiFault;
use crate::Json;
use std::ops::RangeInclusive;

/// The parameters of a call. One that is `null` counts as left out.
pub(super) struct Fields<'a>(&'a Json);

impl<'a> Fields<'a> {
    /// The parameters in a body.
    pub(super) fn of(body: &'a Json) -> Result<Self, ApiFault> {
        match body.entries() {
            Some(_) => Ok(Self(body)),
            None => Err(ApiFault::body("the body must be a JSON map")),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a Json> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&'a str>, ApiFault> {
        self.as_type(name, "a string", Json::text)
    }

    pub(super) fn list(&self, name: &str) -> Result<Option<&'a [Json]>, ApiFault> {
        self.as_type(name, "a list", Json::items)
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, ApiFault> {
        let flag = self.as_type(name, "true or false", |value| match value {
            Json::Bool(flag) => Some(*flag),
            _ => None,
        })?;
        Ok(flag.unwrap_or_default())
    }

    pub(super) fn number(
        &self,
        name: &str,
        range: RangeInclusive<f64>,
    ) -> Result<Option<f64>, ApiFault> {
        let what = format!("a number from {} to {}", range.start(), range.end());
        self.as_type(name, &what, |value| {
            value.number().filter(|number| range.contains(number))
        })
    }

    pub(super) fn whole(
        &self,
        name: &str,
        range: RangeInclusive<u64>,
    ) -> Result<Option<u64>, ApiFault> {
        let what = format!("a whole number from {} to {}", range.start(), range.end());
        self.as_type(name, &what, |value| match value {
            Json::Number(number) => number.as_u64().filter(|number| range.contains(number)),
            _ => None,
        })
    }

    /// Refuses a parameter that would change the answer, unless its value is one that changes nothing.
    pub(super) fn refuse(
        &self,
        name: &str,
        is_harmless: impl Fn(&Json) -> bool,
        why: &str,
    ) -> Result<(), ApiFault> {
        match self.get(name) {
            Some(value) if !is_harmless(value) => Err(ApiFault::unsupported(name, why)),
            _ => Ok(()),
        }
    }

    fn as_type<T>(
        &self,
        name: &str,
        what: &str,
        read: impl FnOnce(&'a Json) -> Option<T>,
    ) -> Result<Option<T>, ApiFault> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        match read(value) {
            Some(read) => Ok(Some(read)),
            None => Err(ApiFault::parameter(
                name,
                format!("`{name}` must be {what}"),
            )),
        }
    }
}

/// Whether a value is zero.
pub(super) fn is_zero(value: &Json) -> bool {
    value.number() == Some(0.0)
}

/// Whether a value is one.
pub(super) fn is_one(value: &Json) -> bool {
    value.number() == Some(1.0)
}

/// Whether a value is `false`.
pub(super) fn is_off(value: &Json) -> bool {
    *value == Json::Bool(false)
}

/// Whether a value is an empty list or an empty map.
pub(super) fn is_empty(value: &Json) -> bool {
    match value {
        Json::List(items) => items.is_empty(),
        Json::Map(entries) => entries.is_empty(),
        _ => false,
    }
}

/// No value.
pub(super) fn never(_value: &Json) -> bool {
    false
}
