//! How long our files are. Functions are clippy's business (`too_many_lines`).

use crate::{
    Failure,
    project::Project,
    source::{is_test, production},
};

/// A file longer than this fails, tests apart.
const LIMIT: usize = 800;
/// What a reader is happy with.
const AIM: usize = 400;
/// The kinds of files that people write; templates and code, not data or prose.
const KINDS: &[&str] = &["rs", "js", "mjs", "ts", "css", "html", "sh", "py", "sql", "go", "java"];
/// Where they are.
const FOLDERS: &[&str] = &["pure", "core", "features", "bin", "web", "tests", "docs", "bench", "xtask"];

/// Prints the lines of each crate; a file above the limit is a violation.
pub(crate) fn check(project: &Project) -> Result<Vec<String>, Failure> {
    println!("{:24} {:>7} {:>7}", "", "lines", "tests");
    for ours in &project.crates {
        let (code, tests) = lines(&project.files(&ours.folder, &["rs"])?);
        println!("{:24} {code:>7} {tests:>7}", ours.folder);
    }
    let mut found = Vec::new();
    for folder in FOLDERS.iter().filter(|folder| project.root.join(folder).is_dir()) {
        found.extend(project.files(folder, KINDS)?.iter().filter_map(|(path, text)| too_long(path, text)));
    }
    Ok(found)
}

/// Lines of the program and lines of its tests.
fn lines(files: &[(String, String)]) -> (usize, usize) {
    files.iter().fold((0, 0), |(code, tests), (path, text)| {
        let all = text.lines().count();
        let own = own_lines(path, text);
        (code + own, tests + all - own)
    })
}

fn own_lines(path: &str, text: &str) -> usize {
    if is_test(path) { 0 } else { production(text).lines().count() }
}

fn too_long(path: &str, text: &str) -> Option<String> {
    let length = own_lines(path, text);
    (length > LIMIT).then(|| format!("{path} has {length} lines; {LIMIT} are the most, aim at {AIM}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_fail_and_tests_do_not_count() {
        let long = "x\n".repeat(LIMIT);
        assert_eq!(too_long("a.rs", &long), None);
        assert_eq!(too_long("a/tests/b.rs", &long.repeat(2)), None);
        assert_eq!(too_long("a.rs", &format!("{long}#[cfg(test)]\nmod tests {{\n}}\n")), None);
        assert!(too_long("a.rs", &format!("{long}x\n")).is_some());
    }

    #[test]
    fn tests_are_told_from_the_program() {
        let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
        let files = [file("a.rs", "1\n2\n#[cfg(test)]\nmod tests {\n}\n"), file("tests/b.rs", "1\n2\n")];
        assert_eq!(lines(&files), (2, 5));
    }
}
