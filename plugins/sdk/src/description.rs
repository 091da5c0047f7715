//! What a provider says of itself, and short ways to say it.

pub use crate::bindings::rotor::provider::description::{
    ChoiceField, ChoiceList, ConnectionKind, ConnectionMethod, DeclaredHost as HostRule, Family,
    Field, FieldKind, LifetimeRule, Limits, OutputKind, Parameter, Phase, ProviderDescription,
};

impl Field {
    /// A required field of this kind.
    pub fn new(kind: FieldKind, name: &str, title: &str) -> Self {
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            description: String::new(),
            kind,
            secret: false,
            required: true,
            default: None,
            max_length: None,
        }
    }

    /// A required line of text.
    pub fn text(name: &str, title: &str) -> Self {
        Self::new(FieldKind::Text, name, title)
    }

    /// What it is and where to find it, for a person.
    #[must_use]
    pub fn description(mut self, text: &str) -> Self {
        text.clone_into(&mut self.description);
        self
    }

    /// Sealed at rest, never shown again, read with [`crate::Values::secret`].
    #[must_use]
    pub fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// May be left out.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.required = false;
        self
    }

    /// May be left out, and then is this.
    #[must_use]
    pub fn default_value(mut self, value: &str) -> Self {
        self.default = Some(value.to_owned());
        self.optional()
    }

    /// At most this many characters.
    #[must_use]
    pub fn max_length(mut self, characters: u32) -> Self {
        self.max_length = Some(characters);
        self
    }
}

impl Parameter {
    /// Part of what tells one target from another.
    pub fn key(field: Field) -> Self {
        Self { field, key: true }
    }

    /// A parameter that may change while credentials live.
    pub fn new(field: Field) -> Self {
        Self { field, key: false }
    }
}

impl OutputKind {
    /// A secret value that applications read.
    pub fn secret(name: &str, title: &str, suggested_name: &str) -> Self {
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            suggested_name: suggested_name.to_owned(),
            secret: true,
        }
    }

    /// A public value that applications read.
    pub fn public(name: &str, title: &str, suggested_name: &str) -> Self {
        Self {
            secret: false,
            ..Self::secret(name, title, suggested_name)
        }
    }
}

impl ChoiceField {
    /// A column that is only shown.
    pub fn shown(name: &str, title: &str) -> Self {
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            fills: None,
        }
    }

    /// A column that fills a parameter.
    pub fn filling(name: &str, title: &str, parameter: &str) -> Self {
        Self {
            fills: Some(parameter.to_owned()),
            ..Self::shown(name, title)
        }
    }
}
