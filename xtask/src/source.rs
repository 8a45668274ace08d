//! Just enough Rust to find what stands in string literals, and where the tests of a file begin.

/// A string literal: the line on which it begins, and its text with runs of white space made one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Literal {
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// Whether a path is a test's: in a `tests` folder, or a `tests.rs`.
pub(crate) fn is_test(path: &str) -> bool {
    path.split('/').any(|part| part == "tests" || part == "tests.rs")
}

/// The part of a source file before its test module, which our files end with.
pub(crate) fn production(text: &str) -> &str {
    let mut before = 0;
    let mut marked = None;
    for line in text.split_inclusive('\n') {
        let words = line.trim();
        if words == "#[cfg(test)]" {
            marked = Some(before);
        } else if let Some(start) = marked {
            if words.starts_with("mod ") && words.ends_with('{') {
                return text.get(..start).unwrap_or(text);
            }
            marked = marked.filter(|_| words.starts_with("#["));
        }
        before += line.len();
    }
    text
}

/// The string literals of a source text, comments left out.
pub(crate) fn literals(text: &str) -> Vec<Literal> {
    let mut found = Vec::new();
    let (mut rest, mut line, mut in_word) = (text, 1, false);
    while let Some(first) = rest.chars().next() {
        let (used, literal) = token(rest, first, in_word);
        let (taken, next) = rest.split_at_checked(used.max(first.len_utf8())).unwrap_or((rest, ""));
        if let Some(text) = literal {
            found.push(Literal { line, text: plain(text) });
        }
        in_word = first.is_alphanumeric() || first == '_';
        line += taken.matches('\n').count();
        rest = next;
    }
    found
}

/// How many bytes the next token takes, and its text if it is a string.
fn token(rest: &str, first: char, in_word: bool) -> (usize, Option<&str>) {
    match first {
        '/' if rest.starts_with("//") => (rest.find('\n').unwrap_or(rest.len()), None),
        '/' if rest.starts_with("/*") => (rest.find("*/").map_or(rest.len(), |end| end + 2), None),
        '"' => quoted(rest),
        'r' if !in_word => raw(rest),
        'b' if !in_word && rest.starts_with("br") => {
            rest.get(1..).map_or((1, None), |it| (raw(it).0 + 1, raw(it).1))
        }
        '\'' => (character(rest), None),
        _ => (first.len_utf8(), None),
    }
}

fn quoted(rest: &str) -> (usize, Option<&str>) {
    let mut escaped = false;
    for (at, next) in rest.char_indices().skip(1) {
        match next {
            '"' if !escaped => return (at + 1, rest.get(1..at)),
            _ => escaped = next == '\\' && !escaped,
        }
    }
    (rest.len(), rest.get(1..))
}

fn raw(rest: &str) -> (usize, Option<&str>) {
    let hashes = rest.chars().skip(1).take_while(|it| *it == '#').count();
    let start = hashes + 2;
    let Some(body) = rest.get(start..).filter(|_| rest.get(hashes + 1..start) == Some("\"")) else {
        return (1, None);
    };
    let close = format!("\"{}", "#".repeat(hashes));
    let end = body.find(&close).unwrap_or(body.len());
    ((start + end + close.len()).min(rest.len()), body.get(..end))
}

/// A character literal as a whole, or the quote of a lifetime.
fn character(rest: &str) -> usize {
    let mut next = rest.chars().skip(1);
    match (next.next(), next.next()) {
        (Some('\\'), Some(escaped)) => {
            let from = 2 + escaped.len_utf8();
            rest.get(from..).and_then(|it| it.find('\'')).map_or(1, |end| from + end + 1)
        }
        (Some(one), Some('\'')) => 2 + one.len_utf8(),
        _ => 1,
    }
}

/// Continued lines joined, and every run of white space one space.
fn plain(text: &str) -> String {
    text.replace("\\\n", " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_of_every_kind_and_nothing_else() {
        let text = "// \"no\"\nlet a = \"one \\\"1\\\"\"; /* \"no\" */ let c = '\"'; let d = '\\'';\n\
            let e: &'a str = r#\"two \"2\"\"#; let f = \"three \\\n    more\"; var\"four\"; br#\"5\"\"#";
        let found: Vec<_> = literals(text).into_iter().map(|it| (it.line, it.text)).collect();
        let want = [(2, "one \\\"1\\\""), (3, "two \"2\""), (3, "three more"), (4, "four"), (4, "5\"")];
        assert_eq!(found, want.map(|(line, text)| (line, text.to_owned())));
    }

    #[test]
    fn tests_are_cut_off() {
        assert_eq!(production("a\n#[cfg(test)]\nmod tests {\n x\n}\n"), "a\n");
        assert_eq!(production("a\n#[cfg(test)]\n#[path = \"x\"]\nmod tests {\n"), "a\n");
        assert_eq!(production("a\n#[cfg(test)]\nmod tests;\nb\n"), "a\n#[cfg(test)]\nmod tests;\nb\n");
        assert!(is_test("core/store/src/tests.rs") && is_test("a/tests/b.rs") && !is_test("a/contests.rs"));
    }
}
