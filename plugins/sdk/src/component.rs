//! The component's outer skin: lifts what crosses from the host into types that redact, and back.

use std::marker::PhantomData;

use crate::bindings::exports::rotor::provider::provider as exported;
use crate::bindings::rotor::provider::types;
use crate::description::ProviderDescription;
use crate::host::{Imports, Level, Log};
use crate::{
    ChoicePage, Connection, Fault, Identity, Inspection, IssueRequest, Output, Outputs, Provider,
    Revocation, Secret, SurveyResult, Target, Verification,
};

/// Makes this type the provider of the component, with an allocator for it. Does nothing in a native build, where the
/// provider is tested.
///
/// A crate that has a global allocator of its own says `export_provider!(Widgets, own_allocator)`.
#[macro_export]
macro_rules! export_provider {
    ($provider:ty) => {
        #[cfg(target_arch = "wasm32")]
        #[global_allocator]
        static ALLOCATOR: $crate::allocator::WasmDynamicTalc =
            $crate::allocator::new_wasm_dynamic_allocator();
        $crate::export_provider!($provider, own_allocator);
    };
    ($provider:ty, own_allocator) => {
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code, reason = "generated exports")]
        const _: () = {
            type Component = $crate::component::Adapter<$provider>;
    $crate::bindings::export_component!(Component with_types_in $crate::bindings);
        };
    };
}

/// A provider as the contract wants it.
#[derive(Debug)]
pub struct Adapter<P>(PhantomData<P>);

impl<P: Provider> exported::Guest for Adapter<P> {
    fn describe() -> ProviderDescription {
        report_panics();
        P::describe()
    }

    fn check(connection: types::Connection) -> Result<Identity, Fault> {
        report_panics();
        P::check(&Imports, &connection.into())
    }

    fn choices(
        connection: types::Connection,
        choice_list: String,
        query: String,
        page: Option<String>,
    ) -> Result<ChoicePage, Fault> {
        report_panics();
        P::choices(
            &Imports,
            &connection.into(),
            &choice_list,
            &query,
            page.as_deref(),
        )
    }

    fn inspect(target: types::Target) -> Result<Inspection, Fault> {
        report_panics();
        P::inspect(&Imports, &target.into())
    }

    fn issue(
        target: types::Target,
        request: exported::IssueRequest,
    ) -> Result<exported::Issued, Fault> {
        report_panics();
        P::issue(&Imports, &target.into(), &request.into()).map(Into::into)
    }

    fn verify(target: types::Target, outputs: Vec<types::Output>) -> Result<Verification, Fault> {
        report_panics();
        P::verify(&Imports, &target.into(), &outputs.into())
    }

    fn revoke(target: types::Target, handle: String) -> Result<Revocation, Fault> {
        report_panics();
        P::revoke(&Imports, &target.into(), &handle)
    }

    fn survey(target: types::Target) -> Result<SurveyResult, Fault> {
        report_panics();
        P::survey(&Imports, &target.into())
    }
}

/// A panic is a trap, and without this nobody would know where. The message stays unsaid: it may hold
/// what was being worked on.
fn report_panics() {
    std::panic::set_hook(Box::new(|info| {
        if let Some(place) = info.location() {
            Imports.log(Level::Error, &format!("the provider panicked at {place}"));
        }
    }));
}

impl From<types::Connection> for Connection {
    fn from(connection: types::Connection) -> Self {
        Self::new(connection.method, connection.values)
    }
}

impl From<types::Target> for Target {
    fn from(target: types::Target) -> Self {
        Self::new(target.connection.into(), target.parameters)
    }
}

impl From<exported::IssueRequest> for IssueRequest {
    fn from(request: exported::IssueRequest) -> Self {
        Self {
            slot: request.slot,
            label: request.label,
            lifetime_seconds: request.lifetime_seconds,
            value: request.value.map(Secret::new),
        }
    }
}

impl From<Vec<types::Output>> for Outputs {
    fn from(outputs: Vec<types::Output>) -> Self {
        let lifted = outputs.into_iter().map(|output| Output {
            name: output.name,
            value: Secret::new(output.value),
        });
        Self(lifted.collect())
    }
}

impl From<crate::Issued> for exported::Issued {
    fn from(issued: crate::Issued) -> Self {
        let outputs = issued.outputs.0.into_iter().map(|output| types::Output {
            name: output.name,
            value: output.value.into_bytes(),
        });
        Self {
            handle: issued.handle,
            outputs: outputs.collect(),
            expires_at: issued.expires_at,
            provider_time: issued.provider_time,
        }
    }
}
