use std::cell::Cell;
use std::sync::Arc;

use chrono::Utc;
use futures_util::FutureExt as _;
use rotord_provider::Limits;
use rotord_rotation::{Boot, Call, Command, CredentialId, Handle, Life, Phase, Rotation, Stage};
use rotord_store::Reader;
use serde_json::json;

use super::worker::{LEASE, may_begin};
use super::*;
use crate::actors::fixture::Books;
use crate::actors::scheduler::Nudge;
use crate::clock::Clock;
use crate::witness::Witness;

/// That of the fixture's target.
const TURN: &str = "echo echo";

/// Takes what the rotator tells the scheduler.
struct Deaf;

impl Actor for Deaf {
    type Context = Context<Self>;
}

impl Handler<Nudge> for Deaf {
    type Result = ();

    fn handle(&mut self, _: Nudge, _: &mut Self::Context) {}
}

async fn equipment(books: &Books) -> Equipment {
    let (host, rulebook) = books.host().await;
    Equipment {
        store: books.store.clone(),
        host,
        clock: Clock::default(),
        timing: books.timing.clone(),
        installation: books.installation,
        stale: None,
        witness: None,
        machine_id: None,
        scheduler: Deaf.start().recipient(),
        rulebook,
    }
}

fn due(rotation: RotationId) -> Due {
    Due {
        rotation,
        clock_set: false,
    }
}

/// Wakes the rotation, as a scheduler would, until its committed state is such.
async fn until(desk: &Rc<Desk>, id: RotationId, is: impl Fn(&Rotation) -> bool) -> Rotation {
    let woken = async {
        loop {
            let _ = desk.tell(Tell::new(id, Event::Woke)).await;
            let state = state(desk, id).await;
            if is(&state) {
                return state;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    in_time(woken).await
}

async fn state(desk: &Desk, id: RotationId) -> Rotation {
    read(desk, move |reader| reader.rotation(id)).await.state
}

async fn read<T: Send + 'static>(
    desk: &Desk,
    job: impl FnOnce(&Reader) -> Result<T, rotord_store::StoreError> + Send + 'static,
) -> T {
    desk.equipment.store.read(job).await.unwrap()
}

async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), work)
        .await
        .expect("it does not come to that")
}

/// Waits until this is so.
async fn comes(is: impl Fn() -> bool) {
    in_time(async {
        while !is() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

/// Waits until no rotation is at work.
async fn at_rest(desk: &Desk) {
    comes(|| desk.at_work() == 0).await;
}

fn is_issuing(rotation: &Rotation) -> bool {
    let phase = rotation.run.as_ref().map(|run| &run.phase);
    matches!(phase, Some(Phase::Issuing { .. }))
}

#[actix_rt::test]
async fn a_call_keeps_its_turn_when_its_rotation_s_task_breaks() {
    let limits = Limits {
        call_time: Duration::from_secs(10),
        concurrent_calls: 1,
        ..Limits::default()
    };
    let books = Books::with(limits).await;
    let loops = json!({"key": "k", "behaviour": "loop", "at": "issue"});
    let id = books.rotation_of(1, Utc::now(), loops).await;
    let desk = Rc::new(Desk::new(equipment(&books).await));
    until(&desk, id, is_issuing).await;
    let echo = desk.equipment.host.provider("echo").unwrap();
    comes(|| echo.turn().now_or_never().is_none()).await;
    // Behind what the call itself reads before it begins.
    state(&desk, id).await;
    // It has the turn, and nothing can be written any more: its task ends.
    books.store.close().await;
    in_time(async {
        while desk.at_work() > 0 {
            let _ = desk.tell(Tell::new(id, Event::Woke)).await;
        }
    })
    .await;
    let turn = desk.targets.lock(TURN, Duration::ZERO);
    let early = tokio::time::timeout(Duration::from_millis(300), turn).await;
    assert!(early.is_err(), "its call still runs");
    in_time(desk.targets.lock(TURN, Duration::ZERO)).await;
}

#[actix_rt::test]
async fn a_call_whose_turn_has_not_come_is_not_begun_when_its_rotation_s_task_breaks() {
    let books = Books::open().await;
    let id = books.rotation(1, Utc::now()).await;
    let desk = Rc::new(Desk::new(equipment(&books).await));
    let turn = desk.targets.lock(TURN, Duration::ZERO).await;
    until(&desk, id, is_issuing).await;
    let calls = || desk.equipment.host.provider("echo").unwrap().health().calls;
    let before = calls();
    books.store.close().await;
    in_time(async {
        while desk.at_work() > 0 {
            let _ = desk.tell(Tell::new(id, Event::Woke)).await;
        }
    })
    .await;
    drop(turn);
    // The one that waited comes first.
    drop(in_time(desk.targets.lock(TURN, Duration::ZERO)).await);
    assert_eq!(calls(), before);
}

#[actix_rt::test]
async fn a_drain_begins_no_call_whose_turn_has_not_come() {
    let books = Books::open().await;
    let id = books.rotation(1, Utc::now()).await;
    let desk = Rc::new(Desk::new(equipment(&books).await));
    let turn = desk.targets.lock(TURN, Duration::ZERO).await;
    until(&desk, id, is_issuing).await;
    let drained = actix_rt::spawn({
        let desk = Rc::clone(&desk);
        async move { desk.drain().await }
    });
    in_time(async {
        while !desk.is_draining() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    drop(turn);
    in_time(drained).await.unwrap();
    let issued = read(&desk, move |reader| reader.credentials(id)).await;
    assert_eq!(issued.len(), 1);
    assert_eq!(issued[0].stage, Stage::Refused, "certain not to exist");
    let run = state(&desk, id)
        .await
        .run
        .expect("the run goes on after the next start");
    assert!(matches!(run.phase, Phase::Waiting { .. }), "{run:?}");
}

#[actix_rt::test]
async fn what_a_person_called_off_is_not_issued_when_its_turn_comes() {
    let books = Books::open().await;
    let id = books.rotation(1, Utc::now()).await;
    let desk = Rc::new(Desk::new(equipment(&books).await));
    let turn = desk.targets.lock(TURN, Duration::ZERO).await;
    until(&desk, id, is_issuing).await;
    let delete = Event::Command(Command::Delete { revoke: false });
    desk.tell(Tell::new(id, delete)).await.unwrap();
    drop(turn);
    at_rest(&desk).await;
    let issued = read(&desk, move |reader| reader.credentials(id)).await;
    assert_eq!(issued.len(), 1);
    assert_eq!(issued[0].stage, Stage::Refused);
}

#[actix_rt::test]
async fn a_revoke_that_waited_longer_than_its_checks_hold_is_not_begun() {
    let books = Books::open().await;
    let desk = Desk::new(equipment(&books).await);
    let is_wanted = Rc::new(Cell::new(true));
    let wanted = Rc::downgrade(&is_wanted);
    let revoke = Call::Revoke {
        credential: CredentialId(uuid::Uuid::nil()),
        handle: Handle("x".to_owned()),
    };
    let now = Clock::default().now().boot;
    let long_ago = Boot(now.0.saturating_sub(desk.equipment.timing.gate_fresh * 2));
    let begins = |call: &Call, decided| may_begin(&desk, call, decided, &wanted).is_ok();
    assert!(!begins(&revoke, long_ago));
    assert!(begins(&Call::Survey, long_ago));
}

#[actix_rt::test]
async fn what_can_not_be_published_fails_the_run_and_says_why() {
    let books = Books::open().await;
    let id = books
        .rotation_from(1, Utc::now(), json!({"key": "k"}), "renamed")
        .await;
    let desk = Rc::new(Desk::new(equipment(&books).await));
    let told = desk.tell(Tell::new(id, Event::Answered)).await.unwrap();
    until(&desk, id, |rotation| rotation.run.is_none()).await;
    let end = in_time(told.run.unwrap().ended).await.unwrap();
    let why = end.result.unwrap_err().to_string();
    assert!(why.contains("no output renamed"), "{why}");
    let state = state(&desk, id).await;
    assert_eq!(state.life, Life::Failed);
    assert_eq!(state.message, Some(why));
}

#[actix_rt::test]
async fn a_run_wakes_itself_and_its_row_comes_due_a_lease_later() {
    let books = Books::open().await;
    let refused = json!({"key": "k", "behaviour": "say:later", "at": "verify"});
    let id = books.rotation_of(1, Utc::now(), refused).await;
    let mut equipment = equipment(&books).await;
    // Time for many logins on the slowest disk.
    equipment.timing.verify_cap = Duration::from_secs(3);
    let desk = Rc::new(Desk::new(equipment));
    let told = desk.tell(Tell::new(id, Event::Answered)).await.unwrap();
    // Nobody but the run itself looks at it: it waits from one login to the next.
    let mut ended = told.run.unwrap().ended;
    let calls = || desk.equipment.host.provider("echo").unwrap().health().calls;
    let mut leased = 0;
    let end = in_time(async {
        loop {
            let before = Utc::now();
            let seen = read(&desk, move |reader| {
                Ok((reader.rotation(id)?.state.run, reader.next_wake()?))
            });
            let (run, next) = seen.await;
            if run.is_none() {
                return (&mut ended).await.unwrap();
            }
            if let Some(next) = next {
                assert!(next - before >= LEASE / 2, "{next}");
                leased += 1;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    let why = end.result.unwrap_err().to_string();
    assert!(why.contains("refused at the end of the wait"), "{why}");
    assert!(leased > 0);
    // What each login showed is written down, and nothing before it.
    let commits = desk.equipment.store.write(|store| Ok(store.generation()));
    let (commits, calls) = (commits.await.unwrap(), calls());
    assert!(calls > 10 && commits < calls + 8, "{commits}, {calls}");
}

#[actix_rt::test]
async fn a_copy_from_within_a_proof_is_older_than_what_the_proof_led_to() {
    let books = Books::open().await;
    let id = books.rotation(1, Utc::now()).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("witness");
    let witness = |generation| Witness::open(&path, books.installation, generation).unwrap();
    let mut equipment = equipment(&books).await;
    equipment.witness = Some(Arc::new(witness(0)));
    let desk = Rc::new(Desk::new(equipment));
    let told = desk.tell(Tell::new(id, Event::Answered)).await.unwrap();
    let end = in_time(told.run.unwrap().ended).await.unwrap();
    assert!(end.result.is_ok(), "{end:?}");
    let published = desk.equipment.store.write(|store| Ok(store.generation()));
    let published = published.await.unwrap();
    assert_eq!(witness(published - 1).ahead(), Some(published));
}

#[actix_rt::test]
async fn a_person_s_word_that_the_books_are_right_outlives_a_broken_task() {
    let books = Books::open().await;
    let id = books.rotation(1, Utc::now()).await;
    let mut equipment = equipment(&books).await;
    equipment.stale = Some("it was restored".to_owned());
    let desk = Rc::new(Desk::new(equipment));
    desk.wake(due(id)).await;
    assert!(state(&desk, id).await.stale.is_some());
    let unblock = Event::Command(Command::Unblock);
    desk.tell(Tell::new(id, unblock)).await.unwrap();
    assert!(state(&desk, id).await.stale.is_none());
    // As after a step that could not be committed.
    desk.forget(id);
    desk.wake(due(id)).await;
    assert!(state(&desk, id).await.stale.is_none());
}

#[actix_rt::test]
async fn a_rotation_that_is_gone_is_forgotten() {
    let books = Books::open().await;
    let id = books.rotation(1, Utc::now()).await;
    let mut equipment = equipment(&books).await;
    equipment.stale = Some("it was restored".to_owned());
    let desk = Rc::new(Desk::new(equipment));
    let turn = desk.targets.lock(TURN, Duration::ZERO).await;
    desk.wake(due(id)).await;
    assert!(desk.is_started(id) && desk.old_books(id).is_none());
    let delete = Event::Command(Command::Delete { revoke: true });
    desk.tell(Tell::new(id, delete)).await.unwrap();
    drop(turn);
    at_rest(&desk).await;
    assert!(!desk.is_started(id) && desk.old_books(id).is_some());
}

#[actix_rt::test]
async fn everyone_who_told_a_rotation_that_can_not_be_read_hears_why() {
    let books = Books::open().await;
    let desk = Rc::new(Desk::new(equipment(&books).await));
    let nobody = RotationId(uuid::Uuid::from_u128(99));
    let tells = (0..100).map(|_| desk.tell(Tell::new(nobody, Event::Woke)));
    for told in in_time(futures_util::future::join_all(tells)).await {
        let error = told.unwrap_err().to_string();
        assert!(error.contains("there is no rotation"), "{error}");
    }
}

#[actix_rt::test]
async fn what_was_seen_at_one_target_is_not_taken_for_another() {
    let limits = Limits {
        concurrent_calls: 1,
        ..Limits::default()
    };
    let books = Books::with(limits).await;
    let id = books.rotation(1, Utc::now()).await;
    let desk = Rc::new(Desk::new(equipment(&books).await));
    let echo = desk.equipment.host.provider("echo").unwrap();
    let calls = || echo.health().calls;
    let before = calls();
    // The survey of the first target is asked for, and not made yet.
    let room = echo.turn().await;
    desk.tell(Tell::new(id, Event::Woke)).await.unwrap();
    let plan = state(&desk, id).await.plan;
    let elsewhere = json!({"key": "elsewhere"});
    let change = RotationChange {
        parameters: elsewhere.as_object().cloned(),
        target_key: Some("elsewhere".to_owned()),
        ..RotationChange::default()
    };
    let edit = Tell {
        rotation: id,
        event: Event::Command(Command::Edit {
            from: plan,
            to: plan,
        }),
        with: With {
            change: Some(change),
            ..With::default()
        },
    };
    desk.tell(edit).await.unwrap();
    drop(room);
    let turn = desk.targets.lock("echo elsewhere", Duration::ZERO).await;
    until(&desk, id, is_issuing).await;
    assert_eq!(calls() - before, 3, "two surveys and an inspection");
    drop(turn);
}

#[actix_rt::test]
async fn a_wake_up_says_whether_it_was_written() {
    let books = Books::open().await;
    let now = Utc::now();
    let id = books.rotation(1, now).await;
    let desk = Rc::new(Desk::new(equipment(&books).await));
    assert_eq!(desk.wake(due(id)).await, Heard::Committed);
    let nobody = RotationId(uuid::Uuid::from_u128(99));
    assert_eq!(desk.wake(due(nobody)).await, Heard::Committed);

    // Bounds that are not known: it waits, out of the way of the others.
    let strange = books.rotation(2, now).await;
    desk.set_rulebook(Rulebook::default());
    assert_eq!(desk.wake(due(strange)).await, Heard::PutOff);
    let next = books.store.read(Reader::next_wake).await.unwrap();
    assert!(next > Some(now));

    books.store.close().await;
    let unwritten = desk.wake(due(strange)).await;
    assert!(matches!(unwritten, Heard::Unwritten(_)), "{unwritten:?}");
}
