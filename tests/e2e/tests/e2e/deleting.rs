//! The end of a rotation, with and without its flags.

use std::time::Duration;

use e2e::operator::{CONNECTIONS, KIND};
use e2e::until;
use rotord_api::query::{DeleteRotationQuery, Flag};
use rotord_api::rotation::SecretRotationAnswer;
use rotord_api::routes;
use serde_json::json;

use crate::rig::Rig;

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
    delete(&rig, rotation.id, true, true).await;
    rig.until_issued("payroll", 0).await;
    let answer = rig.operator.http.get(routes::STATUS).await.unwrap();
    assert_eq!(answer.json().unwrap()["rotations"]["total"], json!(0));
}
