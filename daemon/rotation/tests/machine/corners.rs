//! Where two things come together: each of these once ended badly.

use std::time::Duration;

use chrono::TimeDelta;
use rotord_rotation::event::Answer;
use rotord_rotation::summary::NoticeCode;
use rotord_rotation::{
    Call, Command, Event, FaultKind, Handle, Inspection, Life, Listed, Plan, RunKind, Stage,
};

use crate::play::{Play, plan, utc};
use crate::{fault, label};

fn handle(name: &str) -> Handle {
    Handle(name.to_owned())
}

fn refused() -> Answer {
    Answer::NotYet("invalid client".to_owned())
}

fn listed(name: &str, label: Option<rotord_rotation::Label>) -> Listed {
    Listed {
        handle: handle(name),
        label,
        expires_at: Some(utc("2027-01-01T00:00:00Z")),
    }
}

#[test]
fn what_is_being_adopted_is_given_back_though_the_published_one_vanishes_meanwhile() {
    let mut play = Play::live(30);
    play.listed.clear();
    play.listed.push(listed("made-by-hand", None));
    // Two absences are counted, and the third one comes while the adoption is proved.
    play.until(|play| play.rotation.drift_absences == 2);
    play.login = refused();
    play.command(Command::Adopt {
        handle: handle("made-by-hand"),
        expires_at: None,
        has_value: true,
    })
    .unwrap();
    play.pass(TimeDelta::hours(12));
    assert!(!play.revoked.contains(&handle("made-by-hand")));
    assert!(play.rotation.urgent.is_some(), "it has drifted");
}

#[test]
fn what_has_ended_is_removed_though_nothing_logs_in() {
    let mut play = Play::live(30);
    play.command(Command::Rotate { retire_after: None })
        .unwrap();
    play.until(|play| play.published.len() == 2);
    play.command(Command::Pause).unwrap();
    play.login = Answer::Never("the application is disabled".to_owned());
    play.pass(TimeDelta::days(40));
    assert!(play.revoked.is_empty());
    play.until(|play| play.now > utc("2026-05-05T00:00:00Z"));
    assert_eq!(play.revoked, [handle("key-1")]);
}

#[test]
fn a_login_of_a_run_that_is_no_more_says_nothing_of_the_published_one() {
    let mut play = Play::live(30);
    play.until(|play| matches!(&play.rotation.run, Some(run) if run.kind == RunKind::Scheduled));
    play.until(|play| matches!(play.call, Some(Call::Verify { .. })));
    play.command(Command::Pause).unwrap();
    play.rotation.drift_absences = play.timing.absences;
    play.call = None;
    play.event(Event::Verified(rotord_rotation::Verdict {
        answer: refused(),
        provider_time: Some(play.now),
    }))
    .unwrap();
    assert_eq!(play.rotation.urgent, None);
}

#[test]
fn what_a_lost_answer_made_on_a_full_target_makes_room() {
    let mut play = Play::live(30);
    play.inspection = Inspection {
        credential_cap: Some(2),
        ..Inspection::default()
    };
    // Taken from the end: lost after its effect, then full for as long as that is there.
    play.issue_faults = vec![fault(FaultKind::Full), fault(FaultKind::Ambiguous)];
    play.command(Command::Rotate { retire_after: None })
        .unwrap();
    play.until(|play| play.last_end.is_some() && play.published.len() == 2);
    assert_eq!(
        play.revoked,
        [handle("key-2")],
        "the lost one, and no other"
    );
    assert!(play.now < utc("2026-03-01T10:15:00Z"), "{}", play.now);
}

#[test]
fn a_run_does_not_wait_for_room_for_ever() {
    let mut play = Play::live(30);
    play.command(Command::Rotate {
        retire_after: Some(Duration::ZERO),
    })
    .unwrap();
    play.until(|play| play.published.len() == 2);
    // The replaced one's time comes, and the published one does not log in; the target is full.
    play.login = refused();
    play.issue_faults = vec![fault(FaultKind::Full); 50];
    play.until(|play| matches!(play.stage("key-1"), Some(Stage::Retiring(_))));
    play.command(Command::Rotate { retire_after: None })
        .unwrap();
    play.last_end = None;
    play.until(|play| play.last_end.is_some());
    let why = play.last_end.clone().unwrap().unwrap_err();
    assert!(why.contains("no room could be made"), "{why}");
    assert!(play.revoked.is_empty());
}

#[test]
fn where_every_answer_is_lost_attempts_become_rare() {
    let mut play = Play::begin_with(plan(30), |play| {
        play.issue_faults = vec![fault(FaultKind::Ambiguous); 2000];
    });
    play.event(Event::Answered).unwrap();
    play.pass(TimeDelta::days(1));
    let first = play.rotation.sequence;
    play.pass(TimeDelta::days(1));
    assert!(first < 30, "{first}");
    assert!(play.rotation.sequence - first <= 6);
    assert!(play.rotation.run.is_some(), "it does not give up");
}

#[test]
fn what_turns_up_under_the_label_of_a_rotation_deleted_with_revoking_goes_too() {
    let mut play = Play::live(30);
    play.command(Command::Delete { revoke: true }).unwrap();
    play.listed
        .push(listed("since-the-backup", Some(label(7, 0xdef))));
    play.until(|play| play.removed);
    assert!(play.listed.is_empty());
}

#[test]
fn what_turns_up_under_the_label_of_a_deleted_rotation_is_told_and_left_to_a_person() {
    let stranger = listed("since-the-backup", Some(label(7, 0xdef)));
    for revoke in [false, true] {
        let mut play = Play::live(30);
        play.command(Command::Rotate { retire_after: None })
            .unwrap();
        play.until(|play| play.stage("key-2") == Some(Stage::Pending));
        play.command(Command::Delete { revoke: false }).unwrap();
        play.listed.push(stranger.clone());
        play.pass(TimeDelta::days(20));
        assert!(!play.removed && play.listed.contains(&stranger));
        let told = play.notices();
        assert!(told.contains(&NoticeCode::DeletionWaits), "{told:?}");
        play.command(Command::Delete { revoke }).unwrap();
        play.until(|play| play.removed);
        assert_eq!(play.listed.contains(&stranger), !revoke);
    }
}

#[test]
fn a_creation_that_failed_unseen_orders_no_removal_of_what_is_in_doubt() {
    let mut play = Play::begin_with(plan(30), |play| {
        play.issue_faults.push(fault(FaultKind::Unauthorized));
        play.listed
            .push(listed("since-the-backup", Some(label(7, 0xdef))));
    });
    play.until(|play| play.last_end.is_some());
    assert_eq!(play.rotation.life, Life::Deleting { revoke: false });
    play.pass(TimeDelta::days(3));
    assert!(play.revoked.is_empty());
}

#[test]
fn what_no_survey_has_shown_is_removed_before_it_counts_as_gone() {
    let mut play = Play::live(30);
    play.command(Command::Rotate { retire_after: None })
        .unwrap();
    play.until(|play| play.stage("key-2") == Some(Stage::Pending));
    // No replica that lists has it yet.
    play.listed
        .retain(|listed| listed.handle != handle("key-2"));
    play.command(Command::Delete { revoke: false }).unwrap();
    play.until(|play| play.removed);
    assert_eq!(play.revoked, [handle("key-2")]);
}

#[test]
fn an_overlap_beyond_the_life_of_what_it_is_for_is_said() {
    let long = Plan {
        overlap: Some(Duration::from_hours(24 * 500)),
        ..plan(30)
    };
    let mut play = Play::begin(long);
    play.event(Event::Answered).unwrap();
    play.until(|play| !play.published.is_empty());
    assert!(play.notices().contains(&NoticeCode::OverlapCut));
    assert!(!Play::live(30).notices().contains(&NoticeCode::OverlapCut));
    // With an interval beyond its life it is replaced before that ends, and not when the interval is over.
    let mut play = Play::live(30);
    let from = play.rotation.plan;
    let to = Plan {
        interval: rotord_rotation::Interval::days(400).unwrap(),
        overlap: Some(Duration::from_hours(1)),
        ..from
    };
    play.command(Command::Edit { from, to }).unwrap();
    assert!(!play.notices().contains(&NoticeCode::OverlapCut));
}

#[test]
fn a_login_that_works_lifts_what_was_said_to_keep_all_from_working_and_no_doubt() {
    let mut play = Play::live(30);
    play.login = Answer::Never("its logins are disabled".to_owned());
    play.until(|play| play.rotation.blocked.is_some());
    let why = "restored".to_owned();
    play.event(Event::StateIsOld { why }).unwrap();
    play.login = Answer::Works;
    play.pass(TimeDelta::days(40));
    assert_eq!(play.published.len(), 1, "nothing is issued by itself");
    play.event(Event::LoginWorked).unwrap();
    assert!(play.rotation.needs_attention());
    play.until(|play| play.published.len() == 2);
}

#[test]
fn what_was_accepted_at_a_creation_that_failed_holds_when_it_is_tried_again() {
    for force in [true, false] {
        let mut play = Play::begin_forced(plan(30), force, |play| {
            play.inspection.credential_cap = Some(1);
            play.issue_faults.push(fault(FaultKind::Unauthorized));
        });
        play.event(Event::Answered).unwrap();
        play.until(|play| play.rotation.life == Life::Failed);
        play.command(Command::Rotate { retire_after: None })
            .unwrap();
        play.until(|play| play.rotation.run.is_none());
        assert_eq!(play.rotation.life == Life::Live, force);
    }
}

#[test]
fn the_next_rotation_is_the_one_that_comes_before_an_early_end() {
    let mut play = Play::live(365);
    let end = play.active().expires_at.unwrap();
    let due = play.rotation.due_at.unwrap();
    assert!(end > due);
    assert_eq!(play.rotation.next_rotation_at(&play.timing), Some(due));
    let soon = play.now + TimeDelta::days(30);
    let active = play.rotation.credentials.iter_mut();
    active.for_each(|credential| credential.expires_at = Some(soon));
    play.listed[0].expires_at = Some(soon);
    let next = play.rotation.next_rotation_at(&play.timing).unwrap();
    assert!(next < soon, "{next}");
    play.until(|play| play.rotation.run.is_some());
    assert!(
        (play.now - next).abs() < TimeDelta::minutes(10),
        "{} and {next}",
        play.now
    );
}
