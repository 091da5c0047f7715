//! Takes secrets, and what a terminal would obey, out of texts that a stranger wrote.

use std::fmt::Write as _;

use zeroize::Zeroizing;

/// Put where a secret stood.
const REPLACEMENT: &str = "[redacted]";

/// Shorter values are not looked for: they would blot out ordinary words.
const SHORTEST: usize = 4;

/// Values in answers from this length on are taken for tokens.
const SHORTEST_TOKEN: usize = 20;

/// Tokens that are remembered of one call's answers.
const MOST_TOKENS: usize = 1024;

/// What is known to be secret in one call, in the forms in which it may turn up: as it is, its lines,
/// percent-encoded, JSON-escaped, and in base64.
///
/// Beside the values that the call was given, it learns from the answers that the provider receives:
/// anything that looks like a token, such as an access token or a new client secret that the provider has
/// not returned yet.
#[derive(Default)]
pub(crate) struct Scrubber {
    needles: Vec<Zeroizing<String>>,
    tokens: usize,
}

impl Scrubber {
    /// Adds a value.
    pub(crate) fn add(&mut self, secret: &[u8]) {
        if secret.len() < SHORTEST {
            return;
        }
        self.push(base64(secret));
        if let Ok(text) = std::str::from_utf8(secret) {
            self.push(Zeroizing::new(text.to_owned()));
            self.push(percent_encoded(text));
            self.push(json_escaped(text));
            for line in text
                .lines()
                .map(str::trim)
                .filter(|line| line.len() >= SHORTEST_TOKEN)
            {
                self.push(Zeroizing::new(line.to_owned()));
            }
        }
        // The longest first, so that a value inside another does not leave the rest of it standing.
        self.needles
            .sort_by_key(|needle| std::cmp::Reverse(needle.len()));
    }

    /// Learns what looks like a token in the body of an answer: quoted, long, without white space, neither
    /// a UUID nor a URL.
    pub(crate) fn learn(&mut self, body: &[u8]) {
        let Ok(body) = std::str::from_utf8(body) else {
            return;
        };
        for text in body.split('"') {
            if self.tokens >= MOST_TOKENS {
                break;
            }
            if looks_like_token(text) && !self.needles.iter().any(|known| known.as_str() == text) {
                self.tokens += 1;
                self.needles.push(Zeroizing::new(text.to_owned()));
            }
        }
        self.needles
            .sort_by_key(|needle| std::cmp::Reverse(needle.len()));
    }

    /// The text in one line of at most `limit` bytes, without secrets and control characters.
    pub(crate) fn line(&self, text: &str, limit: usize) -> String {
        self.clean(text, limit, |c| if c.is_control() { ' ' } else { c })
    }

    /// The text with its line breaks, otherwise as [`line`](Self::line).
    pub(crate) fn text(&self, text: &str, limit: usize) -> String {
        self.clean(text, limit, |c| {
            if c.is_control() && c != '\n' { ' ' } else { c }
        })
    }

    fn clean(&self, text: &str, limit: usize, tame: impl Fn(char) -> char) -> String {
        let mut cleaned = text.to_owned();
        for needle in &self.needles {
            if cleaned.contains(needle.as_str()) {
                cleaned = cleaned.replace(needle.as_str(), REPLACEMENT);
            }
        }
        let mut short: String = String::with_capacity(cleaned.len().min(limit));
        for c in cleaned.chars().filter(|c| !is_bidi_control(*c)).map(tame) {
            if short.len() + c.len_utf8() > limit {
                short.push('…');
                break;
            }
            short.push(c);
        }
        short
    }

    fn push(&mut self, needle: Zeroizing<String>) {
        if needle.len() >= SHORTEST && !self.needles.contains(&needle) {
            self.needles.push(needle);
        }
    }
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
        let mut scrubber = Scrubber::default();
        scrubber.learn(
            br#"{"access_token":"eyJhbGciOiJSUzI1NiJ9.e30.c2ln","keyId":"6f1e1a52-3b53-4f0a-9d3c-111111111111",
                "@odata.context":"https://graph.example/v1.0/$metadata1","description":"Insufficient privileges 12345678"}"#,
        );
        let line = scrubber.line(
            "eyJhbGciOiJSUzI1NiJ9.e30.c2ln 6f1e1a52-3b53-4f0a-9d3c-111111111111 Insufficient privileges 12345678",
            1000,
        );
        assert_eq!(
            line,
            "[redacted] 6f1e1a52-3b53-4f0a-9d3c-111111111111 Insufficient privileges 12345678"
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
