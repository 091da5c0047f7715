//! What the service manager is told. Without one, nothing.

use sd_notify::NotifyState;

/// Everything runs.
pub fn ready() {
    tell(&[NotifyState::Ready, NotifyState::Status("ready")]);
}

/// The providers are loaded anew.
pub fn reloading() {
    tell(&[
        NotifyState::Reloading,
        NotifyState::Status("loading the providers anew"),
    ]);
}

/// The end has begun.
pub fn stopping() {
    tell(&[
        NotifyState::Stopping,
        NotifyState::Status("finishing the steps that are under way"),
    ]);
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "the service manager could not be told");
    }
}
