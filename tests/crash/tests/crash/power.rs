//! The power is cut before every sync of a run.

#[tokio::test(flavor = "multi_thread")]
async fn no_power_cut_leaves_a_credential_without_its_row() {
    let outcome = crash::power::play(1).await.unwrap();
    assert!(outcome.boundaries > 50, "{outcome:#?}");
    assert!(
        outcome.credentials > 4 && outcome.lost_replies > 0,
        "{outcome:#?}"
    );
    assert!(outcome.violations.is_empty(), "{outcome:#?}");
}
