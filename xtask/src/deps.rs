//! Who may depend on whom: `pure` decides, `core` remembers, `features` speak HTTP, `bin` wires.

use crate::{
    Failure,
    project::{Crate, Project},
};
use std::collections::{BTreeMap, BTreeSet};

/// Each layer and the other layers that it may use.
const LAYERS: &[(&str, &[&str])] = &[
    ("pure", &[]),
    ("core", &["pure"]),
    ("features", &["core", "pure"]),
    ("bin", &["features", "core", "pure"]),
    ("bench", &["core", "pure"]),
    ("xtask", &[]),
];

/// Inside a layer: each crate and those of its own layer that it may use. Who is not named uses none.
const INSIDE: &[(&str, &[&str])] = &[
    ("oauth", &["jose"]),
    ("journey", &["policy"]),
    ("store", &["base"]),
    ("web", &["base", "store"]),
    ("work", &["base", "store"]),
];

/// What no crate in `pure/` may be linked with, however far down: runtimes, servers, clients,
/// databases, the time of day, the randomness of the operating system.
const IMPURE: &[&str] = &[
    "async-std",
    "axum",
    "chrono",
    "curl",
    "diesel",
    "fastrand",
    "getrandom",
    "h2",
    "hyper",
    "hyper-util",
    "jiff",
    "lettre",
    "libsqlite3-sys",
    "mio",
    "rand",
    "reqwest",
    "rusqlite",
    "rustls",
    "smol",
    "socket2",
    "sqlx",
    "time",
    "tokio",
    "tokio-postgres",
    "tokio-rustls",
    "tower",
    "ureq",
];

/// What only the crates named beside it may depend on themselves.
const KEPT: &[(&str, &[&str])] = &[
    ("rusqlite", &["store"]),
    ("tokio-postgres", &["store"]),
    ("lettre", &["work"]),
    ("minijinja", &["web"]),
];

/// The rule.
pub(crate) fn check(project: &Project) -> Result<Vec<String>, Failure> {
    Ok(violations(&project.crates, &project.reach))
}

fn violations(crates: &[Crate], reach: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut found = Vec::new();
    for user in crates {
        if !LAYERS.iter().any(|(layer, _)| *layer == user.layer()) {
            found.push(format!("{} is in no layer; give it one in xtask/src/deps.rs", user.folder));
        }
        found.extend(
            crates.iter().filter(|used| user.needs.contains(&used.name)).filter_map(|used| edge(user, used)),
        );
        found.extend(KEPT.iter().filter_map(|(name, keepers)| kept(user, name, keepers)));
    }
    for (name, packages) in reach {
        let impure = IMPURE.iter().filter(|banned| packages.contains(**banned));
        found.extend(impure.map(|banned| {
            format!("pure/{name} is linked with {banned}, which is not pure; `cargo tree -p {name} -i {banned}` says why")
        }));
    }
    found
}

fn edge(user: &Crate, used: &Crate) -> Option<String> {
    let (from, to) = (user.layer(), used.layer());
    if from == to {
        let fine = allowed(INSIDE, &user.name).contains(&used.name.as_str());
        let why = match from {
            "features" => {
                "features never import each other: they meet in rows, in base::Event and in traits of base"
            }
            _ => "inside a layer only the edges of the table in xtask/src/deps.rs are allowed",
        };
        return (!fine).then(|| format!("{} uses {}: {why}", user.folder, used.folder));
    }
    let fine = allowed(LAYERS, from).contains(&to);
    (!fine).then(|| format!("{} uses {}: {from} may not use {to}", user.folder, used.folder))
}

fn kept(user: &Crate, name: &str, keepers: &[&str]) -> Option<String> {
    let wrong = user.needs.contains(name) && !keepers.contains(&user.name.as_str());
    wrong.then(|| format!("{} uses {name}, which is for {} alone", user.folder, keepers.join(" and ")))
}

fn allowed<'a>(table: &[(&str, &'a [&'a str])], name: &str) -> &'a [&'a str] {
    table.iter().find(|(key, _)| *key == name).map_or(&[], |(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(text: &[(&str, &str)]) -> Vec<Crate> {
        let read = |(folder, needs): &(&str, &str)| Crate {
            name: folder.rsplit('/').next().unwrap().into(),
            folder: (*folder).into(),
            needs: needs.split_whitespace().map(str::to_owned).collect(),
        };
        text.iter().map(read).collect()
    }

    fn found(text: &[(&str, &str)]) -> Vec<String> {
        violations(&graph(text), &BTreeMap::new())
    }

    #[test]
    fn the_agreed_shape_is_fine() {
        let shape = [
            ("pure/jose", "serde"),
            ("pure/oauth", "jose"),
            ("pure/policy", ""),
            ("pure/journey", "policy"),
            ("core/base", ""),
            ("core/store", "base oauth rusqlite tokio-postgres"),
            ("core/work", "base store lettre"),
            ("core/web", "base store"),
            ("features/oidc", "web work store base oauth"),
            ("bin/keyward", "oidc web journey"),
            ("xtask", "serde"),
        ];
        assert_eq!(found(&shape), Vec::<String>::new());
    }

    #[test]
    fn every_edge_upwards_or_sideways_is_refused() {
        let wrong = [
            [("pure/jose", "oauth"), ("pure/oauth", "")],
            [("pure/policy", "journey"), ("pure/journey", "")],
            [("pure/jose", "base"), ("core/base", "")],
            [("pure/jose", "oidc"), ("features/oidc", "")],
            [("core/base", "store"), ("core/store", "")],
            [("core/store", "web"), ("core/web", "")],
            [("core/web", "work"), ("core/work", "")],
            [("core/web", "oidc"), ("features/oidc", "")],
            [("features/signin", "oidc"), ("features/oidc", "")],
            [("features/signin", "keyward"), ("bin/keyward", "")],
            [("xtask", "keyward"), ("bin/keyward", "")],
        ];
        for graph in wrong {
            assert_eq!(found(&graph).len(), 1, "{graph:?}");
        }
    }

    #[test]
    fn a_driver_stays_with_the_store_and_a_crate_in_a_layer() {
        assert_eq!(
            found(&[("features/oidc", "rusqlite")]),
            ["features/oidc uses rusqlite, which is for store alone"]
        );
        assert_eq!(found(&[("misc/helpers", "")]).len(), 1);
    }

    #[test]
    fn pure_stays_pure_however_far_down() {
        let reach = BTreeMap::from([("jose".into(), BTreeSet::from(["serde".into(), "getrandom".into()]))]);
        let found = violations(&[], &reach);
        assert_eq!(found.len(), 1);
        assert!(found.iter().all(|it| it.contains("pure/jose is linked with getrandom")));
    }
}
