//! The daemon's texts as a person reads them here: a rotation's name in place of its id where the name is enough to
//! find it, and instants as they are shown everywhere.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::cli::Place;
use crate::find;
use crate::session::Session;
use crate::when::Clock;

/// How texts are put.
pub(crate) struct Words {
    clock: Clock,
    person: bool,
    /// By the ids that stand in the texts.
    names: BTreeMap<String, String>,
}

impl Words {
    /// For these texts. Names are looked up only where an id stands in one.
    pub(crate) async fn of<'a>(
        session: &Session,
        texts: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let is_named = texts.into_iter().any(has_id);
        let mut names = BTreeMap::new();
        if is_named {
            // What can't be looked up keeps its id, which is found as well.
            let all = find::rotations(&session.client, &Place::default()).await;
            let all: Vec<_> = all.into_iter().flatten().collect();
            let is_unique = |name: &str| all.iter().filter(|other| other.name == name).count() == 1;
            for rotation in all.iter().filter(|rotation| is_unique(&rotation.name)) {
                names.insert(rotation.id.to_string(), rotation.name.clone());
            }
        }
        Self {
            clock: session.clock,
            person: session.output.is_terminal(),
            names,
        }
    }

    /// A text as it is shown.
    pub(crate) fn put(&self, text: &str) -> String {
        let mut text = self.clock.in_words(text, self.person);
        for (id, name) in &self.names {
            if text.contains(id.as_str()) {
                text = text.replace(id.as_str(), name);
            }
        }
        text
    }
}

/// Whether a UUID stands somewhere in it.
fn has_id(text: &str) -> bool {
    let words = text.split(|letter: char| !letter.is_ascii_hexdigit() && letter != '-');
    words
        .filter(|word| word.len() == 36)
        .any(|word| Uuid::try_parse(word).is_ok())
}

#[cfg(test)]
mod tests {
    use super::has_id;

    #[test]
    fn an_id_is_seen_among_words() {
        let id = "3c90c3cc-0d44-4b50-8888-8dd25736052a";
        assert!(has_id(&format!("rotorctl check {id}, or not")));
        assert!(!has_id("rotorctl check billing"));
        assert!(!has_id(
            "rotord-0123456789ab-0123456789ab-12-00000000000000aa"
        ));
    }
}
