//! The kinds of events: what may be asked for, and what `docs/events.md` explains.

/// Every kind of event, in the order of the alphabet.
pub(crate) const KINDS: &[&str] = &[
    "administrator.removed",
    "administrator.set",
    "api-key.created",
    "api-key.revoked",
    "api-key.updated",
    "application.created",
    "application.disabled",
    "application.registered",
    "application.removed",
    "application.secret-remade",
    "application.secret-removed",
    "application.secret-rotated",
    "application.updated",
    "consent.given",
    "consent.revoked",
    "email.added",
    "email.changed",
    "grant.created",
    "grant.ended",
    "grant.redeemed",
    "grant.refreshed",
    "grant.replayed",
    "grant.revoked",
    "identifier.added",
    "identifier.removed",
    "initial-token.created",
    "initial-token.dropped",
    "key.created",
    "key.rotated",
    "password.changed",
    "password.expired",
    "password.recovered",
    "person.activated",
    "person.created",
    "person.deleted",
    "person.erased",
    "person.resumed",
    "person.signed-out-everywhere",
    "person.suspended",
    "person.unlocked",
    "person.updated",
    "recovery.started",
    "resource-server.created",
    "resource-server.removed",
    "resource-server.updated",
    "scope.created",
    "scope.removed",
    "scope.updated",
    "server.restored",
    "session.created",
    "session.ended",
    "session.used",
    "signin.refused",
    "template.removed",
    "template.sent",
    "template.set",
    "tenant.added",
    "tenant.created",
    "tenant.moved",
    "tenant.updated",
    "token.revoked",
    "username.refused",
];

#[cfg(test)]
mod tests {
    use super::KINDS;
    use std::{collections::BTreeSet, fs, path::Path};

    /// Names of the same form that are none of events: where something is sealed, and settings.
    const OTHERS: &[&str] = &["application.changed", "catalogue.changed"];

    fn sources(folder: &Path, found: &mut String) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !matches!(name.as_str(), "tests" | "testing" | "conformance" | "target") {
                sources(&path, found);
            } else if name.ends_with(".rs") && name != "tests.rs" && name != "kinds.rs" {
                let text = fs::read_to_string(&path).unwrap();
                found.push_str(text.split("#[cfg(test)]\nmod tests {").next().unwrap());
            }
        }
    }

    /// The literals that events are made with: the first one behind each of these words.
    fn made(source: &str) -> BTreeSet<&str> {
        let mut kinds = BTreeSet::new();
        for word in ["Event::new(", ".event(", "event_of(", ".unit("] {
            for behind in source.split(word).skip(1) {
                let call = behind.split(';').next().unwrap_or_default();
                let literal = call.split('"').nth(1).unwrap_or_default();
                let form = |part: &str| {
                    !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b"-_".contains(&b))
                };
                if literal.split_once('.').is_some_and(|(noun, verb)| form(noun) && form(verb)) {
                    kinds.insert(literal);
                }
            }
        }
        kinds
    }

    #[test]
    fn every_kind_is_known_spelt_alike_and_explained() {
        assert!(KINDS.is_sorted() && KINDS.iter().all(|kind| !kind.contains('_')));
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut source = String::new();
        for folder in ["features", "core", "bin"] {
            sources(&root.join(folder), &mut source);
        }
        let made = made(&source);
        assert!(made.len() > 40, "the sources are found: {made:?}");
        let unknown: Vec<_> =
            made.iter().filter(|kind| !KINDS.contains(kind) && !OTHERS.contains(kind)).collect();
        assert!(unknown.is_empty(), "not in KINDS: {unknown:?}");
        let unused: Vec<_> = KINDS.iter().filter(|kind| !source.contains(&format!("\"{kind}\""))).collect();
        assert!(unused.is_empty(), "made by nobody: {unused:?}");
        let page = fs::read_to_string(root.join("docs/events.md")).unwrap();
        let unexplained: Vec<_> =
            KINDS.iter().filter(|kind| !page.contains(&format!("| `{kind}` |"))).collect();
        assert!(unexplained.is_empty(), "not in docs/events.md: {unexplained:?}");
    }
}
