//! What goes on without the program: told where ^C ends it, with 130, and where the daemon's answer does not come.

use std::sync::{Mutex, Once, PoisonError};
use std::{process, thread};

use dialoguer::console::Term;

use crate::error::CtlError;
use crate::exit::Exit;
use crate::output::note;

/// What a person should know who leaves now.
static LEFT_BEHIND: Mutex<Option<String>> = Mutex::new(None);

/// For as long as it lives, who leaves with ^C is told what goes on.
pub(crate) struct GoesOn(String);

impl GoesOn {
    /// `what` goes on whether anybody waits for it or not.
    pub(crate) fn told(what: String) -> Self {
        watch();
        leave(Some(what.clone()));
        Self(what)
    }

    /// An error with what goes on, where the daemon is not there to tell.
    pub(crate) fn after(&self, error: CtlError) -> CtlError {
        if error.may_pass() {
            error.hint(&self.0)
        } else {
            error
        }
    }
}

impl Drop for GoesOn {
    fn drop(&mut self) {
        leave(None);
    }
}

/// Ends the program at ^C from now on, with what is then to be said.
pub(crate) fn watch() {
    static WATCH: Once = Once::new();
    WATCH.call_once(|| drop(thread::spawn(wait)));
}

/// Ends the program as a shell expects it of one that got ^C. Dialogues hide the cursor; whoever breaks one off
/// wants it back.
pub(crate) fn interrupted() -> ! {
    let term = Term::stderr();
    if term.is_term() {
        // There is nowhere left to tell that this failed.
        let _ = term.clear_line();
        let _ = term.show_cursor();
    }
    let left = LEFT_BEHIND.lock();
    if let Some(what) = left.unwrap_or_else(PoisonError::into_inner).take() {
        note(&what);
    }
    process::exit(Exit::Interrupted.code().into());
}

fn leave(what: Option<String>) {
    *LEFT_BEHIND.lock().unwrap_or_else(PoisonError::into_inner) = what;
}

/// Waits for ^C, whether the program reads, waits or works.
fn wait() {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    else {
        return;
    };
    if runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
        interrupted();
    }
}
