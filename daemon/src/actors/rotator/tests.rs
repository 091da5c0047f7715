use super::*;
use crate::actors::fixture::Books;
use crate::actors::scheduler::Nudge;
use crate::clock::Clock;

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
        concurrency: 4,
    }
}

fn due(rotation: RotationId) -> Due {
    Due {
        rotation,
        clock_set: false,
    }
}

#[actix_rt::test]
async fn a_wake_up_says_whether_it_was_written() {
    let books = Books::open().await;
    let now = Clock::default().now().wall;
    let id = books.rotation(1, now).await;
    let desk = Rc::new(Desk::new(equipment(&books).await));
    assert_eq!(desk.wake(due(id)).await, Heard::Committed);
    let nobody = RotationId(uuid::Uuid::from_u128(99));
    assert_eq!(desk.wake(due(nobody)).await, Heard::Committed);

    // Bounds that are not known: it waits, out of the way of the others.
    let strange = books.rotation(2, now).await;
    desk.set_rulebook(Rulebook::default());
    assert_eq!(desk.wake(due(strange)).await, Heard::PutOff);
    let next = books.store.read(|reader| reader.next_wake()).await.unwrap();
    assert!(next > Some(now));

    books.store.close().await;
    let unwritten = desk.wake(due(strange)).await;
    assert!(matches!(unwritten, Heard::Unwritten(_)), "{unwritten:?}");
}
