//! Licences: each package's SPDX expression must be true when the allowed licences are.

use crate::{Failure, project::Project};

/// What we may ship inside an Apache-2.0 program.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Zlib",
];

/// The rule.
pub(crate) fn check(project: &Project) -> Result<Vec<String>, Failure> {
    let ours = |name: &str| project.crates.iter().any(|it| it.name == name);
    let mut found = Vec::new();
    for package in &project.packages {
        let (name, licence) = (&package.name, &package.licence);
        if ours(name) && licence != "Apache-2.0" {
            found.push(format!("{name} is ours and says {licence:?}; write `license.workspace = true`"));
        } else if licence.is_empty() {
            found.push(format!("{name} names no licence; do without it"));
        } else if !permits(licence) {
            found.push(format!("{name} is under {licence}, which is not in xtask/src/licences.rs"));
        }
    }
    Ok(found)
}

/// Whether the allowed licences satisfy an expression; one that cannot be read is not satisfied.
fn permits(expression: &str) -> bool {
    let text = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut words = Words { rest: text.split_whitespace().collect() };
    words.rest.reverse();
    words.either() == Some(true) && words.rest.is_empty()
}

/// The words of an expression, the next one last.
struct Words<'a> {
    rest: Vec<&'a str>,
}

impl<'a> Words<'a> {
    /// `both OR both …`
    fn either(&mut self) -> Option<bool> {
        let mut value = self.both()?;
        while self.skip("OR") {
            value |= self.both()?;
        }
        Some(value)
    }

    /// `one AND one …`
    fn both(&mut self) -> Option<bool> {
        let mut value = self.one()?;
        while self.skip("AND") {
            value &= self.one()?;
        }
        Some(value)
    }

    /// A licence, with or without an exception, or an expression in parentheses.
    fn one(&mut self) -> Option<bool> {
        if self.skip("(") {
            let value = self.either()?;
            return self.skip(")").then_some(value);
        }
        let name = self.word()?;
        match self.skip("WITH") {
            true => {
                let exception = self.word()?;
                Some(ALLOWED.contains(&format!("{name} WITH {exception}").as_str()))
            }
            false => Some(ALLOWED.contains(&name)),
        }
    }

    fn word(&mut self) -> Option<&'a str> {
        self.rest.pop().filter(|word| !["(", ")", "AND", "OR", "WITH"].contains(word))
    }

    fn skip(&mut self, word: &str) -> bool {
        self.rest.pop_if(|next| *next == word).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions() {
        for fine in [
            "MIT",
            "MIT/Apache-2.0",
            "GPL-2.0-only OR MIT",
            "MIT OR LGPL-2.1-or-later AND GPL-3.0-only",
            "ISC AND (Apache-2.0 OR GPL-2.0-only)",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0-only",
        ] {
            assert!(permits(fine), "{fine}");
        }
        for wrong in [
            "",
            "GPL-3.0-only",
            "MIT AND GPL-2.0-only",
            "(MIT OR GPL-3.0-only) AND AGPL-3.0-only",
            "GPL-2.0-only WITH Classpath-exception-2.0",
            "MIT OR",
            "MIT Apache-2.0",
            "(MIT",
            "MIT WITH",
            "AND",
        ] {
            assert!(!permits(wrong), "{wrong}");
        }
    }
}
