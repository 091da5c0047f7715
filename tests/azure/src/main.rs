//! `azure-standin`: a stand-in for Entra and Microsoft Graph that any client can be pointed at.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use azure_standin::{Config, Handle, Standin};
use clap::Parser;

/// Serve Entra's token endpoint and Graph's application routes over TLS, until stopped.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// What is in the tenant, and how the service behaves (TOML).
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Where to write the certificate that clients must trust (PEM).
    #[arg(long, value_name = "PATH", default_value = "azure-standin-ca.pem")]
    ca_file: PathBuf,
    /// Written when the stand-in is ready: its address and the rest of what it prints, as JSON.
    #[arg(long, value_name = "PATH")]
    ready_file: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into()),
        )
        .init();
    let arguments = Arguments::parse();
    let config = Config::read(&arguments.config)?;
    let handle = Standin::start_on(config, arguments.listen).await?;
    std::fs::write(&arguments.ca_file, handle.ca_pem())
        .with_context(|| format!("can't write {}", arguments.ca_file.display()))?;
    let ca_file = std::path::absolute(&arguments.ca_file)?;
    if let Some(path) = &arguments.ready_file {
        write_ready_file(&handle, &ca_file, path)
            .with_context(|| format!("can't write {}", path.display()))?;
    }
    announce(&handle, &ca_file).context("can't print")?;
    wait_for_a_signal().await?;
    handle.stop().await;
    Ok(())
}

fn announce(handle: &Handle, ca_file: &Path) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let base = handle.base_url();
    writeln!(out, "address   {base}  (authority and Graph)")?;
    writeln!(out, "tenant    {}", handle.tenant_id())?;
    writeln!(out, "CA file   {}", ca_file.display())?;
    writeln!(out, "control   {base}/_standin/")?;
    let applications = handle.applications();
    for app in applications.iter().take(10) {
        writeln!(
            out,
            "app       {}  client id {}  object id {}",
            app.name, app.app_id, app.object_id
        )?;
    }
    if applications.len() > 10 {
        writeln!(out, "          and {} more", applications.len() - 10)?;
    }
    out.flush()
}

/// Appears in whole or not at all: whoever waits for it may read it at once.
fn write_ready_file(handle: &Handle, ca_file: &Path, path: &Path) -> std::io::Result<()> {
    let ready = serde_json::json!({
        "address": handle.base_url(),
        "tenant": handle.tenant_id(),
        "ca_file": ca_file,
    });
    let unfinished = path.with_extension("tmp");
    std::fs::write(&unfinished, ready.to_string())?;
    std::fs::rename(&unfinished, path)
}

async fn wait_for_a_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
