//! JSON whose maps keep the order of their keys: a chat template writes a tool in the order in which it was given.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use std::collections::HashMap;
use std::fmt;

/// The only key of the map that a number is, where another crate turns on `arbitrary_precision` of `serde_json`.
const NUMBER: &str = "$serde_json::private::Number";

/// A JSON value. Of a key that a map has twice, the last value counts.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(serde_json::Number),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Json>),
    /// A map, in the order of its keys as they were written.
    Map(Vec<(String, Json)>),
}

impl Json {
    /// The value of a key; `None` if this is no map, or has no such key.
    pub fn get(&self, key: &str) -> Option<&Json> {
        self.entries()?
            .iter()
            .find_map(|(name, value)| (name == key).then_some(value))
    }

    /// The entries of a map.
    pub fn entries(&self) -> Option<&[(String, Json)]> {
        match self {
            Self::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The items of a list.
    pub fn items(&self) -> Option<&[Json]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// The text of a text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A number, rounded to the next that a float can represent.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => number.as_f64(),
            _ => None,
        }
    }

    /// Whether it is `null`.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// How many values it has, itself included.
    pub fn values(&self) -> usize {
        let inside: usize = match self {
            Self::List(items) => items.iter().map(Self::values).sum(),
            Self::Map(entries) => entries.iter().map(|(_, value)| value.values()).sum(),
            _ => 0,
        };
        inside.saturating_add(1)
    }

    /// Calls `see` with every text in it, those of keys included.
    pub fn each_text(&self, see: &mut dyn FnMut(&str)) {
        match self {
            Self::Text(text) => see(text),
            Self::List(items) => items.iter().for_each(|item| item.each_text(see)),
            Self::Map(entries) => {
                for (key, value) in entries {
                    see(key);
                    value.each_text(see);
                }
            }
            Self::Null | Self::Bool(_) | Self::Number(_) => {}
        }
    }

    /// The same value with `change(text)` in the place of every text, those of keys included.
    pub fn with_texts(&self, change: &dyn Fn(&str) -> String) -> Self {
        match self {
            Self::Text(text) => Self::Text(change(text)),
            Self::List(items) => {
                Self::List(items.iter().map(|item| item.with_texts(change)).collect())
            }
            Self::Map(entries) => {
                let entries = entries.iter();
                Self::Map(
                    entries
                        .map(|(key, value)| (change(key), value.with_texts(change)))
                        .collect(),
                )
            }
            other => other.clone(),
        }
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(flag) => serializer.serialize_bool(*flag),
            Self::Number(number) => number.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items),
            Self::Map(entries) => {
                serializer.collect_map(entries.iter().map(|(key, value)| (key, value)))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Values)
    }
}

struct Values;

impl<'de> Visitor<'de> for Values {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Json, E> {
        Ok(Json::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Json, E> {
        Ok(serde_json::Number::from_f64(number).map_or(Json::Null, Json::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Json, E> {
        Ok(Json::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Json::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut entries: Vec<(String, Json)> = Vec::new();
        // Where each key is: a map with many keys would otherwise be searched for each of them.
        let mut places: HashMap<String, usize> = HashMap::new();
        while let Some((key, value)) = map.next_entry::<String, Json>()? {
            if let (NUMBER, Json::Text(number)) = (key.as_str(), &value) {
                return number.parse().map(Json::Number).map_err(A::Error::custom);
            }
            match places.get(&key).copied() {
                Some(place) => {
                    if let Some((_, earlier)) = entries.get_mut(place) {
                        *earlier = value;
                    }
                }
                None => {
                    places.insert(key.clone(), entries.len());
                    entries.push((key, value));
                }
            }
        }
        Ok(Json::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_keys_is_kept() {
        let text = r#"{"z":[1,-2,0.5,null,true],"a":{"y":"é","b":""}}"#;
        let value: Json = serde_json::from_str(text).expect("JSON");
        assert_eq!(serde_json::to_string(&value).expect("JSON"), text);
    }

    #[test]
    fn the_last_of_two_values_of_a_key_counts() {
        let value: Json = serde_json::from_str(r#"{"a":1,"b":2,"a":3}"#).expect("JSON");
        assert_eq!(
            serde_json::to_string(&value).expect("JSON"),
            r#"{"a":3,"b":2}"#
        );
    }

    #[test]
    fn values_are_counted_at_each_depth() {
        let count = |text: &str| serde_json::from_str(text).map(|value: Json| value.values());
        assert_eq!(count("7").expect("JSON"), 1);
        assert_eq!(
            count(r#"{"a":[1,[],{"b":null}],"c":"d"}"#).expect("JSON"),
            7
        );
    }

    #[test]
    fn texts_are_changed_in_keys_and_values() {
        let value: Json = serde_json::from_str(r#"{"a":["b",{"c":"d"}],"e":1}"#).expect("JSON");
        let changed = value.with_texts(&|text| text.to_uppercase());
        assert_eq!(
            serde_json::to_string(&changed).expect("JSON"),
            r#"{"A":["B",{"C":"D"}],"E":1}"#
        );
        let mut seen = String::new();
        value.each_text(&mut |text| seen.push_str(text));
        assert_eq!(seen, "abcde");
    }
}
