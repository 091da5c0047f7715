//! The store's actors: one that writes, a few that read, each on a thread of its own, where it may block. One message
//! is one transaction.
//!
//! A panic in a handler would end its thread for good while its address still said "connected", so handlers catch it:
//! the transaction is rolled back when the connection is next used, and the caller gets [`Failed::Panicked`].
//!
//! No `SyncArbiter`: its messages go by the thread that started it, which costs every read two switches more.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix::{Actor, Addr, Arbiter, Context, Handler, MailboxError, Message};
use chrono::{DateTime, Utc};
use rotord_store::{AuditEntry, Reader, Store, StoreError};
use tokio::sync::{mpsc, oneshot, watch};

use crate::health::Health;

/// Notes in one transaction.
const MOST_NOTES: usize = 256;

/// Why nothing came back from the store.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The store said so.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A bug: the handler panicked. Whether the transaction was committed is not known.
    #[error("the daemon met a bug of its own: see the log")]
    Panicked,
    /// The daemon is shutting down.
    #[error("the daemon is shutting down")]
    Closed,
}

impl Failed {
    /// The transaction may have been committed: what is in memory can't be trusted.
    pub fn leaves_doubt(&self) -> bool {
        let refused = StoreError::is_refusal;
        !matches!(self, Self::Store(error) if refused(error))
    }
}

type Job<S, T> = Box<dyn FnOnce(&mut S) -> Result<T, StoreError> + Send>;

struct Do<S, T>(Job<S, T>);

impl<S: 'static, T: Send + 'static> Message for Do<S, T> {
    type Result = Result<T, Failed>;
}

/// A thread with a connection of its own.
struct Worker<S>(Option<S>);

impl<S: Unpin + 'static> Actor for Worker<S> {
    type Context = Context<Self>;
}

impl<S: Unpin + 'static, T: Send + 'static> Handler<Do<S, T>> for Worker<S> {
    type Result = Result<T, Failed>;

    fn handle(&mut self, job: Do<S, T>, _: &mut Self::Context) -> Self::Result {
        let Some(connection) = &mut self.0 else {
            return Err(Failed::Closed);
        };
        if let Ok(result) = catch_unwind(AssertUnwindSafe(|| job.0(connection))) {
            return result.map_err(Failed::Store);
        }
        tracing::error!("a store handler panicked");
        Err(Failed::Panicked)
    }
}

struct Close;

impl Message for Close {
    type Result = ();
}

impl<S: Unpin + 'static> Handler<Close> for Worker<S> {
    type Result = ();

    fn handle(&mut self, _: Close, _: &mut Self::Context) {
        self.0 = None;
    }
}

/// A worker that reads, and how many jobs it has.
struct Desk {
    worker: Addr<Worker<Reader>>,
    jobs: AtomicUsize,
}

/// A job at a desk, from before it is sent until its answer is here or nobody waits for it.
struct Queued<'a>(&'a Desk);

impl<'a> Queued<'a> {
    fn at(desk: &'a Desk) -> Self {
        desk.jobs.fetch_add(1, Ordering::Relaxed);
        Self(desk)
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.0.jobs.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What is to be noted in the audit, and who waits for it to be there.
struct Note {
    at: DateTime<Utc>,
    entry: AuditEntry,
    done: oneshot::Sender<Result<(), Arc<Failed>>>,
}

/// The addresses of the store's threads. Cheap to clone.
#[derive(Clone)]
pub struct StoreHandle {
    writer: Addr<Worker<Store>>,
    readers: Arc<[Desk]>,
    notes: mpsc::UnboundedSender<Note>,
    health: Health,
    written: watch::Sender<u64>,
}

/// Which writes were answered; see [`StoreHandle::edition`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edition(u64);

/// Counts a write when it ends, however that is.
struct Counted(watch::Sender<u64>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|written| *written += 1);
    }
}

impl std::fmt::Debug for StoreHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StoreHandle")
    }
}

impl StoreHandle {
    /// Starts the threads. To be called within an actix system.
    pub fn start(store: Store, readers: Vec<Reader>) -> Self {
        let readers = readers.into_iter().map(|reader| Desk {
            worker: on_its_own_thread(reader),
            jobs: AtomicUsize::new(0),
        });
        let (notes, waiting) = mpsc::unbounded_channel();
        let handle = Self {
            writer: on_its_own_thread(store),
            readers: readers.collect(),
            notes,
            health: Health::default(),
            written: watch::Sender::default(),
        };
        actix_rt::spawn(keep_notes(handle.clone(), waiting));
        handle
    }

    /// What keeps the books from being written or read.
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Runs a job on the writing connection.
    ///
    /// # Errors
    /// The store's, or that it is closed. After an error the state is to be read again: the transaction may
    /// have been committed.
    pub async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Failed> {
        let written = Counted(self.written.clone());
        self.write_aside(move |store| {
            let _written = written;
            job(store)
        })
        .await
    }

    /// For what no reader asks for: the edition stays.
    async fn write_aside<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Failed> {
        let health = self.health.clone();
        let job = move |store: &mut Store| {
            let result = job(store).map_err(|error| store.found(error));
            health.wrote(&result);
            result
        };
        reply(self.writer.send(Do(Box::new(job))).await)
    }

    /// What is read after this was asked holds for as long as this stays the same: each write changes it before
    /// whoever ordered it is answered. Only what is noted in the audit alone does not.
    pub fn edition(&self) -> Edition {
        Edition(*self.written.borrow())
    }

    /// Waits until the edition is another than this one.
    pub async fn edition_after(&self, edition: Edition) {
        let mut written = self.written.subscribe();
        // It is never closed while there is a handle.
        let _ = written.wait_for(|now| Edition(*now) != edition).await;
    }

    /// Runs a job on one of the reading connections. However much it asks for, it sees one state of the database.
    ///
    /// # Errors
    /// The store's, or that it is closed.
    pub async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Failed> {
        let health = self.health.clone();
        let job = move |reader: &mut Reader| {
            let result = reader.at_once(job);
            health.read(&result);
            result
        };
        let jobs = |desk: &&Desk| desk.jobs.load(Ordering::Relaxed);
        let desk = self.readers.iter().min_by_key(jobs);
        let desk = desk.ok_or(Failed::Closed)?;
        let _queued = Queued::at(desk);
        reply(desk.worker.send(Do(Box::new(job))).await)
    }

    /// Every thread of the store takes jobs and ends them. Says nothing of the disk.
    ///
    /// # Errors
    /// One of them is closed.
    pub async fn answers(&self) -> Result<(), Failed> {
        reply(self.writer.send(Do(Box::new(|_| Ok(())))).await)?;
        for desk in self.readers.iter() {
            let _queued = Queued::at(desk);
            reply(desk.worker.send(Do(Box::new(|_| Ok(())))).await)?;
        }
        Ok(())
    }

    /// Notes in the audit what changed nothing else. Those that come together are written together: a commit waits for
    /// the disk.
    ///
    /// # Errors
    /// The store's, or that it is closed.
    pub async fn note(&self, at: DateTime<Utc>, entry: AuditEntry) -> Result<(), Arc<Failed>> {
        let (done, noted) = oneshot::channel();
        let closed = || Arc::new(Failed::Closed);
        let note = Note { at, entry, done };
        self.notes.send(note).map_err(|_| closed())?;
        noted.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Closes the writing connection after everything that was sent before: the journal is folded into the
    /// database file.
    pub async fn close(&self) {
        if let Err(error) = self.write(|store| store.fold_journal()).await {
            tracing::warn!(%error, "the journal stays beside the database: the two belong together");
        }
        // A mailbox that is closed already has nothing to close.
        let _ = self.writer.send(Close).await;
    }
}

/// What came in while the last ones were written is written next.
async fn keep_notes(store: StoreHandle, mut waiting: mpsc::UnboundedReceiver<Note>) {
    let mut notes = Vec::new();
    while waiting.recv_many(&mut notes, MOST_NOTES).await > 0 {
        let (entries, done): (Vec<_>, Vec<_>) = notes
            .drain(..)
            .map(|note| ((note.at, note.entry), note.done))
            .unzip();
        let outcome = store.write_aside(move |store| store.note(&entries)).await;
        let outcome = outcome.map_err(Arc::new);
        for done in done {
            // Who does not wait any more needs no answer.
            let _ = done.send(outcome.clone());
        }
    }
}

fn on_its_own_thread<S: Unpin + Send + 'static>(connection: S) -> Addr<Worker<S>> {
    let thread = Arbiter::new().handle();
    Worker::start_in_arbiter(&thread, |_| Worker(Some(connection)))
}

fn reply<T>(result: Result<Result<T, Failed>, MailboxError>) -> Result<T, Failed> {
    match result {
        Ok(result) => result,
        Err(MailboxError::Closed | MailboxError::Timeout) => Err(Failed::Closed),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use rotord_store::Actor;
    use serde_json::json;

    use super::*;
    use crate::actors::fixture::Books;

    #[actix_rt::test]
    async fn a_thread_that_is_stuck_does_not_answer() {
        let books = Books::open().await;
        let store = &books.store;
        store.answers().await.unwrap();
        let (go_on, stuck) = mpsc::channel::<()>();
        let busy = store.clone();
        let busy = actix_rt::spawn(async move {
            let wait = move |_: &mut Store| {
                let _ = stuck.recv();
                Ok(())
            };
            busy.write(wait).await
        });
        // It has its turn before what comes after it.
        actix_rt::task::yield_now().await;
        let answers = tokio::time::timeout(Duration::from_millis(50), store.answers());
        assert!(answers.await.is_err());
        go_on.send(()).unwrap();
        busy.await.unwrap().unwrap();
        store.answers().await.unwrap();
    }

    #[actix_rt::test]
    async fn every_write_is_a_new_edition_even_one_that_failed_and_no_note_is() {
        let books = Books::open().await;
        let store = &books.store;
        let mut before = store.edition();
        let mut is_new = || std::mem::replace(&mut before, store.edition()) != store.edition();
        let entry = AuditEntry {
            actor: Actor::Daemon,
            action: "test".to_owned(),
            rotation: None,
            detail: json!(1),
        };
        store.note(DateTime::UNIX_EPOCH, entry).await.unwrap();
        assert!(!is_new());
        store.write(|_| Ok(())).await.unwrap();
        assert!(is_new());
        let refused = store.write(|_| Err::<(), _>(StoreError::Full)).await;
        refused.unwrap_err();
        assert!(is_new());
        let bug = store.write(|_| -> Result<(), _> { panic!("on purpose") });
        bug.await.unwrap_err();
        assert!(is_new());
    }

    #[actix_rt::test]
    async fn notes_that_come_together_are_all_kept() {
        let books = Books::open().await;
        let store = &books.store;
        let entry = |number: u32| AuditEntry {
            actor: Actor::Daemon,
            action: "test".to_owned(),
            rotation: None,
            detail: json!(number),
        };
        let noted = (0..600).map(|number| store.note(DateTime::UNIX_EPOCH, entry(number)));
        for noted in futures_util::future::join_all(noted).await {
            noted.unwrap();
        }
        let kept = store.read(|reader| reader.audit(None, None, 1000)).await;
        let kept = kept.unwrap();
        let mut numbers: Vec<_> = kept
            .iter()
            .filter(|record| record.entry.action == "test")
            .map(|record| record.entry.detail.as_u64().unwrap())
            .collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..600).collect::<Vec<_>>());
    }
}
