//! The YAML of `apply`: within limits of size, depth, time and memory; the same document as JSON is read
//! the same; two documents behind each other are two.
#![no_main]

use apply::{Document, Documents, Problem};
use libfuzzer_sys::{Corpus, fuzz_target};

const MOST: usize = 1024 * 1024;

fuzz_target!(|input: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(input) else { return Corpus::Reject };
    // It would open files.
    if text.contains("client_secret_file") {
        return Corpus::Reject;
    }
    divided(text);
    let read = Document::parse(text);
    match &read {
        Ok(document) => assert!(document.issuer_of("nobody has this").is_none()),
        Err(problems) => assert!(!problems.is_empty()),
    }
    as_json(text, &read);
    Corpus::Keep
});

fn divided(text: &str) {
    let parts: Vec<String> = Documents::new(text.as_bytes()).map(|part| part.expect("UTF-8")).collect();
    assert!(!parts.is_empty() && parts.iter().all(|part| part.len() <= MOST + 1));
    let is_divided = text.lines().any(|line| line.trim_ascii_end() == "---");
    assert!(is_divided || parts == [text]);
    if !text.ends_with('\n') {
        return;
    }
    let twice: Vec<String> =
        Documents::new([text, "---\n", text].concat().as_bytes()).map(|part| part.unwrap()).collect();
    let blank =
        |part: &String| part.lines().all(|line| line.trim().is_empty() || line.trim().starts_with('#'));
    let solid: Vec<&String> = parts.iter().filter(|part| !blank(part)).collect();
    let twice: Vec<&String> = twice.iter().filter(|part| !blank(part)).collect();
    assert_eq!(twice, [&solid[..], &solid[..]].concat());
}

/// JSON is YAML: read as what it says, then written so.
fn as_json(text: &str, read: &Result<Document, Vec<Problem>>) {
    let Ok(value) = serde_yaml_ng::from_str::<serde_json::Value>(text) else { return };
    let json = serde_json::to_string(&value).unwrap();
    // Where the two are no longer the same text: tags, aliases, escapes, breaks of lines beyond ASCII, keys
    // that are too long to stand without a mark, control characters beyond ASCII (JSON writes them as they are).
    let plain = text.is_ascii()
        && text.len() < 1000
        && !text.contains(['&', '!', '\u{7f}'])
        && !json.contains("\\u")
        && !json.contains(char::is_control);
    let only_in_yaml = |problem: &Problem| {
        problem.message.starts_with("stands twice") || problem.message.starts_with("the file cannot be read")
    };
    if !plain || read.as_ref().is_err_and(|problems| problems.iter().any(only_in_yaml)) {
        return;
    }
    match (read, Document::parse(&json)) {
        (Ok(_), Ok(_)) => {}
        (Err(one), Err(two)) => assert_eq!(*one, two, "{json}"),
        (Ok(_), Err(problems)) => panic!("{json}: {problems:?}"),
        (Err(problems), Ok(_)) => panic!("{json} is taken, the YAML not: {problems:?}"),
    }
}
