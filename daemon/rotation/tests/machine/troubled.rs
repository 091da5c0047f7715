//! A provider that goes on answering badly: it is asked less and less often, and a person is told.

use std::time::Duration;

use chrono::TimeDelta;
use rotord_rotation::event::Answer;
use rotord_rotation::summary::{NoticeCode, Urgency};
use rotord_rotation::{Call, Command, Event, Fault, FaultKind};

use crate::play::{Play, plan};

const ROTATE: Command = Command::Rotate { retire_after: None };

/// Every answer to `issue` is spoilt, at once, and the provider asks for no spacing.
fn spoil(play: &mut Play) {
    play.rules.write_spacing = Duration::ZERO;
    play.issue_faults = vec![Fault::new(FaultKind::Ambiguous, "no such output"); 500];
}

#[test]
fn where_every_answer_is_spoilt_attempts_become_rare_though_what_they_make_is_removed() {
    let mut play = Play::live(30);
    spoil(&mut play);
    play.command(ROTATE).unwrap();
    let before = play.rotation.sequence;
    play.pass(TimeDelta::hours(24));
    let attempts = play.rotation.sequence - before;
    assert!((8..20).contains(&attempts), "{attempts}");
    assert_eq!(
        play.urgency(NoticeCode::Unreconciled),
        Some(Urgency::Attention)
    );
    // What met the last one is never lost from sight.
    let message = play.rotation.message.clone().unwrap();
    assert!(message.contains("no such output"), "{message}");
    play.until(|play| play.listed.len() == 1);
}

#[test]
fn who_pauses_while_answers_are_lost_has_nothing_more_issued() {
    let mut play = Play::live(30);
    spoil(&mut play);
    play.command(ROTATE).unwrap();
    play.until(|play| play.rotation.run.as_ref().is_some_and(|run| run.lost > 3));
    play.until(|play| play.call.is_none());
    play.command(Command::Pause).unwrap();
    let why = play.last_end.clone().unwrap().unwrap_err();
    assert!(
        why.contains("paused") && why.contains("no such output"),
        "{why}"
    );
    let then = play.rotation.sequence;
    play.pass(TimeDelta::hours(48));
    assert_eq!(play.rotation.sequence, then);
    assert_eq!(play.listed.len(), 1, "{:?}", play.listed);
}

#[test]
fn a_manual_run_that_met_nothing_goes_on_while_it_is_paused() {
    let mut play = Play::live(30);
    play.command(ROTATE).unwrap();
    play.command(Command::Pause).unwrap();
    play.until(|play| play.published.len() == 2);
}

#[test]
fn a_creation_whose_answers_are_spoilt_is_failed_by_a_pause_and_can_be_tried_again() {
    let mut play = Play::begin_with(plan(30), spoil);
    play.event(Event::Answered).unwrap();
    play.until(|play| play.rotation.run.as_ref().is_some_and(|run| run.lost > 0));
    play.until(|play| play.call.is_none());
    play.command(Command::Pause).unwrap();
    assert_eq!(
        play.urgency(NoticeCode::CreationFailed),
        Some(Urgency::Attention)
    );
    play.issue_faults.clear();
    play.command(ROTATE).unwrap();
    play.until(|play| play.published.len() == 1);
}

#[test]
fn a_refused_login_is_tried_again_ever_more_rarely_and_told_until_one_works() {
    let mut play = Play::live(30);
    let refused = "invalid client";
    play.login = Answer::NotYet(refused.to_owned());
    play.event(Event::LoginRefused {
        why: refused.to_owned(),
    })
    .unwrap();
    // One may be a lagging replica's.
    assert_eq!(
        play.urgency(NoticeCode::LoginRefused),
        Some(Urgency::Warning)
    );
    play.pass(TimeDelta::hours(24));
    assert_eq!(
        play.urgency(NoticeCode::LoginRefused),
        Some(Urgency::Attention)
    );
    let tries = play.rotation.contact.login_refusals;
    assert!((5..60).contains(&tries), "{tries}");
    // The provider lists it: what another one would change is a person's to say.
    assert!(play.rotation.urgent.is_none());
    play.login = Answer::Works;
    play.until(|play| play.urgency(NoticeCode::LoginRefused).is_none());
    assert!(play.rotation.next_drift_check - play.now > TimeDelta::hours(12));
}

#[test]
fn a_login_that_a_person_sees_work_ends_what_was_told_of_a_refused_one() {
    let mut play = Play::live(30);
    play.event(Event::LoginRefused {
        why: "invalid client".to_owned(),
    })
    .unwrap();
    play.event(Event::LoginWorked).unwrap();
    assert_eq!(play.urgency(NoticeCode::LoginRefused), None);
}

#[test]
fn a_look_that_is_refused_twice_needs_a_person_and_an_outage_only_once_it_lasts() {
    let looks = |kind: FaultKind, looks: u32| {
        let mut play = Play::live(30);
        play.event(Event::LoginRefused { why: String::new() })
            .unwrap();
        for _ in 0..looks {
            play.until(|play| play.call == Some(Call::Survey));
            play.call = None;
            let fault = Fault::new(kind.clone(), "no");
            play.event(Event::Surveyed(Err(fault))).unwrap();
        }
        play.urgency(NoticeCode::ProviderTrouble).unwrap()
    };
    assert_eq!(looks(FaultKind::Unauthorized, 1), Urgency::Warning);
    assert_eq!(looks(FaultKind::Unauthorized, 2), Urgency::Attention);
    assert_eq!(looks(FaultKind::Unavailable, 2), Urgency::Warning);
    assert_eq!(looks(FaultKind::Unavailable, 6), Urgency::Attention);
}

#[test]
fn of_a_deleted_rotation_a_look_that_fails_for_good_is_no_more_than_a_warning() {
    let mut play = Play::live(30);
    play.command(Command::Delete { revoke: true }).unwrap();
    for _ in 0..3 {
        play.until(|play| play.call == Some(Call::Survey));
        play.call = None;
        let fault = Fault::new(FaultKind::NotFound, "no such application");
        play.event(Event::Surveyed(Err(fault))).unwrap();
    }
    assert_eq!(
        play.urgency(NoticeCode::ProviderTrouble),
        Some(Urgency::Warning)
    );
}

/// What was seen before the daemon started says nothing any more: every run looks at the target first.
fn restarted() -> Play {
    let mut play = Play::live(30);
    play.event(Event::Started).unwrap();
    play
}

/// A run that a person asked for fails at its first look.
fn unreached() -> Play {
    let mut play = restarted();
    play.survey_fault = Some(Fault::new(
        FaultKind::Unauthorized,
        "the secret has expired",
    ));
    play.command(ROTATE).unwrap();
    play.until(|play| play.rotation.run.is_none() && play.call.is_none());
    play
}

#[test]
fn a_look_that_failed_is_made_again_when_it_is_said_to_be_and_until_it_works() {
    let mut play = unreached();
    let again = play.rotation.contact.again_at.unwrap();
    assert!(again < play.now + TimeDelta::hours(1), "{again}");
    let failures = play.rotation.contact.failures;
    play.until(|play| play.now >= again);
    play.until(|play| play.rotation.contact.failures > failures);
    assert!(play.now < again + TimeDelta::minutes(1), "{}", play.now);
    play.survey_fault = None;
    let again = play.rotation.contact.again_at.unwrap();
    play.until(|play| play.rotation.contact.trouble.is_none());
    assert!(play.now < again + TimeDelta::minutes(1), "{}", play.now);
    assert_eq!(play.told(NoticeCode::ProviderTrouble), None);
}

#[test]
fn what_failed_by_a_connection_is_tried_as_soon_as_that_is_another() {
    let mut play = unreached();
    // Due meanwhile, and tried with waits that grow up to hours.
    play.pass(TimeDelta::days(33));
    play.until(|play| {
        play.rotation
            .next_try_at
            .is_some_and(|at| at > play.now + TimeDelta::hours(2))
    });
    play.until(|play| play.call.is_none());
    assert_eq!(play.published.len(), 1);
    play.survey_fault = None;
    play.event(Event::ConnectionChanged).unwrap();
    let changed = play.now;
    play.until(|play| play.rotation.contact.trouble.is_none());
    assert_eq!(play.now, changed);
    play.until(|play| play.published.len() == 2);
    assert!(play.now < changed + TimeDelta::hours(1), "{}", play.now);
}

#[test]
fn a_connection_that_changes_hurries_nothing_that_works() {
    let mut play = Play::live(30);
    let before = play.rotation.clone();
    play.event(Event::ConnectionChanged).unwrap();
    assert_eq!((play.call.as_ref(), &play.rotation), (None, &before));
}

#[test]
fn a_leaked_one_that_nothing_replaces_is_shouted_about() {
    let mut play = Play::live(30);
    play.event(Event::Started).unwrap();
    let leaked = play.active().id;
    play.survey_fault = Some(Fault::new(FaultKind::Unavailable, "no connection"));
    let order = Command::Retire {
        credential: Some(leaked),
        force: false,
    };
    play.command(order).unwrap();
    assert_eq!(play.urgency(NoticeCode::Urgent), Some(Urgency::Warning));
    play.until(|play| play.rotation.contact.trouble.is_some());
    assert_eq!(play.urgency(NoticeCode::Urgent), Some(Urgency::Attention));
    let told = play.told(NoticeCode::Urgent).unwrap();
    assert!(told.contains("valid until another is published"), "{told}");
}

#[test]
fn one_that_has_ended_was_removed_by_nobody() {
    let mut play = Play::live(30);
    play.command(Command::Pause).unwrap();
    let end = play.active().expires_at.unwrap();
    play.until(|play| play.now >= end);
    play.login = Answer::NotYet("expired".to_owned());
    play.until(|play| play.rotation.urgent.is_some());
    let message = play.rotation.message.clone().unwrap();
    assert!(message.contains("credential ended at"), "{message}");
    assert_eq!(play.told(NoticeCode::Drifted), None);
    assert_eq!(play.urgency(NoticeCode::Expired), Some(Urgency::Attention));
}

#[test]
fn an_end_that_comes_near_while_tries_fail_is_shouted_about() {
    let mut play = restarted();
    play.survey_fault = Some(Fault::new(FaultKind::Unavailable, "no connection"));
    play.until(|play| play.told(NoticeCode::Expiring).is_some() && play.rotation.failures > 0);
    assert_eq!(play.urgency(NoticeCode::Expiring), Some(Urgency::Attention));
}

#[test]
fn a_revoke_that_was_refused_is_tried_as_soon_as_the_connection_is_another() {
    let mut play = Play::live(30);
    play.command(ROTATE).unwrap();
    play.until(|play| play.published.len() == 2);
    let order = Command::Retire {
        credential: None,
        force: false,
    };
    play.command(order).unwrap();
    play.until(|play| matches!(play.call, Some(Call::Revoke { .. })));
    play.call = None;
    let refused = Fault {
        retry_after: Some(Duration::from_hours(5)),
        ..Fault::new(FaultKind::Unauthorized, "the secret has expired")
    };
    play.event(Event::Revoked(Err(refused))).unwrap();
    play.pass(TimeDelta::hours(1));
    assert!(play.revoked.is_empty() && play.rotation.waits_to_try_again());
    play.event(Event::ConnectionChanged).unwrap();
    let changed = play.now;
    play.until(|play| !play.revoked.is_empty());
    assert!(play.now < changed + TimeDelta::minutes(1), "{}", play.now);
}
