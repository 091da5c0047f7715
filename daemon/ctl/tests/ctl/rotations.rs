//! What is done with rotations that are there.

use serde_json::{Value, json};

use crate::fake::{CUT, Fake, ID, error, one, rotation, rotation_with};
use crate::program::{interrupted, run, run_with};

const TYPE: &str = "/api/v2/secret-rotations/azure-client-secret";

fn single() -> String {
    format!("{TYPE}/{ID}")
}

fn own(action: &str) -> String {
    format!("/api/v1/rotord/rotations/{ID}/{action}")
}

#[test]
fn lists_are_tab_separated_with_iso_times() {
    let ended = run(&Fake::start(), &["list"]);
    assert_eq!(
        ended.out,
        format!(
            "billing\tazure-client-secret\tdev\t/\tsuccess\t2026-03-01T10:00:00.000Z\t2126-04-01T00:00:00.000Z\t{ID}\t-\n"
        )
    );
}

#[test]
fn what_each_holds_at_its_provider_is_listed_by_key_id() {
    let state = json!({"state": {"summary": "one published, one gone", "credentials": [
        {"keyId": "k-2", "label": "rotord a b 2", "stage": "active", "slot": 1, "expiresAt": "2126-04-01T00:00:00.000Z"},
        {"keyId": "k-1", "label": "rotord a b 1", "stage": "gone"}
    ]}});
    let all = json!({"secretRotations": [rotation_with(state)]});
    let fake = Fake::start().instead("GET", "/api/v2/secret-rotations", 200, all);
    let out = run(&fake, &["list", "--credentials"]).out;
    let columns: Vec<_> = out.trim_end().split('\t').collect();
    assert_eq!(columns[..2], ["billing", "azure-client-secret"]);
    assert!(columns[2].contains("appName=billing"), "{out}");
    assert_eq!(columns[3..], ["k-2", "active", "2126-04-01T00:00:00.000Z"]);
}

#[test]
fn what_deleted_rotations_left_alive_is_listed_with_the_rest() {
    let left = |env: &str| {
        json!({
            "rotationId": ID, "rotationName": "former", "type": "azure-client-secret",
            "parameters": {"appName": "old"}, "environment": env, "secretPath": "/",
            "credential": {"keyId": "k-9", "label": "rotord a b 9", "stage": "released",
                "expiresAt": "2126-04-01T00:00:00.000Z"}
        })
    };
    let all = json!({"secretRotations": [], "releasedCredentials": [left("dev"), left("prod")]});
    let fake = Fake::start().instead("GET", "/api/v2/secret-rotations", 200, all);
    let row = "former\tdefault\tazure-client-secret\tappName=old\tk-9\treleased\t2126-04-01T00:00:00.000Z\n";
    let listed = ["list", "--credentials", "--all-projects"];
    assert_eq!(run(&fake, &listed).out, row.repeat(2));
    // No rotation any more.
    assert_eq!(run(&fake, &["list"]).out, "");
    let narrowed = ["list", "--credentials", "--env", "prod", "--json"];
    assert_eq!(
        run(&fake, &narrowed).json(),
        json!({"secretRotations": [], "releasedCredentials": [left("prod")]})
    );
}

#[test]
fn a_pause_is_told_beside_the_failure() {
    for (by_hand, paused, standing) in [
        (true, false, "manual failed"),
        (true, true, "manual failed, paused"),
        (false, true, "failed, paused"),
    ] {
        let state = json!({"summary": "no", "manualFailed": by_hand, "paused": paused});
        let failed = rotation_with(json!({"rotationStatus": "failed", "state": state}));
        let all = json!({"secretRotations": [failed]});
        let fake = Fake::start().instead("GET", "/api/v2/secret-rotations", 200, all);
        let out = run(&fake, &["list"]).out;
        assert_eq!(out.split('\t').nth(4), Some(standing), "{out}");
    }
}

#[test]
fn lists_can_be_narrowed_also_as_json() {
    let fake = Fake::start();
    assert_eq!(run(&fake, &["list", "--env", "prod"]).out, "");
    assert_eq!(
        run(&fake, &["list", "--env", "prod", "--json"]).json(),
        json!({"secretRotations": []})
    );
    assert_eq!(
        run(&fake, &["list", "--path", "/", "--json"]).json(),
        json!({"secretRotations": [rotation()]})
    );
    assert!(
        fake.asked()
            .iter()
            .filter(|asked| asked.path == "/api/v2/secret-rotations")
            .all(|asked| asked.query == "projectId=p-1&withDeleted=true")
    );
}

#[test]
fn what_is_being_deleted_is_listed_with_what_it_waits_for_and_named_by_its_name() {
    let gone = |attention: Value| {
        let state = json!({"deleting": true, "summary": "it is deleted: k-1 is being removed, and waits for 503",
            "attention": attention, "credentials": [
            {"keyId": "k-1", "label": "rotord a b 1", "stage": "retiring", "waitingFor": "503"}
        ]});
        json!({"secretRotations": [rotation_with(json!({"state": state}))]})
    };
    let rotations = "/api/v2/secret-rotations";
    let fake = Fake::start().instead("GET", rotations, 200, gone(json!([])));
    let out = run(&fake, &["list"]).out;
    let columns: Vec<_> = out.trim_end().split('\t').collect();
    assert_eq!(columns[4], "deleting");
    assert!(columns[8].ends_with("and waits for 503"), "{out}");
    let out = run(&fake, &["list", "--credentials"]).out;
    assert!(out.contains("\tk-1\tretiring\t"), "{out}");
    // Also by the list that commands take names from, which has no deleted ones.
    let none = json!({"secretRotations": []});
    for (attention, code) in [
        (json!([]), 1),
        (
            json!([{"code": "deletion-waits", "message": "delete it again"}]),
            0,
        ),
    ] {
        let fake = Fake::start()
            .instead("GET", rotations, 200, none.clone())
            .on("GET", rotations, 200, gone(attention))
            .on("DELETE", &single(), 200, one(rotation()));
        let ended = run(&fake, &["delete", "billing", "--revoke", "--yes"]);
        assert_eq!(ended.code, code, "{}", ended.err);
        assert!(
            code == 0
                || ended.err.contains(
                    "is deleted, being settled: still to be removed at the provider: k-1"
                ),
            "{}",
            ended.err
        );
    }
}

#[test]
fn every_project_is_listed_with_its_name() {
    let mut other = crate::fake::project();
    other["id"] = "p-2".into();
    other["slug"] = "other".into();
    let projects = json!({"projects": [crate::fake::project(), other]});
    let fake = Fake::start().instead("GET", "/api/v1/projects", 200, projects);
    let out = run(&fake, &["list", "--all-projects"]).out;
    let projects: Vec<_> = out.lines().map(|line| line.split('\t').nth(2)).collect();
    assert_eq!(projects, [Some("default"), Some("other")]);
    let json = run(&fake, &["list", "--all-projects", "--json"]).json();
    assert_eq!(json["secretRotations"].as_array().unwrap().len(), 2);
    let queries: Vec<_> = fake.asked().into_iter().map(|asked| asked.query).collect();
    assert!(
        queries.contains(&"projectId=p-2&withDeleted=true".to_owned()),
        "{queries:?}"
    );
    assert_eq!(
        run(&fake, &["list", "--all-projects", "--env", "nope"]).code,
        1
    );
}

#[test]
fn a_place_that_is_not_there_is_told_with_those_there_are() {
    let fake = Fake::start();
    for (line, words) in [
        (
            &["list", "--env", "nope"][..],
            "there is no environment \"nope\"",
        ),
        (&["list", "--env", "nope", "--json"], "there is dev, prod"),
        (&["show", "billing", "--env", "nope"], "there is dev, prod"),
        (
            &["list", "--path", "/nope"],
            "there is no folder /nope in dev, prod",
        ),
        (
            &["list", "--env", "dev", "--path", "/nope"],
            "rotorctl folder list",
        ),
        (&["list", "--project", "nope"], "there is default"),
    ] {
        let ended = run(&fake, line);
        assert_eq!(ended.code, 1, "{line:?}");
        assert!(ended.err.contains(words), "{line:?}: {}", ended.err);
        if line.contains(&"--json") {
            assert_eq!(ended.json()["statusCode"], 404);
        } else {
            assert_eq!(ended.out, "", "{line:?}");
        }
    }
    assert_eq!(run(&fake, &["list", "--env", "prod"]).code, 0);
}

#[test]
fn showing_ends_with_4_where_something_needs_attention() {
    let attention = json!({"state": {"summary": "", "attention": [
        {"code": "unknown-label", "message": "a credential with our label is not known", "keyId": "k-9", "remedy": "rotorctl remove billing k-9"}
    ]}});
    for (shown, code, text) in [
        (rotation(), 0, "rotate at\t00:00 UTC ("),
        (
            rotation_with(
                json!({"timeZone": "Asia/Tokyo", "rotateAtLocal": {"hours": 9, "minutes": 0}}),
            ),
            0,
            "rotate at\t09:00 Asia/Tokyo (00:00 UTC)\n",
        ),
        (
            rotation_with(
                json!({"rotationStatus": "failed", "lastRotationMessage": "no permission"}),
            ),
            4,
            "message\tno permission\n",
        ),
        (
            rotation_with(
                json!({"rotationStatus": "failed", "lastRotationMessage": "no permission",
                "state": {"summary": "", "manualFailed": true}}),
            ),
            0,
            "status\tmanual failed\n",
        ),
        (
            rotation_with(attention),
            4,
            "what helps\trotorctl remove billing k-9\n",
        ),
        (
            rotation_with(json!({"state": {"summary": "", "overdue": true}})),
            4,
            "status\toverdue\n",
        ),
    ] {
        let fake = Fake::start().on("GET", &single(), 200, one(shown));
        let ended = run(&fake, &["show", "billing"]);
        assert_eq!(ended.code, code, "{}{}", ended.out, ended.err);
        assert!(ended.out.contains(text), "{}", ended.out);
    }
}

#[test]
fn credentials_are_shown_with_what_becomes_of_them() {
    let credentials = json!({"state": {"summary": "one published, one kept", "credentials": [
        {"keyId": "k-2", "label": "rotord a b 2", "stage": "active", "slot": 1},
        {"keyId": "k-1", "label": "rotord a b 1", "stage": "previous", "slot": 0, "revokeNotBefore": "2026-04-01T00:00:00.000Z", "waitingFor": "its time"}
    ]}});
    let fake = Fake::start().on("GET", &single(), 200, one(rotation_with(credentials)));
    let out = run(&fake, &["show", "billing"]).out;
    assert!(
        out.contains("k-1\tprevious\t0\t-\t2026-04-01T00:00:00.000Z\t-\tits time\trotord a b 1\n"),
        "{out}"
    );
}

#[test]
fn a_rotation_is_named_by_id_too() {
    let any = format!("/api/v1/rotord/rotations/{ID}");
    let fake = Fake::start().on("GET", &any, 200, one(rotation())).on(
        "GET",
        &single(),
        200,
        one(rotation()),
    );
    assert_eq!(run(&fake, &["show", ID, "--json"]).json(), one(rotation()));
    let unknown = "00000000-0000-4000-8000-000000000000";
    let ended = run(&fake, &["show", unknown]);
    assert!(
        ended.code == 1 && ended.err.contains("rotorctl list"),
        "{}",
        ended.err
    );
}

#[test]
fn a_name_that_several_have_needs_its_place() {
    let other =
        rotation_with(json!({"environment": {"slug": "prod", "name": "Production", "id": ID}}));
    let fake = Fake::start()
        .instead(
            "GET",
            "/api/v2/secret-rotations",
            200,
            json!({"secretRotations": [rotation(), other]}),
        )
        .on("POST", &own("pause"), 200, one(rotation()));
    let ended = run(&fake, &["pause", "billing"]);
    assert!(
        ended.code == 64 && ended.err.contains("--env prod --path /"),
        "{}",
        ended.err
    );
    assert_eq!(run(&fake, &["pause", "billing", "--env", "prod"]).code, 0);
    assert_eq!(run(&fake, &["pause", "nothing"]).code, 1);
}

#[test]
fn rotating_sends_the_wish_for_an_early_end_only_where_it_is_given() {
    let rotate = format!("{}/rotate-secrets", single());
    let fake = Fake::start().on("POST", &rotate, 200, one(rotation()));
    let ended = run(&fake, &["rotate", "billing"]);
    assert_eq!(
        (ended.code, ended.out.as_str()),
        (0, "billing: rotated\n"),
        "{}",
        ended.err
    );
    assert_eq!(
        run(
            &fake,
            &["rotate", "billing", "--retire-previous-after", "90m"]
        )
        .code,
        0
    );
    let bodies: Vec<Value> = fake.changes().into_iter().map(|asked| asked.body).collect();
    assert_eq!(bodies, [Value::Null, json!({"retirePreviousAfter": 5400})]);
}

#[test]
fn a_failed_rotation_says_which_one_what_stays_and_what_comes_next() {
    let rotate = format!("{}/rotate-secrets", single());
    let failed = error(
        500,
        "InternalServerError",
        "AADSTS7000215: invalid client secret",
    );
    let blocked = json!({"summary": "", "attention": [{"code": "blocked", "message": "mend it"}]});
    for (after, words) in [
        (
            rotation(),
            "what is published stays; it is tried by itself next at 2126-04-01T00:00:00.000Z",
        ),
        (
            rotation_with(json!({"nextRotationAt": null})),
            "what is published stays; nothing is tried by itself",
        ),
        (
            rotation_with(json!({"lastRotatedAt": null, "state": blocked})),
            "nothing was published yet; nothing is issued until it is mended",
        ),
    ] {
        let fake = Fake::start().on("POST", &rotate, 500, failed.clone()).on(
            "GET",
            &single(),
            200,
            one(after),
        );
        let ended = run(&fake, &["rotate", "billing"]);
        assert_eq!(ended.code, 1);
        for words in [
            "the rotation \"billing\" failed: AADSTS7000215",
            "req-1",
            words,
            "rotorctl show billing",
            "rotorctl doctor --rotation billing",
        ] {
            assert!(ended.err.contains(words), "{words}: {}", ended.err);
        }
    }
    // What there is to say is said where the rotation can't be asked any more.
    let fake = Fake::start().on("POST", &rotate, 500, failed);
    let ended = run(&fake, &["rotate", "billing"]);
    assert!(ended.err.contains("rotorctl show billing"), "{}", ended.err);
}

#[test]
fn what_is_not_due_is_left_alone_with_3() {
    let rotate = format!("{}/rotate-secrets", single());
    let fake = Fake::start().on("POST", &rotate, 200, one(rotation()));
    assert_eq!(run(&fake, &["rotate", "billing", "--if-due"]).code, 3);
    assert!(fake.changes().is_empty());
    let due = rotation_with(json!({"nextRotationAt": "2026-03-31T00:00:00.000Z"}));
    // Its run failed: it is tried again later, and is due all the same.
    let overdue = rotation_with(json!({
        "nextRotationAt": "2126-04-01T00:00:00.000Z",
        "state": {"summary": "", "dueAt": "2026-03-31T00:00:00.000Z", "nextTryAt": "2126-04-01T00:00:00.000Z"}
    }));
    let fakes = [due, overdue].map(|due| {
        Fake::start()
            .on("POST", &rotate, 200, one(rotation()))
            .instead(
                "GET",
                "/api/v2/secret-rotations",
                200,
                json!({"secretRotations": [due]}),
            )
    });
    for fake in fakes {
        assert_eq!(run(&fake, &["rotate", "billing", "--if-due"]).code, 0);
        assert_eq!(fake.changes().len(), 1);
    }
}

#[test]
fn what_is_not_due_is_json_too() {
    let fake = Fake::start().on("GET", &single(), 200, one(rotation()));
    let ended = run(&fake, &["rotate", "billing", "--if-due", "--json"]);
    assert_eq!((ended.code, ended.json()), (3, one(rotation())));
}

#[test]
fn retiring_names_the_leaked_one_or_all_but_the_published() {
    let fake = Fake::start().on("POST", &own("retire"), 200, one(rotation()));
    assert_eq!(run(&fake, &["retire", "billing"]).code, 0);
    assert_eq!(run(&fake, &["retire", "billing", "k-1", "--now"]).code, 0);
    let bodies: Vec<Value> = fake.changes().into_iter().map(|asked| asked.body).collect();
    assert_eq!(bodies, [json!({}), json!({"keyId": "k-1", "now": true})]);
}

#[test]
fn a_pause_that_ended_a_run_says_so() {
    let run_state = json!({
        "id": "r", "step": "intend", "words": "it waits", "reason": "creation", "attempt": 4, "startedAt": "2026-05-01T00:00:00Z",
    });
    let at_work = rotation_with(json!({
        "isAutoRotationEnabled": false, "state": {"summary": "", "run": run_state},
    }));
    let ended = rotation_with(json!({"isAutoRotationEnabled": false, "state": {"summary": ""}}));
    let list = json!({"secretRotations": [at_work.clone()]});
    for (after, is_said) in [(ended, true), (at_work, false)] {
        let fake = Fake::start()
            .on("POST", &own("pause"), 200, one(after))
            .instead("GET", "/api/v2/secret-rotations", 200, list.clone());
        let paused = run(&fake, &["pause", "billing"]);
        assert_eq!(paused.code, 0);
        let said = paused.out.contains("the run that was under way has ended");
        assert_eq!(said, is_said, "{}", paused.out);
    }
}

#[test]
fn a_repeat_that_finds_what_it_would_bring_about_ends_with_0_and_says_so() {
    let paused = rotation_with(json!({"isAutoRotationEnabled": false}));
    let fake = Fake::start()
        .on("POST", &own("pause"), 200, one(paused.clone()))
        .on("POST", &own("resume"), 200, one(rotation()));
    let resumed = run(&fake, &["resume", "billing"]);
    assert_eq!(resumed.code, 0);
    assert!(resumed.out.contains("was not paused"), "{}", resumed.out);
    let list = json!({"secretRotations": [paused]});
    let fake = fake.instead("GET", "/api/v2/secret-rotations", 200, list);
    let again = run(&fake, &["pause", "billing"]);
    assert_eq!(again.code, 0);
    assert!(again.out.contains("was paused already"), "{}", again.out);

    let gone = "The credential with the key id \"k-1\" is gone already";
    let none = "this rotation has no credential besides the published one: name its key id to replace and revoke it";
    for (refused, line, words) in [
        (
            gone,
            &["retire", "billing", "k-1"][..],
            "k-1 is gone already",
        ),
        (
            none,
            &["retire", "billing"],
            "rotorctl retire billing KEY-ID",
        ),
    ] {
        let refused = error(400, "BadRequest", refused);
        let fake = Fake::start().on("POST", &own("retire"), 400, refused).on(
            "GET",
            &single(),
            200,
            one(rotation()),
        );
        let ended = run(&fake, line);
        assert_eq!(ended.code, 0, "{}", ended.err);
        assert!(ended.out.contains(words), "{}", ended.out);
        let json = run(&fake, &[line, &["--json"]].concat());
        assert_eq!((json.code, json.json()), (0, one(rotation())));
    }
}

#[test]
fn usage_says_what_is_needed_whatever_the_environment_names() {
    let ended = run(&Fake::start(), &["rotate"]);
    assert_eq!(ended.code, 64);
    let usage = ended.err.lines().find(|line| line.starts_with("Usage:"));
    let usage = usage.unwrap_or_else(|| panic!("{}", ended.err));
    assert!(
        usage.contains("<ROTATION>") && !usage.contains("--socket"),
        "{usage}"
    );
}

#[test]
fn editing_sends_only_what_changes() {
    let fake = Fake::start().on("PATCH", &single(), 200, one(rotation()));
    for (flags, sent) in [
        (
            &["--interval", "7", "--no-auto"][..],
            json!({"rotationInterval": 7, "isAutoRotationEnabled": false}),
        ),
        (&["--description", ""], json!({"description": null})),
        (
            &["--rotate-at", "02:30"],
            json!({"timeZone": "Europe/Berlin", "rotateAtLocal": {"hours": 2, "minutes": 30}}),
        ),
        (
            &["--rotate-at", "02:30", "--utc"],
            json!({"timeZone": null, "rotateAtUtc": {"hours": 2, "minutes": 30}}),
        ),
        (
            &["--map", "clientId=ID"],
            json!({"secretsMapping": {"clientId": "ID", "clientSecret": "AZURE_CLIENT_SECRET"}}),
        ),
        (&["--no-overlap"], json!({"overlapHours": null})),
    ] {
        let ended = run(&fake, &[&["edit", "billing"], flags].concat());
        assert_eq!(ended.code, 0, "{flags:?}: {}", ended.err);
        assert_eq!(fake.changes().last().unwrap().body, sent);
    }
    let sent = fake.changes().len();
    for wrong in [
        &[][..],
        &["--utc"],
        &["--name", "Not A Slug"],
        &["--map", "clientId=AZURE_CLIENT_SECRET"],
    ] {
        assert_eq!(
            run(&fake, &[&["edit", "billing"], wrong].concat()).code,
            64,
            "{wrong:?}"
        );
    }
    assert_eq!(fake.changes().len(), sent);
}

#[test]
fn deleting_has_to_be_confirmed_and_says_both_flags() {
    let fake = Fake::start().on("DELETE", &single(), 200, one(rotation()));
    assert_eq!(run(&fake, &["delete", "billing"]).code, 64);
    assert!(fake.changes().is_empty());
    assert_eq!(
        run(&fake, &["delete", "billing", "--yes", "--revoke"]).code,
        0
    );
    assert_eq!(
        fake.changes()[0].query,
        "deleteSecrets=false&revokeGeneratedCredentials=true"
    );
}

/// What `delete` says of a rotation as it was, where this is listed afterwards.
fn deleted(was: Value, after: Value, flags: &[&str]) -> String {
    let all = json!({ "secretRotations": [was] });
    let fake = Fake::start()
        .instead("GET", "/api/v2/secret-rotations", 200, all)
        .on("GET", "/api/v2/secret-rotations", 200, after)
        .on("DELETE", &single(), 200, one(was));
    let ended = run(&fake, &[&["delete", "billing", "--yes"], flags].concat());
    assert_eq!(ended.code, 0, "{}", ended.err);
    ended.out
}

#[test]
fn a_deletion_says_what_is_left_and_nothing_else() {
    let none = json!({"secretRotations": []});
    let fresh = rotation_with(json!({"lastRotatedAt": null}));
    for flags in [&["--revoke"][..], &[]] {
        let out = deleted(fresh.clone(), none.clone(), flags);
        assert!(
            out.contains("nothing of it is left at the provider")
                && out.contains("it leaves no secret")
                && !out.contains("AZURE_CLIENT_ID"),
            "{out}"
        );
    }
    let state = json!({"deleting": true, "summary": "looking at the target failed", "watched": 1,
    "credentials": [
        {"keyId": "k-3", "label": "l", "stage": "released"},
        {"keyId": "k-2", "label": "l", "stage": "retiring"},
        {"keyId": "k-1", "label": "l", "stage": "gone"}
    ]});
    let after = json!({
        "secretRotations": [rotation_with(json!({"state": state}))],
        "releasedCredentials": [{
            "rotationId": ID, "rotationName": "billing", "type": "azure-client-secret", "parameters": {},
            "environment": "dev", "secretPath": "/",
            "credential": {"keyId": "k-0", "label": "l", "stage": "released"}
        }]
    });
    let out = deleted(rotation(), after.clone(), &[]);
    for words in [
        "rotation billing is deleted",
        "(rotorctl list --credentials): k-3, k-0",
        "still to be removed at the provider: k-2; calls whose answer was lost, and what they made is looked for: 1",
        "AZURE_CLIENT_ID, AZURE_CLIENT_SECRET stay as ordinary secrets",
    ] {
        assert!(out.contains(words), "{words}: {out}");
    }
    let out = deleted(rotation(), none, &["--revoke", "--delete-secrets"]);
    assert!(
        out.contains("nothing of it is left") && !out.contains("secret delete"),
        "{out}"
    );
    // Who looks for it then is told the same.
    let fake = Fake::start()
        .instead(
            "GET",
            "/api/v2/secret-rotations",
            200,
            json!({"secretRotations": []}),
        )
        .on("GET", "/api/v2/secret-rotations", 200, after);
    let ended = run(&fake, &["show", "billing"]);
    assert!(
        ended.err.contains(
            "\"billing\" is deleted, being settled: still to be removed at the provider: k-2"
        ) && ended.err.contains("(looking at the target failed)"),
        "{}",
        ended.err
    );
}

#[test]
fn who_did_what_is_listed_page_by_page_and_of_one_rotation() {
    let entry = |id: i64| {
        json!({
            "id": id, "at": "2026-03-01T10:00:00.000Z", "peer": {"uid": 1000, "gid": 1000, "pid": 7},
            "action": "rotate", "rotationId": ID, "rotationName": "billing", "detail": {"keyId": "k-1"}
        })
    };
    let page = |ids: std::ops::Range<i64>| {
        let entries: Vec<Value> = ids.rev().map(entry).collect();
        json!({ "entries": entries })
    };
    let path = "/api/v1/rotord/audit";
    let fake = Fake::start().on("GET", path, 200, page(1..3));
    let out = run(&fake, &["audit"]).out;
    assert_eq!(
        out.lines().next(),
        Some("2026-03-01T10:00:00.000Z\tuser 1000 (process 7)\trotate\tbilling\tkeyId=k-1")
    );
    assert_eq!(run(&fake, &["audit", "--json"]).json(), page(1..3));
    assert_eq!(run(&fake, &["audit", "billing", "--last", "2"]).code, 0);
    assert_eq!(run(&fake, &["audit", "nope"]).code, 1);
    let fake = fake
        .instead("GET", path, 200, page(501..1501))
        .on("GET", path, 200, page(1..501));
    let out = run(&fake, &["audit", "--last", "1500"]).out;
    assert_eq!(out.lines().count(), 1500);
    let asked = fake.asked().into_iter().filter(|asked| asked.path == path);
    let queries: Vec<String> = asked.map(|asked| asked.query).collect();
    assert_eq!(
        queries,
        [
            "limit=50".to_owned(),
            "limit=50".to_owned(),
            format!("limit=2&rotationId={ID}"),
            "limit=1000".to_owned(),
            "before=501&limit=500".to_owned()
        ]
    );
}

#[test]
fn a_mistyped_rotation_is_told_with_what_may_be_meant() {
    let ended = run(&Fake::start(), &["show", "biling"]);
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("did you mean billing?"), "{}", ended.err);
    let ended = run(&Fake::start(), &["show", "zzz"]);
    assert!(!ended.err.contains("did you mean"), "{}", ended.err);
}

#[test]
fn whoever_reads_json_is_told_what_is_wrong_in_it_too() {
    let fake = Fake::start();
    for (line, code, status, name, words) in [
        (
            &["show", "nope"][..],
            1,
            404,
            "NotFound",
            "there is no rotation",
        ),
        (
            &["delete", "billing"],
            64,
            422,
            "ValidationFailure",
            "needs to be confirmed",
        ),
        (
            &["move", "billing"],
            64,
            422,
            "ValidationFailure",
            "where to?",
        ),
        (
            &["list", "--socket", "/nowhere/admin.sock"],
            1,
            503,
            "ServiceUnavailable",
            "can't reach the daemon",
        ),
    ] {
        let ended = run(&fake, &[line, &["--json"]].concat());
        assert_eq!(ended.code, code, "{line:?}: {}", ended.err);
        // As of a daemon's answer.
        let body: rotord_api::ErrorBody = serde_json::from_value(ended.json()).unwrap();
        assert_eq!(
            (body.status_code, body.error.as_str(), body.req_id.as_str()),
            (status, name, "")
        );
        assert!(ended.out.contains(words), "{line:?}: {}", ended.out);
        assert!(ended.err.contains(words), "{line:?}: {}", ended.err);
    }
    let ended = run(
        &fake,
        &["edit", "billing", "--name", "Not A Slug", "--json"],
    );
    assert_eq!(ended.json()["message"][0]["path"], json!(["name"]));
}

#[test]
fn a_move_to_where_it_is_moves_nothing_and_asks_nobody() {
    let fake = Fake::start().on("GET", &single(), 200, one(rotation()));
    let ended = run(&fake, &["move", "billing", "--to-env", "dev"]);
    assert_eq!(
        (ended.code, ended.out.as_str()),
        (0, "billing: was in dev / already\n")
    );
    let json = run(&fake, &["move", "billing", "--to-path", "/", "--json"]);
    assert_eq!((json.code, json.json()), (0, one(rotation())));
    assert!(fake.changes().is_empty());
}

#[test]
fn pausing_and_resuming_and_checking_and_moving_reach_their_routes() {
    let fake = Fake::start()
        .on("POST", &own("pause"), 200, one(rotation()))
        .on("POST", &own("resume"), 200, one(rotation()))
        .on(
            "POST",
            &format!("{}/check-credentials", single()),
            204,
            Value::Null,
        )
        .on("POST", &format!("{TYPE}/move/{ID}"), 200, one(rotation()));
    for command in [
        &["pause", "billing"][..],
        &["resume", "billing"],
        &["check", "billing"],
        &["move", "billing", "--to-env", "prod", "--yes"],
    ] {
        let ended = run(&fake, command);
        assert_eq!(ended.code, 0, "{command:?}: {}", ended.err);
    }
    assert_eq!(
        fake.changes()[3].body,
        json!({"destinationEnvironment": "prod", "destinationSecretPath": "/"})
    );
    assert_eq!(run(&fake, &["move", "billing"]).code, 64);
    let unconfirmed = run(&fake, &["move", "billing", "--to-env", "prod"]);
    assert!(
        unconfirmed.code == 64 && unconfirmed.err.contains("--yes"),
        "{}",
        unconfirmed.err
    );
    assert_eq!(fake.changes().len(), 4);
    let words = "Could not find folder with path \"/app\" in environment \"prod\"";
    let fake = Fake::start().on(
        "POST",
        &format!("{TYPE}/move/{ID}"),
        400,
        error(400, "BadRequest", words),
    );
    let ended = run(
        &fake,
        &[
            "move",
            "billing",
            "--to-env",
            "prod",
            "--to-path",
            "/app",
            "--yes",
        ],
    );
    assert!(
        ended.err.contains("rotorctl folder add /app --env prod"),
        "{}",
        ended.err
    );
}

#[test]
fn an_adopted_value_comes_from_standard_input() {
    let fake = Fake::start()
        .on("POST", &own("adopt"), 200, one(rotation()))
        .on("POST", &own("remove"), 200, one(rotation()));
    let ended = run_with(
        &fake,
        &["adopt", "billing", "k-9", "--value", "clientSecret=-"],
        "hunter2\n",
    );
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(run(&fake, &["adopt", "billing", "k-9"]).code, 64);
    let unknown = run(&fake, &["adopt", "billing", "k-9", "--yes"]);
    assert_eq!(unknown.code, 0, "{}", unknown.err);
    assert!(unknown.out.contains("adopted without its value"));
    assert_eq!(
        run(&fake, &["adopt", "billing", "k-9", "--with-value"]).code,
        64
    );
    assert_eq!(run(&fake, &["remove", "billing", "k-9"]).code, 64);
    assert_eq!(run(&fake, &["remove", "billing", "k-9", "--yes"]).code, 0);
    let bodies: Vec<Value> = fake.changes().into_iter().map(|asked| asked.body).collect();
    assert_eq!(
        bodies,
        [
            json!({"keyId": "k-9", "outputs": {"clientSecret": "hunter2"}}),
            json!({"keyId": "k-9"}),
            json!({"keyId": "k-9"})
        ]
    );
}

#[test]
fn a_changed_name_of_a_secret_says_how_long_the_former_one_can_be_read() {
    let renamed = rotation_with(json!({
        "secretsMapping": {"clientId": "AZURE_CLIENT_ID", "clientSecret": "NEW"}
    }));
    let fake = Fake::start().on("PATCH", &single(), 200, one(renamed));
    let out = run(&fake, &["edit", "billing", "--map", "clientSecret=NEW"]).out;
    assert!(
        out.contains("AZURE_CLIENT_SECRET is NEW now; the former name stays readable"),
        "{out}"
    );
    assert!(!out.contains("AZURE_CLIENT_ID is"), "{out}");
    let fresh = rotation_with(json!({"lastRotatedAt": null}));
    let all = json!({"secretRotations": [fresh]});
    let fake = fake.instead("GET", "/api/v2/secret-rotations", 200, all);
    let out = run(&fake, &["edit", "billing", "--map", "clientSecret=NEW"]).out;
    assert!(!out.contains("former"), "nothing was readable: {out}");
}

#[test]
fn the_published_one_is_replaced_before_it_is_revoked_and_that_is_said() {
    let credentials = json!({"state": {"summary": "", "credentials": [
        {"keyId": "k-2", "label": "rotord-a-b-2-c", "stage": "active"},
        {"keyId": "k-1", "label": "rotord-a-b-1-c", "stage": "retiring", "waitingFor": "its time"}
    ]}});
    let fake = Fake::start().on("POST", &own("retire"), 200, one(rotation_with(credentials)));
    let out = run(&fake, &["retire", "billing", "k-2"]).out;
    for words in [
        "k-2 is published, so it can't be revoked before another takes its place",
        "rotorctl show billing",
        "rotorctl delete billing --revoke",
    ] {
        assert!(out.contains(words), "{words}: {out}");
    }
    let out = run(&fake, &["retire", "billing", "k-1"]).out;
    assert!(
        out.contains("k-1 is retiring, waits for: its time")
            && out.contains("as soon as the published one was seen to work"),
        "{out}"
    );
    let out = run(&fake, &["retire", "billing", "k-1", "--now"]).out;
    assert!(
        out.contains("revoked now, without looking whether the published one works")
            && !out.contains("seen to work")
            && !out.contains("waits for"),
        "{out}"
    );
    let refused = error(
        400,
        "BadRequest",
        "This rotation has no credential with the key id \"k-9\"",
    );
    let fake = Fake::start().on("POST", &own("retire"), 400, refused);
    let err = run(&fake, &["retire", "billing", "k-9"]).err;
    assert!(err.contains("rotorctl show billing"), "{err}");
}

#[test]
fn a_cause_stands_once_and_rotations_go_by_their_names() {
    let why = "logins of the application are disabled";
    let told = format!("nothing is issued until this is mended and the rotation is rotated: {why}");
    let blocked = rotation_with(json!({
        "rotationStatus": "failed", "lastRotationMessage": why,
        "state": {"summary": told, "warnings": [format!("the last run failed: {why}")], "attention": [
            {"code": "blocked", "message": told, "remedy": format!("mend it, then rotorctl check {ID}")}
        ]}
    }));
    let all = json!({"secretRotations": [blocked]});
    let fake = Fake::start()
        .on("GET", &single(), 200, one(blocked.clone()))
        .instead("GET", "/api/v2/secret-rotations", 200, all);
    let out = run(&fake, &["show", "billing"]).out;
    assert_eq!(out.matches(why).count(), 1, "{out}");
    assert!(
        out.contains("what helps\tmend it, then rotorctl check billing\n"),
        "{out}"
    );
    // Where another has the name too, the id is what finds it.
    let other = rotation_with(
        json!({"environment": {"slug": "prod", "name": "Production", "id": ID},
            "id": "11111111-2222-4333-8444-555555555555"}),
    );
    let both = json!({"secretRotations": [blocked, other]});
    let fake = fake.instead("GET", "/api/v2/secret-rotations", 200, both);
    let out = run(&fake, &["show", "billing", "--env", "dev"]).out;
    assert!(out.contains(&format!("rotorctl check {ID}\n")), "{out}");
}

#[test]
fn whoever_leaves_with_an_interrupt_is_told_that_the_run_goes_on() {
    let run = json!({
        "id": "r", "step": "verify", "words": "tried out", "reason": "manual", "attempt": 1,
        "startedAt": "2026-03-01T10:00:00.000Z"
    });
    let pending =
        rotation_with(json!({"rotationStatus": "pending", "state": {"summary": "", "run": run}}));
    let fake = Fake::start()
        .on(
            "POST",
            &format!("{}/rotate-secrets", single()),
            202,
            one(pending.clone()),
        )
        .on("GET", &single(), 200, one(pending));
    let ended = interrupted(&fake, &["rotate", "billing", "--wait"], || {
        let asked = fake.asked();
        asked.iter().filter(|asked| asked.path == single()).count() > 1
    });
    assert_eq!((ended.code, ended.out.as_str()), (130, ""));
    assert!(
        ended.err.contains("goes on in the daemon") && ended.err.contains("rotorctl show billing"),
        "{}",
        ended.err
    );
}

#[test]
fn who_asks_a_daemon_that_dies_is_told_that_what_has_begun_goes_on() {
    let path = format!("{}/rotate-secrets", single());
    let fake = Fake::start().on("POST", &path, CUT, json!(null));
    let ended = run(&fake, &["rotate", "billing"]);
    assert_eq!(ended.code, 1);
    for words in [
        "broke the connection off",
        "may have been done all the same",
        "goes on in the daemon, also when that starts again",
        "rotorctl show billing",
    ] {
        assert!(ended.err.contains(words), "{}", ended.err);
    }
    // The same of whatever changes something, and of nothing that only looks.
    let fake = fake.on("DELETE", &single(), CUT, json!(null));
    let ended = run(&fake, &["delete", "billing", "--yes"]);
    assert!(ended.err.contains("may have been done"), "{}", ended.err);
    let fake = fake.instead("GET", "/api/v2/secret-rotations", CUT, json!(null));
    let ended = run(&fake, &["list"]);
    assert!(!ended.err.contains("may have been done"), "{}", ended.err);
}

#[test]
fn who_waits_for_a_run_waits_for_a_daemon_that_starts_again() {
    let path = format!("{}/rotate-secrets", single());
    let pending = rotation_with(json!({"rotationStatus": "pending"}));
    let done = rotation_with(json!({"lastRotationJobId": "the-run-after"}));
    let stops = error(503, "ServiceUnavailable", "The daemon is shutting down");
    for asked in [(CUT, json!(null)), (503, stops.clone())] {
        let fake = Fake::start()
            .on("POST", &path, asked.0, asked.1)
            .on("GET", &single(), CUT, json!(null))
            .on("GET", &single(), 200, one(pending.clone()))
            .on("GET", &single(), 503, stops.clone())
            .on("GET", &single(), 200, one(done.clone()));
        let ended = run(&fake, &["rotate", "billing", "--wait"]);
        assert_eq!((ended.code, ended.out.as_str()), (0, "billing: rotated\n"));
        assert!(ended.err.contains("waiting for it"), "{}", ended.err);
        assert_eq!(fake.changes().len(), 1, "asked for once");
    }
    // It had not begun.
    let fake =
        Fake::start()
            .on("POST", &path, 503, stops)
            .on("GET", &single(), 200, one(rotation()));
    let ended = run(&fake, &["rotate", "billing", "--wait"]);
    assert_eq!((ended.code, ended.out.as_str()), (1, ""));
    assert!(ended.err.contains("is shutting down"), "{}", ended.err);
}

#[test]
fn a_check_that_fails_says_of_what_it_was_and_where_to_look() {
    let check = format!("{}/check-credentials", single());
    let refusal =
        json!({"reqId": "r", "statusCode": 400, "error": "BadRequest", "message": "no such key"});
    let fake = Fake::start().on("POST", &check, 400, refusal);
    let ended = run(&fake, &["check", "billing"]);
    assert_eq!(ended.code, 1);
    for words in ["no such key", "rotorctl show billing"] {
        assert!(ended.err.contains(words), "{}", ended.err);
    }
}

#[test]
fn a_check_as_json_says_that_it_works() {
    let check = format!("{}/check-credentials", single());
    let fake = Fake::start().on("POST", &check, 204, Value::Null);
    let json = run(&fake, &["check", "billing", "--json"]).json();
    assert_eq!(json, json!({"id": ID, "name": "billing", "works": true}));
}

#[test]
fn folders_are_listed_and_made_with_what_is_missing_above() {
    let made = |path: &str| json!({"folder": {"id": ID, "name": "x", "path": path}});
    let fake = Fake::start()
        .on("POST", "/api/v1/folders", 200, made("/app"))
        .on("POST", "/api/v1/folders", 200, made("/app/db"));
    assert_eq!(
        run(&fake, &["folder", "list", "--env", "dev"]).out,
        format!("/\tdev\t{ID}\n")
    );
    let missing = run(&fake, &["folder", "list", "--path", "/no"]);
    assert_eq!((missing.code, missing.out.as_str()), (1, ""));
    let ended = run(&fake, &["folder", "add", "/app/db/", "--env", "dev"]);
    assert_eq!(
        ended.out, "folder /app/db is there, in dev\n",
        "{}",
        ended.err
    );
    let bodies: Vec<Value> = fake.changes().into_iter().map(|asked| asked.body).collect();
    let body = |name: &str, path: &str| json!({"projectId": "p-1", "environment": "dev", "name": name, "path": path});
    assert_eq!(bodies, [body("app", "/"), body("db", "/app")]);
    assert_eq!(run(&fake, &["folder", "add", "/", "--env", "dev"]).code, 1);
    assert_eq!(
        run(&fake, &["folder", "add", "app", "--env", "dev"]).code,
        64
    );
}
