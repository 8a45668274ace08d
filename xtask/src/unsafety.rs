//! Unsafe code in one file: the compiler denies it everywhere, and only that file may ask to be let off.

use crate::{Failure, project::Project};

/// The file, and why.
const ALLOWED: &[(&str, &str)] =
    &[("pure/passwords/src/argon2id/simd.rs", "the vector instructions of the processors")];

/// The rule.
pub(crate) fn check(project: &Project) -> Result<Vec<String>, Failure> {
    let mut found = Vec::new();
    for ours in &project.crates {
        for (path, text) in project.files(&ours.folder, &["rs"])? {
            let allowed = ALLOWED.iter().any(|(file, _)| *file == path);
            match (lifts(&text), allowed) {
                (true, false) => found.push(format!("{path} lifts the ban on unsafe code; find a safe way")),
                (false, true) => found.push(format!("{path} needs no exception in xtask/src/unsafety.rs")),
                _ => {}
            }
        }
    }
    Ok(found)
}

/// Whether a source text lifts the ban: an attribute that allows or expects `unsafe_code`.
fn lifts(text: &str) -> bool {
    let attribute = |line: &str| line.starts_with("#[") || line.starts_with("#![");
    text.lines().map(str::trim).any(|line| attribute(line) && line.contains("unsafe_code"))
}

#[cfg(test)]
mod tests {
    use super::lifts;

    #[test]
    fn an_attribute_lifts_the_ban_and_a_comment_does_not() {
        assert!(lifts("#![expect(unsafe_code, reason = \"it must\")]"));
        assert!(lifts("fn f() {}\n    #[allow(unsafe_code)]\n    fn g() {}"));
        assert!(!lifts("// unsafe_code is denied\nfn f() {}"));
    }
}
