//! Lines for the systemd journal in its own protocol, so that what they are about can be searched for:
//! `journalctl ROTATION=…`, `PROVIDER=…`, `ATTEMPT=…`. The message is the whole line all the same.
//!
//! The protocol: <https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>.

use std::fmt::Debug;
use std::io::stderr;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixDatagram;
use std::{env, fs, io};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::FormatFields as _;
use tracing_subscriber::fmt::format::{DefaultFields, Writer};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

const SOCKET: &str = "/run/systemd/journal/socket";
/// Fields of an event that become fields of the journal, in capitals there.
const FIELDS: [&str; 3] = ["rotation", "provider", "attempt"];

/// A connection to the journal.
pub(super) struct Journal(UnixDatagram);

impl Journal {
    /// None unless standard error leads to the journal, as its device and inode in `JOURNAL_STREAM` say.
    pub(super) fn of_this_process() -> Option<Self> {
        let stream = env::var("JOURNAL_STREAM").ok()?;
        let (device, inode) = stream.split_once(':')?;
        let here = fs::metadata("/proc/self/fd/2").ok()?;
        if device.parse() != Ok(here.dev()) || inode.parse() != Ok(here.ino()) {
            return None;
        }
        let socket = UnixDatagram::unbound().ok()?;
        socket.connect(SOCKET).ok()?;
        Some(Self(socket))
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Journal {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        remember(attributes, id, &context);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let entry = Entry::of(event, &context);
        if self.0.send(&entry.encoded()).is_err() {
            // Too large, or the journal is away: what systemd reads from standard error is better than nothing.
            let _ = entry.to_stream(&mut stderr().lock());
        }
    }
}

/// Keeps what a span is about for the lines within it.
fn remember<S: Subscriber + for<'a> LookupSpan<'a>>(
    attributes: &Attributes<'_>,
    id: &Id,
    context: &Context<'_, S>,
) {
    let mut about = About::default();
    attributes.record(&mut about);
    if let Some(span) = context.span(id) {
        span.extensions_mut().insert(about);
    }
}

/// A line, and what it is about.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    /// As syslog counts it.
    priority: u8,
    message: String,
    about: Vec<(&'static str, String)>,
}

impl Entry {
    fn of<S>(event: &Event<'_>, context: &Context<'_, S>) -> Self
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let metadata = event.metadata();
        let mut message = format!("{}: ", metadata.target());
        // Writing to a text can't fail.
        let _ = DefaultFields::new().format_fields(Writer::new(&mut message), event);
        let mut about = About::default();
        event.record(&mut about);
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(around) = span.extensions().get::<About>() {
                about.complete(around);
            }
        }
        let priority = match *metadata.level() {
            Level::ERROR => 3,
            Level::WARN => 4,
            Level::INFO => 6,
            Level::DEBUG | Level::TRACE => 7,
        };
        Self {
            priority,
            message,
            about: about.0,
        }
    }

    /// As one datagram.
    fn encoded(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        field(&mut bytes, "PRIORITY", &self.priority.to_string());
        field(&mut bytes, "SYSLOG_IDENTIFIER", "rotord");
        field(&mut bytes, "MESSAGE", &self.message);
        for (name, value) in &self.about {
            field(&mut bytes, &name.to_ascii_uppercase(), value);
        }
        bytes
    }

    /// As one line with its priority (`sd-daemon(3)`).
    fn to_stream(&self, stream: &mut impl io::Write) -> io::Result<()> {
        let line = self.message.replace('\n', " ");
        writeln!(stream, "<{}>{line}", self.priority)
    }
}

/// Always with its length, so that no value can pretend to be another field.
fn field(bytes: &mut Vec<u8>, name: &str, value: &str) {
    bytes.extend_from_slice(name.as_bytes());
    bytes.push(b'\n');
    bytes.extend_from_slice(&(value.len() as u64).to_le_bytes());
    bytes.extend_from_slice(value.as_bytes());
    bytes.push(b'\n');
}

#[derive(Default)]
struct About(Vec<(&'static str, String)>);

impl About {
    /// What is further out says what is not said nearer.
    fn complete(&mut self, around: &Self) {
        for (name, value) in &around.0 {
            if !self.0.iter().any(|(known, _)| known == name) {
                self.0.push((name, value.clone()));
            }
        }
    }

    fn note(&mut self, field: &Field, value: impl FnOnce() -> String) {
        if let Some(name) = FIELDS.iter().find(|name| **name == field.name()) {
            self.0.push((name, value()));
        }
    }
}

impl Visit for About {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.note(field, || value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.note(field, || format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<Entry>>>);

    impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Kept {
        fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
            remember(attributes, id, &context);
        }

        fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
            self.0.lock().unwrap().push(Entry::of(event, &context));
        }
    }

    fn entry(write: impl FnOnce()) -> Entry {
        let kept = Kept::default();
        let subscriber = tracing_subscriber::registry().with(kept.clone());
        tracing::subscriber::with_default(subscriber, write);
        kept.0.lock().unwrap().pop().unwrap()
    }

    #[test]
    fn the_message_is_the_whole_line_and_what_it_is_about_are_fields_beside_it() {
        let entry = entry(|| {
            tracing::warn!(rotation = %7, provider = "azure", attempt = %"a-1", ms = 3, "called");
        });
        assert_eq!(entry.priority, 4);
        let about: Vec<_> = entry.about.iter().map(|(n, v)| (*n, v.as_str())).collect();
        assert_eq!(
            about,
            [("rotation", "7"), ("provider", "azure"), ("attempt", "a-1")]
        );
        for part in [
            "journal::tests: called",
            "rotation=7",
            "provider=\"azure\"",
            "ms=3",
        ] {
            assert!(entry.message.contains(part), "{}", entry.message);
        }
    }

    #[test]
    fn a_line_within_a_call_is_about_what_the_call_is_about() {
        let entry = entry(|| {
            let call =
                tracing::info_span!("call", rotation = 7, provider = "azure", call = "issue");
            call.in_scope(|| tracing::info!(provider = "other", "asked"));
        });
        let about: Vec<_> = entry.about.iter().map(|(n, v)| (*n, v.as_str())).collect();
        assert_eq!(about, [("provider", "other"), ("rotation", "7")]);
    }

    #[test]
    fn a_value_with_line_breaks_adds_no_field() {
        let entry = entry(|| tracing::error!(provider = "x\nPRIORITY=0", "one\ntwo"));
        let bytes = entry.encoded();
        let mut rest = bytes.as_slice();
        let mut names = Vec::new();
        while !rest.is_empty() {
            let end = rest.iter().position(|byte| *byte == b'\n').unwrap();
            names.push(String::from_utf8(rest[..end].to_vec()).unwrap());
            let (length, after) = rest[end + 1..].split_first_chunk().unwrap();
            let length = usize::try_from(u64::from_le_bytes(*length)).unwrap();
            assert_eq!(after[length], b'\n');
            rest = &after[length + 1..];
        }
        assert_eq!(
            names,
            ["PRIORITY", "SYSLOG_IDENTIFIER", "MESSAGE", "PROVIDER"]
        );
        let mut line = Vec::new();
        entry.to_stream(&mut line).unwrap();
        let line = String::from_utf8(line).unwrap();
        assert_eq!(line.lines().count(), 1);
        assert!(line.starts_with("<3>"), "{line}");
    }
}
