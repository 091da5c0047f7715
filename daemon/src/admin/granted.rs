//! What the settings grant to readers and to units, secret by secret.

use rotord_store::Place;

use crate::settings::Settings;

/// A secret that a setting grants to somebody.
pub(super) struct Granted {
    pub(super) setting: &'static str,
    /// In words.
    pub(super) to: String,
    /// Its slug or id.
    pub(super) project: String,
    pub(super) environment: String,
    pub(super) path: String,
    /// `*` is every one of the folder.
    pub(super) name: String,
}

impl Granted {
    /// All that are granted.
    pub(super) fn all(settings: &Settings) -> Vec<Self> {
        let to_readers = settings.reader.grants.iter().flat_map(|grant| {
            grant.secrets.iter().map(|name| Self {
                setting: "reader.grants",
                to: named(&grant.uids, &grant.gids),
                project: grant.project.clone(),
                environment: grant.environment.clone(),
                path: grant.path.clone(),
                name: name.clone(),
            })
        });
        let to_units = settings.credentials.grants.iter().map(|grant| Self {
            setting: "credentials.grants",
            to: grant.asker().to_string(),
            project: grant.project.clone(),
            environment: grant.environment.clone(),
            path: grant.path.clone(),
            name: grant.secret.clone(),
        });
        to_readers.chain(to_units).collect()
    }

    /// Whether it names this secret, or everything beside it.
    pub(super) fn names(&self, place: &Place, secret: &str) -> bool {
        let folder = |path: &str| path.trim_end_matches('/').to_owned();
        (self.project == place.project.slug || self.project == place.project.id.to_string())
            && self.environment == place.environment.slug
            && folder(&self.path) == folder(&place.folder.path)
            && (self.name == "*" || self.name == secret)
    }
}

fn named(uids: &[u32], gids: &[u32]) -> String {
    let named = |what: &str, ids: &[u32]| {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        (!ids.is_empty()).then(|| format!("{what} {}", ids.join(", ")))
    };
    let both = [named("users", uids), named("groups", gids)];
    let both: Vec<String> = both.into_iter().flatten().collect();
    both.join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_granted_something_is_named_by_number() {
        assert_eq!(named(&[1, 2], &[]), "users 1, 2");
        assert_eq!(named(&[1], &[7]), "users 1 and groups 7");
    }
}
