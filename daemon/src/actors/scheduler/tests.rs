use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::*;
use crate::actors::fixture::Books;

/// Notes whom it is told of, and answers what it is told to.
struct Listener {
    told: Told,
    everyone: Rc<Cell<bool>>,
    answer: Box<dyn FnMut(Due) -> Heard>,
}

impl Actor for Listener {
    type Context = Context<Self>;
}

impl Handler<Due> for Listener {
    type Result = MessageResult<Due>;

    fn handle(&mut self, due: Due, _: &mut Self::Context) -> Self::Result {
        self.told.borrow_mut().push(due);
        MessageResult((self.answer)(due))
    }
}

impl Handler<EveryoneTold> for Listener {
    type Result = ();

    fn handle(&mut self, _: EveryoneTold, _: &mut Self::Context) {
        self.everyone.set(true);
    }
}

type Told = Rc<RefCell<Vec<Due>>>;

fn begin(
    books: &Books,
    answer: impl FnMut(Due) -> Heard + 'static,
) -> (actix::Addr<Scheduler>, Told) {
    let (scheduler, told, _) = begin_all(books, answer);
    (scheduler, told)
}

/// With whether everyone was told.
fn begin_all(
    books: &Books,
    answer: impl FnMut(Due) -> Heard + 'static,
) -> (actix::Addr<Scheduler>, Told, Rc<Cell<bool>>) {
    let (told, everyone) = (Told::default(), Rc::default());
    let listener = Listener {
        told: Rc::clone(&told),
        everyone: Rc::clone(&everyone),
        answer: Box::new(answer),
    }
    .start();
    let scheduler = Scheduler::new(books.store.clone(), Clock::default()).start();
    scheduler.do_send(Begin {
        rotator: listener.clone().recipient(),
        everyone_told: listener.recipient(),
    });
    (scheduler, told, everyone)
}

/// Asks until the outlook is such; the caller bounds the time.
async fn until(scheduler: &actix::Addr<Scheduler>, is: impl Fn(&Outlook) -> bool) -> Outlook {
    let asked = async {
        loop {
            let outlook = scheduler.send(GetOutlook).await.unwrap();
            if is(&outlook) {
                return outlook;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), asked)
        .await
        .expect("the scheduler never gets there")
}

fn past() -> DateTime<Utc> {
    Utc::now() - chrono::TimeDelta::seconds(5)
}

#[actix_rt::test]
async fn what_can_not_be_written_is_handed_over_once_and_then_after_a_pause() {
    let books = Books::open().await;
    for number in 1..=3 {
        books.rotation(number, past()).await;
    }
    let (scheduler, told) = begin(&books, |_| Heard::Unwritten("there is no room".to_owned()));
    let outlook = until(&scheduler, |outlook| outlook.trouble.is_some()).await;
    assert!(outlook.trouble.unwrap().contains("there is no room"));
    assert_eq!(told.borrow().len(), 3, "each of them once");
}

#[actix_rt::test]
async fn one_that_can_not_be_written_does_not_keep_the_others_waiting() {
    let books = Books::open().await;
    let bad = books.rotation(1, past()).await;
    for number in 2..=150 {
        books.rotation(number, past()).await;
    }
    let (scheduler, told) = begin(&books, move |due| {
        if due.rotation == bad {
            Heard::Unwritten("this row is bad".to_owned())
        } else {
            Heard::Committed
        }
    });
    until(&scheduler, |outlook| outlook.trouble.is_some()).await;
    let told = told.borrow();
    assert_eq!(told.len(), 150);
    let distinct: HashSet<_> = told.iter().map(|due| due.rotation).collect();
    assert_eq!(distinct.len(), 150, "none of them twice");
}

/// The wall clock is set an hour ahead.
#[derive(Message)]
#[rtype(result = "()")]
struct SetClock;

impl Handler<SetClock> for Scheduler {
    type Result = ();

    fn handle(&mut self, _: SetClock, _: &mut Self::Context) {
        self.clocks = self.clocks.before_step(chrono::TimeDelta::hours(1));
    }
}

async fn told_of_a_set_clock(told: &Told, rotation: RotationId) {
    let seen = async {
        while !told
            .borrow()
            .iter()
            .any(|due| due.clock_set && due.rotation == rotation)
        {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), seen)
        .await
        .expect("nobody is told that the clock was set");
}

#[actix_rt::test]
async fn a_clock_that_is_set_during_a_hand_over_is_told_to_everyone() {
    let books = Books::open().await;
    let far = Utc::now() + chrono::TimeDelta::days(9);
    let id = books.rotation(1, far).await;
    let scheduler: Rc<RefCell<Option<actix::Addr<Scheduler>>>> = Rc::default();
    let of_listener = Rc::clone(&scheduler);
    let mut first = true;
    let (address, told) = begin(&books, move |_| {
        if std::mem::take(&mut first)
            && let Some(scheduler) = &*of_listener.borrow()
        {
            scheduler.do_send(SetClock);
        }
        Heard::Committed
    });
    *scheduler.borrow_mut() = Some(address);
    told_of_a_set_clock(&told, id).await;
}

#[actix_rt::test]
async fn looking_at_all_does_not_cut_off_what_is_told_of_a_set_clock() {
    let books = Books::open().await;
    let far = Utc::now() + chrono::TimeDelta::days(9);
    books.rotation(1, far).await;
    // A page of its own: told of after the first.
    let mut last = None;
    for number in 2..=65 {
        last = Some(books.rotation(number, far).await);
    }
    let scheduler: Rc<RefCell<Option<actix::Addr<Scheduler>>>> = Rc::default();
    let of_listener = Rc::clone(&scheduler);
    let mut first = true;
    let (address, told) = begin(&books, move |due| {
        if due.clock_set
            && std::mem::take(&mut first)
            && let Some(scheduler) = &*of_listener.borrow()
        {
            scheduler.do_send(LookAtAll);
        }
        Heard::Committed
    });
    address.send(SetClock).await.unwrap();
    // Wherever it is: the timer is set anew.
    address.send(Nudge(Some(Utc::now()))).await.unwrap();
    *scheduler.borrow_mut() = Some(address);
    told_of_a_set_clock(&told, last.unwrap()).await;
}

#[actix_rt::test]
async fn everyone_is_told_only_when_each_has_written_down_what_follows() {
    let books = Books::open().await;
    let far = Utc::now() + chrono::TimeDelta::days(9);
    books.rotation(1, far).await;
    let slow = books.rotation(2, far).await;
    let ready = Rc::new(Cell::new(false));
    let is_ready = Rc::clone(&ready);
    let (scheduler, told, everyone) = begin_all(&books, move |due| {
        if due.rotation == slow && !is_ready.get() {
            Heard::PutOff
        } else {
            Heard::Committed
        }
    });
    // It is told again before long, though nothing is due.
    let soon = Utc::now() + chrono::TimeDelta::minutes(2);
    until(&scheduler, |outlook| {
        outlook.next_wake.is_some_and(|at| at < soon)
    })
    .await;
    assert_eq!(told.borrow().len(), 2);
    assert!(!everyone.get());

    ready.set(true);
    scheduler.send(Nudge(Some(Utc::now()))).await.unwrap();
    let all = async {
        while !everyone.get() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), all)
        .await
        .expect("everyone was told, and nobody says so");
    assert_eq!(
        told.borrow().len(),
        3,
        "only who had not written is told again"
    );
}
