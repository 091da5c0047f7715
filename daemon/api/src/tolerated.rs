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

/// Of a connection. Gateways, credentials that the platform manages and connections that rotate their own secret are
/// things that there are not here. `rotation` says how the last would be done.
pub(crate) const CONNECTION: &[Tolerated] = &[
    Tolerated {
        name: "gatewayId",
        only: Only::Null,
    },
    Tolerated {
        name: "isPlatformManagedCredentials",
        only: Only::False,
    },
    Tolerated {
        name: "isAutoRotationEnabled",
        only: Only::False,
    },
    Tolerated {
        name: "rotation",
        only: Only::Any,
    },
    Tolerated {
        name: "App",
        only: Only::Any,
    },
    Tolerated {
        name: "ID",
        only: Only::Any,
    },
];

/// Of a rotation. Terraform's provider sends these, as `App` and `ID` of a connection: the path says them.
pub(crate) const ROTATION: &[Tolerated] = &[
    Tolerated {
        name: "Provider",
        only: Only::Any,
    },
    Tolerated {
        name: "ID",
        only: Only::Any,
    },
];

/// Of a project. It is always of this kind and begins with the usual environments; what describes it is not kept.
pub(crate) const PROJECT: &[Tolerated] = &[
    Tolerated {
        name: "projectDescription",
        only: Only::Any,
    },
    Tolerated {
        name: "type",
        only: Only::Text("secret-manager"),
    },
    Tolerated {
        name: "template",
        only: Only::Text("default"),
    },
    Tolerated {
        name: "shouldCreateDefaultEnvs",
        only: Only::True,
    },
    Tolerated {
        name: "hasDeleteProtection",
        only: Only::False,
    },
    Tolerated {
        name: "kmsKeyId",
        only: Only::Null,
    },
];

/// Of an environment. The path says the project; environments stand in the order in which they were made.
pub(crate) const ENVIRONMENT: &[Tolerated] = &[
    Tolerated {
        name: "workspaceId",
        only: Only::Any,
    },
    Tolerated {
        name: "projectId",
        only: Only::Any,
    },
    Tolerated {
        name: "position",
        only: Only::Any,
    },
];

/// Of a folder. What describes it is not kept.
pub(crate) const FOLDER: &[Tolerated] = &[Tolerated {
    name: "description",
    only: Only::Any,
}];

/// Of a secret that is to be deleted. There are no personal secrets here; the name stands in the path, too.
pub(crate) const SECRET: &[Tolerated] = &[
    Tolerated {
        name: "type",
        only: Only::Text("shared"),
    },
    Tolerated {
        name: "secretName",
        only: Only::Any,
    },
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
