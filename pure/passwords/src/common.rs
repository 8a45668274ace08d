//! The block list: passwords that many people use, and plain repetitions.

use std::sync::LazyLock;

use zeroize::Zeroizing;

/// Sorted lines, lower case; where they come from is in `data/README.md`.
static LINES: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| include_str!("../data/common.txt").lines().collect());

/// What people put behind a common password to please a rule.
const TAIL: &str = "0123456789!?.*#_-+@$ ";
const MAX_TAIL: usize = 4;
/// Repeated over and over, this many characters are no password.
const SHORT_UNIT: usize = 4;

/// Whether a password, upper or lower case, is on the list, also with up to
/// four digits or marks behind it or said again and again.
pub(crate) fn is_common(password: &str) -> bool {
    let lower = Zeroizing::new(password.to_lowercase());
    let text = lower.trim();
    (text.is_empty() && !password.is_empty()) || is_listed(text) || is_repetition(text)
}

fn is_listed(text: &str) -> bool {
    let mut rest = text;
    for _ in 0..=MAX_TAIL {
        if LINES.binary_search(&rest).is_ok() {
            return true;
        }
        match rest.strip_suffix(|c| TAIL.contains(c)) {
            Some(shorter) => rest = shorter,
            None => return false,
        }
    }
    false
}

/// Whether the text is a short or listed unit again and again, the last time
/// perhaps cut off.
fn is_repetition(text: &str) -> bool {
    let chars: Zeroizing<Vec<char>> = Zeroizing::new(text.chars().collect());
    let period = (1..chars.len()).take(chars.len().div_ceil(2)).find(|&period| {
        let shifted = chars.iter().skip(period);
        shifted.zip(chars.iter()).all(|(a, b)| a == b)
    });
    period.is_some_and(|period| {
        let unit: Zeroizing<String> = Zeroizing::new(chars.iter().take(period).collect());
        period <= SHORT_UNIT || is_listed(unit.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_unique_lower_case_and_long_enough() {
        assert!(LINES.len() >= 5_000);
        assert!(LINES.is_sorted_by(|a, b| a < b));
        for line in LINES.iter() {
            assert!(line.chars().count() >= 8, "{line}");
            assert_eq!(*line, line.to_lowercase().trim());
        }
    }

    #[test]
    fn no_line_is_a_variant_of_another() {
        for line in LINES.iter() {
            if let Some(shorter) = line.strip_suffix(|c| TAIL.contains(c)) {
                let listed = LINES.binary_search(&shorter).is_ok();
                assert!(!listed, "{line} is found through {shorter}");
            }
        }
    }
}
