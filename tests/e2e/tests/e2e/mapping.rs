//! The map is kept true: what ARCHITECTURE.md says of the house can be read from the house.

use e2e::built;

#[test]
fn every_dependency_has_its_reason() {
    let root = built::root();
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let map = std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let (_, table) = map.split_once("## Why each dependency is there").unwrap();
    let named: Vec<&str> = table
        .lines()
        .filter_map(|line| line.strip_prefix('|')?.split('|').next())
        .flat_map(|crates| crates.split(|c: char| !(c.is_ascii_alphanumeric() || "-_".contains(c))))
        .collect();
    let dependencies = manifest["workspace"]["dependencies"].as_table().unwrap();
    let lacking: Vec<&String> = dependencies
        .iter()
        .filter(|(_, from)| from.get("path").is_none())
        .map(|(name, _)| name)
        .filter(|name| !named.contains(&name.as_str()))
        .collect();
    assert!(lacking.is_empty(), "without a reason: {lacking:?}");
}
