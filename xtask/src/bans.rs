//! One TLS stack (rustls), one crypto provider (aws-lc-rs), everything from the registry, and no
//! package in two versions unless `xtask/duplicates.toml` says why.

use crate::{
    Failure,
    project::{Package, Project},
};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

/// What may not be in any build, and why.
const BANNED: &[(&str, &str)] = &[
    ("ring", "a second crypto provider"),
    ("openssl", "a second TLS stack"),
    ("openssl-sys", "a second TLS stack"),
    ("boring", "a second TLS stack"),
    ("boring-sys", "a second TLS stack"),
    ("native-tls", "a second TLS stack"),
    ("mbedtls", "a second TLS stack"),
    ("wolfssl", "a second TLS stack"),
    ("s2n-tls", "a second TLS stack"),
    ("gnutls", "a second TLS stack"),
    ("rustls-rustcrypto", "a second crypto provider"),
    ("rustls-mbedcrypto-provider", "a second crypto provider"),
    ("graviola", "a second crypto provider"),
    ("libsodium-sys", "a second crypto provider"),
    ("sodiumoxide", "a second crypto provider"),
    ("rsa", "its private key operations leak time (RUSTSEC-2023-0071)"),
    ("ecdsa", "a second crypto provider"),
    ("ed25519-dalek", "a second crypto provider"),
    ("jsonwebtoken", "pure/jose is ours"),
    ("serde_yaml", "no longer kept; serde_yaml_ng is"),
    ("rustls-pemfile", "no longer kept; rustls-pki-types reads PEM"),
];

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    source: Option<String>,
}

/// The rule.
pub(crate) fn check(project: &Project) -> Result<Vec<String>, Failure> {
    let lock: Lock = toml::from_str(&fs::read_to_string(project.root.join("Cargo.lock"))?)?;
    let reasons = toml::from_str(&fs::read_to_string(project.root.join("xtask/duplicates.toml"))?)?;
    let mut found = banned(&project.packages);
    found.extend(elsewhere(&lock));
    found.extend(duplicates(&project.packages, &reasons));
    Ok(found)
}

fn banned(packages: &BTreeSet<Package>) -> Vec<String> {
    let names: BTreeSet<&str> = packages.iter().map(|it| it.name.as_str()).collect();
    let hits = BANNED.iter().filter(|(name, _)| names.contains(name));
    hits.map(|(name, why)| {
        format!("{name} is banned: {why}; `cargo tree --target all -i {name}` says who wants it")
    })
    .collect()
}

/// Packages from a git repository or a registry other than crates.io.
fn elsewhere(lock: &Lock) -> Vec<String> {
    let strangers =
        lock.package.iter().filter(|it| it.source.as_deref().is_some_and(|source| source != REGISTRY));
    strangers.map(|it| format!("{} does not come from crates.io", it.name)).collect()
}

/// Packages in two versions without a reason, reasons without a duplicate, and three versions of anything.
fn duplicates(packages: &BTreeSet<Package>, reasons: &BTreeMap<String, String>) -> Vec<String> {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in packages {
        versions.entry(&package.name).or_default().insert(&package.version);
    }
    versions.retain(|_, it| it.len() > 1);
    let listed = |name: &str| reasons.get(name).is_some_and(|reason| !reason.trim().is_empty());
    let unlisted = versions.iter().filter(|(name, them)| !listed(name) || them.len() > 2).map(|(name, them)| {
        let them = them.iter().copied().collect::<Vec<_>>().join(", ");
        format!("{name} is in the build as {them}; make them one, or say why in xtask/duplicates.toml (two at most)")
    });
    let stale = reasons.keys().filter(|name| !versions.contains_key(name.as_str()));
    let stale = stale.map(|name| format!("{name} is no longer double; strike it from xtask/duplicates.toml"));
    unlisted.chain(stale).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packages(text: &str) -> BTreeSet<Package> {
        let read = |word: &str| {
            let (name, version) = word.split_once('@').unwrap();
            Package { name: name.into(), version: version.into(), licence: "MIT".into() }
        };
        text.split(' ').map(read).collect()
    }

    fn reasons(text: &[(&str, &str)]) -> BTreeMap<String, String> {
        text.iter().map(|(name, why)| ((*name).into(), (*why).into())).collect()
    }

    #[test]
    fn a_second_provider_is_refused() {
        assert_eq!(banned(&packages("aws-lc-rs@1 rustls@1")), Vec::<String>::new());
        assert_eq!(banned(&packages("aws-lc-rs@1 ring@1 openssl-sys@1")).len(), 2);
    }

    #[test]
    fn everything_comes_from_the_registry() {
        let lock = |source: Option<&str>| Lock {
            package: vec![Locked { name: "x".into(), source: source.map(str::to_owned) }],
        };
        assert_eq!(elsewhere(&lock(None)).len(), 0);
        assert_eq!(elsewhere(&lock(Some(REGISTRY))).len(), 0);
        assert_eq!(elsewhere(&lock(Some("git+https://example.org/x#1"))), ["x does not come from crates.io"]);
    }

    #[test]
    fn duplicates_need_a_reason_and_reasons_a_duplicate() {
        let double = packages("syn@1 syn@2 serde@1");
        assert_eq!(duplicates(&double, &reasons(&[("syn", "old macros")])), Vec::<String>::new());
        assert_eq!(duplicates(&double, &reasons(&[])).len(), 1);
        assert_eq!(duplicates(&double, &reasons(&[("syn", " ")])).len(), 1);
        let stale = duplicates(&double, &reasons(&[("syn", "old macros"), ("serde", "gone")]));
        assert_eq!(stale, ["serde is no longer double; strike it from xtask/duplicates.toml"]);
        assert_eq!(duplicates(&packages("syn@1 syn@2 syn@3"), &reasons(&[("syn", "old macros")])).len(), 1);
    }
}
