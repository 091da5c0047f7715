//! The rules of a rotation, one at a time. What holds among all of them at once is the simulator's.

#![expect(clippy::unwrap_used, reason = "a script that can't go on should stop")]

mod corners;
mod found;
mod play;
mod troubled;

use std::time::Duration;

use chrono::TimeDelta;
use play::{INSTALLATION, Play, ROTATION, plan, utc};
use rotord_rotation::event::Answer;
use rotord_rotation::rotation::Urgent;
use rotord_rotation::summary::NoticeCode;
use rotord_rotation::{
    Call, Command, Event, Fault, FaultKind, Handle, Inspection, Label, Life, Listed, Nonce,
    Outcome, Plan, Refusal, RotationId, RunKind, Stage,
};

fn fault(kind: FaultKind) -> Fault {
    Fault::new(kind, "said the service")
}

fn label(sequence: u64, nonce: u64) -> Label {
    Label {
        installation: INSTALLATION.into(),
        rotation: ROTATION.into(),
        sequence,
        nonce: Nonce(nonce),
    }
}

#[test]
fn creation_publishes_after_the_short_soak_and_is_due_an_interval_and_a_day_later() {
    let play = Play::live(30);
    assert_eq!(play.rotation.outcome, Outcome::Success);
    assert_eq!(play.active().slot, Some(0));
    assert!(play.now - utc("2026-03-01T10:00:00Z") >= TimeDelta::seconds(60));
    assert!(play.now - utc("2026-03-01T10:00:00Z") < TimeDelta::seconds(90));
    assert_eq!(play.rotation.due_at, Some(utc("2026-04-01T00:00:00Z")));
}

#[test]
fn a_login_of_a_proof_needs_nothing_written_before_it_and_what_changes_the_provider_does() {
    let mut play = Play::live(30);
    play.until(|play| play.revoked.len() == 2);
    let logins = |call: &&Call| matches!(call, Call::Verify { .. });
    let proofs = play.published.len();
    // The first login of each proof follows what was issued, in the step that keeps it.
    let successes = usize::try_from(play.rules.verify_successes).unwrap();
    assert!(play.unwritten.iter().filter(logins).count() >= proofs * (successes - 1));
    let changing: Vec<_> = play.unwritten.iter().filter(|call| call.writes()).collect();
    assert!(changing.is_empty(), "{changing:?}");
}

#[test]
fn a_scheduled_run_soaks_for_the_whole_bound_and_keeps_its_rhythm() {
    let mut play = Play::live(30);
    play.until(|play| play.published.len() == 2);
    assert!(play.now >= utc("2026-04-01T00:20:00Z"));
    assert!(play.now < utc("2026-04-01T00:21:00Z"));
    assert_eq!(play.rotation.due_at, Some(utc("2026-05-01T00:00:00Z")));
    assert_eq!(play.active().slot, Some(1));
}

#[test]
fn the_replaced_one_is_revoked_when_the_next_is_due_and_not_before() {
    let mut play = Play::live(30);
    play.until(|play| play.published.len() == 2);
    let instant = play.by_handle("key-1").unwrap().revoke_not_before;
    assert_eq!(instant, Some(utc("2026-05-01T00:00:00Z")));
    play.until(|play| !play.revoked.is_empty());
    assert!(play.now >= utc("2026-05-01T00:00:00Z"));
    assert_eq!(play.revoked, [Handle("key-1".to_owned())]);
}

#[test]
fn quick_manual_rotations_leave_several_waiting_and_move_no_instant() {
    let mut play = Play::live(30);
    for published in 2..=4 {
        play.command(Command::Rotate { retire_after: None })
            .unwrap();
        play.until(|play| play.published.len() == published);
    }
    assert!(play.revoked.is_empty());
    let waiting: Vec<_> = play
        .rotation
        .credentials
        .iter()
        .filter(|c| c.stage == Stage::Previous)
        .collect();
    assert_eq!(waiting.len(), 3);
    let slots: Vec<_> = play
        .rotation
        .credentials
        .iter()
        .filter_map(|c| c.slot)
        .collect();
    assert_eq!(slots.len(), 2);
    assert!(
        waiting
            .iter()
            .all(|c| c.revoke_not_before == Some(utc("2026-04-01T00:00:00Z")))
    );
}

#[test]
fn a_persons_overlap_is_never_below_the_providers_minimum() {
    let mut play = Play::live(30);
    play.command(Command::Rotate {
        retire_after: Some(Duration::from_mins(1)),
    })
    .unwrap();
    play.until(|play| play.published.len() == 2);
    let least = play.now + TimeDelta::minutes(110);
    let instant = play.by_handle("key-1").unwrap().revoke_not_before.unwrap();
    assert!(least - instant < TimeDelta::seconds(10), "{instant}");
}

#[test]
fn a_lost_answer_is_found_removed_and_costs_a_new_attempt() {
    let mut play = Play::begin_with(plan(30), |play| {
        play.issue_faults.push(fault(FaultKind::Ambiguous));
    });
    play.until(|play| !play.published.is_empty());
    assert_eq!(play.active().handle, Some(Handle("key-2".to_owned())));
    play.until(|play| play.revoked.contains(&Handle("key-1".to_owned())));
    assert_eq!(play.listed.len(), 1);
}

#[test]
fn never_more_than_three_lost_answers_are_open() {
    let mut play = Play::begin_with(plan(30), |play| {
        play.issue_faults = vec![fault(FaultKind::Ambiguous); 40];
        // Nothing is ever found.
        play.rules.propagation_bound = Duration::from_mins(20);
    });
    for _ in 0..400 {
        play.listed.clear();
        let before = play.now;
        play.until(|play| play.now > before || play.call.is_some());
        assert!(play.rotation.lost() <= 3);
        if let Some(call) = &play.call
            && matches!(call, Call::Issue { .. })
        {
            assert!(play.rotation.lost() < 3);
        }
        play.until(|play| play.now > before);
    }
}

#[test]
fn a_refusal_that_a_person_must_mend_fails_creation_and_leaves_nothing() {
    let mut play = Play::begin_with(plan(30), |play| {
        play.issue_faults.push(fault(FaultKind::Unauthorized));
    });
    play.until(|play| play.last_end.is_some());
    assert_eq!(play.last_end, Some(Err("said the service".to_owned())));
    assert!(play.removed, "nobody was told of it: the row goes");
}

#[test]
fn a_creation_that_fails_after_its_answer_stays_and_can_be_tried_again() {
    let mut play = Play::begin_with(plan(30), |play| {
        play.issue_faults.push(fault(FaultKind::Unauthorized));
    });
    play.event(Event::Answered).unwrap();
    play.until(|play| play.last_end.is_some());
    assert_eq!(play.rotation.life, Life::Failed);
    play.command(Command::Rotate { retire_after: None })
        .unwrap();
    play.until(|play| !play.published.is_empty());
    assert_eq!(play.rotation.life, Life::Live);
}

#[test]
fn throttling_is_waited_out_within_the_run() {
    let mut play = Play::begin_with(plan(30), |play| {
        let throttled = Fault {
            retry_after: Some(Duration::from_secs(7)),
            ..fault(FaultKind::Throttled)
        };
        play.issue_faults = vec![throttled; 3];
    });
    play.until(|play| !play.published.is_empty());
    assert_eq!(play.listed.len(), 1);
}

#[test]
fn a_failed_scheduled_run_is_retried_and_a_failed_manual_one_is_not() {
    let mut play = Play::live(30);
    play.issue_faults.push(fault(FaultKind::Refused));
    play.command(Command::Rotate { retire_after: None })
        .unwrap();
    play.until(|play| play.rotation.outcome == Outcome::Failed);
    assert_eq!(play.rotation.next_try_at, None);
    let told = play.notices();
    assert!(told.contains(&NoticeCode::ManualFailed) && !told.contains(&NoticeCode::Failing));

    play.issue_faults.push(fault(FaultKind::Refused));
    play.until(|play| play.rotation.next_try_at.is_some());
    let told = play.notices();
    assert!(told.contains(&NoticeCode::Failing) && !told.contains(&NoticeCode::ManualFailed));
    assert!(play.rotation.next_rotation_at(&play.timing) > play.rotation.due_at);
    play.until(|play| play.published.len() == 2);
    assert_eq!(play.rotation.failures, 0);
}

#[test]
fn what_a_failed_try_left_is_looked_at_before_anything_is_issued() {
    let mut play = Play::live(30);
    play.until(|play| play.rotation.run_credential().is_some());
    play.login = Answer::NotYet("invalid client".to_owned());
    play.until(|play| play.rotation.next_try_at.is_some());
    assert_eq!(play.stage("key-2"), Some(Stage::Pending));
    play.login = Answer::Works;
    play.until(|play| play.published.len() == 2);
    assert_eq!(
        play.active().handle,
        Some(Handle("key-2".to_owned())),
        "no third was issued"
    );
}

#[test]
fn never_blocks_until_a_person_says_better() {
    let mut play = Play::live(30);
    play.login = Answer::Never("the application is disabled".to_owned());
    play.until(|play| play.rotation.blocked.is_some());
    let issued = play.rotation.sequence;
    play.pass(TimeDelta::days(3));
    assert_eq!(play.rotation.sequence, issued);
    play.login = Answer::Works;
    play.command(Command::Rotate { retire_after: None })
        .unwrap();
    play.until(|play| play.published.len() == 2);
    assert!(play.rotation.blocked.is_none());
}

#[test]
fn pausing_keeps_the_pending_credential_and_resuming_uses_it() {
    let mut play = Play::live(30);
    play.until(|play| play.stage("key-2") == Some(Stage::Pending));
    play.command(Command::Pause).unwrap();
    assert!(play.rotation.run.is_none());
    assert_eq!(play.rotation.next_rotation_at(&play.timing), None);
    play.pass(TimeDelta::days(2));
    play.command(Command::Resume).unwrap();
    play.until(|play| play.published.len() == 2);
    assert_eq!(play.active().handle, Some(Handle("key-2".to_owned())));
}

#[test]
fn a_second_manual_rotation_is_refused_and_a_scheduled_soak_is_cut_short() {
    let mut play = Play::live(30);
    play.command(Command::Rotate { retire_after: None })
        .unwrap();
    let second = play.command(Command::Rotate { retire_after: None });
    assert_eq!(second, Err(Refusal::InProgress));
    play.until(|play| play.published.len() == 2);

    play.until(|play| play.rotation.run_credential().is_some());
    assert_eq!(play.rotation.run.as_ref().unwrap().kind, RunKind::Scheduled);
    play.command(Command::Rotate { retire_after: None })
        .unwrap();
    let before = play.now;
    play.until(|play| play.published.len() == 3);
    assert!(play.now - before < TimeDelta::minutes(5));
}

#[test]
fn a_leaked_published_one_is_replaced_first_and_revoked_at_once() {
    let mut play = Play::live(30);
    let leaked = play.active().id;
    play.command(Command::Retire {
        credential: Some(leaked),
        force: false,
    })
    .unwrap();
    assert!(play.revoked.is_empty());
    play.until(|play| !play.revoked.is_empty());
    assert_eq!(play.published.len(), 2);
    assert_eq!(play.revoked, [Handle("key-1".to_owned())]);
    assert!(play.now - utc("2026-03-01T10:00:00Z") < TimeDelta::minutes(10));
}

#[test]
fn retiring_keeps_the_check_that_the_published_one_works_unless_forced() {
    let mut play = Play::live(30);
    play.command(Command::Rotate { retire_after: None })
        .unwrap();
    play.until(|play| play.published.len() == 2);
    // Long enough that the login of the publication is not fresh any more.
    play.pass(TimeDelta::hours(1));
    play.login = Answer::NotYet("invalid client".to_owned());
    play.command(Command::Retire {
        credential: None,
        force: false,
    })
    .unwrap();
    play.pass(TimeDelta::hours(1));
    assert!(play.revoked.is_empty());
    play.command(Command::Retire {
        credential: None,
        force: true,
    })
    .unwrap();
    play.until(|play| !play.revoked.is_empty());
}

#[test]
fn retiring_with_nothing_replaced_says_so() {
    let mut play = Play::live(30);
    let refused = play
        .command(Command::Retire {
            credential: None,
            force: false,
        })
        .unwrap_err();
    assert!(refused.to_string().contains("key id"), "{refused}");
}

#[test]
fn deleting_releases_what_was_published_and_removes_the_rest() {
    let mut play = Play::live(30);
    play.command(Command::Rotate { retire_after: None })
        .unwrap();
    play.until(|play| play.stage("key-2") == Some(Stage::Pending));
    play.command(Command::Delete { revoke: false }).unwrap();
    play.until(|play| play.removed);
    assert_eq!(play.revoked, [Handle("key-2".to_owned())]);
    assert_eq!(play.listed.len(), 1);
}

#[test]
fn who_waits_for_a_run_is_told_at_once_that_its_rotation_was_deleted() {
    let mut play = Play::live(30);
    play.command(Command::Rotate { retire_after: None })
        .unwrap();
    play.until(|play| play.stage("key-2") == Some(Stage::Pending));
    play.last_end = None;
    play.command(Command::Delete { revoke: true }).unwrap();
    let why = play.last_end.clone().unwrap().unwrap_err();
    assert!(why.contains("deleted"), "{why}");
    assert!(!play.removed);
}

#[test]
fn deleting_with_revoke_leaves_nothing() {
    let mut play = Play::live(30);
    play.command(Command::Rotate { retire_after: None })
        .unwrap();
    play.until(|play| play.published.len() == 2);
    play.command(Command::Delete { revoke: true }).unwrap();
    assert_eq!(play.command(Command::Resume), Err(Refusal::Deleting));
    play.until(|play| play.removed);
    assert!(play.listed.is_empty());
}

#[test]
fn an_unknown_label_of_our_own_is_reported_and_never_touched() {
    let mut play = Play::live(30);
    let stranger = Listed {
        handle: Handle("from-the-future".to_owned()),
        label: Some(label(41, 0xabc)),
        expires_at: Some(utc("2027-01-01T00:00:00Z")),
    };
    play.listed.push(stranger.clone());
    play.until(|play| play.rotation.needs_attention());
    assert_eq!(play.rotation.sequence, 41, "issuing goes on above it");
    play.until(|play| play.published.len() == 3);
    assert!(play.listed.contains(&stranger));
    play.command(Command::Remove {
        handle: stranger.handle.clone(),
    })
    .unwrap();
    play.until(|play| play.revoked.contains(&stranger.handle));
    assert!(!play.rotation.needs_attention());
}

#[test]
fn in_attention_mode_a_lost_answer_that_is_found_is_reported_and_not_removed() {
    let mut play = Play::live(30);
    play.event(Event::StateIsOld {
        why: "restored".to_owned(),
    })
    .unwrap();
    play.issue_faults.push(fault(FaultKind::Ambiguous));
    play.command(Command::Rotate { retire_after: None })
        .unwrap();
    play.until(|play| play.published.len() == 2);
    play.pass(TimeDelta::days(1));
    assert!(!play.revoked.contains(&Handle("key-2".to_owned())));
    assert_eq!(play.rotation.doubts.len(), 1);
}

/// A rotation whose only attempt since its creation was lost; nothing was published in its place yet.
fn with_a_lost_answer() -> Play {
    let mut play = Play::live(30);
    play.issue_faults.push(fault(FaultKind::Ambiguous));
    play.command(Command::Rotate { retire_after: None })
        .unwrap();
    play.until(|play| play.rotation.lost() == 1);
    play
}

#[test]
fn an_unknown_label_in_the_same_list_keeps_a_lost_answer_from_being_removed() {
    let mut play = with_a_lost_answer();
    // The lost one first: what it means is decided after all of the list was seen.
    play.listed.push(Listed {
        handle: Handle("from-the-future".to_owned()),
        label: Some(label(41, 0xabc)),
        expires_at: Some(utc("2027-01-01T00:00:00Z")),
    });
    play.until(|play| play.rotation.doubts.len() == 2);
    play.pass(TimeDelta::days(2));
    assert!(!play.revoked.contains(&Handle("key-2".to_owned())));
}

#[test]
fn what_was_lost_before_the_books_were_found_to_be_old_is_never_removed_unasked() {
    let mut play = with_a_lost_answer();
    let lost = Handle("key-2".to_owned());
    // No survey shows it until a person has said that all is well.
    let hidden = play.listed.iter().position(|l| l.handle == lost).unwrap();
    let hidden = play.listed.remove(hidden);
    let why = "restored".to_owned();
    play.event(Event::StateIsOld { why }).unwrap();
    play.until(|play| play.published.len() == 2);
    play.command(Command::Unblock).unwrap();
    assert!(!play.rotation.needs_attention());
    play.listed.push(hidden);
    play.until(|play| play.rotation.needs_attention());
    assert!(matches!(
        play.command(Command::Unblock),
        Err(Refusal::Other(why)) if why.contains("key-2")
    ));
    play.pass(TimeDelta::days(2));
    assert!(!play.revoked.contains(&lost));
    play.command(Command::Remove {
        handle: lost.clone(),
    })
    .unwrap();
    play.until(|play| play.revoked.contains(&lost));
    play.until(|play| play.rotation.lost() == 0);
}

#[test]
fn what_a_person_removes_is_settled_though_it_is_gone_already() {
    let mut play = Play::live(30);
    let stranger = Handle("from-the-future".to_owned());
    play.listed.push(Listed {
        handle: stranger.clone(),
        label: Some(label(41, 0xabc)),
        expires_at: Some(utc("2027-01-01T00:00:00Z")),
    });
    play.until(|play| play.rotation.needs_attention());
    play.listed.retain(|listed| listed.handle != stranger);
    // No list that is fresh shows it.
    play.pass(TimeDelta::minutes(5));
    play.command(Command::Remove {
        handle: stranger.clone(),
    })
    .unwrap();
    play.pass(TimeDelta::days(1));
    assert_eq!(play.stage(&stranger.0), None, "it is a tombstone");
}

#[test]
fn what_was_adopted_without_its_value_and_is_gone_already_is_settled() {
    let mut play = Play::live(30);
    let handle = Handle("made-by-hand".to_owned());
    play.command(Command::Adopt {
        handle: handle.clone(),
        expires_at: None,
        has_value: false,
    })
    .unwrap();
    play.until(|play| play.published.len() == 2);
    play.pass(TimeDelta::days(40));
    assert_eq!(play.stage(&handle.0), None, "it is a tombstone");
}

#[test]
fn an_unproved_credential_of_old_books_is_reported_and_not_removed() {
    let mut play = Play::live(30);
    play.command(Command::Rotate { retire_after: None })
        .unwrap();
    play.until(|play| play.stage("key-2") == Some(Stage::Pending));
    let why = "restored".to_owned();
    play.event(Event::StateIsOld { why }).unwrap();
    play.login = Answer::NotYet("unknown".to_owned());
    play.until(|play| play.rotation.run.is_none());
    assert_eq!(play.rotation.doubts.len(), 1);
    play.login = Answer::Works;
    play.pass(TimeDelta::days(2));
    assert!(!play.revoked.contains(&Handle("key-2".to_owned())));
}

#[test]
fn adopting_with_its_value_proves_and_publishes_it() {
    let mut play = Play::live(30);
    let handle = Handle("made-by-hand".to_owned());
    let expires_at = Some(utc("2027-01-01T00:00:00Z"));
    play.listed.push(Listed {
        handle: handle.clone(),
        label: None,
        expires_at,
    });
    play.command(Command::Adopt {
        handle: handle.clone(),
        expires_at,
        has_value: true,
    })
    .unwrap();
    play.until(|play| play.published.len() == 2);
    assert_eq!(play.active().handle, Some(handle));
    assert_eq!(play.rotation.sequence, 1, "nothing was issued");
}

#[test]
fn adopting_without_its_value_retires_it_after_the_next_publication() {
    let mut play = Play::live(30);
    let handle = Handle("made-by-hand".to_owned());
    play.listed.push(Listed {
        handle: handle.clone(),
        label: None,
        expires_at: None,
    });
    play.command(Command::Adopt {
        handle: handle.clone(),
        expires_at: None,
        has_value: false,
    })
    .unwrap();
    play.until(|play| play.published.len() == 2);
    assert!(!play.revoked.contains(&handle));
    play.until(|play| play.revoked.contains(&handle));
    assert!(play.now >= utc("2026-05-01T00:00:00Z"));
}

#[test]
fn a_target_of_two_makes_room_when_the_time_allows() {
    let mut play = Play::begin_with(plan(30), |play| {
        play.inspection = Inspection {
            credential_cap: Some(2),
            ..Inspection::default()
        };
    });
    play.event(Event::Answered).unwrap();
    play.until(|play| play.published.len() == 1);
    play.until(|play| play.published.len() == 2);
    // The replaced one goes after the minimum, not at the next due time: the slot is needed.
    play.until(|play| !play.revoked.is_empty());
    assert!(play.now < utc("2026-04-01T03:00:00Z"), "{}", play.now);
}

#[test]
fn a_full_target_tells_a_person_when_it_can_be_rotated() {
    let mut play = Play::live(30);
    play.command(Command::Rotate { retire_after: None })
        .unwrap();
    play.until(|play| play.published.len() == 2);
    play.issue_faults.push(fault(FaultKind::Full));
    play.command(Command::Rotate { retire_after: None })
        .unwrap();
    play.until(|play| play.rotation.outcome == Outcome::Failed);
    let message = play.rotation.message.clone().unwrap();
    assert!(message.contains("2026-04-01"), "{message}");
    assert!(play.revoked.is_empty());
}

#[test]
fn creation_on_a_target_that_others_fill_is_refused() {
    let mut play = Play::begin_with(plan(30), |play| {
        play.inspection = Inspection {
            credential_cap: Some(2),
            ..Inspection::default()
        };
        let handle = Handle("theirs".to_owned());
        play.listed.push(Listed {
            handle,
            label: None,
            expires_at: None,
        });
    });
    play.until(|play| play.last_end.is_some());
    let message = play.last_end.clone().unwrap().unwrap_err();
    for words in ["at most 2", "(theirs)", "remove one that nobody uses"] {
        assert!(message.contains(words), "{words}: {message}");
    }
    assert_eq!(play.listed.len(), 1);
}

#[test]
fn nobody_is_told_to_remove_what_another_rotation_has_issued() {
    let of_another = Label {
        rotation: RotationId(uuid::Uuid::from_u128(8 << 100)).into(),
        ..label(3, 5)
    };
    let listed = |handle: &str, label| Listed {
        handle: Handle(handle.to_owned()),
        label,
        expires_at: None,
    };
    let mut play = Play::live(30);
    play.listed.push(listed("neighbour", Some(of_another)));
    play.pass(TimeDelta::days(2));
    play.issue_faults.push(fault(FaultKind::Full));
    play.command(Command::Rotate { retire_after: None })
        .unwrap();
    play.until(|play| play.rotation.outcome == Outcome::Failed);
    let message = play.rotation.message.clone().unwrap();
    assert!(
        message.contains("(neighbour), 1 of them by another rotation")
            && !message.contains("remove one"),
        "{message}"
    );
    // Named as far as that helps.
    for number in 0..7 {
        play.listed.push(listed(&format!("foreign-{number}"), None));
    }
    play.issue_faults.push(fault(FaultKind::Full));
    play.until(|play| play.rotation.run.is_some());
    play.until(|play| play.rotation.run.is_none());
    let message = play.rotation.message.clone().unwrap();
    for words in [
        "8 credentials",
        "foreign-3 and 3 more)",
        "no rotation issued",
    ] {
        assert!(message.contains(words), "{words}: {message}");
    }
}

#[test]
fn a_policy_that_is_too_short_for_the_interval_is_refused_before_anything_is_issued() {
    let mut play = Play::begin_with(plan(170), |play| {
        let most = Some(Duration::from_hours(180 * 24));
        play.inspection = Inspection {
            lifetime_most: most,
            ..Inspection::default()
        };
    });
    play.until(|play| play.last_end.is_some());
    assert!(play.listed.is_empty());
    assert!(
        play.last_end
            .clone()
            .unwrap()
            .unwrap_err()
            .contains("shorter interval")
    );
}

#[test]
fn nothing_is_published_while_the_clocks_disagree() {
    let mut play = Play::begin_with(plan(30), |play| {
        play.provider_ahead = TimeDelta::minutes(6);
    });
    play.event(Event::Answered).unwrap();
    play.pass(TimeDelta::minutes(20));
    assert!(play.published.is_empty());
    assert!(play.rotation.message.as_ref().unwrap().contains("clock"));
    play.provider_ahead = TimeDelta::zero();
    play.until(|play| !play.published.is_empty());
}

#[test]
fn removal_outside_is_drift_after_absences_and_a_failed_login() {
    let mut play = Play::live(30);
    play.listed.clear();
    play.pass(TimeDelta::days(3));
    assert_eq!(
        play.published.len(),
        1,
        "absences alone prove nothing: its logins still work"
    );
    play.login = Answer::NotYet("invalid client".to_owned());
    play.until(|play| play.rotation.run.is_some());
    play.login = Answer::Works;
    play.until(|play| play.published.len() == 2);
    assert!(play.now < utc("2026-03-10T00:00:00Z"), "{}", play.now);
}

#[test]
fn drift_of_a_paused_rotation_waits_for_a_person_and_ends_when_it_works_again() {
    let mut play = Play::live(30);
    play.command(Command::Pause).unwrap();
    let listed = std::mem::take(&mut play.listed);
    play.login = Answer::NotYet("invalid client".to_owned());
    play.until(|play| play.rotation.urgent == Some(Urgent::Drifted));
    play.pass(TimeDelta::days(3));
    assert!(play.rotation.run.is_none(), "paused is paused");
    play.login = Answer::Works;
    play.until(|play| play.rotation.urgent.is_none());
    // And again, for good: a resume replaces it at once.
    drop(listed);
    play.login = Answer::NotYet("invalid client".to_owned());
    play.until(|play| play.rotation.urgent == Some(Urgent::Drifted));
    play.command(Command::Resume).unwrap();
    assert!(play.rotation.run.is_some());
}

#[test]
fn a_paused_rotation_that_is_about_to_expire_is_shouted_about() {
    let mut play = Play::live(30);
    play.command(Command::Pause).unwrap();
    play.pass(TimeDelta::days(50));
    assert_eq!(play.published.len(), 1);
    let guard = play.rotation.guard_at(&play.timing).unwrap();
    assert!(guard <= play.now);
}

#[test]
fn a_shorter_interval_that_has_passed_is_due_now() {
    let mut play = Play::live(30);
    play.pass(TimeDelta::days(10));
    play.command(Command::Edit {
        from: plan(30),
        to: plan(5),
    })
    .unwrap();
    assert!(play.rotation.due_at.unwrap() <= play.now);
    play.until(|play| play.published.len() == 2);
}

#[test]
fn a_clock_that_was_far_ahead_does_not_keep_a_rotation_waiting() {
    let mut play = Play::live(30);
    play.now += TimeDelta::days(365);
    play.until(|play| play.published.len() == 2);
    play.now -= TimeDelta::days(365);
    play.event(Event::ClockStepped).unwrap();
    assert!(play.rotation.due_at.unwrap() <= play.now + TimeDelta::days(32));
}

#[test]
fn an_adoption_that_fails_leaves_the_credential_as_it_was_found() {
    for delete in [false, true] {
        let mut play = Play::live(30);
        let handle = Handle("made-by-hand".to_owned());
        let expires_at = Some(utc("2027-01-01T00:00:00Z"));
        play.listed.push(Listed {
            handle: handle.clone(),
            label: None,
            expires_at,
        });
        play.login = Answer::NotYet("invalid client".to_owned());
        play.command(Command::Adopt {
            handle: handle.clone(),
            expires_at,
            has_value: true,
        })
        .unwrap();
        if delete {
            play.command(Command::Delete { revoke: false }).unwrap();
        } else {
            play.until(|play| play.rotation.run.is_none());
        }
        play.pass(TimeDelta::days(2));
        assert!(!play.revoked.contains(&handle), "deleted: {delete}");
    }
}

#[test]
fn the_order_to_revoke_a_leaked_one_outlives_a_run_that_fails_and_a_pause() {
    let mut play = Play::live(30);
    let leaked = play.active().id;
    play.issue_faults.push(fault(FaultKind::Refused));
    play.command(Command::Retire {
        credential: Some(leaked),
        force: false,
    })
    .unwrap();
    play.until(|play| play.rotation.outcome == Outcome::Failed);
    play.command(Command::Pause).unwrap();
    play.until(|play| !play.revoked.is_empty());
    assert_eq!(play.revoked, [Handle("key-1".to_owned())]);
    assert!(play.now < utc("2026-03-01T12:00:00Z"), "{}", play.now);
    assert_eq!(play.rotation.urgent, None);
}

#[test]
fn deleting_what_is_in_doubt_needs_a_word() {
    let mut play = Play::live(30);
    let stranger = Listed {
        handle: Handle("from-the-future".to_owned()),
        label: Some(label(41, 0xabc)),
        expires_at: Some(utc("2027-01-01T00:00:00Z")),
    };
    play.listed.push(stranger.clone());
    play.until(|play| play.rotation.needs_attention());
    let refused = play.command(Command::Delete { revoke: false }).unwrap_err();
    assert!(refused.to_string().contains("from-the-future"), "{refused}");
    play.command(Command::Delete { revoke: true }).unwrap();
    play.until(|play| play.removed);
    assert!(play.listed.is_empty());
}

#[test]
fn a_removal_that_waits_for_its_gate_is_settled_when_the_rotation_is_deleted() {
    let mut play = Play::live(30);
    let handle = Handle("made-by-hand".to_owned());
    play.listed.push(Listed {
        handle: handle.clone(),
        label: None,
        expires_at: None,
    });
    play.command(Command::Adopt {
        handle: handle.clone(),
        expires_at: None,
        has_value: false,
    })
    .unwrap();
    play.until(|play| play.published.len() == 2);
    play.login = Answer::NotYet("invalid client".to_owned());
    play.until(|play| matches!(play.stage("made-by-hand"), Some(Stage::Retiring(_))));
    play.command(Command::Delete { revoke: true }).unwrap();
    play.until(|play| play.removed);
    assert!(play.revoked.contains(&handle));
}

#[test]
fn a_full_target_is_not_asked_again_and_again() {
    let mut play = Play::live(30);
    play.until(|play| play.published.len() == 2);
    // The replaced one's time has come, it is revoked, and the provider goes on saying "full".
    play.until(|play| !play.revoked.is_empty());
    play.issue_faults = vec![fault(FaultKind::Full); 1000];
    let sequence = play.rotation.sequence;
    play.pass(TimeDelta::hours(2));
    assert!(
        play.rotation.sequence - sequence < 40,
        "{}",
        play.rotation.sequence - sequence
    );
}

#[test]
fn a_force_once_given_is_not_taken_back() {
    let mut play = Play::live(30);
    play.command(Command::Rotate { retire_after: None })
        .unwrap();
    play.until(|play| play.published.len() == 2);
    play.pass(TimeDelta::hours(1));
    play.login = Answer::NotYet("invalid client".to_owned());
    let key = play.by_handle("key-1").unwrap().id;
    play.command(Command::Retire {
        credential: Some(key),
        force: true,
    })
    .unwrap();
    play.command(Command::Retire {
        credential: None,
        force: false,
    })
    .unwrap();
    play.until(|play| !play.revoked.is_empty());
}

#[test]
fn a_clock_that_was_set_while_the_daemon_was_off_keeps_nothing_waiting() {
    let mut play = Play::live(30);
    play.rotation.next_try_at = Some(utc("2036-01-01T00:00:00Z"));
    play.call = None;
    play.event(Event::Started).unwrap();
    play.until(|play| play.published.len() == 2);
    assert!(play.now < utc("2026-04-02T00:00:00Z"), "{}", play.now);
}

#[test]
fn an_edit_keeps_what_somebody_else_changed_meanwhile() {
    let mut play = Play::live(30);
    let read = play.rotation.plan;
    play.command(Command::Pause).unwrap();
    let to = Plan {
        interval: plan(7).interval,
        ..read
    };
    play.command(Command::Edit { from: read, to }).unwrap();
    assert!(!play.rotation.plan.auto);
    assert_eq!(play.rotation.plan.interval, plan(7).interval);
    assert_eq!(play.rotation.due_at, None);
}

#[test]
fn what_the_books_refuse_ends_the_run_in_words_and_orphans_nothing() {
    let mut play = Play::begin(plan(30));
    play.event(Event::Answered).unwrap();
    play.until(|play| matches!(play.call, Some(Call::Issue { .. })));
    let why = "no output of that name".to_owned();
    play.call = None;
    play.event(Event::NotKept { why: why.clone() }).unwrap();
    assert_eq!(play.last_end, Some(Err(why.clone())));
    assert_eq!(play.rotation.message, Some(why));
    assert_eq!(play.rotation.life, Life::Failed);
    assert_eq!(play.rotation.lost(), 1, "what was issued is looked for");
}
