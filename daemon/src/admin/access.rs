//! What a caller may read.

use rotord_store::Project;

use super::peer::Peer;
use crate::settings::{InForce, ReaderGrant};

/// What may be done on a socket.
#[derive(Debug, Clone)]
pub(super) enum Access {
    /// The admin socket: the kernel has decided.
    Everything,
    /// The reader socket: what the settings grant to each.
    Granted(InForce),
}

/// What one caller may read.
#[derive(Debug)]
pub(super) enum Reach {
    /// Every secret.
    Everything,
    /// Those that one of these names.
    Granted(Vec<ReaderGrant>),
}

/// Of which projects something may be read.
#[derive(Debug, Clone)]
pub(super) enum Projects {
    /// Of every one.
    All,
    /// Of those with one of these slugs or ids.
    These(Vec<String>),
}

impl Projects {
    /// Of none at all.
    pub(super) fn is_none(&self) -> bool {
        matches!(self, Self::These(named) if named.is_empty())
    }

    pub(super) fn has(&self, project: &Project) -> bool {
        match self {
            Self::All => true,
            Self::These(named) => {
                let id = project.id.to_string();
                named
                    .iter()
                    .any(|named| *named == project.slug || *named == id)
            }
        }
    }
}

impl Access {
    /// What is granted to this caller.
    pub(super) fn of(&self, peer: &Peer) -> Reach {
        match self {
            Self::Everything => Reach::Everything,
            Self::Granted(settings) => {
                let theirs = |grant: &&ReaderGrant| {
                    grant.uids.contains(&peer.uid) || grant.gids.iter().any(|gid| peer.is_in(*gid))
                };
                let settings = settings.now();
                let grants = settings.reader.grants.iter();
                Reach::Granted(grants.filter(theirs).cloned().collect())
            }
        }
    }
}

impl Reach {
    /// Whether there is anything that may be read at all.
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Self::Granted(grants) if grants.is_empty())
    }

    /// Whether all there is may be read.
    pub(super) fn is_everything(&self) -> bool {
        matches!(self, Self::Everything)
    }

    /// The projects in which a folder, or one below it, may hold anything that may be read.
    pub(super) fn of_folder(&self, environment: &str, path: &str, recursive: bool) -> Projects {
        self.projects(|grant| {
            let granted = folder(&grant.path);
            let is_below = granted
                .strip_prefix(folder(path))
                .is_some_and(|rest| rest.starts_with('/'));
            grant.environment == environment
                && !grant.secrets.is_empty()
                && (granted == folder(path) || recursive && is_below)
        })
    }

    /// The projects in which this secret may be read.
    pub(super) fn of_secret(&self, environment: &str, path: &str, name: &str) -> Projects {
        self.projects(|grant| {
            grant.environment == environment
                && folder(&grant.path) == folder(path)
                && grant
                    .secrets
                    .iter()
                    .any(|known| known == "*" || known == name)
        })
    }

    fn projects(&self, is_wanted: impl Fn(&ReaderGrant) -> bool) -> Projects {
        match self {
            Self::Everything => Projects::All,
            Self::Granted(grants) => {
                let wanted = grants.iter().filter(|grant| is_wanted(grant));
                Projects::These(wanted.map(|grant| grant.project.clone()).collect())
            }
        }
    }
}

/// `/` and what ends with one as it is compared.
fn folder(path: &str) -> &str {
    path.trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Reader, Settings};

    fn granting(grants: Vec<ReaderGrant>) -> Access {
        let reader = Reader {
            grants,
            ..Reader::default()
        };
        Access::Granted(InForce::new(Settings {
            reader,
            ..Settings::default()
        }))
    }

    fn grant(uids: &[u32], gids: &[u32], path: &str, secrets: &[&str]) -> ReaderGrant {
        ReaderGrant {
            uids: uids.to_vec(),
            gids: gids.to_vec(),
            project: "default".to_owned(),
            environment: "prod".to_owned(),
            path: path.to_owned(),
            secrets: secrets.iter().map(ToString::to_string).collect(),
        }
    }

    fn access() -> Access {
        granting(vec![
            grant(&[1000], &[], "/", &["A"]),
            grant(&[], &[50], "/app/", &["*"]),
        ])
    }

    fn peer(uid: u32, gid: u32, groups: &[u32]) -> Peer {
        Peer {
            uid,
            gid,
            groups: groups.to_vec(),
            pid: None,
        }
    }

    #[test]
    fn a_user_reads_what_is_granted_to_him_and_nothing_beside() {
        let access = access();
        let reach = access.of(&peer(1000, 1000, &[]));
        assert!(!reach.of_secret("prod", "/", "A").is_none());
        for (environment, path, name) in
            [("prod", "/", "B"), ("dev", "/", "A"), ("prod", "/app", "A")]
        {
            assert!(reach.of_secret(environment, path, name).is_none());
        }
        assert!(reach.of_folder("prod", "/app", true).is_none());
    }

    #[test]
    fn a_grant_is_of_the_project_that_it_names_by_slug_or_id() {
        let project = |slug: &str, id: u128| Project {
            id: rotord_store::ProjectId(uuid::Uuid::from_u128(id)),
            slug: slug.to_owned(),
            name: slug.to_owned(),
            created_at: chrono::DateTime::UNIX_EPOCH,
        };
        let (mine, other) = (project("mine", 7), project("default", 8));
        for named in ["mine", &mine.id.to_string()] {
            let access = granting(vec![ReaderGrant {
                project: named.to_owned(),
                ..grant(&[1000], &[], "/", &["A"])
            }]);
            let reach = access.of(&peer(1000, 1000, &[]));
            for projects in [
                reach.of_secret("prod", "/", "A"),
                reach.of_folder("prod", "/", false),
            ] {
                assert!(projects.has(&mine) && !projects.has(&other));
            }
        }
    }

    #[test]
    fn supplementary_groups_count() {
        let access = access();
        for member in [peer(7, 50, &[]), peer(7, 7, &[3, 50])] {
            let reach = access.of(&member);
            assert!(!reach.of_secret("prod", "/app", "ANY").is_none());
            assert!(reach.of_secret("prod", "/app/deeper", "ANY").is_none());
            assert!(!reach.of_folder("prod", "/", true).is_none());
            assert!(reach.of_folder("prod", "/", false).is_none());
        }
        assert!(access.of(&peer(7, 7, &[3])).is_nothing());
        assert!(
            access.of(&peer(0, 0, &[])).is_nothing(),
            "root gets no more than is granted"
        );
    }

    #[test]
    fn a_folder_is_not_below_one_whose_name_it_begins_with() {
        let access = granting(vec![grant(&[1], &[], "/application", &["*"])]);
        let reach = access.of(&peer(1, 1, &[]));
        assert!(reach.of_folder("prod", "/app", true).is_none());
    }
}
