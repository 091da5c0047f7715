//! Starts that can't be: a clear message, and an exit code that says whether trying again helps.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::{Duration, Instant};

use azure_standin::{Fault, Operation, Rule};
use e2e::azure::tenant;
use e2e::command::Line;
use e2e::daemon::Start;
use e2e::{Azure, Daemon, built, until};
use rotord_api::provider::ProviderState;
use rotord_api::routes;
use serde_json::json;

use crate::rig::Rig;

fn ended(start: Start) -> (i32, String) {
    match start {
        Start::Ready => panic!("it is ready"),
        Start::Ended { code, said } => (code.expect("a signal ended it"), said),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_settings_end_it_with_78_and_the_line() {
    let mut daemon = Daemon::new().unwrap();
    for (text, words) in [
        ("[admin\n", &["line 1"][..]),
        ("[admin]\nsockt = \"/x\"\n", &["line 2", "sockt"]),
        ("\n[timing]\nsoak_short = 5\n", &["line 3", "soak_short"]),
        ("[providers]\nengine = \"fast\"\n", &["line 2", "fast"]),
        ("[timing]\nscale = 0.0\n", &["timing.scale"]),
        ("[log]\nfilter = \"a=b=c\"\n", &["log.filter"]),
    ] {
        std::fs::write(daemon.settings_file(), text).unwrap();
        let (code, said) = ended(daemon.launch_as_written().await.unwrap());
        assert_eq!(code, 78, "{text:?}: {said}");
        let file = daemon.settings_file().display().to_string();
        for word in words {
            assert!(said.contains(word), "{text:?}: {word} is not in {said}");
        }
        assert!(said.contains(&file) || words[0].contains('.'), "{said}");
    }
    std::fs::remove_file(daemon.settings_file()).unwrap();
    let (code, said) = ended(daemon.launch_as_written().await.unwrap());
    assert_eq!(code, 78, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_says_what_a_start_would_refuse() {
    let daemon = Daemon::new().unwrap();
    let (key, empty) = (daemon.path("open.key"), daemon.path("empty.pem"));
    std::fs::write(&key, "k".repeat(64)).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::write(&empty, "no certificate").unwrap();
    for (text, code, word) in [
        (String::new(), 0, "the settings are right"),
        ("[log]\nfilter = \"a=b=c\"\n".to_owned(), 78, "log.filter"),
        (
            "[admin]\ngroup = \"no-such-group\"\n".to_owned(),
            78,
            "no-such-group",
        ),
        (
            format!("[state]\nroot_key_file = {key:?}\n"),
            78,
            "open.key",
        ),
        (
            "[state]\nroot_key_file = \"/none/root.key\"\n".to_owned(),
            78,
            "/none/root.key",
        ),
        (
            format!("[providers]\nextra_ca = [{empty:?}]\n"),
            78,
            "empty.pem",
        ),
        (
            "[providers]\nextra_ca = [\"/none/ca.pem\"]\n".to_owned(),
            78,
            "/none/ca.pem",
        ),
    ] {
        std::fs::write(daemon.settings_file(), &text).unwrap();
        let ended = Line::new(built::program("rotord").unwrap())
            .args(["--check", "--config"])
            .args([daemon.settings_file()])
            .run()
            .await
            .unwrap();
        assert_eq!(ended.code, Some(code), "{text}: {ended:?}");
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(said.contains(word), "{text}: {said}");
    }
    assert!(!daemon.path("state/rotord.db").exists());
}

/// Somebody who is neither root nor in a group of anybody's.
const STRANGER: u32 = 54_397;

/// A check of settings that name this state directory, as this user where one is named.
pub(crate) async fn checked(daemon: &Daemon, state: &Path, user: Option<u32>) -> (i32, String) {
    let state = toml::Value::from(state.display().to_string());
    let text = format!("[state]\ndirectory = {state}\n");
    std::fs::write(daemon.settings_file(), text).unwrap();
    let mut program = built::program("rotord").unwrap();
    if user.is_some() {
        // Where it was built may be closed to others.
        let copy = daemon.path("rotord");
        if !copy.exists() {
            std::fs::copy(&program, &copy).unwrap();
        }
        program = copy;
    }
    let mut line = Line::new(program)
        .args(["--check", "--config"])
        .args([daemon.settings_file()]);
    if let Some(uid) = user {
        line = line.as_user(uid);
    }
    let ended = line.run().await.unwrap();
    let said = format!("{}{}", ended.stdout, ended.stderr);
    (ended.code.expect("a signal ended it"), said)
}

fn names(folder: &Path) -> Vec<std::ffi::OsString> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_looks_at_the_state_directory_and_changes_nothing_there() {
    let mut daemon = Daemon::new().unwrap();
    let absent = daemon.path("one/two");
    let (code, said) = checked(&daemon, &absent, None).await;
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("is not there yet"), "{said}");
    assert!(!daemon.path("one").exists());

    daemon.start().await.unwrap();
    let state = daemon.path("state");
    let before = names(&state);
    let (code, said) = checked(&daemon, &state, None).await;
    assert_eq!(code, 0, "{said}");
    assert_eq!(names(&state), before);
    daemon.operator().status().await.unwrap();
    daemon.stop().await.unwrap();
    let before = names(&state);
    let (code, said) = checked(&daemon, &state, None).await;
    assert_eq!(code, 0, "{said}");
    assert_eq!(names(&state), before);

    let (code, said) = checked(&daemon, &state.join("rotord.db"), None).await;
    assert_eq!(code, 78, "{said}");
    assert!(said.contains("state-directory"), "{said}");
    std::fs::write(state.join("rotord.db"), "no database".repeat(99)).unwrap();
    let (code, said) = checked(&daemon, &state, None).await;
    assert_eq!(code, 78, "{said}");
    assert!(said.contains("no SQLite database"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_judges_the_state_directory_for_the_user_that_it_belongs_to() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can act as other users");
        return;
    }
    let daemon = Daemon::new().unwrap();
    let state = daemon.path("state");
    std::fs::create_dir_all(&state).unwrap();
    let owned_by = |path: &Path, uid| std::os::unix::fs::chown(path, Some(uid), None).unwrap();
    let mode = |mode| {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(&state, mode).unwrap();
    };
    // Root's own, and what is to be made in it: he could not start there.
    mode(0o755);
    for directory in [state.clone(), state.join("below")] {
        let (code, said) = checked(&daemon, &directory, Some(STRANGER)).await;
        assert_eq!(code, 78, "{said}");
        assert!(
            said.contains("Permission denied") || said.contains("permission denied"),
            "{said}"
        );
    }
    // A service's: he may not see, and root may.
    mode(0o700);
    owned_by(&state, STRANGER + 1);
    let (code, said) = checked(&daemon, &state, Some(STRANGER)).await;
    assert_eq!(code, 0, "{said}");
    let owner = format!("belongs to the user {}", STRANGER + 1);
    assert!(said.contains(&owner), "{said}");
    for user in [None, Some(STRANGER + 1)] {
        let (code, said) = checked(&daemon, &state, user).await;
        assert_eq!((code, said.as_str()), (0, "the settings are right\n"));
    }
    // What a start by root left there.
    let database = state.join("rotord.db");
    std::fs::write(&database, "").unwrap();
    std::fs::set_permissions(&database, std::fs::Permissions::from_mode(0o600)).unwrap();
    for user in [None, Some(STRANGER + 1)] {
        let (code, said) = checked(&daemon, &state, user).await;
        assert_eq!(code, 78, "{said}");
        assert!(said.contains("rotord.db belongs to the user 0"), "{said}");
    }
    // His own, in which he may not write.
    std::fs::remove_file(&database).unwrap();
    mode(0o500);
    let (code, said) = checked(&daemon, &state, None).await;
    assert_eq!(code, 78, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_none_ends_it_with_78_and_stays_as_it_is() {
    let mut daemon = Daemon::new().unwrap();
    daemon.start().await.unwrap();
    daemon.stop().await.unwrap();
    let database = daemon.path("state/rotord.db");
    let garbage = b"this is no database, however one looks at it".repeat(1000);
    std::fs::write(&database, &garbage).unwrap();
    let (code, said) = ended(daemon.launch().await.unwrap());
    assert_eq!(code, 78, "{said}");
    assert!(said.contains("rotord.db"), "{said}");
    assert_eq!(std::fs::read(&database).unwrap(), garbage);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_root_key_is_never_made_anew_beside_a_database() {
    let mut daemon = Daemon::new().unwrap();
    daemon.start().await.unwrap();
    daemon.stop().await.unwrap();
    let key = std::fs::read_dir(daemon.path("state"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_string_lossy().contains("root"))
        .expect("the state directory has a root key");
    std::fs::rename(&key, daemon.path("root-key-elsewhere")).unwrap();
    let (code, said) = ended(daemon.launch().await.unwrap());
    assert_eq!(code, 78, "{said}");
    assert!(said.contains("root key"), "{said}");
    assert!(!key.exists());
    std::fs::rename(daemon.path("root-key-elsewhere"), &key).unwrap();
    daemon.start().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_daemon_on_the_same_state_does_not_start() {
    let rig = Rig::start(&["payroll"]).await;
    let state = rig.daemon.path("state").display().to_string();
    let mut second = Daemon::new().unwrap().with("state.directory", state);
    let (code, said) = ended(second.launch().await.unwrap());
    assert_eq!(code, 1, "{said}");
    let pid = rig.daemon.pid().unwrap().to_string();
    assert!(said.contains(&pid), "{pid} is not in {said}");
    // The first is none the worse for it.
    rig.create("payroll").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_another_listens_on_is_left_to_it() {
    let rig = Rig::start(&["payroll"]).await;
    let socket = rig.daemon.admin().socket().display().to_string();
    let mut second = Daemon::new().unwrap().with("admin.socket", socket.clone());
    let (code, said) = ended(second.launch().await.unwrap());
    assert!([1, 78].contains(&code), "{code}: {said}");
    assert!(said.contains(&socket), "{said}");
    rig.operator.status().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_nobody_listens_on_any_more_is_replaced() {
    let mut daemon = Daemon::new().unwrap();
    drop(UnixListener::bind(daemon.admin().socket()).unwrap());
    daemon.start().await.unwrap();
    daemon.operator().status().await.unwrap();
    daemon.kill().await.unwrap();
    assert!(daemon.admin().socket().exists());
    daemon.start().await.unwrap();
    daemon.operator().status().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_provider_is_reported_and_the_others_work() {
    let azure = Azure::start(tenant(&["payroll"])).await.unwrap();
    let mut daemon = Daemon::new().unwrap().trusting(&azure).unwrap();
    for guest in ["other-contract", "trap-on-describe"] {
        daemon.add_provider(&built::guest(guest).unwrap()).unwrap();
    }
    std::fs::write(daemon.path("providers/garbage.wasm"), b"no component").unwrap();
    daemon.start().await.unwrap();
    let operator = daemon.operator();
    let status = operator.status().await.unwrap();
    let report = |name: &str| {
        let file = status
            .providers
            .iter()
            .find(|report| report.file.ends_with(name));
        file.unwrap_or_else(|| panic!("{name} is not reported"))
    };
    for bad in [
        "garbage.wasm",
        "other-contract.wasm",
        "trap-on-describe.wasm",
    ] {
        let report = report(bad);
        assert_eq!(report.state, ProviderState::Failed, "{bad}");
        assert!(
            !report.message.as_deref().unwrap_or_default().is_empty(),
            "{bad}"
        );
    }
    assert_eq!(
        report("azure-client-secret.wasm").state,
        ProviderState::Loaded
    );
    let connection = operator.connect(&azure, "azure").await.unwrap();
    operator
        .create(&azure, connection, "payroll")
        .await
        .unwrap();
    let log = daemon.log().unwrap();
    assert!(log.contains("garbage.wasm"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_in_the_middle_of_things_loses_nothing() {
    let mut rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    let before = rig.operator.secret("PAYROLL_SECRET").await.unwrap();
    rig.daemon.stop().await.unwrap();
    assert!(rig.operator.status().await.is_err());
    rig.daemon.start().await.unwrap();
    assert_eq!(rig.operator.secret("PAYROLL_SECRET").await.unwrap(), before);
    let rotated = rig.rotate(&rotation).await;
    assert_eq!(rotated.active_index, 1);
    rig.assert_no_orphans("payroll", &rotated);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_does_not_wait_until_the_providers_are_compiled() {
    let mut daemon = Daemon::new().unwrap().with("providers.cache", "");
    // More than one, and none from a cache: compiling all of them takes far longer than a signal.
    let provider = built::provider("azure-client-secret").unwrap();
    for copy in 0..8 {
        let to = daemon.path(&format!("providers/copy-{copy}.wasm"));
        std::fs::copy(&provider, to).unwrap();
    }
    daemon.begin().unwrap();
    until("the load", Duration::from_mins(2), async || {
        let log = daemon.log()?;
        Ok(log.contains("loading the providers").then_some(()))
    })
    .await
    .unwrap();
    daemon.stop().await.unwrap();
    let log = daemon.log().unwrap();
    assert!(log.contains("stopped before anything was begun"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_leaves_a_call_that_takes_long_to_the_next_start_and_names_its_rotation() {
    let mut rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    let slow = Fault::Slow {
        milliseconds: 60_000,
    };
    rig.azure
        .standin
        .add_fault(Rule::once(Operation::AddPassword, slow));
    let http = rig.operator.http.clone();
    let path = routes::rotate_secrets(e2e::operator::KIND, rotation.id);
    tokio::spawn(async move { http.post(&path, &serde_json::json!(null)).await.ok() });
    rig.until_issued("payroll", 2).await;
    let asked = Instant::now();
    rig.daemon.stop().await.unwrap();
    // 10 s by its own word; the rest is for a busy machine.
    assert!(asked.elapsed() < Duration::from_secs(25), "{asked:?}");
    let log = rig.daemon.log().unwrap();
    let left = log.lines().find(|line| line.contains("left to recovery"));
    let left = left.unwrap_or_else(|| panic!("nothing is said of what was left: {log}"));
    assert!(left.contains(&rotation.id.to_string()), "{left}");
    rig.daemon.start().await.unwrap();
    let settled = rig.settled_but_previous(&rotation).await;
    rig.assert_no_orphans("payroll", &settled);
}

#[tokio::test(flavor = "multi_thread")]
async fn watched_by_its_service_manager_it_beats_and_says_what_it_is_at() {
    let rig = Rig::with(tenant(&["payroll"]), |daemon| {
        daemon.env("WATCHDOG_USEC", "900000")
    })
    .await;
    let first = rig.daemon.hear("WATCHDOG=1").await.unwrap();
    assert!(first.contains("STATUS=at rest"), "{first}");
    // Each beat says it: what a reload said in between does not stay.
    let again = rig.daemon.hear("WATCHDOG=1").await.unwrap();
    assert!(again.contains("STATUS=at rest"), "{again}");
    rig.create("payroll").await;
    let mut status = String::new();
    while !status.contains("next look at") {
        status = rig.daemon.hear("WATCHDOG=1").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_part_that_is_stuck_is_a_missed_beat_though_the_others_answer() {
    let rig = Rig::with(tenant(&["payroll"]), |daemon| {
        daemon.env("WATCHDOG_USEC", "900000")
    })
    .await;
    rig.daemon.hear("WATCHDOG=1").await.unwrap();
    // Whoever holds the database has the one that writes wait, for as long as SQLite is told to.
    let held = rusqlite::Connection::open(rig.daemon.path("state/rotord.db")).unwrap();
    held.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (http, project) = (
        rig.operator.http.clone(),
        rig.operator.project().await.unwrap(),
    );
    let writing = tokio::spawn(async move {
        let folder = json!({"projectId": project, "environment": "dev", "name": "later"});
        http.post(routes::FOLDERS, &folder).await
    });
    until("a beat to be missed", Duration::from_secs(20), async || {
        let log = rig.daemon.log()?;
        Ok(log
            .contains("a part of the daemon did not answer")
            .then_some(()))
    })
    .await
    .unwrap();
    held.execute_batch("COMMIT").unwrap();
    // Or it had waited for as long as SQLite is told to.
    let status = writing.await.unwrap().unwrap().status;
    assert!(status == 200 || status == 503, "{status}");
    rig.daemon.hear("WATCHDOG=1").await.unwrap();
}
