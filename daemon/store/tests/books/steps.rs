use rotord_rotation::rotation::Facts;
use rotord_rotation::{Command, CredentialId, Event, Handle, Rotation, Stage, Step, Write};
use rotord_store::{Commit, NewRotation, RotationChange, StoreError, What};
use uuid::Uuid;

use crate::driver::{Books, Driven, both, new_rotation, start, value};

/// The state as it is after a restart: what is not settled, or in a slot, without what was only learned.
fn kept(rotation: &Rotation) -> Rotation {
    let mut kept = rotation.clone();
    kept.facts = Facts::default();
    kept.credentials
        .retain(|c| !c.stage.is_settled() || c.slot.is_some());
    kept
}

#[test]
fn after_every_step_of_a_life_the_database_holds_the_state() {
    let mut books = Books::new();
    let mut driven = books.created("app");
    let stages = std::cell::RefCell::new(std::collections::BTreeSet::new());
    let same = |books: &Books, driven: &Driven| {
        let state = books.store.as_reader().rotation(driven.id).unwrap().state;
        assert_eq!(state, kept(&driven.rotation));
        let names = driven.rotation.credentials.iter().map(|c| c.stage.name());
        stages.borrow_mut().extend(names);
    };
    for value in ["v1", "v2", "v3"] {
        if value != "v1" {
            let rotate = Command::Rotate { retire_after: None };
            driven.command(&mut books.store, rotate);
        }
        for _ in 0..200 {
            driven.until(&mut books.store, value, |_| true);
            same(&books, &driven);
            if driven.last.as_ref().unwrap().ended.is_some() {
                break;
            }
        }
        books = books.reopened();
        same(&books, &driven);
    }
    // The first one is retired in time.
    let gone = |step: &Step| {
        step.rotation
            .credentials
            .iter()
            .any(|c| c.stage == Stage::Gone)
    };
    driven.command(&mut books.store, Command::Pause);
    while !gone(driven.last.as_ref().unwrap()) {
        driven.until(&mut books.store, "", |_| true);
        same(&books, &driven);
    }
    let stages = stages.into_inner();
    for stage in [
        "intended", "pending", "active", "previous", "retiring", "gone",
    ] {
        assert!(stages.contains(stage), "{stage} was never seen");
    }
}

#[test]
fn publishing_gives_new_versions_and_flips_the_slot_with_them() {
    let mut books = Books::new();
    let place = books.root("dev");
    let mut driven = books.created("app");
    let first = driven.until_published(&mut books.store, "v1");
    let names = |committed: &rotord_store::Committed| {
        committed
            .published
            .iter()
            .map(|secret| (secret.name.clone(), secret.version))
            .collect::<Vec<_>>()
    };
    let both_of = [("app-id".to_owned(), 1), ("app-secret".to_owned(), 1)];
    assert_eq!(names(&first), both_of);
    assert_eq!(first.generation, books.store.generation());
    // What does not differ gets no new version.
    let second = driven.rotate(&mut books.store, "v2");
    assert_eq!(names(&second), [("app-secret".to_owned(), 2)]);
    assert_eq!(value(&books.store, &place, "app-secret").unwrap(), "v2");
    assert_eq!(
        value(&books.store, &place, "app-id").unwrap(),
        "the-client-id"
    );

    let generated = books.store.as_reader().generated(driven.id).unwrap();
    assert_eq!(generated.len(), 2);
    for (at, (slot, stage, value)) in [(0, Stage::Previous, "v1"), (1, Stage::Active, "v2")]
        .into_iter()
        .enumerate()
    {
        assert_eq!(generated[at].slot, slot);
        assert_eq!(generated[at].credential.stage, stage);
        assert_eq!(generated[at].outputs, Some(both(value)));
    }
}

#[test]
fn a_third_credential_takes_the_slot_of_the_first() {
    let mut books = Books::new();
    let mut driven = books.published("app", "v1");
    let first = driven.active();
    driven.rotate(&mut books.store, "v2");
    driven.rotate(&mut books.store, "v3");
    let reader = books.store.as_reader();
    let generated = reader.generated(driven.id).unwrap();
    let values: Vec<_> = generated
        .iter()
        .map(|g| g.outputs.clone().unwrap())
        .collect();
    assert_eq!(values, [both("v3"), both("v2")]);
    // It still waits for its retirement, in no slot, and is part of the state.
    let (rotation, credential) = reader.credential(first).unwrap();
    assert_eq!((rotation, credential.slot), (driven.id, None));
    let state = reader.rotation(driven.id).unwrap().state;
    assert!(state.credential(first).is_some());
}

#[test]
fn outputs_are_kept_with_their_credential_and_dropped_with_it() {
    let mut books = Books::new();
    let mut driven = books.created("app");
    let issued = |step: &Step| {
        step.writes
            .iter()
            .any(|write| matches!(write, Write::KeepOutputs { .. }))
    };
    driven.until(&mut books.store, "v1", issued);
    let pending = driven.rotation.run_credential().unwrap();
    let reader = books.store.as_reader();
    assert_eq!(reader.outputs_of(pending).unwrap(), Some(both("v1")));
    // Unpublished: nobody can read it yet.
    let place = books.root("dev");
    assert!(value(&books.store, &place, "app-secret").is_err());
    assert!(
        books
            .store
            .as_reader()
            .generated(driven.id)
            .unwrap()
            .is_empty()
    );

    driven.command(&mut books.store, Command::Delete { revoke: true });
    driven.until(&mut books.store, "", |step| {
        step.writes.contains(&Write::RemoveRotation)
    });
    let reader = books.store.as_reader();
    assert_eq!(reader.outputs_of(pending).unwrap(), None);
    let unknown = CredentialId(Uuid::nil());
    assert!(matches!(
        reader.outputs_of(unknown),
        Err(StoreError::NotFound {
            what: What::Credential,
            ..
        })
    ));
}

#[test]
fn a_step_that_can_not_be_written_whole_is_not_written_at_all() {
    let mut books = Books::new();
    let mut driven = books.published("app", "v1");
    driven.command(&mut books.store, Command::Rotate { retire_after: None });
    let before = books.store.as_reader().rotation(driven.id).unwrap();
    let generation = books.store.generation();
    // A publication of something that was never kept, after much that could be written.
    let mut step = driven.decide(Event::Woke);
    step.rotation.message = Some("half".to_owned());
    let mut made_up = step.rotation.credentials[0].clone();
    made_up.id = CredentialId(Uuid::from_u128(9));
    made_up.slot = Some(1);
    step.rotation.credentials.push(made_up.clone());
    step.writes = vec![
        Write::DropOutputs {
            credential: driven.active(),
        },
        Write::Publish {
            credential: made_up.id,
        },
    ];
    let change = RotationChange {
        name: Some("half".to_owned()),
        ..RotationChange::default()
    };
    let commit = Commit {
        change: Some(&change),
        ..Commit::new(start(), &driven.rotation, &step)
    };
    let refused = books.store.commit_step(&commit).unwrap_err();
    assert!(
        matches!(refused, StoreError::NoSuchOutput { .. }),
        "{refused}"
    );
    let books = books.reopened();
    let reader = books.store.as_reader();
    assert_eq!(reader.rotation(driven.id).unwrap(), before);
    assert_eq!(
        reader.outputs_of(driven.active()).unwrap(),
        Some(both("v1"))
    );
    assert!(reader.credential(made_up.id).is_err());
    assert_eq!(books.store.generation(), generation);
}

#[test]
fn outputs_that_lack_what_is_mapped_are_not_published() {
    let mut books = Books::new();
    let mut driven = books.created("app");
    let place = books.root("dev");
    driven.until(&mut books.store, "v1", |step| {
        step.rotation.run_credential().is_some()
    });
    let step = driven.decide(Event::Woke);
    let credential = step.rotation.run_credential().unwrap();
    let step = Step {
        writes: vec![
            Write::KeepOutputs { credential },
            Write::Publish { credential },
        ],
        ..step
    };
    let without = crate::driver::outputs("clientId", "only");
    let commit = Commit {
        outputs: Some(&without),
        ..Commit::new(start(), &driven.rotation, &step)
    };
    let refused = books.store.commit_step(&commit).unwrap_err();
    assert!(
        matches!(&refused, StoreError::NoSuchOutput { output, .. } if output == "clientSecret"),
        "{refused}"
    );
    assert!(value(&books.store, &place, "app-id").is_err());
    // And without any outputs at hand, none are kept.
    let commit = Commit::new(start(), &driven.rotation, &step);
    assert!(books.store.commit_step(&commit).is_err());
}

#[test]
fn a_step_of_an_unknown_rotation_is_refused() {
    let mut books = Books::new();
    let mut driven = books.created("app");
    let mut step = driven.decide(Event::Woke);
    step.rotation.id = rotord_rotation::RotationId(Uuid::nil());
    let refused = books
        .store
        .commit_step(&Commit::new(start(), &driven.rotation, &step));
    assert!(matches!(
        refused,
        Err(StoreError::NotFound {
            what: What::Rotation,
            ..
        })
    ));
}

#[test]
fn tombstones_are_found_by_their_nonces() {
    let mut books = Books::new();
    let mut driven = books.published("app", "v1");
    let first = driven.rotation.active().unwrap().clone();
    driven.command(
        &mut books.store,
        Command::Retire {
            credential: Some(first.id),
            force: false,
        },
    );
    let gone = |step: &Step| {
        step.rotation
            .credentials
            .iter()
            .any(|c| c.stage == Stage::Gone)
    };
    driven.until(&mut books.store, "v2", gone);
    let active = driven.rotation.active().unwrap().clone();
    let reader = books.store.as_reader();
    let nonces = [first.nonce, active.nonce];
    let found = reader.tombstones(driven.id, &nonces).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].id, &found[0].stage), (first.id, &Stage::Gone));
    let elsewhere = rotord_rotation::RotationId(Uuid::nil());
    assert!(reader.tombstones(elsewhere, &nonces).unwrap().is_empty());
    let handle = first.handle.unwrap();
    let by_handle = reader.credentials_by_handle(&handle.0).unwrap();
    assert_eq!(by_handle.len(), 1);
    assert_eq!((by_handle[0].0, by_handle[0].1.id), (driven.id, first.id));
    assert_eq!(reader.credentials(driven.id).unwrap().len(), 2);
}

#[test]
fn updated_at_follows_what_a_person_would_call_an_update() {
    let mut books = Books::new();
    let mut driven = books.created("app");
    let updated = |books: &Books, driven: &Driven| {
        let record = books.store.as_reader().rotation(driven.id).unwrap();
        record.details.updated_at
    };
    driven.until(&mut books.store, "v1", |step| {
        step.rotation.run_credential().is_some()
    });
    assert_eq!(updated(&books, &driven), start());
    driven.until_published(&mut books.store, "v1");
    assert_eq!(
        updated(&books, &driven).timestamp_millis(),
        driven.now.timestamp_millis()
    );
}

#[test]
fn a_slot_may_be_taken_by_a_row_that_is_written_before_the_one_that_leaves_it() {
    let mut books = Books::new();
    let mut driven = books.published("app", "v1");
    driven.rotate(&mut books.store, "v2");
    let mut step = driven.decide(Event::Woke);
    let credentials = &mut step.rotation.credentials;
    let slots: Vec<_> = credentials.iter().map(|c| c.slot).rev().collect();
    assert_eq!(slots, [Some(1), Some(0)]);
    for (credential, slot) in credentials.iter_mut().zip(slots) {
        credential.slot = slot;
    }
    let commit = Commit::new(start(), &driven.rotation, &step);
    books.store.commit_step(&commit).unwrap();
    let generated = books.store.as_reader().generated(driven.id).unwrap();
    assert_eq!(generated[0].outputs, Some(both("v2")));
}

#[test]
fn a_credential_has_one_rotation() {
    let mut books = Books::new();
    let mut one = books.published("one", "v1");
    let record = books.store.as_reader().rotation(one.id).unwrap().details;
    let beside = NewRotation {
        target_key: record.target_key,
        ..new_rotation("other", record.folder, record.connection)
    };
    let mut other = Driven::create(&mut books.store, &beside).unwrap();
    other.until_published(&mut books.store, "v1");
    let adopt = Event::Command(Command::Adopt {
        handle: Handle("made-by-hand".to_owned()),
        expires_at: None,
        has_value: true,
    });
    one.step(&mut books.store, adopt.clone(), Some(&both("v2")));
    let step = other.decide(adopt);
    let outputs = both("v2");
    let commit = Commit {
        outputs: Some(&outputs),
        ..Commit::new(start(), &other.rotation, &step)
    };
    let refused = books.store.commit_step(&commit).unwrap_err();
    assert!(refused.is_refusal(), "{refused}");
    assert_eq!(
        refused.to_string(),
        "\"made-by-hand\" is a credential of the rotation \"one\""
    );
    let kept = books.store.as_reader().rotation(other.id).unwrap();
    assert_eq!(kept.state.credentials.len(), 1);
}
