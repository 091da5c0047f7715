//! One loaded provider, and the calls that it can be sent.

mod health;
mod reach;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tracing::Instrument as _;
use wasmtime::Store;

pub use self::health::Health;
use self::health::HealthRecord;
pub use self::reach::HostReach;
use crate::bindings::{Guest, GuestPre, types};
use crate::contract::{
    ChoicePage, Connection, Identity, Inspection, IssueRequest, Issued, Output,
    ProviderDescription, Revocation, Slug, Survey, Target, Verification,
};
use crate::convert::{self, Nonsense};
use crate::guest::{GuestState, Job, Runner};
use crate::http::{EgressPolicy, reaches};
use crate::outcome::{CallError, CallOutcome};
use crate::scrub::Scrubber;
use crate::settings::{Grant, Limits};

/// A provider that was loaded and described. Each call runs in an instance of its own, on the host's own
/// threads, and once begun runs to its end even if the caller stops waiting for it.
///
/// A caller that stops waiting for `issue` or `revoke` must take it as ambiguous.
pub struct Provider {
    description: ProviderDescription,
    digest: String,
    file: PathBuf,
    pre: GuestPre<GuestState>,
    grant: Grant,
    lane: Lane,
    places: Arc<Semaphore>,
    health: Arc<HealthRecord>,
}

/// Where the calls of all providers run.
#[derive(Clone)]
pub(crate) struct Lane {
    pub(crate) runner: Runner,
    pub(crate) runtime: Handle,
    pub(crate) turns: Arc<Semaphore>,
}

impl Provider {
    pub(crate) fn new(
        description: ProviderDescription,
        digest: String,
        file: PathBuf,
        pre: GuestPre<GuestState>,
        lane: Lane,
    ) -> Self {
        let places = Limits::calls_of_one(lane.runner.limits.concurrent_calls);
        Self {
            places: Arc::new(Semaphore::new(places)),
            description,
            digest,
            file,
            pre,
            grant: Grant::default(),
            lane,
            health: Arc::default(),
        }
    }

    /// The same with this grant. Calls under way keep theirs.
    pub(crate) fn granted(self: &Arc<Self>, grant: Grant) -> Arc<Self> {
        if grant == self.grant {
            return Arc::clone(self);
        }
        Arc::new(Self {
            description: self.description.clone(),
            digest: self.digest.clone(),
            file: self.file.clone(),
            pre: self.pre.clone(),
            grant,
            lane: self.lane.clone(),
            places: Arc::clone(&self.places),
            health: Arc::clone(&self.health),
        })
    }

    /// The type's name in routes.
    pub fn slug(&self) -> &Slug {
        &self.description.slug
    }

    /// What it says of itself.
    pub fn description(&self) -> &ProviderDescription {
        &self.description
    }

    /// SHA-256 of the component, in hex.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Where it was loaded from.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The hosts that it may reach, in words: those that it declares as far as they are granted, and those that
    /// are granted beyond.
    pub fn reaches(&self) -> Vec<String> {
        reaches(&self.description, &self.grant)
    }

    /// How it has behaved since it was loaded.
    pub fn health(&self) -> Health {
        self.health.snapshot()
    }

    /// Who are we there, and may we rotate.
    pub async fn check(&self, connection: &Connection) -> CallOutcome<Identity> {
        let mut scrubber = Scrubber::default();
        convert::connection_secrets(connection, &mut scrubber);
        let wire = convert::connection(connection);
        self.call(
            "check",
            connection,
            scrubber,
            move |store, guest| {
                Box::pin(async move {
                    guest
                        .rotor_provider_provider()
                        .call_check(store, &wire)
                        .await
                })
            },
            |answer, scrubber| Ok(convert::identity(answer, scrubber)),
        )
        .await
    }

    /// What a person picks from in the list with this name: those that match what was typed, and those
    /// whose id was pasted.
    pub async fn choices(
        &self,
        connection: &Connection,
        list: &Slug,
        query: &str,
        page: Option<&str>,
    ) -> CallOutcome<ChoicePage> {
        let Some(list) = self
            .description
            .choices
            .iter()
            .find(|known| known.name == *list)
            .cloned()
        else {
            return CallOutcome {
                result: Err(CallError::Host(format!(
                    "{} offers no list named {list}",
                    self.slug()
                ))),
                provider_time: None,
                requests: 0,
                duration: std::time::Duration::ZERO,
            };
        };
        let mut scrubber = Scrubber::default();
        convert::connection_secrets(connection, &mut scrubber);
        let wire = convert::connection(connection);
        let (name, query, page) = (
            list.name.to_string(),
            query.to_owned(),
            page.map(str::to_owned),
        );
        self.call(
            "choices",
            connection,
            scrubber,
            move |store, guest| {
                Box::pin(async move {
                    let provider = guest.rotor_provider_provider();
                    provider
                        .call_choices(store, &wire, &name, &query, page.as_deref())
                        .await
                })
            },
            move |answer, _| convert::choice_page(answer, &list),
        )
        .await
    }

    /// Does the target exist, do the parameters agree, what limits hold.
    pub async fn inspect(&self, target: &Target) -> CallOutcome<Inspection> {
        let (wire, scrubber) = prepare(target);
        let description = self.description.clone();
        self.call(
            "inspect",
            &target.connection,
            scrubber,
            move |store, guest| {
                Box::pin(async move {
                    guest
                        .rotor_provider_provider()
                        .call_inspect(store, &wire)
                        .await
                })
            },
            move |answer, scrubber| convert::inspection(answer, &description, scrubber),
        )
        .await
    }

    /// Create one credential. Look at [`CallOutcome::is_ambiguous`] where it fails.
    pub async fn issue(&self, target: &Target, request: &IssueRequest) -> CallOutcome<Issued> {
        let (wire, mut scrubber) = prepare(target);
        if let Some(value) = &request.value {
            scrubber.add(value.expose());
        }
        let request = convert::issue_request(request);
        let description = self.description.clone();
        self.call(
            "issue",
            &target.connection,
            scrubber,
            move |store, guest| {
                Box::pin(async move {
                    guest
                        .rotor_provider_provider()
                        .call_issue(store, &wire, &request)
                        .await
                })
            },
            move |answer, scrubber| convert::issued(answer, &description, scrubber),
        )
        .await
    }

    /// One login with the credential that has these outputs.
    pub async fn verify(&self, target: &Target, outputs: &[Output]) -> CallOutcome<Verification> {
        let (wire, mut scrubber) = prepare(target);
        let is_public = |name: &str| {
            self.description
                .outputs
                .iter()
                .any(|known| known.name == name && !known.secret)
        };
        convert::output_secrets(outputs, |name| !is_public(name), &mut scrubber);
        let outputs = convert::outputs(outputs);
        self.call(
            "verify",
            &target.connection,
            scrubber,
            move |store, guest| {
                Box::pin(async move {
                    guest
                        .rotor_provider_provider()
                        .call_verify(store, &wire, &outputs)
                        .await
                })
            },
            |answer, scrubber| Ok(convert::verification(answer, scrubber)),
        )
        .await
    }

    /// Remove the credential with this handle. Look at [`CallOutcome::is_ambiguous`] where it fails.
    pub async fn revoke(&self, target: &Target, handle: &str) -> CallOutcome<Revocation> {
        let (wire, scrubber) = prepare(target);
        let handle = handle.to_owned();
        self.call(
            "revoke",
            &target.connection,
            scrubber,
            move |store, guest| {
                Box::pin(async move {
                    guest
                        .rotor_provider_provider()
                        .call_revoke(store, &wire, &handle)
                        .await
                })
            },
            |answer, scrubber| Ok(convert::revocation(answer, scrubber)),
        )
        .await
    }

    /// All live credentials of the target.
    pub async fn survey(&self, target: &Target) -> CallOutcome<Survey> {
        let (wire, scrubber) = prepare(target);
        self.call(
            "survey",
            &target.connection,
            scrubber,
            move |store, guest| {
                Box::pin(async move {
                    guest
                        .rotor_provider_provider()
                        .call_survey(store, &wire)
                        .await
                })
            },
            |answer, scrubber| convert::survey(answer, scrubber),
        )
        .await
    }

    async fn call<W, T, F, C>(
        &self,
        name: &'static str,
        connection: &Connection,
        scrubber: Scrubber,
        call: F,
        accept: C,
    ) -> CallOutcome<T>
    where
        W: Send + 'static,
        T: Send + 'static,
        F: for<'a> FnOnce(
                &'a mut Store<GuestState>,
                &'a Guest,
            ) -> BoxFuture<'a, wasmtime::Result<Result<W, types::Fault>>>
            + Send
            + 'static,
        C: FnOnce(W, &mut Scrubber) -> Result<T, Nonsense> + Send + 'static,
    {
        let provider = self.slug().to_string();
        let job = Job {
            provider: provider.clone(),
            call: name,
            pre: self.pre.clone(),
            policy: EgressPolicy::new(&self.description, connection, &self.grant),
            scrubber,
            time: self.lane.runner.limits.call_time,
        };
        // Waited for here and not in the task: a call whose turn has not come is not begun when nobody
        // waits for it any more.
        let place = Arc::clone(&self.places).acquire_owned().await;
        let turn = Arc::clone(&self.lane.turns).acquire_owned().await;
        let runner = self.lane.runner.clone();
        let health = Arc::clone(&self.health);
        let work = async move {
            let _held = (place, turn);
            let ended = runner.run(job, call).await;
            let mut finished = ended.finished;
            let result = match ended.result {
                Ok(Ok(answer)) => accept(answer, &mut finished.scrubber).map_err(|nonsense| {
                    CallError::Nonsense(finished.scrubber.strict_line(&nonsense, 512))
                }),
                Ok(Err(fault)) => Err(CallError::Fault(Box::new(convert::fault(
                    fault,
                    &finished.scrubber,
                )))),
                Err(error) => Err(error),
            };
            finished.write_log();
            let outcome = CallOutcome {
                result,
                provider_time: ended.provider_time,
                requests: ended.requests,
                duration: ended.duration,
            };
            health.note(&outcome);
            // Nowhere else in the log: to the domain it is one more call without an answer.
            if let Err(error) = outcome.result.as_ref()
                && error.is_misbehaviour()
            {
                tracing::warn!(provider, call = name, %error, "the provider misbehaved");
            }
            outcome
        };
        let task = self.lane.runtime.spawn(work.in_current_span());
        task.await.unwrap_or_else(|gone| CallOutcome {
            result: Err(CallError::Host(if gone.is_panic() {
                "it failed on its own".to_owned()
            } else {
                "it is shutting down".to_owned()
            })),
            provider_time: None,
            // Not known, so the worst is assumed.
            requests: 1,
            duration: std::time::Duration::ZERO,
        })
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("slug", self.slug())
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

fn prepare(target: &Target) -> (zeroize::Zeroizing<types::Target>, Scrubber) {
    let mut scrubber = Scrubber::default();
    convert::target_secrets(target, &mut scrubber);
    (convert::target(target), scrubber)
}
