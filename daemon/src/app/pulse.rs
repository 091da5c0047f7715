//! Whether the daemon lives, for the service manager: not this task says so but the actors themselves, each in turn. One
//! that is stuck is a missed beat, and the service manager starts the daemon anew.

use std::time::Duration;

use actix::Addr;
use tokio::time::{sleep, timeout};

use crate::actors::rotator::{AtWork, Rotator};
use crate::actors::scheduler::{GetOutlook, Outlook, Scheduler};
use crate::actors::store::StoreHandle;
use crate::notify;

/// Who has to answer.
pub(super) struct Pulse {
    pub(super) store: StoreHandle,
    pub(super) rotator: Addr<Rotator>,
    pub(super) scheduler: Addr<Scheduler>,
}

impl Pulse {
    /// Beats three times in the time after which the service manager gives the daemon up; where it does not watch, never.
    pub(super) async fn beat(self) {
        let Some(given_up_after) = notify::watchdog() else {
            return;
        };
        let third = given_up_after / 3;
        loop {
            sleep(third).await;
            match timeout(third, self.ask()).await {
                Ok(Some(status)) => notify::alive(&status),
                // They are stopped: so is the daemon soon.
                Ok(None) => return,
                Err(_) => tracing::error!(
                    "a part of the daemon did not answer within {}: if that goes on, the service manager starts it anew",
                    Seconds(third)
                ),
            }
        }
    }

    /// What each of them is at, in words. None where one has ended.
    async fn ask(&self) -> Option<String> {
        self.store.answers().await.ok()?;
        let at_work = self.rotator.send(AtWork).await.ok()?;
        let outlook = self.scheduler.send(GetOutlook).await.ok()?;
        let trouble = self.store.health().writing().map(|trouble| trouble.what);
        Some(status(at_work, &outlook, trouble.as_deref()))
    }
}

fn status(at_work: usize, outlook: &Outlook, trouble: Option<&str>) -> String {
    if let Some(trouble) = trouble {
        return format!("nothing can be written down: {trouble}");
    }
    let next = outlook.next_wake.map_or_else(
        || "nothing is due".to_owned(),
        |next| format!("next look at {}", next.format("%Y-%m-%dT%H:%M:%SZ")),
    );
    match at_work {
        0 => format!("at rest; {next}"),
        1 => format!("1 rotation is at work; {next}"),
        more => format!("{more} rotations are at work; {next}"),
    }
}

/// A length of time for people.
struct Seconds(Duration);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.1} s", self.0.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_says_what_is_done_and_what_keeps_it_from_being_done() {
        let mut outlook = Outlook::default();
        assert_eq!(status(0, &outlook, None), "at rest; nothing is due");
        outlook.next_wake = "2026-03-01T10:00:00Z".parse().ok();
        assert_eq!(
            status(2, &outlook, None),
            "2 rotations are at work; next look at 2026-03-01T10:00:00Z"
        );
        let full = status(2, &outlook, Some("the disk is full"));
        assert!(full.contains("the disk is full"), "{full}");
    }
}
