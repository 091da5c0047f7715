//! What the daemon tells its service manager, which is us.

use std::path::{Path, PathBuf};

use tokio::net::UnixDatagram;

use crate::failure::{Failure, OrFail as _};

/// The socket that `NOTIFY_SOCKET` names.
#[derive(Debug)]
pub(crate) struct NotifySocket {
    socket: UnixDatagram,
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
        Ok(Self { socket, path })
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
        let mut message = vec![0; 4096];
        loop {
            let length = self
                .socket
                .recv(&mut message)
                .await
                .or_fail(|| "the daemon can't be heard".to_owned())?;
            let text = String::from_utf8_lossy(&message[..length]);
            if text.lines().any(|line| line == wanted) {
                return Ok(text.into_owned());
            }
        }
    }
}
