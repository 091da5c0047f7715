//! What the service manager is told. Without one, nothing.

use std::time::Duration;

use sd_notify::NotifyState;

/// Everything runs.
pub fn ready() {
    tell(&[NotifyState::Ready, NotifyState::Status("ready")]);
}

/// The settings and the providers are read anew.
pub fn reloading() {
    tell(&[
        NotifyState::Reloading,
        NotifyState::Status("reading the settings and the providers anew"),
    ]);
}

/// The end has begun.
pub fn stopping() {
    tell(&[
        NotifyState::Stopping,
        NotifyState::Status("finishing the steps that are under way"),
    ]);
}

/// Every part answers, and this is what they are at.
pub fn alive(status: &str) {
    tell(&[NotifyState::Watchdog, NotifyState::Status(status)]);
}

/// After how long without a beat the service manager gives the daemon up; none where it does not watch.
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "the service manager could not be told");
    }
}
