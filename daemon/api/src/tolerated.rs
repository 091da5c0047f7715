//! Fields that clients of this route family send and that mean nothing here.
//!
//! A field that nobody reads is refused elsewhere: a mistyped `isAutoRotationEnabled` must not create a rotation that
//! rotates by itself. These are taken all the same, since unmodified clients send them; each only with the values at
//! which nothing is left undone that the client asked for.

use serde_json::Value;

/// One of them.
pub(crate) struct Tolerated {
    pub(crate) name: &'static str,
    pub(crate) only: Only,
}

/// The values at which it is harmless.
#[derive(Clone, Copy)]
pub(crate) enum Only {
    /// Nothing.
    Null,
    /// Nothing, or no.
    False,
    /// Nothing, or yes.
    True,
    /// Nothing, or this text.
    Text(&'static str),
    /// Any: another field says whether it means something.
    Any,
}

const fn tolerated(name: &'static str, only: Only) -> Tolerated {
    Tolerated { name, only }
}

/// Of a connection. Gateways, credentials that the platform manages and connections that rotate their own secret are
/// things that there are not here. `rotation` says how the last would be done.
pub(crate) const CONNECTION: &[Tolerated] = &[
    tolerated("gatewayId", Only::Null),
    tolerated("isPlatformManagedCredentials", Only::False),
    tolerated("isAutoRotationEnabled", Only::False),
    tolerated("rotation", Only::Any),
    tolerated("App", Only::Any),
    tolerated("ID", Only::Any),
];

/// Of a rotation. Terraform's provider sends these, as `App` and `ID` of a connection: the path says them.
pub(crate) const ROTATION: &[Tolerated] =
    &[tolerated("Provider", Only::Any), tolerated("ID", Only::Any)];

/// Of a project. It is always of this kind and begins with the usual environments; what describes it is not kept.
pub(crate) const PROJECT: &[Tolerated] = &[
    tolerated("projectDescription", Only::Any),
    tolerated("type", Only::Text("secret-manager")),
    tolerated("template", Only::Text("default")),
    tolerated("shouldCreateDefaultEnvs", Only::True),
    tolerated("hasDeleteProtection", Only::False),
    tolerated("kmsKeyId", Only::Null),
];

/// Of an environment. The path says the project; environments stand in the order in which they were made.
pub(crate) const ENVIRONMENT: &[Tolerated] = &[
    tolerated("workspaceId", Only::Any),
    tolerated("projectId", Only::Any),
    tolerated("position", Only::Any),
];

/// Of a folder. What describes it is not kept.
pub(crate) const FOLDER: &[Tolerated] = &[tolerated("description", Only::Any)];

/// Of a secret that is to be deleted. There are no personal secrets here; the name stands in the path, too.
pub(crate) const SECRET: &[Tolerated] = &[
    tolerated("type", Only::Text("shared")),
    tolerated("secretName", Only::Any),
];

impl Only {
    pub(crate) fn allows(self, value: &Value) -> bool {
        match self {
            Self::Null => value.is_null(),
            Self::False => value.is_null() || *value == Value::Bool(false),
            Self::True => value.is_null() || *value == Value::Bool(true),
            Self::Text(text) => value.is_null() || value.as_str() == Some(text),
            Self::Any => true,
        }
    }

    /// What would be right.
    pub(crate) fn must_be(self) -> String {
        match self {
            Self::Null => "must be null".to_owned(),
            Self::False => "must be false".to_owned(),
            Self::True => "must be true".to_owned(),
            Self::Text(text) => format!("must be {text}"),
            Self::Any => "may be anything".to_owned(),
        }
    }
}
