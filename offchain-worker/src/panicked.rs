//! The message of a panic.

use std::any::Any;

/// The message of a panic.
pub(crate) fn message(panicked: &(dyn Any + Send)) -> &str {
    let text = panicked.downcast_ref::<&str>().copied();
    let owned = || panicked.downcast_ref::<String>().map(String::as_str);
    text.or_else(owned).unwrap_or("without a message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_panic_says_is_told() {
        let said: Box<dyn Any + Send> = Box::new(format!("number {}", 7));
        assert_eq!(message(said.as_ref()), "number 7");
        let other: Box<dyn Any + Send> = Box::new(7u8);
        assert_eq!(message(other.as_ref()), "without a message");
    }
}
