//! What is done with rotations that are there.

use serde_json::{Value, json};

use crate::fake::{Fake, ID, error, one, rotation, rotation_with};
use crate::program::{run, run_with};

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
            "billing\tazure-client-secret\tdev\t/\tsuccess\t2026-03-01T10:00:00.000Z\t2126-04-01T00:00:00.000Z\t{ID}\n"
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
            .all(|asked| asked.query == "projectId=p-1")
    );
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
fn a_failed_rotation_points_at_the_daemons_log() {
    let rotate = format!("{}/rotate-secrets", single());
    let fake = Fake::start().on(
        "POST",
        &rotate,
        500,
        error(
            500,
            "InternalServerError",
            "AADSTS7000215: invalid client secret",
        ),
    );
    let ended = run(&fake, &["rotate", "billing"]);
    assert_eq!(ended.code, 1);
    assert!(
        ended.err.contains("AADSTS7000215") && ended.err.contains("req-1"),
        "{}",
        ended.err
    );
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
        &["move", "billing", "--to-env", "prod"],
    ] {
        let ended = run(&fake, command);
        assert_eq!(ended.code, 0, "{command:?}: {}", ended.err);
    }
    assert_eq!(
        fake.changes()[3].body,
        json!({"destinationEnvironment": "prod", "destinationSecretPath": "/"})
    );
    assert_eq!(run(&fake, &["move", "billing"]).code, 64);
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
    assert_eq!(run(&fake, &["adopt", "billing", "k-9"]).code, 0);
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
