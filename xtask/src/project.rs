//! What the rules look at: our crates and their manifests, every package that can get into a build,
//! and our files. It asks `cargo metadata` and `cargo tree`, and changes nothing.

use crate::Failure;
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

/// The project as it stands on disk.
pub(crate) struct Project {
    /// Its folder.
    pub(crate) root: PathBuf,
    /// Our crates, by name.
    pub(crate) crates: Vec<Crate>,
    /// Every package that some target, test or build script compiles, ours included.
    pub(crate) packages: BTreeSet<Package>,
    /// For each crate in `pure/`, the names of all packages that it is linked with.
    pub(crate) reach: BTreeMap<String, BTreeSet<String>>,
}

/// One of our crates.
#[derive(Debug, Clone)]
pub(crate) struct Crate {
    /// Its name.
    pub(crate) name: String,
    /// Its folder below the root, such as `core/store`.
    pub(crate) folder: String,
    /// What its manifest names, for the program, for tests and for the build.
    pub(crate) needs: BTreeSet<String>,
}

impl Crate {
    /// `pure`, `core`, `features`, `bin` or `xtask`.
    pub(crate) fn layer(&self) -> &str {
        self.folder.split('/').next().unwrap_or_default()
    }
}

/// A package in the build.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Package {
    /// Its name.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// Its licence expression, empty if it names none.
    pub(crate) licence: String,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Manifest>,
    workspace_root: PathBuf,
}

#[derive(Deserialize)]
struct Manifest {
    name: String,
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
}

impl Project {
    /// Reads the workspace that the current folder belongs to.
    ///
    /// # Errors
    /// If cargo fails or answers something that it did not use to.
    pub(crate) fn load() -> Result<Self, Failure> {
        let text = cargo(&["metadata", "--no-deps", "--format-version", "1"])?;
        let Metadata { packages, workspace_root: root } = serde_json::from_str(&text)?;
        let mut crates = packages.into_iter().map(|it| ours(&root, it)).collect::<Result<Vec<_>, _>>()?;
        crates.sort_by(|a, b| a.folder.cmp(&b.folder));
        let mut reach = BTreeMap::new();
        for pure in crates.iter().filter(|it| it.layer() == "pure") {
            let packages = tree(&["--package", &pure.name, "--edges", "normal"])?;
            reach.insert(pure.name.clone(), packages.into_iter().map(|it| it.name).collect());
        }
        let packages = tree(&["--workspace", "--edges", "normal,build,dev"])?;
        Ok(Self { root, crates, packages, reach })
    }

    /// Our files below `folder` that end with one of `endings`, as path below the root and text, in
    /// the order of their paths. What is built, fetched or hidden is left out.
    ///
    /// # Errors
    /// If a folder or file cannot be read.
    pub(crate) fn files(&self, folder: &str, endings: &[&str]) -> Result<Vec<(String, String)>, Failure> {
        let mut paths = Vec::new();
        walk(&self.root.join(folder), &mut paths)?;
        paths.sort();
        let ours =
            paths.iter().filter(|it| endings.iter().any(|end| it.extension().is_some_and(|x| x == *end)));
        ours.map(|path| Ok((below(&self.root, path)?, fs::read_to_string(path)?))).collect()
    }
}

fn ours(root: &Path, manifest: Manifest) -> Result<Crate, Failure> {
    let folder = manifest.manifest_path.parent().ok_or("a manifest stands in a folder")?;
    Ok(Crate {
        name: manifest.name,
        folder: below(root, folder)?,
        needs: manifest.dependencies.into_iter().map(|it| it.name).collect(),
    })
}

fn below(root: &Path, path: &Path) -> Result<String, Failure> {
    Ok(path.strip_prefix(root)?.to_string_lossy().replace('\\', "/"))
}

/// Folders with nothing of ours in them.
const FOREIGN: &[&str] = &["target", "node_modules"];

fn walk(folder: &Path, into: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let kind = entry.file_type()?;
        if kind.is_dir() && !name.starts_with('.') && !FOREIGN.contains(&name.as_ref()) {
            walk(&entry.path(), into)?;
        } else if kind.is_file() {
            into.push(entry.path());
        }
    }
    Ok(())
}

/// The packages of a `cargo tree`, for every target, so that the answer is the same everywhere.
fn tree(which: &[&str]) -> Result<BTreeSet<Package>, Failure> {
    let mut arguments = vec!["tree", "--target", "all", "--prefix", "none", "--format", "{p}|{l}|"];
    arguments.extend(which);
    let text = cargo(&arguments)?;
    text.lines().filter(|line| !line.trim().is_empty()).map(package).collect()
}

/// Name and version of every package that a program is linked with on this target.
///
/// # Errors
/// If cargo fails or answers something that it did not use to.
pub(crate) fn tree_of(program: &str) -> Result<BTreeSet<(String, String)>, Failure> {
    let text = cargo(&[
        "tree",
        "--locked",
        "--package",
        program,
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--format",
        "{p}|{l}|",
    ])?;
    let packages = text.lines().filter(|line| !line.trim().is_empty()).map(package);
    packages.map(|read| read.map(|package| (package.name, package.version))).collect()
}

/// Reads `name v1.2.3 (where it is from)|licence|`.
fn package(line: &str) -> Result<Package, Failure> {
    let mut parts = line.split('|');
    let (Some(what), Some(licence)) = (parts.next(), parts.next()) else {
        return Err(format!("cargo tree answered {line:?}").into());
    };
    let mut words = what.split(' ');
    let (Some(name), Some(version)) = (words.next(), words.next()) else {
        return Err(format!("cargo tree answered {line:?}").into());
    };
    let version = version.trim_start_matches('v');
    Ok(Package { name: name.into(), version: version.into(), licence: licence.trim().into() })
}

/// Runs the cargo that runs us; gives what it prints.
pub(crate) fn cargo(arguments: &[&str]) -> Result<String, Failure> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(program).args(arguments).output()?;
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout)?),
        false => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(format!("`cargo {}` failed:\n{said}", arguments.join(" ")).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_tree() {
        let read = package("syn v2.0.1 (proc-macro)|MIT OR Apache-2.0| (*)").unwrap();
        let want =
            Package { name: "syn".into(), version: "2.0.1".into(), licence: "MIT OR Apache-2.0".into() };
        assert_eq!(read, want);
        assert_eq!(package("bare v1||").unwrap().licence, "");
        assert!(package("nonsense").is_err());
    }
}
