//! What the simulator found, event by event: where chance alone comes by too rarely.

use std::time::Duration;

use chrono::TimeDelta;
use rotord_rotation::event::Answer;
use rotord_rotation::rotation::Facts;
use rotord_rotation::summary::NoticeCode;
use rotord_rotation::{
    Command, Credential, CredentialId, Event, FaultKind, Gate, Handle, Listed, Nonce, Plan, Reason,
    Removal, RunKind, Stage,
};
use uuid::Uuid;

use crate::play::{Play, plan, utc};
use crate::{fault, label};

fn made_by_hand(play: &mut Play) -> Handle {
    let handle = Handle("made-by-hand".to_owned());
    play.listed.push(Listed {
        handle: handle.clone(),
        label: None,
        expires_at: Some(utc("2030-01-01T00:00:00Z")),
    });
    handle
}

fn adopt(play: &mut Play, has_value: bool) -> Handle {
    let handle = made_by_hand(play);
    play.command(Command::Adopt {
        handle: handle.clone(),
        expires_at: Some(utc("2030-01-01T00:00:00Z")),
        has_value,
    })
    .unwrap();
    handle
}

/// A scheduled run whose credential waits for the next try.
fn with_a_leftover() -> Play {
    let mut play = Play::live(30);
    play.until(|play| matches!(&play.rotation.run, Some(run) if run.kind == RunKind::Scheduled));
    play.until(|play| play.by_handle("key-2").is_some());
    play.login = Answer::NotYet("invalid client".to_owned());
    play.until(|play| play.rotation.run.is_none());
    assert_eq!(play.stage("key-2"), Some(Stage::Pending));
    play.login = Answer::Works;
    play
}

#[test]
fn an_adoption_whose_credential_is_taken_away_ends_and_issues_nothing() {
    let mut play = Play::live(30);
    let handle = adopt(&mut play, true);
    let id = play.by_handle(&handle.0).unwrap().id;
    play.command(Command::Retire {
        credential: Some(id),
        force: false,
    })
    .unwrap();
    assert!(play.rotation.run.is_none());
    let numbers = play.rotation.sequence;
    play.pass(TimeDelta::hours(6));
    assert_eq!(play.rotation.sequence, numbers);
    assert_eq!(play.revoked, [handle]);
}

#[test]
fn what_an_earlier_try_left_goes_when_something_else_is_published() {
    let mut play = with_a_leftover();
    let handle = adopt(&mut play, true);
    play.until(|play| play.active().handle.as_ref() == Some(&handle));
    assert!(matches!(play.stage("key-2"), Some(Stage::Retiring(_))));
    play.pass(TimeDelta::hours(2));
    assert_eq!(play.by_handle("key-2"), None);
    assert!(play.listed.iter().all(|listed| listed.handle.0 != "key-2"));
}

#[test]
fn what_an_earlier_try_left_goes_when_nothing_is_due_any_more() {
    let mut play = with_a_leftover();
    play.command(Command::Pause).unwrap();
    play.pass(TimeDelta::days(1));
    assert_eq!(play.stage("key-2"), Some(Stage::Pending), "for the resume");
    // With a longer interval it is not due at the resume.
    let from = play.rotation.plan;
    let to = Plan {
        auto: true,
        interval: rotord_rotation::Interval::days(40).unwrap(),
        ..from
    };
    play.command(Command::Edit { from, to }).unwrap();
    assert!(play.rotation.due_at.unwrap() > play.now);
    assert!(matches!(play.stage("key-2"), Some(Stage::Retiring(_))));
}

#[test]
fn a_revoke_accepted_under_a_clock_that_was_fast_is_repeated_where_it_had_no_effect() {
    let mut play = Play::live(30);
    play.command(Command::Rotate { retire_after: None })
        .unwrap();
    play.until(|play| play.published.len() == 2);
    let next_year = play.now + TimeDelta::days(365);
    let replaced = play.rotation.credentials.iter_mut();
    for credential in replaced.filter(|c| c.stage == Stage::Previous) {
        credential.stage = Stage::Retiring(Removal {
            accepted_at: Some(next_year),
            ..Removal::new(Reason::Ordered, Gate::Published)
        });
    }
    play.event(Event::ClockStepped).unwrap();
    play.pass(TimeDelta::hours(2));
    assert_eq!(play.revoked, [Handle("key-1".to_owned())]);
}

#[test]
fn a_paused_rotation_tells_for_as_long_as_it_lasts_that_its_credential_is_gone() {
    let mut play = Play::live(30);
    play.command(Command::Pause).unwrap();
    play.listed.clear();
    play.login = Answer::NotYet("invalid client".to_owned());
    play.pass(TimeDelta::days(3));
    assert!(
        play.notices().contains(&NoticeCode::Drifted),
        "{:?}",
        play.notices()
    );
    play.command(Command::Resume).unwrap();
    assert_eq!(
        play.rotation.run.as_ref().map(|run| run.kind),
        Some(RunKind::Urgent)
    );
    play.login = Answer::Works;
    play.until(|play| play.published.len() == 2);
    assert!(!play.notices().contains(&NoticeCode::Drifted));
}

#[test]
fn what_was_in_doubt_is_so_again_when_it_can_not_be_taken_over() {
    for lost_in_the_books in [false, true] {
        let mut play = Play::live(30);
        // The books are from a time in which the answer to its attempt was awaited still.
        if lost_in_the_books {
            play.issue_faults.push(fault(FaultKind::Ambiguous));
            play.command(Command::Rotate { retire_after: None })
                .unwrap();
            play.until(|play| play.listed.len() == 2);
            play.event(Event::StateIsOld {
                why: "restored".to_owned(),
            })
            .unwrap();
        } else {
            play.listed.push(Listed {
                handle: Handle("key-2".to_owned()),
                label: Some(label(9, 9)),
                expires_at: None,
            });
        }
        let is_told = |play: &Play| play.rotation.doubts.iter().any(|d| d.handle.0 == "key-2");
        play.until(|play| is_told(play) && play.rotation.run.is_none());
        play.login = Answer::NotYet("invalid client".to_owned());
        play.command(Command::Adopt {
            handle: Handle("key-2".to_owned()),
            expires_at: None,
            has_value: true,
        })
        .unwrap();
        play.command(Command::Unblock).unwrap();
        play.until(|play| play.rotation.run.is_none());
        assert!(is_told(&play));
        play.pass(TimeDelta::days(3));
        assert!(is_told(&play) && !play.revoked.contains(&Handle("key-2".to_owned())));
    }
}

#[test]
fn what_an_adoption_replaces_on_a_small_target_makes_room_soon() {
    let mut play = Play::begin_with(plan(30), |play| play.inspection.credential_cap = Some(2));
    play.event(Event::Answered).unwrap();
    play.until(|play| !play.published.is_empty());
    // After a rest nothing of the target is in memory.
    play.rotation.facts = Facts::default();
    adopt(&mut play, true);
    play.until(|play| play.published.len() == 2);
    let kept_until = play.by_handle("key-1").unwrap().revoke_not_before.unwrap();
    assert!(kept_until < play.now + TimeDelta::hours(3), "{kept_until}");
}

#[test]
fn drift_is_decided_though_a_removal_surveys_all_along() {
    let mut play = Play::live(30);
    play.command(Command::Rotate { retire_after: None })
        .unwrap();
    play.until(|play| play.published.len() == 2);
    // Its first look is the one that counts the first absence: from then on both looks fall together.
    play.until(|play| matches!(play.stage("key-1"), Some(Stage::Retiring(_))));
    play.listed.retain(|listed| listed.handle.0 == "key-1");
    play.login = Answer::NotYet("invalid client".to_owned());
    let since = play.now;
    play.until(|play| play.rotation.urgent.is_some());
    assert!(play.now - since < TimeDelta::days(2));
}

#[test]
fn what_was_taken_over_and_is_listed_no_more_is_gone() {
    let mut play = Play::live(30);
    let handle = adopt(&mut play, false);
    play.command(Command::Rotate { retire_after: None })
        .unwrap();
    play.until(|play| matches!(play.stage("made-by-hand"), Some(Stage::Retiring(_))));
    // Its owner was quicker.
    play.listed.retain(|listed| listed.handle != handle);
    play.pass(TimeDelta::hours(3));
    assert_eq!(play.by_handle("made-by-hand"), None);
    assert!(!play.revoked.contains(&handle));
}

#[test]
fn a_creation_that_failed_unseen_leaves_what_was_taken_over_meanwhile() {
    let mut play = Play::begin_with(plan(30), |play| {
        play.login = Answer::NotYet("invalid client".to_owned());
    });
    let handle = adopt(&mut play, false);
    play.until(|play| play.removed);
    assert!(!play.revoked.contains(&handle));
    assert!(play.listed.iter().all(|listed| listed.handle == handle));
}

#[test]
fn where_the_published_one_has_ended_the_catch_up_does_not_soak_for_long() {
    let mut play = Play::live(1);
    play.now += TimeDelta::days(20);
    play.call = None;
    play.event(Event::Started).unwrap();
    let start = play.now;
    play.until(|play| play.published.len() == 2);
    assert!(
        play.now - start < TimeDelta::minutes(8),
        "{}",
        play.now - start
    );
}

#[test]
fn nothing_is_asked_while_a_consumer_has_not_acknowledged() {
    let mut play = Play::live(30);
    play.command(Command::Rotate { retire_after: None })
        .unwrap();
    play.until(|play| play.published.len() == 2);
    play.event(Event::Unhealthy {
        delivery: "the application".to_owned(),
        why: "it did not start".to_owned(),
    })
    .unwrap();
    play.until(|play| matches!(play.stage("key-1"), Some(Stage::Retiring(_))));
    let mut calls = 0;
    let end = play.now + TimeDelta::hours(12);
    while play.now < end {
        let before = play.call.is_some();
        play.until(|play| play.call.is_some() != before || play.now >= end);
        calls += usize::from(play.call.is_some());
    }
    assert!(calls < 40, "{calls} calls");
    assert!(play.revoked.is_empty());
    let delivery = "the application".to_owned();
    play.event(Event::Acknowledged { delivery }).unwrap();
    play.until(|play| !play.revoked.is_empty());
    assert!(play.now < end + TimeDelta::minutes(3));
}

#[test]
fn retiring_what_was_replaced_takes_what_was_adopted_along() {
    let mut play = Play::live(30);
    let adopted = adopt(&mut play, false);
    play.command(Command::Retire {
        credential: None,
        force: false,
    })
    .unwrap();
    play.until(|play| play.revoked.contains(&adopted));
}

#[test]
fn one_list_without_it_is_no_proof_that_what_was_published_is_gone() {
    let mut play = Play::live(30);
    play.command(Command::Rotate { retire_after: None })
        .unwrap();
    play.until(|play| matches!(play.stage("key-1"), Some(Stage::Retiring(_))));
    // A replica that lags shows a list without it, once.
    let all = play.listed.clone();
    play.listed.retain(|listed| listed.handle.0 != "key-1");
    let absences = |play: &Play| {
        let removal = play.by_handle("key-1").and_then(|c| c.removal());
        removal.map(|removal| removal.absences)
    };
    play.until(|play| absences(play) != Some(0));
    assert_eq!(absences(&play), Some(1), "{:?}", play.stage("key-1"));
    play.listed = all;
    play.until(|play| !play.revoked.is_empty());
    // The same after the revoke.
    play.until(|play| absences(play) != Some(0));
    assert_eq!(absences(&play), Some(1), "{:?}", play.stage("key-1"));
}

#[test]
fn what_was_being_removed_unpublished_waits_while_the_books_are_in_doubt() {
    let mut play = with_a_leftover();
    adopt(&mut play, true);
    play.until(|play| matches!(play.stage("key-2"), Some(Stage::Retiring(_))));
    play.event(Event::StateIsOld {
        why: "restored".to_owned(),
    })
    .unwrap();
    play.pass(TimeDelta::days(2));
    assert!(play.revoked.is_empty(), "{:?}", play.revoked);
    play.command(Command::Unblock).unwrap();
    play.until(|play| play.revoked == [Handle("key-2".to_owned())]);
}

#[test]
fn a_second_one_of_a_settled_attempt_is_removed_unless_the_books_are_in_doubt() {
    for in_doubt in [false, true] {
        let mut play = Play::live(30);
        let settled = Credential {
            id: CredentialId(Uuid::from_u128(77)),
            nonce: Nonce(0xdead),
            handle: Some(Handle("settled".to_owned())),
            stage: Stage::Gone,
            slot: None,
            ..play.active().clone()
        };
        let twin = Listed {
            handle: Handle("twin".to_owned()),
            label: Some(label(settled.sequence, settled.nonce.0)),
            expires_at: settled.expires_at,
        };
        play.tombstones.push(settled);
        if in_doubt {
            play.event(Event::StateIsOld {
                why: "restored".to_owned(),
            })
            .unwrap();
        }
        play.listed.push(twin.clone());
        play.pass(TimeDelta::days(2));
        assert_eq!(play.revoked.contains(&twin.handle), !in_doubt);
        let told = play.rotation.doubts.iter().any(|d| d.handle == twin.handle);
        assert_eq!(told, in_doubt);
    }
}

#[test]
fn what_old_books_call_replaced_stays_until_a_person_has_looked() {
    let mut play = Play::live(30);
    // On another host the first one may be published still.
    play.event(Event::StateIsOld {
        why: "copied".to_owned(),
    })
    .unwrap();
    play.command(Command::Rotate {
        retire_after: Some(Duration::ZERO),
    })
    .unwrap();
    play.until(|play| play.published.len() == 2);
    play.pass(TimeDelta::days(2));
    assert!(play.revoked.is_empty(), "{:?}", play.revoked);
    // What was issued since is nobody else's.
    play.command(Command::Rotate {
        retire_after: Some(Duration::ZERO),
    })
    .unwrap();
    play.until(|play| play.revoked == [Handle("key-2".to_owned())]);
    assert!(play.notices().contains(&NoticeCode::RemovalWaits));
    play.command(Command::Unblock).unwrap();
    play.until(|play| play.revoked.contains(&Handle("key-1".to_owned())));
}

#[test]
fn on_a_small_target_old_books_make_no_room_unasked() {
    let mut play = Play::begin_with(plan(30), |play| play.inspection.credential_cap = Some(2));
    play.event(Event::Answered).unwrap();
    play.until(|play| !play.published.is_empty());
    play.command(Command::Rotate { retire_after: None })
        .unwrap();
    play.until(|play| play.published.len() == 2);
    play.event(Event::StateIsOld {
        why: "copied".to_owned(),
    })
    .unwrap();
    play.issue_faults.push(fault(FaultKind::Full));
    play.command(Command::Rotate { retire_after: None })
        .unwrap();
    play.until(|play| play.rotation.run.is_none());
    assert!(play.revoked.is_empty(), "{:?}", play.revoked);
    let said = play.last_end.clone().unwrap().unwrap_err();
    assert!(said.contains("unblock the rotation"), "{said}");
}

#[test]
fn what_was_adopted_without_its_value_and_fills_the_target_is_named() {
    let mut play = Play::live(30);
    adopt(&mut play, false);
    play.issue_faults.push(fault(FaultKind::Full));
    play.command(Command::Rotate { retire_after: None })
        .unwrap();
    play.until(|play| play.rotation.run.is_none());
    let said = play.last_end.clone().unwrap().unwrap_err();
    assert!(said.contains("retire it once nobody uses it"), "{said}");
}

#[test]
fn nothing_is_revoked_unasked_while_the_clocks_disagree() {
    let mut play = Play::live(30);
    play.command(Command::Rotate {
        retire_after: Some(Duration::ZERO),
    })
    .unwrap();
    play.until(|play| play.published.len() == 2);
    let overlap_passed = play.by_handle("key-1").unwrap().revoke_not_before.unwrap();
    // By both clocks its time has come.
    play.provider_ahead = TimeDelta::days(1);
    play.event(Event::ClockStepped).unwrap();
    let later = overlap_passed - play.now + TimeDelta::hours(12);
    play.pass(later);
    assert!(play.revoked.is_empty(), "{:?}", play.revoked);
    play.provider_ahead = TimeDelta::zero();
    play.call = None;
    play.event(Event::Started).unwrap();
    play.until(|play| !play.revoked.is_empty());
}

#[test]
fn what_leaked_is_replaced_and_revoked_though_lost_answers_are_open() {
    let mut play = Play::live(30);
    let lost = fault(FaultKind::Ambiguous);
    play.issue_faults = vec![lost.clone(), lost.clone(), lost];
    play.command(Command::Rotate { retire_after: None })
        .unwrap();
    for lost in 1..=3 {
        play.until(|play| play.rotation.lost() == lost);
        // No survey shows what they made.
        play.listed.retain(|listed| listed.handle.0 == "key-1");
    }
    let (leaked, since) = (play.active().id, play.now);
    play.command(Command::Retire {
        credential: Some(leaked),
        force: false,
    })
    .unwrap();
    assert!(play.notices().contains(&NoticeCode::Urgent));
    play.until(|play| play.revoked.contains(&Handle("key-1".to_owned())));
    assert!(
        play.now - since < TimeDelta::hours(3),
        "{}",
        play.now - since
    );
}

#[test]
fn a_login_that_a_person_sees_refused_has_the_target_looked_at_now() {
    let mut play = Play::live(30);
    play.listed.clear();
    play.login = Answer::NotYet("invalid client".to_owned());
    // It was looked at a moment ago, and would be tomorrow.
    assert!(play.rotation.next_drift_check - play.now > TimeDelta::hours(12));
    let since = play.now;
    play.event(Event::LoginRefused {
        why: "invalid client".to_owned(),
    })
    .unwrap();
    assert!(play.notices().contains(&NoticeCode::LoginRefused));
    play.until(|play| play.rotation.urgent.is_some());
    assert!(
        play.now - since < TimeDelta::hours(1),
        "{}",
        play.now - since
    );
}

#[test]
fn what_came_since_the_last_look_is_in_doubt_once_a_person_unblocks() {
    let mut play = Play::live(30);
    play.event(Event::StateIsOld {
        why: "restored".to_owned(),
    })
    .unwrap();
    play.pass(TimeDelta::hours(1));
    play.listed.push(Listed {
        handle: Handle("from-the-future".to_owned()),
        label: Some(label(41, 0xabc)),
        expires_at: None,
    });
    play.command(Command::Unblock).unwrap();
    let since = play.now;
    play.until(|play| play.rotation.needs_attention());
    assert!(play.now - since < TimeDelta::minutes(1));
}
