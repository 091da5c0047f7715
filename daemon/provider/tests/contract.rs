//! The contract with providers: what was released stays as it was, and what is here accepts it.

#![expect(clippy::unwrap_used, reason = "files of this repository")]

use std::path::{Path, PathBuf};

use wit_parser::{Resolve, WorldId};

fn contract() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit")
}

/// Folders of released contracts, by version.
fn released() -> Vec<PathBuf> {
    let folder = std::fs::read_dir(contract().join("released")).unwrap();
    let versions: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
    assert!(!versions.is_empty());
    versions
}

fn files(folder: &Path) -> Vec<(String, String)> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "wit"))
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

fn world(folder: &Path) -> (Resolve, WorldId) {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(folder).unwrap();
    let world = resolve.select_world(&[package], None).unwrap();
    (resolve, world)
}

/// Whether a provider of the world `old` loads on a host of the world `new`.
fn accepts(old: &Path, new: &Path) -> Result<(), String> {
    // Two packages of one name and version can't be in one resolution: the old one gets another version, which
    // the check itself ignores.
    let renamed = tempfile::tempdir().unwrap();
    for (name, text) in files(old) {
        let text = text.replace(
            "package rotor:provider@",
            "package rotor:provider@0.0.1-was-",
        );
        let lines: Vec<_> = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("@since"))
            .collect();
        let text = lines.join("\n");
        std::fs::write(renamed.path().join(name), text).unwrap();
    }
    let deps = renamed.path().join("deps");
    for package in std::fs::read_dir(old.join("deps")).unwrap() {
        let package = package.unwrap();
        let to = deps.join(package.file_name());
        std::fs::create_dir_all(&to).unwrap();
        for (name, text) in files(&package.path()) {
            std::fs::write(to.join(name), text).unwrap();
        }
    }
    let (mut resolve, new) = world(new);
    let (other, old) = world(renamed.path());
    let old = resolve.merge(other).unwrap().worlds[old.index()].unwrap();
    // A provider imports less and exports the same: its world is the old one.
    wit_component::semver_check(resolve, old, new).map_err(|error| format!("{error:#}"))
}

#[test]
fn what_was_released_is_accepted() {
    for version in released() {
        accepts(&version, &contract())
            .unwrap_or_else(|why| panic!("{} is not accepted any more: {why}", version.display()));
    }
}

#[test]
fn the_version_that_is_released_is_frozen() {
    let here = files(&contract());
    let package = here[0]
        .1
        .lines()
        .find(|line| line.starts_with("package "))
        .unwrap()
        .to_owned();
    for version in released() {
        let was = files(&version);
        if was.iter().any(|(_, text)| text.contains(&package)) {
            assert_eq!(
                was, here,
                "{package} was released: a change needs a new version"
            );
        }
    }
}

#[test]
fn a_field_more_is_not_accepted() {
    let changed = tempfile::tempdir().unwrap();
    let from = contract();
    for (name, text) in files(&from) {
        let text = text.replace("record issued {", "record issued {\n        more: bool,");
        std::fs::write(changed.path().join(name), text).unwrap();
    }
    for package in ["clocks", "random"] {
        let to = changed.path().join("deps").join(package);
        std::fs::create_dir_all(&to).unwrap();
        for (name, text) in files(&from.join("deps").join(package)) {
            std::fs::write(to.join(name), text).unwrap();
        }
    }
    assert!(accepts(&released()[0], changed.path()).is_err());
}
