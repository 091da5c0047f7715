use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use tempfile::TempDir;

use super::*;
use crate::engine;
use crate::settings::{EngineKind, Limits};

struct Fixture {
    directory: TempDir,
    engine: Engine,
    wasm: Vec<u8>,
    digest: String,
}

impl Fixture {
    fn new() -> Self {
        let wasm = wat::parse_str("(component (core module (func (export \"f\"))))").unwrap();
        Self {
            directory: TempDir::new().unwrap(),
            engine: engine::build(EngineKind::Pulley, &Limits::default()).unwrap(),
            digest: sha256_hex(&wasm),
            wasm,
        }
    }

    fn open(&self, key: u8) -> Cache {
        let directory = self.directory.path().join("cache");
        Cache::open(&CacheSettings {
            directory,
            key: CacheKey::new([key; 32]),
        })
        .unwrap()
    }

    fn file(&self) -> PathBuf {
        let mut files = fs::read_dir(self.directory.path().join("cache")).unwrap();
        let file = files.next().unwrap().unwrap().path();
        assert!(files.next().is_none());
        file
    }

    /// Whether the file is believed.
    fn is_believed(&self, cache: &Cache) -> bool {
        let file = self.file();
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        cache.read(&self.engine, &file, &name).is_some()
    }

    fn filled(&self, key: u8) -> Cache {
        let cache = self.open(key);
        cache.load(&self.engine, &self.wasm, &self.digest).unwrap();
        cache
    }
}

#[test]
fn what_was_compiled_is_found_again() {
    let fixture = Fixture::new();
    fixture.filled(1);
    assert!(fixture.is_believed(&fixture.open(1)));
}

#[test]
fn the_directory_and_its_files_are_the_daemons_alone() {
    let fixture = Fixture::new();
    fixture.filled(1);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&fixture.directory.path().join("cache")), 0o700);
    assert_eq!(mode(&fixture.file()), 0o600);
}

#[test]
fn a_file_under_another_key_is_compiled_again() {
    let fixture = Fixture::new();
    fixture.filled(1);
    let cache = fixture.open(2);
    assert!(!fixture.is_believed(&cache));
    cache
        .load(&fixture.engine, &fixture.wasm, &fixture.digest)
        .unwrap();
    assert!(fixture.is_believed(&cache));
}

#[test]
fn a_file_with_any_part_changed_is_compiled_again() {
    let fixture = Fixture::new();
    let cache = fixture.filled(1);
    let file = fixture.file();
    let genuine = fs::read(&file).unwrap();
    let places = [
        0,
        MAGIC.len(),
        MAGIC.len() + TAG,
        genuine.len() / 2,
        genuine.len() - 1,
    ];
    for place in places {
        let mut changed = genuine.clone();
        changed[place] ^= 1;
        fs::write(&file, changed).unwrap();
        assert!(!fixture.is_believed(&cache), "byte {place}");
    }
    for length in [0, MAGIC.len(), MAGIC.len() + TAG, genuine.len() - 1] {
        fs::write(&file, &genuine[..length]).unwrap();
        assert!(!fixture.is_believed(&cache), "cut to {length}");
    }
    cache
        .load(&fixture.engine, &fixture.wasm, &fixture.digest)
        .unwrap();
    assert_eq!(fs::read(&file).unwrap(), genuine);
}

#[test]
fn a_genuine_file_under_another_name_is_not_believed() {
    let fixture = Fixture::new();
    let cache = fixture.filled(1);
    let other = fixture
        .file()
        .with_file_name(format!("{}-0000000000000000.cwasm", "0".repeat(64)));
    fs::rename(fixture.file(), other).unwrap();
    assert!(!fixture.is_believed(&cache));
}

#[test]
fn a_link_is_not_followed() {
    let fixture = Fixture::new();
    let cache = fixture.filled(1);
    let (file, moved) = (fixture.file(), fixture.directory.path().join("moved"));
    fs::rename(&file, &moved).unwrap();
    std::os::unix::fs::symlink(&moved, &file).unwrap();
    assert!(!fixture.is_believed(&cache));
}

#[test]
fn a_directory_that_others_can_write_to_is_not_used() {
    let directory = TempDir::new().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let settings = CacheSettings {
        directory: directory.path().to_owned(),
        key: CacheKey::new([1; 32]),
    };
    assert!(Cache::open(&settings).is_none());
}

#[test]
fn what_nothing_asked_for_is_removed() {
    let fixture = Fixture::new();
    let cache = fixture.filled(1);
    let old = fixture.file().with_file_name("old.cwasm");
    fs::write(&old, "x").unwrap();
    cache.prune();
    assert!(!old.exists());
    assert!(fixture.is_believed(&cache));
}

#[test]
fn engines_with_other_settings_have_other_names() {
    let native = engine::build(EngineKind::Native, &Limits::default()).unwrap();
    let pulley = engine::build(EngineKind::Pulley, &Limits::default()).unwrap();
    assert_ne!(engine_id(&native), engine_id(&pulley));
    assert_eq!(
        engine_id(&pulley),
        engine_id(&engine::build(EngineKind::Pulley, &Limits::default()).unwrap())
    );
}

#[test]
fn a_key_does_not_print() {
    assert_eq!(format!("{:?}", CacheKey::new([7; 32])), "CacheKey(..)");
}
