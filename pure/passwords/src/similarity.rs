//! Whether a password is little more than the person's own data.

use std::iter::once;

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};
use zeroize::Zeroizing;

/// Shorter parts of a value say nothing: they are in many words.
const MIN_TOKEN: usize = 4;
/// Fewer characters than these beside own data do not make a password.
const MIN_REST: usize = 4;
/// Nor do this many if there is no letter among them: a year, a birthday.
const MAX_DIGITS: usize = 8;

/// The value of `own` that makes up most of a password which, without its
/// words of four and more letters, forwards or backwards, is next to nothing.
/// Case, accents and digits in place of letters make no difference.
pub(crate) fn closest(password: &str, own: &[&str]) -> Option<usize> {
    let plain: Zeroizing<Vec<char>> = Zeroizing::new(fold(password).collect());
    let folded = Zeroizing::new(plain.iter().copied().map(letter).collect::<Vec<char>>());
    let mut covered = vec![false; plain.len()];
    let mut most = (0, None);
    for (index, value) in own.iter().enumerate() {
        let mut mask = vec![false; plain.len()];
        for token in tokens(value) {
            cover(&mut mask, &folded, &token);
        }
        let count = mask.iter().filter(|&&hit| hit).count();
        if count > most.0 {
            most = (count, Some(index));
        }
        covered.iter_mut().zip(mask).for_each(|(all, hit)| *all |= hit);
    }
    let rest = || plain.iter().zip(&covered).filter(|(_, hit)| !**hit);
    let (rest, letter) = (rest().count(), rest().any(|(c, _)| c.is_alphabetic()));
    let little = rest < MIN_REST || (rest <= MAX_DIGITS && !letter);
    most.1.filter(|_| little)
}

/// Marks every place where the token is found.
fn cover(mask: &mut [bool], text: &[char], token: &[char]) {
    for (start, window) in text.windows(token.len()).enumerate() {
        if window == token {
            let found = mask.iter_mut().skip(start).take(token.len());
            found.for_each(|hit| *hit = true);
        }
    }
}

/// The words of a value and the whole without what stands between them, each
/// also backwards.
fn tokens(value: &str) -> Vec<Vec<char>> {
    let folded: String = fold(value).collect();
    let between = |c: char| !c.is_alphanumeric();
    let whole = folded.replace(between, "");
    folded
        .split(between)
        .chain(once(whole.as_str()))
        .map(|word| word.chars().map(letter).collect::<Vec<char>>())
        .filter(|word| word.len() >= MIN_TOKEN)
        .flat_map(|word| {
            let backwards = word.iter().rev().copied().collect();
            [word, backwards]
        })
        .collect()
}

/// Case and accents folded: by way of upper case, so that ß is ss.
fn fold(text: &str) -> impl Iterator<Item = char> {
    text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_uppercase).flat_map(char::to_lowercase)
}

/// The letter that a digit or mark stands for. i and l are one, as 1 is both.
const fn letter(c: char) -> char {
    match c {
        '0' => 'o',
        '1' | '!' | 'l' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        _ => c,
    }
}
