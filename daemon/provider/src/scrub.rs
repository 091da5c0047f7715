//! Takes secrets, and what a terminal would obey, out of texts that a stranger wrote.

use std::fmt::Write as _;

use zeroize::Zeroizing;

/// Put where a secret stood.
const REPLACEMENT: &str = "[redacted]";

/// Shorter values are not looked for: they would blot out ordinary words.
const SHORTEST: usize = 4;

/// Letters alone up to this length, written as words are, may be a word, or a part of one, that a sentence has anyway. Blotted out inside of
/// other words they would turn it to garbage, and tell more than they hide: who reads `la[redacted]` knows the value.
const LONGEST_WORD: usize = 10;

/// Digits alone up to this length are a part of many a number.
const LONGEST_NUMBER: usize = 7;

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
        let mut forms = Vec::new();
        if let Ok(text) = std::str::from_utf8(secret) {
            forms.push(Zeroizing::new(text.to_owned()));
            forms.push(percent_encoded(text));
            forms.push(json_escaped(text));
            let lines = text.lines().map(str::trim);
            let lines = lines.filter(|line| line.len() >= SHORTEST_LINE);
            forms.extend(lines.map(|line| Zeroizing::new(line.to_owned())));
        }
        let forms = forms.into_iter().map(|text| Needle {
            alone: is_word_or_number(&text),
            text,
        });
        // No sentence has that by chance.
        self.known
            .add(forms.chain([Needle::anywhere(base64(secret))]));
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
            .map(|text| Needle::anywhere(Zeroizing::new(text.to_owned())));
        self.guessed.add(tokens);
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

/// A text to be taken out.
#[derive(PartialEq, Eq)]
struct Needle {
    text: Zeroizing<String>,
    /// Only where it stands by itself, and not inside of a word or a number.
    alone: bool,
}

impl Needle {
    fn anywhere(text: Zeroizing<String>) -> Self {
        Self { text, alone: false }
    }

    fn remove(&self, text: String) -> String {
        let needle = self.text.as_str();
        if !text.contains(needle) {
            return text;
        }
        let mut cleaned = String::with_capacity(text.len());
        let (mut done, mut from) = (0, 0);
        while let Some(found) = text[from..].find(needle) {
            let (at, end) = (from + found, from + found + needle.len());
            if self.alone
                && (is_inside(&text[..at]) || text[end..].starts_with(char::is_alphanumeric))
            {
                // It may begin again within itself.
                from = at + text[at..].chars().next().map_or(1, char::len_utf8);
                continue;
            }
            cleaned.push_str(&text[done..at]);
            cleaned.push_str(REPLACEMENT);
            (done, from) = (end, end);
        }
        cleaned.push_str(&text[done..]);
        cleaned
    }
}

/// Texts to be taken out, the longest first, so that one inside another does not leave the rest of it
/// standing.
#[derive(Default)]
struct Needles(Vec<Needle>);

impl Needles {
    fn add(&mut self, needles: impl Iterator<Item = Needle>) {
        self.0
            .extend(needles.filter(|needle| needle.text.len() >= SHORTEST));
        self.0.sort_by(|a, b| {
            b.text
                .len()
                .cmp(&a.text.len())
                .then_with(|| a.text.as_str().cmp(b.text.as_str()))
                .then_with(|| a.alone.cmp(&b.alone))
        });
        self.0.dedup();
    }

    fn remove(&self, text: &str) -> String {
        let needles = self.0.iter();
        needles.fold(text.to_owned(), |text, needle| needle.remove(text))
    }
}

fn is_word_or_number(text: &str) -> bool {
    let all = |is: fn(&char) -> bool| text.chars().all(|c| is(&c));
    let rest = text.chars().skip(1);
    // test, Test, TEST; what is mixed otherwise is no word.
    let as_words_are = rest.clone().all(char::is_lowercase) || all(|c| c.is_uppercase());
    all(|c| c.is_alphabetic()) && as_words_are && text.chars().count() <= LONGEST_WORD
        || all(char::is_ascii_digit) && text.len() <= LONGEST_NUMBER
}

/// Whether what follows this text goes on with a word or a number of it. An escape ends none (`%3D`, `\n`, `\u0022`), and
/// neither does the letter of an option that its value is written behind (`-p`).
fn is_inside(before: &str) -> bool {
    if !before.ends_with(char::is_alphanumeric) {
        return false;
    }
    let hexadecimal = |text: &str, digits| {
        text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let behind = |mark: char| before.rsplit_once(mark).map(|(_, behind)| behind);
    let is_escape = behind('%').is_some_and(|behind| hexadecimal(behind, 2))
        || behind('\\').is_some_and(|behind| {
            behind.len() == 1
                || behind
                    .strip_prefix('u')
                    .is_some_and(|code| hexadecimal(code, 4))
        });
    let is_option = before.rsplit_once('-').is_some_and(|(before, letter)| {
        letter.chars().count() == 1 && !before.ends_with(char::is_alphanumeric)
    });
    !is_escape && !is_option
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
    fn a_secret_that_is_a_word_goes_where_it_stands_by_itself_and_leaves_other_words_whole() {
        let scrubber = knowing("test");
        let sentence = "the latest attempt was contested: testing the detestable attestation";
        assert_eq!(scrubber.line(sentence, 1000), sentence);
        for leak in [
            "test",
            "password=test&user=a",
            "password%3Dtest%26user",
            r#"{"password":"test"}"#,
            r"line\ntest\nline",
            r"\u0022test\u0022",
            "user:test@host",
            "client_test",
            "mysql -ptest -uroot",
            "(test)",
            "dGVzdA==",
            "testé test",
        ] {
            let said = scrubber.line(leak, 1000);
            assert!(said.contains("[redacted]"), "{leak}: {said}");
        }
        assert_eq!(
            scrubber.line("test test,test", 100),
            "[redacted] [redacted],[redacted]"
        );
    }

    #[test]
    fn a_number_that_begins_within_an_escape_goes_too() {
        for (secret, leak) in [("2222", "%22pin%22:%222222%22"), ("2020", "q=%202020&x")] {
            let said = knowing(secret).line(leak, 100);
            assert!(
                said.contains("[redacted]") && !said.contains(secret),
                "{said}"
            );
        }
    }

    #[test]
    fn a_secret_that_is_a_short_number_leaves_longer_ones_whole() {
        let scrubber = knowing("2026");
        assert_eq!(
            scrubber.line("pin 2026 of 12026, 20261 and key-a2026b", 100),
            "pin [redacted] of 12026, 20261 and key-a2026b"
        );
    }

    #[test]
    fn whatever_is_no_word_goes_wherever_it_stands() {
        for secret in [
            "hunter2",
            "Tr0ub4dor",
            "a-word",
            "abcdefghijkl",
            "TrOubAdoR",
            "12345678",
            "pässword1",
        ] {
            let said = knowing(secret).line(&format!("x{secret}y"), 100);
            assert_eq!(said, "x[redacted]y", "{secret}");
        }
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
