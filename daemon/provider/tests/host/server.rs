//! A TLS server that answers, or fails to, in one exact way.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{HandshakeKind, ServerConfig};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// What the server does with each connection.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Behaviour {
    /// A whole answer with this status and body.
    Answer(u16, &'static str),
    /// A whole answer with these header lines too.
    AnswerWith(&'static str),
    /// A whole answer that points to another path of this server.
    Redirect,
    /// A whole answer with this many bytes in one header.
    LongHeader(usize),
    /// A whole answer, after which the connection is closed without a word of that in the answer.
    AnswerAndClose,
    /// An answer with a body of this many bytes, announced.
    Announce(usize),
    /// An answer with a body without end, not announced.
    Endless,
    /// Hangs up before TLS.
    CloseBeforeTls,
    /// Hangs up once the first byte of a request is there.
    CloseAtFirstByte,
    /// Hangs up once a whole request is there.
    CloseAfterRequest,
    /// Hangs up in the middle of the answer's body.
    CloseInBody,
    /// Reads and says nothing.
    NeverAnswer,
    /// As `Answer`, once it is permitted.
    WaitForPermission,
}

/// A running server, with an authority of its own.
pub(crate) struct Server {
    port: u16,
    authority: PathBuf,
    shared: Arc<Shared>,
    _directory: TempDir,
}

struct Shared {
    behaviour: Behaviour,
    requests: Mutex<Vec<String>>,
    connections: Mutex<usize>,
    resumed: Mutex<usize>,
    seen: Semaphore,
    permission: Semaphore,
}

impl Server {
    pub(crate) async fn start(behaviour: Behaviour) -> Self {
        let directory = TempDir::new().unwrap();
        let (config, authority) = certificates();
        let file = directory.path().join("ca.pem");
        std::fs::write(&file, authority).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            behaviour,
            requests: Mutex::default(),
            connections: Mutex::default(),
            resumed: Mutex::default(),
            seen: Semaphore::new(0),
            permission: Semaphore::new(0),
        });
        let serving = Arc::clone(&shared);
        let acceptor = TlsAcceptor::from(Arc::new(config));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (shared, acceptor) = (Arc::clone(&serving), acceptor.clone());
                tokio::spawn(async move { shared.serve(stream, &acceptor).await });
            }
        });
        Self {
            port,
            authority: file,
            shared,
            _directory: directory,
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }

    pub(crate) fn authority(&self) -> &Path {
        &self.authority
    }

    /// The whole requests that came, head and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// How often somebody connected.
    pub(crate) fn connections(&self) -> usize {
        *self.shared.connections.lock().unwrap()
    }

    /// How many of those took up a TLS session of before.
    pub(crate) fn resumed(&self) -> usize {
        *self.shared.resumed.lock().unwrap()
    }

    /// Waits for a request.
    pub(crate) async fn request_seen(&self) {
        self.shared.seen.acquire().await.unwrap().forget();
    }

    /// Permits one answer.
    pub(crate) fn permit(&self) {
        self.shared.permission.add_permits(1);
    }
}

impl Shared {
    async fn serve(&self, stream: TcpStream, acceptor: &TlsAcceptor) {
        *self.connections.lock().unwrap() += 1;
        if matches!(self.behaviour, Behaviour::CloseBeforeTls) {
            return;
        }
        // A client that does not trust the server ends here.
        let Ok(mut stream) = acceptor.accept(stream).await else {
            return;
        };
        if stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed) {
            *self.resumed.lock().unwrap() += 1;
        }
        if matches!(self.behaviour, Behaviour::CloseAtFirstByte) {
            let _ = stream.read(&mut [0]).await;
            return;
        }
        while let Some(request) = read_request(&mut stream).await {
            self.requests.lock().unwrap().push(request);
            self.seen.add_permits(1);
            if self.answer(&mut stream).await.is_none() {
                return;
            }
        }
    }

    /// `None` where the connection is to be closed.
    async fn answer(&self, stream: &mut TlsStream<TcpStream>) -> Option<()> {
        let whole = |status: u16, headers: &str, body: &str| {
            let length = body.len();
            format!("HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\n\r\n{body}")
        };
        let long = |length| format!("long: {}\r\n", "x".repeat(length));
        let (text, keep) = match self.behaviour {
            Behaviour::Answer(status, body) => (whole(status, "", body), true),
            Behaviour::AnswerWith(headers) => (whole(200, headers, "fine"), true),
            Behaviour::Redirect => (whole(302, "location: /elsewhere\r\n", "moved"), true),
            Behaviour::LongHeader(length) => (whole(200, &long(length), "fine"), true),
            Behaviour::AnswerAndClose => (whole(200, "", "fine"), false),
            Behaviour::Announce(length) => (
                format!("HTTP/1.1 200 X\r\ncontent-length: {length}\r\n\r\n"),
                true,
            ),
            Behaviour::Endless => return self.pour(stream).await,
            Behaviour::CloseInBody => (
                "HTTP/1.1 200 X\r\ncontent-length: 100\r\n\r\nhalf".to_owned(),
                false,
            ),
            Behaviour::WaitForPermission => {
                self.permission.acquire().await.unwrap().forget();
                (whole(200, "", "fine"), true)
            }
            Behaviour::NeverAnswer => return std::future::pending().await,
            Behaviour::CloseBeforeTls
            | Behaviour::CloseAtFirstByte
            | Behaviour::CloseAfterRequest => return None,
        };
        stream.write_all(text.as_bytes()).await.ok()?;
        stream.flush().await.ok()?;
        keep.then_some(())
    }

    async fn pour(&self, stream: &mut TlsStream<TcpStream>) -> Option<()> {
        stream
            .write_all(b"HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n")
            .await
            .ok()?;
        loop {
            stream.write_all(b"400\r\n").await.ok()?;
            stream.write_all(&[b'x'; 0x400]).await.ok()?;
            stream.write_all(b"\r\n").await.ok()?;
        }
    }
}

async fn read_request(stream: &mut TlsStream<TcpStream>) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = find(&bytes, b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase()
                        .strip_prefix("content-length: ")?
                        .parse()
                        .ok()
                })
                .unwrap_or(0);
            if bytes.len() >= end + 4 + length {
                return Some(String::from_utf8_lossy(&bytes).into_owned());
            }
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&chunk[..read]),
        }
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// A server certificate for `localhost`, and the PEM of the authority that signed it.
fn certificates() -> (ServerConfig, String) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned()];
    let certificate = CertificateParams::new(names)
        .unwrap()
        .signed_by(&key, &authority)
        .unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    (config, authority.pem())
}
