//! Microsoft Graph: reading and changing applications.

mod fault;

use std::cell::OnceCell;

use rotor_provider_sdk::http::{Error, Request, Response};
use rotor_provider_sdk::{Fault, Host, ListedCredential, Random, Result, Secret, Timestamp, time};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::claims::Claims;
use crate::connection::Azure;
use crate::entra::{self, Token};

pub(crate) use fault::{is_graphs, is_no_such_password};

/// Which properties of an application are read.
pub(crate) const APPLICATION: &str =
    "id,appId,displayName,createdDateTime,signInAudience,passwordCredentials";

/// Graph as this connection sees it: logged in for one call.
pub(crate) struct Graph<'a> {
    host: &'a dyn Host,
    azure: &'a Azure,
    token: Secret,
    /// Read when somebody asks.
    claims: OnceCell<Option<Claims>>,
    /// Microsoft's clock at the login.
    pub(crate) time: Option<Timestamp>,
}

/// What was read, and when by Graph's clock.
pub(crate) struct Answer<T> {
    pub(crate) value: T,
    pub(crate) time: Option<Timestamp>,
}

/// Why nothing was read.
pub(crate) enum Unread {
    /// No whole answer came.
    Lost(Error),
    /// An answer came, which need not be Graph's.
    Refused { status: u16, fault: Fault },
}

impl Unread {
    fn into_fault(self, azure: &Azure) -> Fault {
        match self {
            Self::Lost(error) => fault::of_lost_read(azure, &error),
            Self::Refused { fault, .. } => fault,
        }
    }
}

/// A page of a list.
#[derive(Deserialize)]
pub(crate) struct Page<T> {
    pub(crate) value: Vec<T>,
    /// Opaque; absent on the last page. A page may be empty and have one.
    #[serde(rename = "@odata.nextLink")]
    pub(crate) next: Option<String>,
}

/// An application, as far as this provider reads it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Registered {
    pub(crate) id: String,
    pub(crate) app_id: Option<String>,
    pub(crate) display_name: Option<String>,
    /// Not every application has one.
    pub(crate) created_date_time: Option<String>,
    pub(crate) sign_in_audience: Option<String>,
    pub(crate) password_credentials: Option<Vec<Password>>,
}

/// A client secret as it is listed, without its text.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Password {
    key_id: Option<String>,
    display_name: Option<String>,
    start_date_time: Option<String>,
    end_date_time: Option<String>,
    hint: Option<String>,
}

impl<'a> Graph<'a> {
    /// Logs in.
    pub(crate) fn open(host: &'a dyn Host, azure: &'a Azure) -> Result<Self> {
        match entra::log_in(host, azure) {
            Ok(token) => Ok(Self::with(host, azure, token)),
            Err(failure) => Err(failure.into_fault(azure)),
        }
    }

    /// Logged in already.
    pub(crate) fn with(host: &'a dyn Host, azure: &'a Azure, token: Token) -> Self {
        Self {
            host,
            azure,
            claims: OnceCell::new(),
            token: token.secret,
            time: token.time,
        }
    }

    /// What the token says of its bearer, where it can be read.
    pub(crate) fn claims(&self) -> Option<&Claims> {
        self.claims
            .get_or_init(|| Claims::read(&self.token))
            .as_ref()
    }

    /// Reads something below `/v1.0`.
    pub(crate) fn read<T: DeserializeOwned>(&self, path: &str) -> Result<Answer<T>> {
        self.try_read(path)
            .map_err(|unread| unread.into_fault(self.azure))
    }

    /// Reads it, and tells a closed path from a refusal.
    pub(crate) fn try_read<T: DeserializeOwned>(
        &self,
        path: &str,
    ) -> std::result::Result<Answer<T>, Unread> {
        let url = self.azure.graph_root.join(&format!("/v1.0{path}"));
        self.fetch(Request::get(url))
    }

    /// Reads it on a connection that nothing else has used: another replica may answer.
    pub(crate) fn read_afresh<T: DeserializeOwned>(&self, path: &str) -> Result<Answer<T>> {
        let url = self.azure.graph_root.join(&format!("/v1.0{path}"));
        self.fetch(Request::get(url).fresh_connection())
            .map_err(|unread| unread.into_fault(self.azure))
    }

    /// Follows a link that Graph gave, or that came back from the daemon as one: only to Graph, since
    /// the token goes with it. `None` for a link elsewhere.
    pub(crate) fn follow<T: DeserializeOwned>(&self, link: &str) -> Option<Result<Answer<T>>> {
        let url = self.azure.link(link)?;
        let answer = self.fetch(Request::get(url));
        Some(answer.map_err(|unread| unread.into_fault(self.azure)))
    }

    /// A page of a list: the first one at this path, or the one behind a link that Graph gave.
    pub(crate) fn page<T: DeserializeOwned>(
        &self,
        first: &str,
        next: Option<&str>,
    ) -> Result<Page<T>> {
        let answer = match next {
            None => self.read(first),
            Some(link) => self.follow(link).unwrap_or_else(|| {
                Err(Fault::refused(format!(
                    "the list {first} goes on elsewhere than at Graph"
                )))
            }),
        };
        Ok(answer?.value)
    }

    /// Makes one changing request, and never a second. `Ok` is an answer of success.
    pub(crate) fn change(&self, path: &str, body: &impl Serialize) -> Result<Response> {
        let url = self.azure.graph_root.join(&format!("/v1.0{path}"));
        let request = self.dressed(Request::post(url)).json(body)?;
        let response = self
            .host
            .send(request)
            .map_err(|error| fault::of_lost_change(self.azure, &error))?;
        if response.is_success() {
            return Ok(response);
        }
        Err(fault::of_change(&response, self.host.now()))
    }

    fn fetch<T: DeserializeOwned>(
        &self,
        request: Request,
    ) -> std::result::Result<Answer<T>, Unread> {
        let response = self
            .host
            .send(self.dressed(request))
            .map_err(Unread::Lost)?;
        let status = response.status;
        if !response.is_success() {
            let fault = fault::of_read(&response, self.host.now());
            return Err(Unread::Refused { status, fault });
        }
        let value = response.json().ok_or_else(|| {
            let fault = Fault::unavailable(format!(
                "{} gave an answer that is not Graph's; is something between?",
                self.azure.graph_root.host()
            ))
            .provider_time(response.date());
            Unread::Refused { status, fault }
        })?;
        Ok(Answer {
            value,
            time: response.date(),
        })
    }

    /// With what every request has. The id is Microsoft's way to find a request in its own logs.
    fn dressed(&self, request: Request) -> Request {
        request
            .header("Accept", "application/json")
            .header("client-request-id", Random::uuid(self.host))
            .bearer(&self.token)
    }
}

impl Registered {
    /// What a person calls it.
    pub(crate) fn name(&self) -> &str {
        self.display_name
            .as_deref()
            .unwrap_or("an application without a name")
    }

    /// Whether this is its client id.
    pub(crate) fn has_client_id(&self, id: &str) -> bool {
        self.app_id
            .as_deref()
            .is_some_and(|known| known.eq_ignore_ascii_case(id))
    }

    /// The path of the application with this object id.
    pub(crate) fn path(object_id: &str) -> String {
        format!("/applications/{object_id}?$select={APPLICATION}")
    }

    /// The path of the application with this client id.
    pub(crate) fn path_by_client_id(client_id: &str) -> String {
        format!("/applications(appId='{client_id}')?$select={APPLICATION}")
    }
}

impl Password {
    /// Its first characters.
    pub(crate) fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// When it ends.
    pub(crate) fn ends_at(&self) -> Option<Timestamp> {
        self.end_date_time.as_deref().and_then(time::parse_rfc3339)
    }

    /// As the daemon knows credentials; `None` without an id, by which alone it can be removed.
    pub(crate) fn into_listed(self) -> Option<ListedCredential> {
        let expires_at = self.ends_at();
        Some(ListedCredential {
            handle: self.key_id?,
            label: self.display_name,
            starts_at: self
                .start_date_time
                .as_deref()
                .and_then(time::parse_rfc3339),
            expires_at,
            hint: self.hint,
        })
    }
}
