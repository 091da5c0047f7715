//! A provider's turn, and the calls that it can be used for.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::OwnedSemaphorePermit;
use tracing::Instrument as _;
use wasmtime::Store;

use super::Provider;
use crate::bindings::{calls, types};
use crate::contract::{
    ChoicePage, Connection, Identity, Inspection, IssueRequest, Issued, Output, Revocation, Slug,
    Survey, Target, Verification,
};
use crate::convert::{self, Nonsense};
use crate::guest::{GuestState, Job};
use crate::http::EgressPolicy;
use crate::outcome::{CallError, CallOutcome};
use crate::scrub::Scrubber;

/// The right to make one call of one provider. It is had before what is sent is decided on, so that whoever waited can
/// look once more at what was about to be done.
///
/// The call runs in an instance of its own, on the host's own threads, and once begun runs to its end even if the
/// caller stops waiting for it. A caller that stops waiting for [`issue`](Self::issue) or [`revoke`](Self::revoke) must
/// take it as ambiguous.
#[must_use]
pub struct Turn {
    provider: Arc<Provider>,
    room: Room,
}

/// Room among the calls that run at the same time, given back when it is dropped.
struct Room {
    _of_provider: Option<OwnedSemaphorePermit>,
    _of_all: Option<OwnedSemaphorePermit>,
}

impl Turn {
    /// Waits for room, and first for the provider's own share of it (see [`Limits::calls_of_one`]), so that who waits
    /// for that keeps nobody else waiting.
    ///
    /// [`Limits::calls_of_one`]: crate::Limits::calls_of_one
    pub(super) async fn wait(provider: Arc<Provider>) -> Self {
        // Neither is ever closed.
        let of_provider = Arc::clone(&provider.places).acquire_owned().await.ok();
        let of_all = Arc::clone(&provider.lane.turns).acquire_owned().await.ok();
        let room = Room {
            _of_provider: of_provider,
            _of_all: of_all,
        };
        Self { provider, room }
    }

    /// The same turn with the provider as it is now: granted more or less, or loaded anew, since the wait began.
    pub(crate) fn with(self, provider: Arc<Provider>) -> Self {
        Self { provider, ..self }
    }

    /// Whose turn it is.
    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    /// Who are we there, and may we rotate.
    pub async fn check(self, connection: &Connection) -> CallOutcome<Identity> {
        let mut scrubber = Scrubber::default();
        convert::connection_secrets(connection, &mut scrubber);
        let wire = convert::connection(connection);
        self.call(
            "check",
            connection,
            scrubber,
            move |store, guest| Box::pin(async move { guest.call_check(store, &wire).await }),
            |answer, scrubber| Ok(convert::identity(answer, scrubber)),
        )
        .await
    }

    /// What a person picks from in the list with this name: those that match what was typed, and those
    /// whose id was pasted.
    pub async fn choices(
        self,
        connection: &Connection,
        list: &Slug,
        query: &str,
        page: Option<&str>,
    ) -> CallOutcome<ChoicePage> {
        let Some(list) = self
            .provider
            .description
            .choices
            .iter()
            .find(|known| known.name == *list)
            .cloned()
        else {
            return CallOutcome {
                result: Err(CallError::Host(format!(
                    "{} offers no list named {list}",
                    self.provider.slug()
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
                    guest
                        .call_choices(store, &wire, &name, &query, page.as_deref())
                        .await
                })
            },
            move |answer, _| convert::choice_page(answer, &list),
        )
        .await
    }

    /// Does the target exist, do the parameters agree, what limits hold.
    pub async fn inspect(self, target: &Target) -> CallOutcome<Inspection> {
        let (wire, scrubber) = prepare(target);
        let description = self.provider.description.clone();
        self.call(
            "inspect",
            &target.connection,
            scrubber,
            move |store, guest| Box::pin(async move { guest.call_inspect(store, &wire).await }),
            move |answer, scrubber| convert::inspection(answer, &description, scrubber),
        )
        .await
    }

    /// Create one credential. Look at [`CallOutcome::is_ambiguous`] where it fails.
    pub async fn issue(self, target: &Target, request: &IssueRequest) -> CallOutcome<Issued> {
        let (wire, mut scrubber) = prepare(target);
        if let Some(value) = &request.value {
            scrubber.add(value.expose());
        }
        let request = convert::issue_request(request);
        let description = self.provider.description.clone();
        self.call(
            "issue",
            &target.connection,
            scrubber,
            move |store, guest| {
                Box::pin(async move { guest.call_issue(store, &wire, &request).await })
            },
            move |answer, scrubber| convert::issued(answer, &description, scrubber),
        )
        .await
    }

    /// One login with the credential that has these outputs.
    pub async fn verify(self, target: &Target, outputs: &[Output]) -> CallOutcome<Verification> {
        let (wire, mut scrubber) = prepare(target);
        let is_public = |name: &str| {
            self.provider
                .description
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
                Box::pin(async move { guest.call_verify(store, &wire, &outputs).await })
            },
            |answer, scrubber| Ok(convert::verification(answer, scrubber)),
        )
        .await
    }

    /// Remove the credential with this handle. Look at [`CallOutcome::is_ambiguous`] where it fails.
    pub async fn revoke(self, target: &Target, handle: &str) -> CallOutcome<Revocation> {
        let (wire, scrubber) = prepare(target);
        let handle = handle.to_owned();
        self.call(
            "revoke",
            &target.connection,
            scrubber,
            move |store, guest| {
                Box::pin(async move { guest.call_revoke(store, &wire, &handle).await })
            },
            |answer, scrubber| Ok(convert::revocation(answer, scrubber)),
        )
        .await
    }

    /// All live credentials of the target.
    pub async fn survey(self, target: &Target) -> CallOutcome<Survey> {
        let (wire, scrubber) = prepare(target);
        self.call(
            "survey",
            &target.connection,
            scrubber,
            move |store, guest| Box::pin(async move { guest.call_survey(store, &wire).await }),
            |answer, scrubber| convert::survey(answer, scrubber),
        )
        .await
    }

    async fn call<W, T, F, C>(
        self,
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
                &'a calls::Guest,
            ) -> BoxFuture<'a, wasmtime::Result<Result<W, types::Fault>>>
            + Send
            + 'static,
        C: FnOnce(W, &mut Scrubber) -> Result<T, Nonsense> + Send + 'static,
    {
        let Self { provider, room } = self;
        let slug = provider.slug().to_string();
        let job = Job {
            provider: slug.clone(),
            call: name,
            pre: provider.pre.clone(),
            policy: EgressPolicy::new(&provider.description, connection, &provider.grant),
            scrubber,
            time: provider.lane.runner.limits.call_time,
        };
        let runner = provider.lane.runner.clone();
        let health = Arc::clone(&provider.health);
        let work = async move {
            // To the end of the call, also where nobody waits for it any more.
            let _room = room;
            let call = runner.run(job, |store, guest| {
                call(store, guest.rotor_provider_provider())
            });
            let ended = call.await;
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
                tracing::warn!(provider = slug, call = name, %error, "the provider misbehaved");
            }
            outcome
        };
        let task = provider.lane.runtime.spawn(work.in_current_span());
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

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Turn").field(self.provider.slug()).finish()
    }
}

fn prepare(target: &Target) -> (zeroize::Zeroizing<types::Target>, Scrubber) {
    let mut scrubber = Scrubber::default();
    convert::target_secrets(target, &mut scrubber);
    (convert::target(target), scrubber)
}
