//! Documents hold together: links, anchors and inclusions lead somewhere, and the book has every page.
//!
//! Of Markdown it knows what ours uses: `#` headings, `[text](target)`, `[name]: target`, `id="…"`,
//! fenced blocks and `{{#include path:anchor}}`.

use crate::{Failure, project::Project};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

/// The folder of the book.
const BOOK: &str = "docs";
/// The book's table of contents.
const SUMMARY: &str = "docs/SUMMARY.md";
/// The documents beside it.
const ROOT: &[&str] = &["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"];

/// The rule.
pub(crate) fn check(project: &Project) -> Result<Vec<String>, Failure> {
    let mut pages: BTreeMap<_, _> = project.files(BOOK, &["md"])?.into_iter().collect();
    for name in ROOT {
        pages.insert((*name).to_owned(), fs::read_to_string(project.root.join(name))?);
    }
    let look = |path: &str| {
        let path = project.root.join(path);
        path.exists()
            .then(|| fs::read(path).map_or_else(|_| String::new(), |it| String::from_utf8_lossy(&it).into()))
    };
    let library = Library { pages, look: &look };
    Ok(library.dead_links().chain(library.unlisted()).collect())
}

/// The documents, and the tree that they stand in.
struct Library<'a> {
    /// Markdown by path.
    pages: BTreeMap<String, String>,
    /// The text of any path; empty for a folder, none for nothing.
    look: &'a dyn Fn(&str) -> Option<String>,
}

impl Library<'_> {
    /// What every page points at in vain.
    fn dead_links(&self) -> impl Iterator<Item = String> {
        self.pages.iter().flat_map(|(path, text)| {
            let links = links(text).into_iter().map(|(line, target)| (line, self.follow(path, target)));
            let parts = if in_book(path) { inclusions(text) } else { Vec::new() };
            let parts = parts.into_iter().map(|(line, target)| (line, self.include(path, target)));
            links.chain(parts).filter_map(move |(line, wrong)| Some(format!("{path}:{line} {}", wrong?)))
        })
    }

    /// What is wrong with a link of the page `from`.
    fn follow(&self, from: &str, target: &str) -> Option<String> {
        if ["https:", "http:", "mailto:"].iter().any(|scheme| target.starts_with(scheme)) {
            return None;
        }
        let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
        let Some(to) = resolve(from, path) else { return Some(format!("{target} leads out of the project")) };
        if in_book(from) && !in_book(&to) {
            return Some(format!("{target} leads out of the book; name the path as `code`, or include it"));
        }
        let there = self.pages.get(&to).cloned().or_else(|| (self.look)(&to));
        match there {
            None => Some(format!("{target} is not there")),
            Some(text) if !anchor.is_empty() && !anchors(&text).contains(anchor) => {
                Some(format!("{target}: {to} has no such heading"))
            }
            Some(_) => None,
        }
    }

    /// What is wrong with an inclusion: of a file, or of the part between `ANCHOR: x` and `ANCHOR_END: x`.
    fn include(&self, from: &str, target: &str) -> Option<String> {
        let (path, anchor) = target.split_once(':').unwrap_or((target, ""));
        let Some(text) = resolve(from, path).and_then(|to| (self.look)(&to)) else {
            return Some(format!("includes {target}, which is not there"));
        };
        let has =
            |mark: &str| text.lines().any(|line| line.trim_end().ends_with(&format!("{mark}: {anchor}")));
        let whole = anchor.is_empty() || has("ANCHOR") && has("ANCHOR_END");
        (!whole).then(|| format!("includes {target}, and {path} has no such ANCHOR with its ANCHOR_END"))
    }

    /// Pages of the book that its table of contents leaves out, or has twice.
    fn unlisted(&self) -> impl Iterator<Item = String> {
        let summary = self.pages.get(SUMMARY).map(String::as_str).unwrap_or_default();
        let listed: Vec<_> =
            links(summary).into_iter().filter_map(|(_, target)| resolve(SUMMARY, target)).collect();
        let pages = self.pages.keys().filter(|path| in_book(path) && *path != SUMMARY);
        pages.filter_map(move |path| match listed.iter().filter(|it| *it == path).count() {
            0 => Some(format!("{path} is not in {SUMMARY}; give it a place there")),
            1 => None,
            _ => Some(format!("{path} stands twice in {SUMMARY}; keep one of them")),
        })
    }
}

fn in_book(path: &str) -> bool {
    path.starts_with("docs/")
}

/// The path that a link of `from` means; its own for an empty one, none above the root.
fn resolve(from: &str, target: &str) -> Option<String> {
    if target.is_empty() {
        return Some(from.to_owned());
    }
    let mut parts: Vec<_> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// The lines of a page that are prose, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fence: Option<&str> = None;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let mark = ["```", "~~~"].into_iter().find(|mark| line.trim_start().starts_with(mark));
        match (fence, mark) {
            (None, None) => return Some((index + 1, line)),
            (None, Some(_)) => fence = mark,
            (Some(open), Some(mark)) if open == mark => fence = None,
            _ => {}
        }
        None
    })
}

/// The targets of links, each with its line; code is no link.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        let named = line.strip_prefix('[').and_then(|rest| rest.split_once("]: "));
        found.extend(named.map(|(_, target)| (number, target.trim())));
        // Every second piece between backticks is code; one in a link's text does no harm.
        let mut rest = line;
        while let Some(at) = rest.find("](") {
            let (before, after) = rest.split_at(at);
            let is_code = before.matches('`').count() % 2 == 1;
            let after = after.get(2..).unwrap_or_default();
            let end = after.find([')', ' ']).unwrap_or(after.len());
            let (target, next) = after.split_at(end);
            if is_code {
                rest = after.split_once('`').map_or("", |(_, next)| next);
            } else {
                found.push((number, target.trim_matches(['<', '>'])));
                rest = next;
            }
        }
    }
    found
}

/// What a page includes, also within code blocks.
fn inclusions(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let after = line.split("{{#include ").skip(1).filter_map(|rest| rest.split_once("}}"));
        found.extend(after.map(|(target, _)| (index + 1, target.trim())));
    }
    found
}

/// The names that a link may point at: headings as GitHub and mdBook name them, and every `id`.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (_, line) in prose(text) {
        if let Some(title) = line.strip_prefix('#').map(|rest| rest.trim_start_matches('#')) {
            let name = anchor(title.trim());
            let again = (1..).map(|count| format!("{name}-{count}"));
            let free = std::iter::once(name.clone()).chain(again).find(|name| !found.contains(name));
            found.extend(free);
        }
        let ids = line.split(" id=\"").skip(1).filter_map(|rest| rest.split_once('"'));
        found.extend(ids.map(|(id, _)| id.to_owned()));
    }
    found
}

/// `A title: of its own` is `a-title-of-its-own`.
fn anchor(title: &str) -> String {
    let kept = title.chars().filter(|it| it.is_alphanumeric() || matches!(it, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|it| if it == ' ' { '-' } else { it }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the rule says of a tree of files.
    fn wrong(files: &[(&str, &str)]) -> Vec<String> {
        let tree: BTreeMap<String, String> =
            files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        let folder = |path: &str| tree.keys().any(|it| it.starts_with(&format!("{path}/"))).then(String::new);
        let look = |path: &str| tree.get(path).cloned().or_else(|| folder(path));
        let pages = tree.iter().filter(|(path, _)| path.ends_with(".md"));
        let pages = pages.map(|(path, text)| (path.clone(), text.clone())).collect();
        let library = Library { pages, look: &look };
        library.dead_links().chain(library.unlisted()).collect()
    }

    #[test]
    fn links_that_lead_somewhere() {
        let found = wrong(&[
            ("README.md", "[a](docs/a.md) and [code](core/x.rs), [folder](core)\n[b]: docs/a.md#one\n"),
            ("core/x.rs", ""),
            ("docs/SUMMARY.md", "- [A](a.md)\n  - [B](deep/b.md)\n"),
            (
                "docs/a.md",
                "# One `two`: Three!\n# One\n[self](#one) [x](deep/b.md#e) ![i](i.png \"t\") <a id=\"z\"></a>\n",
            ),
            ("docs/i.png", ""),
            (
                "docs/deep/b.md",
                "[up](../a.md#one-two-three) [out](https://example.com/x) [m](mailto:a@b)\n## É\n## e\n",
            ),
        ]);
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn links_that_lead_nowhere() {
        let found = wrong(&[
            ("README.md", "`{{#include x}}` is the book's\n[gone](docs/gone.md) [above](../x)\n"),
            ("docs/SUMMARY.md", "[A](a.md)\n"),
            ("docs/a.md", "[no heading](#two) [out](../README.md)\n# one\n"),
        ]);
        assert_eq!(
            found,
            [
                "README.md:2 docs/gone.md is not there",
                "README.md:2 ../x leads out of the project",
                "docs/a.md:1 #two: docs/a.md has no such heading",
                "docs/a.md:1 ../README.md leads out of the book; name the path as `code`, or include it",
            ]
        );
    }

    #[test]
    fn code_is_no_link() {
        let text = "`[a](b)` [`c`](d) `[e](f)` and [g](h)\n```\n[i](j)\n# k\n```\n[l](m)\n";
        assert_eq!(links(text), [(1, "d"), (1, "h"), (6, "m")]);
        assert_eq!(anchors(text), BTreeSet::new());
    }

    #[test]
    fn headings_of_one_name_are_counted() {
        let want = ["a", "a-1", "a-2", "x"].map(str::to_owned);
        assert_eq!(anchors("# A\n## A\n### A\n<a id=\"x\"></a>\n"), want.into());
    }

    #[test]
    fn inclusions_end_where_they_say() {
        let page =
            "```py\n{{#include p.py:a}}\n{{#include p.py:b}}\n{{#include p.py}}\n{{#include q.py}}\n```\n";
        let found = wrong(&[
            ("docs/SUMMARY.md", "[A](a.md)"),
            ("docs/a.md", page),
            ("docs/p.py", "# ANCHOR: a\n1\n# ANCHOR_END: a\n# ANCHOR: b\n"),
        ]);
        assert_eq!(
            found,
            [
                "docs/a.md:3 includes p.py:b, and p.py has no such ANCHOR with its ANCHOR_END",
                "docs/a.md:5 includes q.py, which is not there",
            ]
        );
    }

    #[test]
    fn every_page_has_one_place() {
        let summary = "- [A](a.md)\n- [again](a.md)\n";
        let found = wrong(&[("docs/SUMMARY.md", summary), ("docs/a.md", ""), ("docs/b.md", "")]);
        assert_eq!(
            found,
            [
                "docs/a.md stands twice in docs/SUMMARY.md; keep one of them",
                "docs/b.md is not in docs/SUMMARY.md; give it a place there",
            ]
        );
    }
}
