//! A daemon made of paper, for native tests of providers.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use crate::http::{Error, Http, Request, Response};
use crate::{Clock, Level, Log, Random, Secret, Timestamp};

type Answer = Box<dyn Fn(&Request) -> Result<Response, Error>>;

/// Answers requests by a script and keeps what was asked.
///
/// Answers are given in the order in which they were added; a request too many panics, and so does a
/// mock that is dropped with answers left, so a test says exactly what its provider asks.
#[derive(Default)]
pub struct MockHost {
    now: Cell<Timestamp>,
    random: Cell<u8>,
    answers: RefCell<VecDeque<Answer>>,
    requests: RefCell<Vec<Request>>,
    lines: RefCell<Vec<(Level, String)>>,
}

impl MockHost {
    /// A host whose clock stands at this time.
    pub fn at(now: Timestamp) -> Self {
        let host = Self::default();
        host.now.set(now);
        host
    }

    /// Answers the next unanswered request with this.
    #[must_use]
    pub fn answer(self, answer: Response) -> Self {
        self.answer_with(move |_| Ok(answer.clone()))
    }

    /// Lets the next unanswered request fail like this.
    #[must_use]
    pub fn fail(self, error: Error) -> Self {
        self.answer_with(move |_| Err(error.clone()))
    }

    /// Answers the next unanswered request with what this makes of it.
    #[must_use]
    pub fn answer_with(
        self,
        answer: impl Fn(&Request) -> Result<Response, Error> + 'static,
    ) -> Self {
        self.answers.borrow_mut().push_back(Box::new(answer));
        self
    }

    /// What was asked so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.borrow().clone()
    }

    /// What was logged so far.
    pub fn lines(&self) -> Vec<(Level, String)> {
        self.lines.borrow().clone()
    }
}

impl Http for MockHost {
    #[allow(clippy::panic, reason = "a test's script is wrong")]
    fn send(&self, request: Request) -> Result<Response, Error> {
        let answer = self.answers.borrow_mut().pop_front();
        let Some(answer) = answer else {
            panic!("no answer is left for {request:?}");
        };
        let result = answer(&request);
        self.requests.borrow_mut().push(request);
        result
    }
}

impl Clock for MockHost {
    fn now(&self) -> Timestamp {
        self.now.get()
    }
}

/// Counts, so that tests repeat.
impl Random for MockHost {
    fn fill(&self, buffer: &mut [u8]) {
        for byte in buffer {
            self.random.set(self.random.get().wrapping_add(1));
            *byte = self.random.get();
        }
    }
}

impl Log for MockHost {
    fn log(&self, level: Level, message: &str) {
        self.lines.borrow_mut().push((level, message.to_owned()));
    }
}

impl Drop for MockHost {
    fn drop(&mut self) {
        let left = self.answers.borrow().len();
        if !std::thread::panicking() {
            assert!(left == 0, "{left} answers were never asked for");
        }
    }
}

impl Response {
    /// An answer with this status and body.
    pub fn new(status: u16, body: impl Into<Secret>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers
            .push((name.to_owned(), value.as_bytes().to_vec()));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "1 answers were never asked for")]
    fn an_answer_that_nobody_asks_for_fails_the_test() {
        drop(MockHost::at(0).answer(Response::new(200, "")));
    }

    #[test]
    fn uuids_have_their_version_and_variant() {
        let uuid = MockHost::at(0).uuid();
        assert_eq!(uuid, "01020304-0506-4708-890a-0b0c0d0e0f10");
    }
}
