//! Reading secrets.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::fake::{self, Fake, error};
use crate::program::{run, run_at};

fn secret(value: &str) -> Value {
    let mut secret = fake::secret("AZURE_CLIENT_SECRET");
    secret["secretValue"] = value.into();
    secret["secretValueHidden"] = value.is_empty().into();
    secret
}

#[test]
fn a_value_is_printed_as_it_is() {
    let fake = Fake::start().on(
        "GET",
        "/api/v4/secrets/AZURE_CLIENT_SECRET",
        200,
        json!({"secret": secret("hunter2")}),
    );
    let ended = run(
        &fake,
        &[
            "secret",
            "get",
            "AZURE_CLIENT_SECRET",
            "--env",
            "dev",
            "--version",
            "3",
        ],
    );
    assert_eq!(
        (ended.code, ended.out.as_str()),
        (0, "hunter2"),
        "{}",
        ended.err
    );
    assert_eq!(
        fake.asked().last().unwrap().query,
        "environment=dev&projectId=p-1&secretPath=%2F&version=3"
    );
}

#[test]
fn a_list_asks_for_no_values() {
    let fake = Fake::start().on(
        "GET",
        "/api/v4/secrets",
        200,
        json!({"secrets": [secret("")], "imports": []}),
    );
    let ended = run(&fake, &["secret", "list", "--env", "dev", "--path", "/"]);
    assert_eq!(
        ended.out, "AZURE_CLIENT_SECRET\t/\t3\tyes\t2026-03-01T10:00:00.000Z\t-\n",
        "{}",
        ended.err
    );
    assert!(
        fake.asked()
            .last()
            .unwrap()
            .query
            .contains("viewSecretValue=false")
    );
}

#[test]
fn the_environment_has_to_be_said_where_there_are_several() {
    let fake = Fake::start();
    let ended = run(&fake, &["secret", "list"]);
    assert!(
        ended.code == 64 && ended.err.contains("there is dev, prod"),
        "{}",
        ended.err
    );
    let ended = run(&fake, &["secret", "list", "--env", "moon"]);
    assert!(
        ended.code == 1 && ended.err.contains("no environment \"moon\""),
        "{}",
        ended.err
    );
    assert_eq!(
        run(&fake, &["secret", "list", "--project", "other"]).code,
        1
    );
}

#[test]
fn a_former_name_is_marked_with_the_present_one() {
    let mut former = secret("");
    former["secretKey"] = "OLD".into();
    let mut others = secret("");
    others["id"] = "11111111-2222-4333-8444-555555555555".into();
    others["secretKey"] = "OTHER".into();
    let there = json!({"secrets": [secret(""), former, others], "imports": []});
    let fake = Fake::start().on("GET", "/api/v4/secrets", 200, there);
    let out = run(&fake, &["secret", "list", "--env", "dev"]).out;
    let notes: Vec<&str> = out
        .lines()
        .filter_map(|line| line.rsplit('\t').next())
        .collect();
    assert_eq!(notes, ["-", "former name of AZURE_CLIENT_SECRET", "-"]);
}

#[test]
fn a_version_that_is_not_kept_names_those_that_are() {
    let gone = || error(404, "NotFound", "Could not find secret");
    let at = |version: u32| {
        let mut secret = secret("");
        secret["version"] = version.into();
        json!({ "secret": secret })
    };
    // The newest is 6; of 3, 1 and 2 the first is there.
    let path = "/api/v4/secrets/AZURE_CLIENT_SECRET";
    let fake = Fake::start()
        .on("GET", path, 404, gone())
        .on("GET", path, 200, at(6))
        .on("GET", path, 200, at(3))
        .on("GET", path, 404, gone())
        .on("GET", path, 404, gone());
    let get = [
        "secret",
        "get",
        "AZURE_CLIENT_SECRET",
        "--env",
        "dev",
        "--version",
    ];
    let ended = run(&fake, &[&get[..], &["99"]].concat());
    assert_eq!((ended.code, ended.out.as_str()), (1, ""));
    assert!(
        ended
            .err
            .contains("version 99 of AZURE_CLIENT_SECRET is not kept: versions 3 to 6 are"),
        "{}",
        ended.err
    );
    let looks = fake.asked();
    let looks: Vec<_> = looks.iter().filter(|asked| asked.path == path).collect();
    assert!(
        looks[1..]
            .iter()
            .all(|look| look.query.contains("viewSecretValue=false")),
        "{looks:?}"
    );
}

#[test]
fn over_the_reader_socket_nothing_else_is_asked_for() {
    let fake = Fake::start().on(
        "GET",
        "/api/v4/secrets/AZURE_CLIENT_SECRET",
        200,
        json!({"secret": secret("hunter2")}),
    );
    let socket = fake.socket();
    let nowhere = fake.directory().join("none.sock");
    let get = [
        "secret",
        "get",
        "AZURE_CLIENT_SECRET",
        "--reader-socket",
        socket.to_str().unwrap(),
    ];
    let ended = run_at(&nowhere, &[&get[..], &["--env", "dev"]].concat(), "");
    assert_eq!(
        (ended.code, ended.out.as_str()),
        (0, "hunter2"),
        "{}",
        ended.err
    );
    let asked = fake.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(
        asked[0].query,
        "environment=dev&projectId=default&secretPath=%2F"
    );
    let ended = run_at(&nowhere, &get, "");
    assert!(
        ended.code == 64 && ended.err.contains("--env"),
        "{}",
        ended.err
    );
}

#[test]
fn what_is_not_granted_says_where_grants_are() {
    let denied = error(403, "PermissionDenied", "You are not allowed to do this");
    let fake = Fake::start().on("GET", "/api/v4/secrets/OTHER", 403, denied);
    let socket = fake.socket();
    let get = ["secret", "get", "OTHER", "--env", "dev", "--reader-socket"];
    let ended = run(&fake, &[&get[..], &[socket.to_str().unwrap()]].concat());
    assert!(
        ended.code == 1 && ended.err.contains("[[reader.grants]]"),
        "{}",
        ended.err
    );
}

#[test]
fn whoever_may_not_open_the_admin_socket_reads_over_the_other() {
    let reader = Fake::start().on(
        "GET",
        "/api/v4/secrets/AZURE_CLIENT_SECRET",
        200,
        json!({"secret": secret("hunter2")}),
    );
    let admin = tempfile::tempdir().unwrap();
    let closed = admin.path().join("admin.sock");
    let _listener = std::os::unix::net::UnixListener::bind(&closed).unwrap();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o000)).unwrap();
    // Root may open it all the same.
    if std::os::unix::net::UnixStream::connect(&closed).is_ok() {
        return;
    }
    std::fs::create_dir(admin.path().join("read")).unwrap();
    let link = admin.path().join("read/reader.sock");
    std::os::unix::fs::symlink(reader.socket(), link).unwrap();
    let get = ["secret", "get", "AZURE_CLIENT_SECRET", "--env", "dev"];
    let ended = run_at(&closed, &get, "");
    assert_eq!(
        (ended.code, ended.out.as_str()),
        (0, "hunter2"),
        "{}",
        ended.err
    );
}

#[test]
fn what_is_not_there_says_where_it_was_looked_for() {
    let gone = error(404, "NotFound", "Could not find secret with name \"NONE\"");
    let fake = Fake::start().on("GET", "/api/v4/secrets/NONE", 404, gone);
    let get = ["secret", "get", "NONE", "--env", "dev", "--path", "/app"];
    for version in [&[][..], &["--version", "3"]] {
        let ended = run(&fake, &[&get[..], version].concat());
        assert_eq!(ended.code, 1);
        for part in [
            "looked for in dev /app",
            "rotorctl secret list --env dev --path /app",
        ] {
            assert!(ended.err.contains(part), "{}", ended.err);
        }
    }
}

#[test]
fn a_secret_that_a_rotation_feeds_is_told_so_before_anything_is_asked() {
    let path = "/api/v4/secrets/AZURE_CLIENT_SECRET";
    let mut fed = secret("");
    fed["rotationId"] = crate::fake::ID.into();
    let own = format!("/api/v1/rotord/rotations/{}", crate::fake::ID);
    let fake = Fake::start()
        .on("GET", path, 200, json!({"secret": fed}))
        .on("GET", &own, 200, crate::fake::one(crate::fake::rotation()));
    let ended = run(
        &fake,
        &["secret", "delete", "AZURE_CLIENT_SECRET", "--env", "dev"],
    );
    assert_eq!(ended.code, 1, "{}", ended.err);
    assert!(
        ended.err.contains("the rotation billing feeds it") && !ended.err.contains("confirmed"),
        "{}",
        ended.err
    );
    assert!(fake.changes().is_empty());
}
