//! Reaching the daemon, wrong usage, and the shape of errors.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;

use serde_json::json;

use crate::fake::{Fake, error};
use crate::program::{ended, run, run_at, start};

#[test]
fn a_daemon_that_is_not_running_is_said_so_with_what_helps() {
    let directory = tempfile::tempdir().unwrap();
    let ended = run_at(&directory.path().join("none.sock"), &["status"], "");
    assert_eq!((ended.code, ended.out.as_str()), (1, ""));
    assert!(
        ended.err.contains("error: can't reach the daemon")
            && ended.err.contains("hint: is it running?"),
        "{}",
        ended.err
    );
}

#[test]
fn a_socket_that_nobody_listens_on_is_told_apart() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("stale.sock");
    drop(UnixListener::bind(&path).unwrap());
    let ended = run_at(&path, &["status"], "");
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("nobody listens"), "{}", ended.err);
}

#[test]
fn one_behind_which_no_daemon_starts_is_waited_for_and_that_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("held.sock");
    let held_by_systemd = UnixListener::bind(&path).unwrap();
    let mut child = start(&path, &["status"]);
    let mut said = String::new();
    BufReader::new(child.stderr.as_mut().unwrap())
        .read_line(&mut said)
        .unwrap();
    assert!(
        said.starts_with("note: no answer yet") && said.contains("journalctl -u rotord"),
        "{said}"
    );
    drop(held_by_systemd);
    assert_eq!(ended(child).code, 1);
}

#[test]
fn a_socket_that_one_may_not_use_names_the_group() {
    let fake = Fake::start();
    std::fs::set_permissions(fake.socket(), std::fs::Permissions::from_mode(0o000)).unwrap();
    let ended = run(&fake, &["status"]);
    // Root may use it all the same, and then the daemon answers that it knows no such route.
    let root = ended.err.contains("no route");
    assert!(
        root || ended.err.contains("members of the group rotord"),
        "{}",
        ended.err
    );
    assert_eq!(ended.code, 1);
}

#[test]
fn a_socket_in_the_environment_has_to_be_absolute() {
    let ended = run_at("relative.sock".as_ref(), &["status"], "");
    assert_eq!(ended.code, 78, "{}", ended.err);
}

#[test]
fn wrong_usage_ends_with_64_and_help_with_0() {
    let fake = Fake::start();
    for wrong in [
        &["frobnicate"][..],
        &[],
        &["rotate"],
        &["create", "--interval", "0"],
        &["create", "--interval", "1.5"],
        &["create", "--rotate-at", "24:00"],
    ] {
        assert_eq!(run(&fake, wrong).code, 64, "{wrong:?}");
    }
    for asked in [&["--help"][..], &["--version"], &["create", "--help"]] {
        assert_eq!(run(&fake, asked).code, 0, "{asked:?}");
    }
    assert!(fake.asked().is_empty());
}

#[test]
fn what_the_daemon_refuses_is_shown_and_json_is_its_own_body() {
    let body = error(
        403,
        "PermissionDenied",
        "You are not allowed to read on status",
    );
    let fake = Fake::start().on("GET", "/api/v1/rotord/status", 403, body.clone());
    let plain = run(&fake, &["status"]);
    assert_eq!((plain.code, plain.out.as_str()), (1, ""));
    assert!(plain.err.contains("You are not allowed to read on status"));
    let json = run(&fake, &["status", "--json"]);
    assert_eq!((json.code, json.json()), (1, body));
}

#[test]
fn completions_and_manual_pages_need_no_daemon() {
    let directory = tempfile::tempdir().unwrap();
    let nowhere = directory.path().join("none.sock");
    for shell in ["bash", "zsh", "fish"] {
        let ended = run_at(&nowhere, &["completions", shell], "");
        assert!(
            ended.code == 0 && ended.out.contains("rotorctl"),
            "{shell}: {}",
            ended.err
        );
    }
    let ended = run_at(&nowhere, &["man", directory.path().to_str().unwrap()], "");
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(
        directory.path().join("rotorctl.1").exists()
            && directory.path().join("rotorctl-rotate.1").exists()
    );
}

#[test]
fn status_ends_with_4_where_something_needs_attention() {
    let status = |overdue: serde_json::Value| {
        json!({
            "version": "0.1.0", "startedAt": "2026-03-01T10:00:00.000Z", "uptimeSeconds": 61, "defaultProjectId": "p-1",
            "providers": [crate::fake::provider()],
            "rotations": {"total": 1, "automatic": 1, "paused": 0, "running": 0, "failed": 0},
            "overdue": overdue, "failing": [], "waiting": [], "attention": []
        })
    };
    let item = json!([{"rotationId": crate::fake::ID, "name": "billing", "message": "due for 3 days", "at": "2026-03-01T10:00:00.000Z"}]);
    let fake = Fake::start().on("GET", "/api/v1/rotord/status", 200, status(item.clone()));
    let ended = run(&fake, &["status"]);
    assert_eq!(ended.code, 4);
    assert!(
        ended
            .out
            .contains("overdue\tbilling\tdue for 3 days\t2026-03-01T10:00:00.000Z\n"),
        "{}",
        ended.out
    );
    let fake = Fake::start().on("GET", "/api/v1/rotord/status", 200, status(json!([])));
    let ended = run(&fake, &["status"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(
        ended.out.contains("provider\tazure-client-secret loaded\n")
            && ended.out.contains("up\t1 min 1 s\n"),
        "{}",
        ended.out
    );
    let mut by_hand = status(json!([]));
    by_hand["findings"] = json!([{
        "code": "manual-failed", "severity": "warning", "message": "billing: it failed",
        "remedy": format!("mend it, then: rotorctl rotate {}", crate::fake::ID)
    }]);
    let fake = Fake::start().on("GET", "/api/v1/rotord/status", 200, by_hand);
    let ended = run(&fake, &["status"]);
    assert!(
        ended
            .out
            .contains("(mend it, then: rotorctl rotate billing)"),
        "{}",
        ended.out
    );
    let fake = Fake::start().on("GET", "/api/v1/rotord/status", 200, status(json!([])));
    assert_eq!(
        run(&fake, &["--json", "status"]).json()["uptimeSeconds"],
        61
    );
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ended = std::process::Command::new(env!("CARGO_BIN_EXE_rotorctl"))
        .args(["completions", "bash"])
        .stdout(writer)
        .stderr(std::process::Stdio::piped())
        .output()
        .unwrap();
    assert_eq!((ended.status.code(), ended.stderr), (Some(0), Vec::new()));
}

#[test]
fn what_units_may_load_is_listed_from_the_settings_without_a_daemon() {
    let directory = tempfile::tempdir().unwrap();
    let nowhere = directory.path().join("none.sock");
    let settings = directory.path().join("rotord.toml");
    let config = settings.to_str().unwrap();
    let list = ["credential", "list", "--config", config];
    assert_eq!(run_at(&nowhere, &list, "").code, 78);
    std::fs::write(
        &settings,
        "[[credentials.grants]]\nunit = 'a.service'\ncredential = 'token'\nenvironment = 'dev'\nsecret = 'S'\n\
         [[credentials.grants]]\nunit = 'b.service'\ncredential = 't'\nenvironment = 'prod'\nsecret = 'T'\n\
         path = '/app'\nproject = 'other'\n",
    )
    .unwrap();
    let ended = run_at(&nowhere, &list, "");
    assert_eq!(
        (ended.code, ended.out.as_str()),
        (
            0,
            "a.service\ttoken\tS\tdev\t/\tdefault\nb.service\tt\tT\tprod\t/app\tother\n"
        ),
        "{}",
        ended.err
    );
    let json = run_at(&nowhere, &[&list[..], &["--json"]].concat(), "").json();
    assert_eq!(json["settings"], config);
    assert_eq!(json["grants"][1]["secret"], "T");
    std::fs::write(&settings, "").unwrap();
    let ended = run_at(&nowhere, &list, "");
    assert!(ended.code == 0 && ended.out.is_empty(), "{ended:?}");
}
