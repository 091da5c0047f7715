//! Takes secrets, and what a terminal would obey, out of texts that a stranger wrote.

use std::fmt::Write as _;

use zeroize::Zeroizing;

/// Put where a secret stood.
const REPLACEMENT: &str = "[redacted]";

/// Shorter values are not looked for: they would blot out ordinary words.
const SHORTEST: usize = 4;

/// Lines of a secret from this length on are looked for by themselves.
const SHORTEST_LINE: usize = 16;

/// Values in answers from this length on are taken for tokens. Names of things are rarely that long.
const SHORTEST_TOKEN: usize = 32;

/// Tokens that are remembered of one call's answers.
const MOST_TOKENS: usize = 1024;

/// What is known to be secret in one call, in the forms in which it may turn up: as it is, its lines,
/// percent-encoded, JSON-escaped, and in base64.
///
/// Beside the values that the call was given, it learns from the answers that the provider receives:
/// anything that looks like a token, such as an access token or a new client secret that the provider has
/// not returned yet. Such guesses are taken out of logs and faults, but not out of titles and the like,
/// where the long name of a thing must stand.
#[derive(Default)]
pub(crate) struct Scrubber {
    known: Needles,
    guessed: Needles,
}

impl Scrubber {
    /// Adds a value.
    pub(crate) fn add(&mut self, secret: &[u8]) {
        if secret.len() < SHORTEST {
            return;
        }
        let mut forms = vec![base64(secret)];
        if let Ok(text) = std::str::from_utf8(secret) {
            forms.push(Zeroizing::new(text.to_owned()));
            forms.push(percent_encoded(text));
            forms.push(json_escaped(text));
            let lines = text.lines().map(str::trim);
            let lines = lines.filter(|line| line.len() >= SHORTEST_LINE);
            forms.extend(lines.map(|line| Zeroizing::new(line.to_owned())));
        }
        self.known.add(forms);
    }

    /// Learns what looks like a token in the body of an answer: quoted, long, without white space, neither
    /// a UUID nor a URL.
    pub(crate) fn learn(&mut self, body: &[u8]) {
        let Ok(body) = std::str::from_utf8(body) else {
            return;
        };
        let room = MOST_TOKENS.saturating_sub(self.guessed.0.len());
        let tokens = body.split('"').filter(|text| looks_like_token(text));
        let tokens = tokens
            .take(room)
            .map(|text| Zeroizing::new(text.to_owned()));
        self.guessed.add(tokens.collect());
    }

    /// The text in one line of at most `limit` bytes, without known secrets and control characters.
    pub(crate) fn line(&self, text: &str, limit: usize) -> String {
        cut(&self.known.remove(text), limit, one_line)
    }

    /// The text with its line breaks, otherwise as [`line`](Self::line).
    pub(crate) fn text(&self, text: &str, limit: usize) -> String {
        cut(&self.known.remove(text), limit, some_lines)
    }

    /// As [`line`](Self::line), without what looks like a token too.
    pub(crate) fn strict_line(&self, text: &str, limit: usize) -> String {
        cut(
            &self.guessed.remove(&self.known.remove(text)),
            limit,
            one_line,
        )
    }

    /// As [`text`](Self::text), without what looks like a token too.
    pub(crate) fn strict_text(&self, text: &str, limit: usize) -> String {
        cut(
            &self.guessed.remove(&self.known.remove(text)),
            limit,
            some_lines,
        )
    }
}

/// Texts to be taken out, the longest first, so that one inside another does not leave the rest of it
/// standing.
#[derive(Default)]
struct Needles(Vec<Zeroizing<String>>);

impl Needles {
    fn add(&mut self, texts: Vec<Zeroizing<String>>) {
        self.0
            .extend(texts.into_iter().filter(|text| text.len() >= SHORTEST));
        self.0.sort_by(|a, b| {
            b.len()
                .cmp(&a.len())
                .then_with(|| a.as_str().cmp(b.as_str()))
        });
        self.0.dedup();
    }

    fn remove(&self, text: &str) -> String {
        let mut cleaned = text.to_owned();
        for needle in &self.0 {
            if cleaned.contains(needle.as_str()) {
                cleaned = cleaned.replace(needle.as_str(), REPLACEMENT);
            }
        }
        cleaned
    }
}

fn one_line(c: char) -> char {
    if c.is_control() { ' ' } else { c }
}

fn some_lines(c: char) -> char {
    if c.is_control() && c != '\n' { ' ' } else { c }
}

fn cut(text: &str, limit: usize, tame: fn(char) -> char) -> String {
    let mut short = String::with_capacity(text.len().min(limit));
    for c in text.chars().filter(|c| !is_bidi_control(*c)).map(tame) {
        if short.len() + c.len_utf8() > limit {
            short.push('…');
            break;
        }
        short.push(c);
    }
    short
}

fn looks_like_token(text: &str) -> bool {
    (SHORTEST_TOKEN..=16 * 1024).contains(&text.len())
        && !text.contains(|c: char| c.is_whitespace() || c.is_control())
        && !text.contains("://")
        && !is_uuid(text)
        && text.contains(|c: char| c.is_ascii_digit())
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.char_indices().all(|(i, c)| match i {
            8 | 13 | 18 | 23 => c == '-',
            _ => c.is_ascii_hexdigit(),
        })
}

/// Characters that reorder what a terminal shows.
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn percent_encoded(text: &str) -> Zeroizing<String> {
    Zeroizing::new(url::form_urlencoded::byte_serialize(text.as_bytes()).collect())
}

fn json_escaped(text: &str) -> Zeroizing<String> {
    let mut escaped = Zeroizing::new(String::with_capacity(text.len()));
    for c in text.chars() {
        match c {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            c if c.is_control() => {
                // Writing to a String can't fail.
                let _ = write!(escaped, "\\u{:04x}", u32::from(c));
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// Standard base64 without padding, so that padded text is found too.
fn base64(bytes: &[u8]) -> Zeroizing<String> {
    use base64::Engine as _;
    Zeroizing::new(base64::engine::general_purpose::STANDARD_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn knowing(secret: &str) -> Scrubber {
        let mut scrubber = Scrubber::default();
        scrubber.add(secret.as_bytes());
        scrubber
    }

    #[test]
    fn a_secret_goes_in_every_form_it_may_take() {
        let scrubber = knowing("s3cr\"t/with+odd&signs");
        for leak in [
            "value s3cr\"t/with+odd&signs end",
            "value s3cr%22t%2Fwith%2Bodd%26signs end",
            "value s3cr\\\"t/with+odd&signs end",
            "value czNjciJ0L3dpdGgrb2RkJnNpZ25z end",
        ] {
            assert_eq!(scrubber.line(leak, 1000), "value [redacted] end");
        }
    }

    #[test]
    fn a_line_of_a_key_file_goes_too() {
        let scrubber =
            knowing("-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END KEY-----\n");
        assert_eq!(
            scrubber.line("parse error at MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", 1000),
            "parse error at [redacted]"
        );
    }

    #[test]
    fn a_secret_inside_a_longer_one_leaves_nothing_of_it() {
        let mut scrubber = knowing("abcdef");
        scrubber.add(b"xx-abcdef-yy");
        assert_eq!(scrubber.line("is xx-abcdef-yy", 100), "is [redacted]");
    }

    #[test]
    fn tokens_in_answers_are_learnt_and_names_are_not() {
        let token = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiIwMDAwIn0.c2lnbmF0dXJl";
        let id = "6f1e1a52-3b53-4f0a-9d3c-111111111111";
        let words = "Insufficient privileges to complete the operation 12345678";
        let mut scrubber = Scrubber::default();
        scrubber.learn(
            format!(
                r#"{{"access_token":"{token}","keyId":"{id}","message":"{words}",
                "@odata.context":"https://graph.example/v1.0/$metadata#applications1"}}"#
            )
            .as_bytes(),
        );
        let line = format!("{token} {id} {words}");
        assert_eq!(
            scrubber.strict_line(&line, 1000),
            format!("[redacted] {id} {words}")
        );
        assert_eq!(
            scrubber.line(&line, 1000),
            line,
            "a guess is not taken out of a title"
        );
    }

    #[test]
    fn a_line_holds_nothing_that_a_terminal_obeys() {
        let scrubber = Scrubber::default();
        assert_eq!(
            scrubber.line("a\x1b[31mb\r\nc\u{202e}d", 100),
            "a [31mb  cd"
        );
        assert_eq!(scrubber.text("a\nb\x07", 100), "a\nb ");
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        assert_eq!(Scrubber::default().line("ééé", 5), "éé…");
    }
}
