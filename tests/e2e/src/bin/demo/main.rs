//! The main job, to watch: an Azure application's client secret is rotated while something logs in with it
//! all along. `KEEP=1` leaves everything running and says how to talk to it.

mod screen;
mod stage;
mod story;
mod timeline;

use std::process::ExitCode;

use e2e::failure::OrFail as _;
use e2e::{Consumer, Failure};
use tokio::signal::unix::{SignalKind, signal};

use screen::Screen;
use stage::Stage;

#[tokio::main]
async fn main() -> ExitCode {
    let screen = Screen::stdout();
    match demo(&screen).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            screen.bad(&format!("The demo failed: {}", failure.whole()));
            ExitCode::FAILURE
        }
    }
}

async fn demo(screen: &Screen) -> Result<(), Failure> {
    let keep = std::env::var("KEEP").is_ok_and(|keep| !keep.is_empty() && keep != "0");
    let (mut stage, consumer) = tokio::select! {
        played = play(screen) => played?,
        stopped = asked_to_stop() => {
            stopped?;
            return Err(Failure::new("stopped before its end"));
        }
    };
    story::where_next(screen, keep);
    if keep {
        stage.how_to_talk_to_it(screen);
        asked_to_stop().await?;
    }
    let tally = consumer.stop().await?;
    if keep {
        screen.line(&format!(
            "\nThe consumer logged in {} times; {} failed.",
            tally.logins, tally.failures
        ));
    }
    stage.daemon.stop().await?;
    screen.dim("Everything is stopped and its temporary folder deleted.");
    if tally.failures > 0 {
        return Err(Failure::new("the consumer could not log in all along"));
    }
    Ok(())
}

/// Sets the stage and tells the story on it.
async fn play(screen: &Screen) -> Result<(Stage, Consumer), Failure> {
    let stage = Stage::set(screen).await?;
    match story::tell(screen, &stage).await {
        Ok(consumer) => Ok((stage, consumer)),
        Err(failure) => {
            screen.log_tail(&stage.daemon.log()?);
            Err(failure)
        }
    }
}

async fn asked_to_stop() -> Result<(), Failure> {
    let no_signals = || "signals can't be received".to_owned();
    let mut interrupt = signal(SignalKind::interrupt()).or_fail(no_signals)?;
    let mut terminate = signal(SignalKind::terminate()).or_fail(no_signals)?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
