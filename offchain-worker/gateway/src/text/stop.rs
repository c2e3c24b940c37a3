//! Stop strings, which may begin in one piece of text and end in another.

/// What became of a piece of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// No stop string is complete; this text can be none either.
    Nothing(String),
    /// A stop string is complete; this is the text before it.
    Stop(String),
}

/// Searches a text for stop strings as it comes. What may become one is held back.
#[derive(Clone, Debug, Default)]
pub struct StopFinder {
    stops: Vec<String>,
    held: String,
}

impl StopFinder {
    /// Searches for these stop strings. Empty ones are ignored.
    pub fn new(stops: Vec<String>) -> Self {
        Self {
            stops: stops.into_iter().filter(|stop| !stop.is_empty()).collect(),
            held: String::new(),
        }
    }

    /// Takes the next piece of the text.
    pub fn push(&mut self, piece: &str) -> Found {
        self.held.push_str(piece);
        let stops = self.stops.iter();
        let first = stops.filter_map(|stop| self.held.find(stop.as_str())).min();
        if let Some(at) = first {
            self.held.truncate(at);
            return Found::Stop(std::mem::take(&mut self.held));
        }
        let from = self.may_stop_from();
        let rest = self.held.split_off(from);
        Found::Nothing(std::mem::replace(&mut self.held, rest))
    }

    /// The text that was held back, at the end.
    pub fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }

    /// Where the longest end of the text begins that is the beginning of a stop string.
    fn may_stop_from(&self) -> usize {
        let longest = self.stops.iter().map(String::len).max().unwrap_or_default();
        let far = self.held.len().saturating_sub(longest);
        let mut places = self.held.char_indices().map(|(at, _)| at);
        let begins = |at: &usize| {
            let end = self.held.get(*at..).unwrap_or_default();
            self.stops.iter().any(|stop| stop.starts_with(end))
        };
        places
            .find(|at| *at >= far && begins(at))
            .unwrap_or(self.held.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text of these pieces up to a stop string, and whether there is one.
    fn cut(stops: &[&str], pieces: &[&str]) -> (String, bool) {
        let mut finder = StopFinder::new(stops.iter().map(|stop| (*stop).to_owned()).collect());
        let mut text = String::new();
        for piece in pieces {
            match finder.push(piece) {
                Found::Nothing(more) => text.push_str(&more),
                Found::Stop(more) => return (text + &more, true),
            }
        }
        (text + &finder.finish(), false)
    }

    #[test]
    fn a_stop_string_is_found_across_pieces() {
        assert_eq!(cut(&["END"], &["a E", "N", "D b"]), ("a ".into(), true));
        assert_eq!(cut(&["\n\n"], &["a\n", "\nb"]), ("a".into(), true));
        assert_eq!(cut(&["é🦀"], &["xé", "🦀"]), ("x".into(), true));
    }

    #[test]
    fn what_only_begins_like_a_stop_string_is_text() {
        assert_eq!(cut(&["END"], &["a E", "N", "E"]), ("a ENE".into(), false));
        assert_eq!(cut(&["aab"], &["a", "a", "a", "c"]), ("aaac".into(), false));
        assert_eq!(cut(&["aab"], &["a", "a", "a", "b"]), ("a".into(), true));
        assert_eq!(cut(&["END"], &["EN"]), ("EN".into(), false));
    }

    #[test]
    fn the_first_of_several_stop_strings_counts() {
        assert_eq!(cut(&["b", "ab"], &["xab"]), ("x".into(), true));
        assert_eq!(cut(&["zz", "ab"], &["xa", "b", "zz"]), ("x".into(), true));
    }

    #[test]
    fn text_that_can_be_no_stop_string_is_not_held_back() {
        let mut finder = StopFinder::new(vec!["END".into(), String::new()]);
        assert_eq!(finder.push("abc"), Found::Nothing("abc".into()));
        assert_eq!(finder.push("dE"), Found::Nothing("d".into()));
        let mut none = StopFinder::default();
        assert_eq!(none.push("E"), Found::Nothing("E".into()));
    }
}
