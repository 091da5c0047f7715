//! One bad file never stops the rest, and each says in words what is wrong with it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::pin::pin;

use futures_util::FutureExt as _;
use rotord_provider::{
    Admission, CacheKey, CacheSettings, Grant, Host, HostSettings, LoadError, PluginReport,
};

use crate::secrets::capture;
use crate::support::{Plugins, guest};

async fn load(settings: HostSettings) -> (Host, Vec<PluginReport>) {
    let host = Host::new(settings).unwrap();
    let reports = host.load_all().await;
    (host, reports)
}

/// What became of the one file.
async fn load_bytes(bytes: impl AsRef<[u8]>) -> LoadError {
    let plugins = Plugins::new();
    plugins.drop_bytes(bytes, "plugin.wasm");
    let (_, mut reports) = load(plugins.settings()).await;
    assert_eq!(reports.len(), 1);
    reports.remove(0).result.unwrap_err()
}

fn component(text: &str) -> Vec<u8> {
    wat::parse_str(format!("(component {text})")).unwrap()
}

#[tokio::test]
async fn what_is_no_file_is_refused_and_not_waited_for() {
    let plugins = Plugins::new();
    let pipe = plugins.path().join("pipe.wasm");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    fs::create_dir(plugins.path().join("directory.wasm")).unwrap();
    plugins.drop_guest("echo", "echo.wasm");
    let loading = load(plugins.settings());
    let limit = std::time::Duration::from_mins(1);
    let (host, reports) = tokio::time::timeout(limit, loading).await.unwrap();
    for (report, file) in reports
        .iter()
        .zip(["directory.wasm", "echo.wasm", "pipe.wasm"])
    {
        assert!(report.file.ends_with(file));
        let is_refused = matches!(report.result, Err(LoadError::NotAFile));
        assert_eq!(is_refused, file != "echo.wasm", "{report}");
    }
    assert!(host.provider("echo").is_some());
}

#[tokio::test]
async fn one_bad_file_never_stops_the_rest() {
    let plugins = Plugins::new();
    plugins.drop_bytes("not wasm at all", "a-nonsense.wasm");
    plugins.drop_guest("trap-on-describe", "b-trap.wasm");
    plugins.drop_guest("other-contract", "c-other.wasm");
    plugins.drop_guest("echo", "d-echo.wasm");
    plugins.drop_bytes("is not looked at", "e-notes.txt");
    let (host, reports) = load(plugins.settings()).await;

    let file = |report: &PluginReport| {
        report
            .file
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    };
    let results: Vec<_> = reports
        .iter()
        .map(|report| (file(report), &report.result))
        .collect();
    assert_eq!(results.len(), 4);
    assert!(
        matches!(results[0].1, Err(LoadError::NotAComponent(_))),
        "{results:?}"
    );
    assert!(
        matches!(results[1].1, Err(LoadError::Describe(_))),
        "{results:?}"
    );
    let Err(LoadError::OtherContract { found, .. }) = results[2].1 else {
        panic!("{results:?}")
    };
    assert_eq!(found, "rotor:provider/provider@0.2.0");
    let loaded = results[3].1.as_ref().unwrap();
    assert_eq!(loaded.slug.as_str(), "echo");

    let slugs: Vec<_> = host
        .providers()
        .iter()
        .map(|provider| provider.slug().to_string())
        .collect();
    assert_eq!(slugs, ["echo"]);
    assert!(reports.iter().all(|report| !report.to_string().is_empty()));
}

#[tokio::test]
async fn a_description_survives_being_stored() {
    let plugins = Plugins::new();
    plugins.drop_guest("echo", "echo.wasm");
    let (host, _) = load(plugins.settings()).await;
    let provider = host.provider("echo").unwrap();
    let stored = serde_json::to_string(provider.description()).unwrap();
    let read: rotord_provider::contract::ProviderDescription =
        serde_json::from_str(&stored).unwrap();
    assert_eq!(&read, provider.description());
}

#[tokio::test]
async fn what_is_no_component_is_refused() {
    assert!(matches!(load_bytes("").await, LoadError::NotAComponent(_)));
    let module = wat::parse_str("(module)").unwrap();
    let LoadError::NotAComponent(why) = load_bytes(module).await else {
        panic!("a core module was taken")
    };
    assert!(why.contains("core module"), "{why}");
    let mut cut = fs::read(guest("echo")).unwrap();
    cut.truncate(cut.len() / 2);
    assert!(matches!(load_bytes(cut).await, LoadError::NotAComponent(_)));
}

#[tokio::test]
async fn a_component_that_exports_no_provider_is_none() {
    assert!(matches!(
        load_bytes(component("")).await,
        LoadError::NotAProvider
    ));
}

#[tokio::test]
async fn an_import_outside_the_contract_and_wasi_is_refused_by_name() {
    for foreign in [
        "evil:sockets/raw@0.1.0",
        "wasi:keyvalue/store@0.2.0",
        "wasi:io/poll@0.3.0",
        "rotor:provider/shell@0.1.0",
    ] {
        let error = load_bytes(component(&format!("(import \"{foreign}\" (instance))"))).await;
        assert!(
            matches!(&error, LoadError::ForeignImport(name) if name == foreign),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn another_version_of_an_import_is_another_contract() {
    let error = load_bytes(component(
        "(import \"rotor:provider/http@0.2.0\" (instance))",
    ))
    .await;
    assert!(
        matches!(error, LoadError::OtherContract { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_component_that_only_names_the_contract_does_not_fit() {
    let text = r#"
        (core module $m (func (export "f")))
        (core instance $i (instantiate $m))
        (func $f (canon lift (core func $i "f")))
        (instance $p (export "describe" (func $f)))
        (export "rotor:provider/provider@0.1.0" (instance $p))"#;
    let error = load_bytes(component(text)).await;
    assert!(matches!(error, LoadError::Mismatch(_)), "{error:?}");
}

#[tokio::test]
async fn a_component_of_more_parts_than_there_is_room_for_is_refused_in_words() {
    let memories = "(core instance (instantiate $m))".repeat(8);
    let text = format!(
        r#"
        (core module $m (memory 1) (func (export "f")))
        {memories}
        (core instance $i (instantiate $m))
        (func $f (canon lift (core func $i "f")))
        (instance $p (export "describe" (func $f)))
        (export "rotor:provider/provider@0.1.0" (instance $p))"#
    );
    let error = load_bytes(component(&text)).await.to_string();
    assert!(error.contains("memories"), "{error}");
}

#[tokio::test]
async fn a_file_beyond_the_limit_is_not_compiled() {
    let plugins = Plugins::new();
    plugins.drop_guest("echo", "echo.wasm");
    let mut settings = plugins.settings();
    settings.limits.component = 1000;
    let (_, reports) = load(settings).await;
    assert!(matches!(
        reports[0].result,
        Err(LoadError::TooLarge { limit: 1000 })
    ));
}

#[tokio::test]
async fn the_first_of_two_with_one_slug_is_taken() {
    let (plugins, more) = (Plugins::new(), Plugins::new());
    let first = plugins.drop_guest("echo", "z.wasm");
    more.drop_guest("echo", "a.wasm");
    let mut settings = plugins.settings();
    settings.directories.push(more.path().to_owned());
    let (host, reports) = load(settings).await;
    assert!(reports[0].result.is_ok());
    assert!(
        matches!(&reports[1].result, Err(LoadError::DuplicateSlug { first: f, .. }) if *f == first)
    );
    assert_eq!(host.provider("echo").unwrap().file(), first);
}

#[tokio::test]
async fn what_cannot_be_read_is_reported() {
    let plugins = Plugins::new();
    let mut settings = plugins.settings();
    let file = plugins.drop_bytes("x", "file");
    settings.directories.push(file.clone());
    settings.directories.push(plugins.path().join("missing"));
    let (_, reports) = load(settings).await;
    assert_eq!(reports.len(), 1, "a missing directory holds nothing");
    assert_eq!(reports[0].file, file);
    assert!(matches!(reports[0].result, Err(LoadError::Unreadable(_))));
}

#[tokio::test]
async fn what_others_can_write_is_loaded_with_a_warning() {
    let plugins = Plugins::new();
    let file = plugins.drop_guest("echo", "echo.wasm");
    let chmod = |path: &std::path::Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let log = capture();
    // Lines that warn and name a path: the directory's alone, the file's too.
    let warnings = || {
        let text = log.text();
        let named = |path: &std::path::Path| {
            let path = format!("path={}", path.display());
            let ends = |line: &&str| line.contains("WARN") && line.ends_with(&path);
            text.lines().filter(ends).count()
        };
        (named(plugins.path()), named(&file))
    };
    for (directory_mode, file_mode, expected) in [
        (0o755, 0o644, (0, 0)),
        (0o775, 0o644, (1, 0)),
        (0o755, 0o646, (1, 1)),
    ] {
        chmod(plugins.path(), directory_mode);
        chmod(&file, file_mode);
        let (_, reports) = load(plugins.settings()).await;
        assert!(reports[0].result.is_ok());
        assert_eq!(warnings(), expected, "{}", log.text());
    }
}

#[tokio::test]
async fn an_unchanged_file_is_not_loaded_again() {
    let plugins = Plugins::new();
    plugins.drop_guest("echo", "echo.wasm");
    let (host, reports) = load(plugins.settings()).await;
    assert!(!reports[0].result.as_ref().unwrap().unchanged);
    let before = host.provider("echo").unwrap();
    let reports = host.load_all().await;
    assert!(reports[0].result.as_ref().unwrap().unchanged);
    assert!(std::sync::Arc::ptr_eq(
        &before,
        &host.provider("echo").unwrap()
    ));
}

#[tokio::test]
async fn a_spoilt_file_leaves_the_provider_as_it_was() {
    let plugins = Plugins::new();
    let file = plugins.drop_guest("echo", "echo.wasm");
    let (host, _) = load(plugins.settings()).await;
    fs::write(&file, "spoilt").unwrap();
    let reports = host.load_all().await;
    assert!(reports[0].result.is_err());
    assert_eq!(reports[0].kept.as_ref().unwrap().as_str(), "echo");
    assert!(host.provider("echo").is_some());

    fs::remove_file(&file).unwrap();
    assert!(host.load_all().await.is_empty());
    assert!(
        host.provider("echo").is_none(),
        "a removed file is a removed provider"
    );
}

#[tokio::test]
async fn what_is_granted_later_holds_for_what_is_loaded_and_for_what_is_kept() {
    let plugins = Plugins::new();
    let file = plugins.drop_guest("echo", "echo.wasm");
    let (host, _) = load(plugins.settings()).await;
    let admission = |grant: &Grant| Admission {
        directories: plugins.settings().directories,
        grants: [("echo".parse().unwrap(), grant.clone())].into(),
    };
    let narrow = Grant {
        only: Some(vec!["graph.example.com".parse().unwrap()]),
        ..Grant::default()
    };
    let before = host.provider("echo").unwrap();
    host.reload(admission(&narrow)).await;
    assert_eq!(host.provider("echo").unwrap().grant(), &narrow);
    assert_ne!(before.grant(), &narrow, "what runs keeps what it has");

    let narrower = Grant {
        only: Some(Vec::new()),
        ..Grant::default()
    };
    fs::write(&file, "spoilt").unwrap();
    host.reload(admission(&narrower)).await;
    assert_eq!(host.provider("echo").unwrap().grant(), &narrower);

    host.reload(Admission::default()).await;
    assert!(host.providers().is_empty());
}

#[tokio::test]
async fn a_turn_is_of_the_provider_as_it_is_when_it_has_come() {
    let plugins = Plugins::new();
    plugins.drop_guest("echo", "echo.wasm");
    let mut settings = plugins.settings();
    settings.limits.concurrent_calls = 1;
    let (host, _) = load(settings).await;
    let room = host.turn("echo").await.unwrap();
    let mut waits = pin!(host.turn("echo"));
    assert!((&mut waits).now_or_never().is_none());
    let narrow = Grant {
        only: Some(vec!["graph.example.com".parse().unwrap()]),
        ..Grant::default()
    };
    let admission = Admission {
        directories: plugins.settings().directories,
        grants: [("echo".parse().unwrap(), narrow.clone())].into(),
    };
    host.reload(admission).await;
    drop(room);
    let room = waits.await.unwrap();
    assert_eq!(room.provider().grant(), &narrow);

    let mut waits = pin!(host.turn("echo"));
    assert!((&mut waits).now_or_never().is_none());
    host.reload(Admission::default()).await;
    drop(room);
    assert!(waits.await.is_none());
}

#[tokio::test]
async fn a_cache_is_filled_used_and_safe_to_delete() {
    let plugins = Plugins::new();
    plugins.drop_guest("echo", "echo.wasm");
    let directory = plugins.path().join("cache");
    let mut settings = plugins.settings();
    settings.cache = Some(CacheSettings {
        directory: directory.clone(),
        key: CacheKey::new([1; 32]),
    });
    let files = || {
        fs::read_dir(&directory)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect::<Vec<_>>()
    };

    for deleted in [false, false, true] {
        if deleted {
            fs::remove_dir_all(&directory).unwrap();
        }
        let (host, _) = load(settings.clone()).await;
        assert!(host.provider("echo").is_some());
        assert_eq!(files().len(), 1);
    }
    // Spoilt files are replaced.
    fs::set_permissions(&files()[0], fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&files()[0], "rotord compiled provider 1\nspoilt").unwrap();
    let (host, _) = load(settings).await;
    assert!(host.provider("echo").is_some());
    assert!(fs::metadata(&files()[0]).unwrap().len() > 10_000);
}

#[test]
fn a_bad_authority_file_is_told_at_the_start() {
    let plugins = Plugins::new();
    for (content, file) in [
        ("", "empty.pem"),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "bad.pem",
        ),
    ] {
        let mut settings = plugins.settings();
        settings
            .extra_authorities
            .push(plugins.drop_bytes(content, file));
        let error = Host::new(settings).err().unwrap().to_string();
        assert!(error.contains(file), "{error}");
    }
    let mut settings = plugins.settings();
    settings
        .extra_authorities
        .push("/nonexistent/ca.pem".into());
    assert!(Host::new(settings).is_err());
}
