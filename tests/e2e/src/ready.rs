//! What the daemon tells its service manager, which is us.

use std::path::{Path, PathBuf};

use tokio::net::UnixDatagram;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::failure::{Failure, OrFail as _};

/// The socket that `NOTIFY_SOCKET` names. It is read all the time, as a service manager reads it: who tells waits where
/// nobody does.
#[derive(Debug)]
pub(crate) struct NotifySocket {
    told: Mutex<UnboundedReceiver<String>>,
    path: PathBuf,
}

impl NotifySocket {
    /// Listens in a folder.
    pub(crate) fn bind(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join("notify.sock");
        if path.exists() {
            std::fs::remove_file(&path).or_fail(|| "an old socket is in the way".to_owned())?;
        }
        let socket = UnixDatagram::bind(&path).or_fail(|| format!("no {}", path.display()))?;
        let (tell, told) = unbounded_channel();
        tokio::spawn(async move {
            let mut message = vec![0; 4096];
            while let Ok(length) = socket.recv(&mut message).await {
                let text = String::from_utf8_lossy(&message[..length]).into_owned();
                if tell.send(text).is_err() {
                    break;
                }
            }
        });
        let told = Mutex::new(told);
        Ok(Self { told, path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for `READY=1`.
    pub(crate) async fn ready(&self) -> Result<(), Failure> {
        self.hear("READY=1").await.map(drop)
    }

    /// Waits for a message with this line, and gives back all of it.
    pub(crate) async fn hear(&self, wanted: &str) -> Result<String, Failure> {
        let mut told = self.told.lock().await;
        loop {
            let text = told
                .recv()
                .await
                .ok_or_else(|| Failure::new("the daemon can't be heard"))?;
            if text.lines().any(|line| line == wanted) {
                return Ok(text);
            }
        }
    }
}
