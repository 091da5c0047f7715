//! Logins over fresh connections by a client that does nothing else: what the requests of a rotation cost by
//! themselves.

use std::time::Duration;

use e2e::Failure;
use e2e::azure::{self, Azure, MANAGER, MANAGER_SECRET};
use reqwest::Client;
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime;

/// Logins before any is counted.
const WARM: u32 = 50;
/// Logins that are counted.
const LOGINS: u32 = 400;

/// What of the processors one login takes on the client's side, with TLS sessions that are resumed and a name that is
/// resolved already.
pub(crate) async fn alone(azure: &Azure) -> Result<Duration, Failure> {
    let failed = "the bare client can't log in";
    let login = Login {
        url: azure.token_url(),
        client_id: azure.app(MANAGER)?.app_id.to_string(),
        client: azure
            .client()?
            .resolve("localhost", azure.standin.address())
            .build()
            .map_err(|error| Failure::new(failed).because(error))?,
    };
    // A thread of its own, which has a clock of its own: the stand-in runs in this process too.
    let counted = tokio::task::spawn_blocking(move || -> Result<Duration, Box<Error>> {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            for _ in 0..WARM {
                login.once().await?;
            }
            let before = used();
            for _ in 0..LOGINS {
                login.once().await?;
            }
            Ok(used().saturating_sub(before) / LOGINS)
        })
    });
    counted
        .await
        .map_err(|error| Failure::new(failed).because(error))?
        .map_err(|error| Failure::new(failed).because(error))
}

type Error = dyn std::error::Error + Send + Sync;

struct Login {
    client: Client,
    url: String,
    client_id: String,
}

impl Login {
    async fn once(&self) -> reqwest::Result<()> {
        let form = azure::login(&self.client_id, MANAGER_SECRET);
        let reply = self.client.post(&self.url).form(&form).send().await?;
        reply.error_for_status()?.bytes().await.map(drop)
    }
}

/// The processor time of this thread.
fn used() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or_default(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}
