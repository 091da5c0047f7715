//! The end of a rotation, with and without its flags.

use std::time::Duration;

use azure_standin::{Fault, Operation, Rule, SecretConfig};
use e2e::operator::{CONNECTIONS, KIND, live};
use e2e::until;
use rotord_api::query::{DeleteRotationQuery, Flag};
use rotord_api::rotation::{CredentialStage, SecretRotationAnswer};
use rotord_api::routes;
use rotord_api::status::{DaemonStatus, StatusItem};
use serde_json::json;

use crate::rig::{Rig, key_at};

async fn delete(rig: &Rig, id: uuid::Uuid, secrets: bool, revoke: bool) {
    let query = DeleteRotationQuery {
        delete_secrets: Flag(secrets),
        revoke_generated_credentials: Flag(revoke),
    };
    let path = routes::with_query(&routes::rotation(KIND, id), &query);
    let reply = rig.operator.http.delete(&path).await.unwrap();
    // As it was before.
    let was = reply
        .parse::<SecretRotationAnswer>()
        .unwrap()
        .secret_rotation;
    assert_eq!(was.id, id);
    let gone = rig
        .operator
        .http
        .get(&routes::rotation(KIND, id))
        .await
        .unwrap();
    assert_eq!(gone.status, 404, "{}", gone.text());
    assert!(rig.operator.rotations().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_flags_the_secrets_become_ordinary_and_the_credentials_live_on() {
    let rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    rig.rotate(&rotation).await;
    let value = rig.operator.secret("PAYROLL_SECRET").await.unwrap();
    let issued = rig.azure.issued("payroll").unwrap();
    delete(&rig, rotation.id, false, false).await;
    assert_eq!(rig.operator.secret("PAYROLL_SECRET").await.unwrap(), value);
    let secrets = rig.operator.secrets().await.unwrap().secrets;
    assert!(secrets.iter().all(|secret| !secret.is_rotated_secret));
    assert_eq!(rig.azure.issued("payroll").unwrap(), issued);
    let check = rig.azure.standin.check_login("payroll", &value).unwrap();
    assert!(check.works_everywhere());
    // They stay valid, so they stay listed.
    let line = rig.daemon.rotorctl().unwrap();
    let line = line.args(["list", "--credentials", "--all-projects"]);
    let listed = line.run().await.unwrap().well().unwrap();
    assert_eq!(listed.lines().count(), issued.len(), "{listed}");
    for key in issued {
        assert!(listed.contains(&format!("\t{key}\treleased\t")), "{listed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_both_flags_nothing_is_left_but_what_others_made() {
    let rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    rig.rotate(&rotation).await;
    assert_eq!(rig.azure.issued("payroll").unwrap().len(), 2);
    delete(&rig, rotation.id, true, true).await;
    assert!(rig.operator.secrets().await.unwrap().secrets.is_empty());
    rig.until_issued("payroll", 0).await;
    rig.assert_others_untouched("payroll");
    // The names are free again, and so is the connection once the last removal is confirmed.
    let again = rig.create("payroll").await;
    assert_ne!(again.id, rotation.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_use_can_not_be_deleted() {
    let rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    let path = routes::connection(CONNECTIONS, rig.connection);
    let refused = rig.operator.http.delete(&path).await.unwrap();
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert!(
        refused.text().contains("payroll")
            || refused.text().contains("in use")
            || refused.text().contains("existing"),
        "{}",
        refused.text()
    );
    delete(&rig, rotation.id, true, true).await;
    let deleted = until(
        "the connection to be free",
        Duration::from_mins(1),
        async || {
            let reply = rig.operator.http.delete(&path).await?;
            Ok((reply.status == 200).then_some(reply))
        },
    );
    deleted.await.unwrap();
    assert!(rig.azure.issued("payroll").unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_whose_removal_fails_is_removed_later() {
    let rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    rig.azure.standin.add_fault(azure_standin::Rule {
        times: Some(3),
        ..azure_standin::Rule::always(
            azure_standin::Operation::RemovePassword,
            azure_standin::Fault::Gateway {
                status: 503,
                empty: false,
                applied: false,
            },
        )
    });
    let key = key_at(&rotation, CredentialStage::Active);
    delete(&rig, rotation.id, true, true).await;
    let list = |more: &[&str]| {
        let line = rig.daemon.rotorctl().unwrap();
        line.args(["list", "--all-projects"]).args(more).run()
    };
    // As long as something is left of it, it is in the list.
    let listed = list(&[]).await.unwrap().well().unwrap();
    assert!(
        listed.contains("\tdeleting\t") && listed.contains("it is deleted: "),
        "{listed}"
    );
    let held = list(&["--credentials"]).await.unwrap().well().unwrap();
    assert!(held.contains(&format!("\t{key}\tretiring\t")), "{held}");
    let line = rig.daemon.rotorctl().unwrap();
    let shown = line.args(["show", "payroll"]).run().await.unwrap();
    let words = format!("is deleted, being settled: still to be removed at the provider: {key}");
    assert_eq!(shown.code, Some(1));
    assert!(shown.stderr.contains(&words), "{}", shown.stderr);
    rig.until_issued("payroll", 0).await;
    let left = until("it to be gone", Duration::from_mins(2), async || {
        let listed = list(&[]).await?.well()?;
        Ok(listed.is_empty().then_some(()))
    });
    left.await.unwrap();
    let answer = rig.operator.http.get(routes::STATUS).await.unwrap();
    assert_eq!(answer.json().unwrap()["rotations"]["total"], json!(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_one_that_waits_for_a_person_is_seen_and_takes_their_word() {
    let rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    // What a lost answer made can't be removed for now, so that the deleted rotation has something to settle.
    let unavailable = Fault::Gateway {
        status: 503,
        empty: false,
        applied: false,
    };
    for rule in [
        Rule::once(Operation::AddPassword, Fault::LostReply),
        Rule::always(Operation::RemovePassword, unavailable),
    ] {
        rig.azure.standin.add_fault(rule);
    }
    let rotation = rig.rotate(&rotation).await;
    rig.until_issued("payroll", 3).await;
    let mut kept = [CredentialStage::Active, CredentialStage::Previous]
        .map(|stage| key_at(&rotation, stage))
        .to_vec();
    kept.sort();
    delete(&rig, rotation.id, false, false).await;
    let state = rotation.state.as_ref().unwrap();
    let (of, _) = state.credentials[0].label.rsplit_once('-').unwrap();
    let stranger = SecretConfig {
        name: Some(format!("{of}-00c0ffee00c0ffee")),
        ..SecretConfig::default()
    };
    let stranger = rig.azure.standin.add_foreign_secret("payroll", &stranger);
    let stranger = stranger.unwrap().to_string();

    let told = until("the doubt to be told", Duration::from_mins(2), async || {
        let status = rig.operator.http.get(routes::STATUS).await?;
        let status = status.parse::<DaemonStatus>()?;
        assert_eq!(status.rotations.total, 0);
        let waits = |item: &&StatusItem| item.code.as_deref() == Some("deletion-waits");
        Ok(status.attention.iter().find(waits).cloned())
    });
    let told = told.await.unwrap();
    assert_eq!(told.rotation_id, rotation.id);
    assert!(told.message.contains("rotorctl delete"), "{}", told.message);
    assert!(rig.operator.rotations().await.unwrap().is_empty());

    rig.azure.standin.clear_faults();
    let id = rotation.id.to_string();
    let rotorctl = async |line: &[&str]| {
        let line = rig.daemon.rotorctl().unwrap().args(line);
        line.run().await.unwrap()
    };
    let shown = rotorctl(&["show", &id, "--json"]).await.json().unwrap();
    let attention = shown["secretRotation"]["state"]["attention"].to_string();
    assert!(attention.contains(&stranger), "{attention}");
    let removed = rotorctl(&["remove", &id, &stranger, "--yes"]).await;
    assert_ne!(removed.code, Some(0), "{}", removed.stdout);
    let again = rotorctl(&["delete", &id, "--revoke", "--yes"]).await;
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    // What was let go when the rotation was deleted stays.
    rig.until_issued("payroll", kept.len()).await;
    let left = rig.azure.issued("payroll").unwrap();
    let left: Vec<String> = left.iter().map(ToString::to_string).collect();
    assert_eq!(left, kept);
    until("the doubt to be gone", Duration::from_mins(1), async || {
        let secrets = rig.azure.standin.secrets("payroll").unwrap();
        let mut live = secrets.iter().filter(|secret| secret.live());
        let is_there = live.any(|secret| secret.key_id.to_string() == stranger);
        Ok((!is_there).then_some(()))
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_was_kept_is_deleted_by_command_and_a_fed_one_is_not() {
    let rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    let secret = |more: &[&str]| {
        let line = rig.daemon.rotorctl().unwrap();
        let line = line.args(["secret", "delete", "PAYROLL_SECRET", "--env", "dev"]);
        line.args(more).run()
    };
    let fed = secret(&["--yes"]).await.unwrap();
    assert_eq!(fed.code, Some(1), "{}", fed.stdout);
    for word in ["payroll", "--delete-secrets"] {
        assert!(fed.stderr.contains(word), "{}", fed.stderr);
    }
    let value = rig.operator.secret("PAYROLL_SECRET").await.unwrap();
    delete(&rig, rotation.id, false, false).await;
    let unasked = secret(&[]).await.unwrap();
    assert_eq!(unasked.code, Some(64), "{}", unasked.stderr);
    assert_eq!(rig.operator.secret("PAYROLL_SECRET").await.unwrap(), value);
    let said = secret(&["--yes"]).await.unwrap().well().unwrap();
    assert!(
        said.contains("is deleted") && !said.contains(&value),
        "{said}"
    );
    assert!(rig.operator.secret("PAYROLL_SECRET").await.is_err());
    let again = secret(&["--yes"]).await.unwrap();
    assert_eq!(again.code, Some(1), "{}", again.stdout);
    assert!(again.stderr.contains("secret list"), "{}", again.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_run_is_told_that_its_rotation_was_deleted_meanwhile() {
    let rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    rig.hold_up_proofs();
    let rotating = rig.daemon.rotorctl().unwrap();
    let rotating = tokio::spawn(rotating.args(["rotate", "payroll", "--wait"]).run());
    rig.until("the new credential", &rotation, |rotation| {
        live(rotation).any(|credential| credential.stage == CredentialStage::Pending)
    })
    .await;
    let deleted = rig
        .rotorctl(&["delete", "payroll", "--revoke", "--delete-secrets", "--yes"])
        .await;
    deleted.well().unwrap();
    let told = rotating.await.unwrap().unwrap();
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(told.stderr.contains("deleted meanwhile"), "{told:?}");
    rig.azure.standin.advance(Duration::from_secs(61));
    rig.until_issued("payroll", 0).await;
}
