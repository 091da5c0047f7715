use super::*;
use crate::model::{Lag, Lags, Surface};

const LIMIT: usize = 1000;

struct World {
    app: Application,
    lags: Lags,
    rng: fastrand::Rng,
    now: DateTime<Utc>,
}

impl World {
    fn new(audience: Audience) -> Self {
        let mut rng = fastrand::Rng::with_seed(11);
        Self {
            app: Application {
                object_id: ObjectId::draw(&mut rng),
                app_id: AppId::draw(&mut rng),
                display_name: "payroll".to_owned(),
                audience,
                created: DateTime::UNIX_EPOCH,
                identifier_uris: Vec::new(),
                passwords: Vec::new(),
                certificates: Vec::new(),
                owners: BTreeSet::new(),
                service_principal: None,
                disabled: false,
                policy: None,
                last_write: None,
            },
            lags: Lags::default(),
            rng,
            now: "2026-02-03T04:05:06.7890123Z".parse().unwrap(),
        }
    }

    fn add(&mut self, request: NewPassword) -> Result<Password, PasswordRefusal> {
        let mut change = Change {
            now: self.now,
            lags: &self.lags,
            replicas: 4,
            rng: &mut self.rng,
        };
        self.app
            .add_password(request, view(Surface::Lookup, 0), None, LIMIT, &mut change)
            .cloned()
    }

    fn remove(&mut self, key_id: KeyId, replica: usize) -> bool {
        let mut change = Change {
            now: self.now,
            lags: &self.lags,
            replicas: 4,
            rng: &mut self.rng,
        };
        self.app
            .remove_password(key_id, view(Surface::Lookup, replica), true, &mut change)
    }
}

fn view(surface: Surface, replica: usize) -> View {
    View {
        surface,
        replica,
        stale: false,
    }
}

#[test]
fn defaults_are_now_and_now_plus_two_years_even_with_a_start() {
    let mut world = World::new(Audience::AzureADMyOrg);
    let start = world.now - TimeDelta::seconds(3);
    let password = world
        .add(NewPassword {
            start: Some(start),
            ..NewPassword::default()
        })
        .unwrap();
    assert_eq!(password.start, start);
    assert_eq!(
        password.end,
        "2028-02-03T04:05:06.7890123Z"
            .parse::<DateTime<Utc>>()
            .unwrap()
    );
}

#[test]
fn the_newest_secret_comes_first() {
    let mut world = World::new(Audience::AzureADMyOrg);
    world.add(NewPassword::default()).unwrap();
    let second = world.add(NewPassword::default()).unwrap();
    assert_eq!(world.app.passwords[0].key_id, second.key_id);
}

#[test]
fn personal_audiences_hold_two_and_say_how_many_there_would_be() {
    let mut world = World::new(Audience::PersonalMicrosoftAccount);
    let first = world.add(NewPassword::default()).unwrap();
    world.add(NewPassword::default()).unwrap();
    let full = PasswordRefusal::TooMany {
        would_be: 3,
        cap: 2,
    };
    assert_eq!(world.add(NewPassword::default()).unwrap_err(), full);
    assert!(world.remove(first.key_id, 0));
    assert!(world.add(NewPassword::default()).is_ok());
}

#[test]
fn a_removed_secret_that_a_replica_still_shows_still_counts() {
    let mut world = World::new(Audience::PersonalMicrosoftAccount);
    let first = world.add(NewPassword::default()).unwrap();
    world.add(NewPassword::default()).unwrap();
    world.lags.lookup = Lag::between(1000, 1000);
    assert!(world.remove(first.key_id, 0));
    assert!(world.add(NewPassword::default()).is_err());
    world.now += TimeDelta::seconds(1);
    assert!(world.add(NewPassword::default()).is_ok());
}

#[test]
fn an_end_in_the_past_or_before_the_start_is_refused() {
    let mut world = World::new(Audience::AzureADMyOrg);
    let past = NewPassword {
        start: Some(world.now - TimeDelta::days(2)),
        end: Some(world.now - TimeDelta::days(1)),
        ..NewPassword::default()
    };
    assert_eq!(world.add(past).unwrap_err(), PasswordRefusal::BadEnd);
    let reversed = NewPassword {
        start: Some(world.now + TimeDelta::days(2)),
        end: Some(world.now + TimeDelta::days(1)),
        ..NewPassword::default()
    };
    assert_eq!(world.add(reversed).unwrap_err(), PasswordRefusal::BadEnd);
}

#[test]
fn a_lifetime_policy_catches_the_default_lifetime() {
    let mut world = World::new(Audience::AzureADMyOrg);
    world.app.policy = Some(PasswordPolicy {
        max_lifetime_seconds: Some(180 * 86_400),
        ..PasswordPolicy::default()
    });
    assert!(matches!(
        world.add(NewPassword::default()).unwrap_err(),
        PasswordRefusal::LifetimeTooLong { .. }
    ));
    let short = NewPassword {
        end: Some(world.now + TimeDelta::days(180)),
        ..NewPassword::default()
    };
    assert!(world.add(short).is_ok());
}

#[test]
fn a_new_secret_logs_in_at_a_replica_only_once_it_arrived_there() {
    let mut world = World::new(Audience::AzureADMyOrg);
    world.lags.token = Lag::between(5000, 5000);
    let text = world.add(NewPassword::default()).unwrap().text;
    let here = view(Surface::Token, 2);
    let login = |world: &World, at| {
        let found = world.app.log_in(text.expose(), here, at);
        found.map(|password| password.key_id)
    };
    assert_eq!(login(&world, world.now), Err(LoginRefusal::Unknown));
    assert!(login(&world, world.now + TimeDelta::seconds(5)).is_ok());
}

#[test]
fn a_removed_secret_lingers_where_the_removal_has_not_arrived() {
    let mut world = World::new(Audience::AzureADMyOrg);
    let password = world.add(NewPassword::default()).unwrap();
    world.lags.token = Lag::between(60_000, 60_000);
    assert!(world.remove(password.key_id, 0));
    let text = password.text.expose();
    let here = view(Surface::Token, 0);
    assert!(world.app.log_in(text, here, world.now).is_ok());
    let later = world.now + TimeDelta::minutes(1);
    assert_eq!(
        world.app.log_in(text, here, later).unwrap_err(),
        LoginRefusal::Unknown
    );
    assert_eq!(world.app.live_passwords().count(), 0);
}

#[test]
fn expired_and_unknown_secrets_are_told_apart() {
    let mut world = World::new(Audience::AzureADMyOrg);
    let end = world.now + TimeDelta::days(1);
    let password = world
        .add(NewPassword {
            end: Some(end),
            ..NewPassword::default()
        })
        .unwrap();
    let here = view(Surface::Token, 0);
    let text = password.text.expose();
    assert_eq!(
        world.app.log_in(text, here, end).unwrap_err(),
        LoginRefusal::Expired
    );
    assert_eq!(
        world.app.log_in("guess", here, end).unwrap_err(),
        LoginRefusal::Unknown
    );
}

#[test]
fn removal_of_a_secret_that_the_replica_does_not_know_yet_finds_nothing() {
    let mut world = World::new(Audience::AzureADMyOrg);
    world.lags.lookup = Lag::between(1000, 1000);
    let password = world.add(NewPassword::default()).unwrap();
    assert!(!world.remove(password.key_id, 0));
    world.now += TimeDelta::seconds(1);
    assert!(world.remove(password.key_id, 0));
}

#[test]
fn only_accepted_changes_open_the_write_window() {
    let mut world = World::new(Audience::AzureADMyOrg);
    let window = TimeDelta::seconds(5);
    let nobody = KeyId::draw(&mut fastrand::Rng::with_seed(99));
    assert!(!world.remove(nobody, 0));
    assert!(!world.app.changed_within(window, world.now));
    world.add(NewPassword::default()).unwrap();
    assert!(world.app.changed_within(window, world.now));
    assert!(!world.app.changed_within(window, world.now + window));
}

#[test]
fn a_full_object_is_refused() {
    let mut world = World::new(Audience::AzureADMyOrg);
    for _ in 0..LIMIT {
        world.add(NewPassword::default()).unwrap();
    }
    assert_eq!(
        world.add(NewPassword::default()).unwrap_err(),
        PasswordRefusal::ObjectTooLarge
    );
}
