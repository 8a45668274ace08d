//! The bill of materials: every package that the released program is made of, as CycloneDX 1.5 in
//! JSON, from what cargo says. The same sources give the same text.

use crate::{Failure, project};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The program that is released.
const PROGRAM: &str = "keyward";

/// Writes the bill of the program for this target to the standard output.
pub(crate) fn print() -> Result<(), Failure> {
    let metadata: Value =
        serde_json::from_str(&project::cargo(&["metadata", "--format-version", "1", "--locked"])?)?;
    let linked = project::tree_of(PROGRAM)?;
    println!("{}", serde_json::to_string_pretty(&bill(&metadata, &linked)?)?);
    Ok(())
}

/// The bill, of what cargo knows and of the packages (name and version) that the program is linked with.
fn bill(metadata: &Value, linked: &BTreeSet<(String, String)>) -> Result<Value, Failure> {
    let packages = metadata["packages"].as_array().ok_or("cargo metadata names no packages")?;
    let mut components = BTreeMap::new();
    let mut ids = BTreeMap::new();
    for package in packages {
        let (name, version) = (text(package, "name"), text(package, "version"));
        if linked.contains(&(name.to_owned(), version.to_owned())) {
            ids.insert(text(package, "id"), reference(package));
            components.insert(reference(package), component(package));
        }
    }
    let program = packages.iter().find(|package| text(package, "name") == PROGRAM);
    let program = program.ok_or("the workspace has no keyward")?;
    let own = components.remove(&reference(program)).unwrap_or_else(|| component(program));
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "component": own },
        "components": components.into_values().collect::<Vec<_>>(),
        "dependencies": dependencies(metadata, &ids),
    }))
}

fn dependencies(metadata: &Value, ids: &BTreeMap<&str, String>) -> Vec<Value> {
    let nodes =
        metadata.pointer("/resolve/nodes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut all: Vec<(String, Vec<&String>)> = nodes
        .iter()
        .filter_map(|node| {
            let needs =
                node.get("dependencies").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let needs = needs.iter().filter_map(|id| ids.get(id.as_str()?));
            Some((ids.get(text(node, "id"))?.clone(), needs.collect()))
        })
        .collect();
    all.sort();
    all.into_iter().map(|(what, needs)| json!({ "ref": what, "dependsOn": needs })).collect()
}

fn component(package: &Value) -> Value {
    let ours = package.get("source").is_none_or(Value::is_null);
    let mut component = json!({
        "type": if text(package, "name") == PROGRAM { "application" } else { "library" },
        "bom-ref": reference(package),
        "name": text(package, "name"),
        "version": text(package, "version"),
        "scope": "required",
    });
    let Some(fields) = component.as_object_mut() else { return component };
    if !ours {
        fields.insert("purl".to_owned(), reference(package).into());
    }
    if !text(package, "license").is_empty() {
        fields.insert(
            "licenses".to_owned(),
            json!([{ "expression": text(package, "license").replace('/', " OR ") }]),
        );
    }
    component
}

/// The package URL.
fn reference(package: &Value) -> String {
    format!("pkg:cargo/{}@{}", text(package, "name"), text(package, "version"))
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_linked_stands_in_the_bill() {
        let package = |name: &str, source: Value| json!({ "id": name, "name": name, "version": "1.0.0", "license": "MIT/Apache-2.0", "source": source });
        let metadata = json!({
            "packages": [package("keyward", Value::Null), package("serde", "registry".into()), package("proptest", "registry".into())],
            "resolve": { "nodes": [
                { "id": "keyward", "dependencies": ["serde", "proptest"] },
                { "id": "serde", "dependencies": [] },
                { "id": "proptest", "dependencies": [] },
            ] },
        });
        let linked = ["keyward", "serde"].map(|name| (name.to_owned(), "1.0.0".to_owned())).into();
        let bill = bill(&metadata, &linked).unwrap();
        assert_eq!(bill["metadata"]["component"]["type"], "application");
        let components = bill["components"].as_array().unwrap();
        assert_eq!(components.len(), 1);
        assert_eq!(components[0]["purl"], "pkg:cargo/serde@1.0.0");
        assert_eq!(components[0]["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(bill["dependencies"][0]["dependsOn"], json!(["pkg:cargo/serde@1.0.0"]));
    }
}
