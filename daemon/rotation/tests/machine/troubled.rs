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
