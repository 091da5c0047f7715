//! The checks, part by part.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::bindings::description as wire;
use crate::contract::{
    ChoiceField, ChoiceList, ConnectionKind, ConnectionMethod, DeclaredHost, Family, Field,
    FieldKind, LifetimeRule, OutputKind, Parameter, Phase, ProviderLimits, Slug,
};
use crate::http::HostRule;
use crate::scrub::Scrubber;

/// Entries of any one list.
const MOST: usize = 64;

/// The longest title, in bytes.
const TITLE: usize = 200;

/// The longest explanation, in bytes.
const EXPLANATION: usize = 2000;

/// The longest that a credential may be said to live, in seconds: a century, which clocks can still count.
const LIFETIME: u64 = 100 * 366 * 86_400;

/// The most intervals that a credential may be said to live.
const INTERVALS: u32 = 1000;

/// The longest spacing, propagation bound or overlap, in milliseconds: ten years.
const SPACING: u64 = 10 * 366 * 86_400_000;

/// Collects all that is wrong, so that an author sees it at once.
#[derive(Default)]
pub(super) struct Check {
    pub(super) problems: Vec<String>,
}

impl Check {
    /// Notes what is wrong.
    pub(super) fn refuse(&mut self, problem: &str) {
        if self.problems.len() < MOST {
            self.problems
                .push(Scrubber::default().line(problem, EXPLANATION));
        }
    }

    pub(super) fn family(&mut self, family: &wire::Family) -> Option<Family> {
        match family {
            wire::Family::Mint => Some(Family::Mint),
            wire::Family::Set => Some(Family::Set),
            wire::Family::Other(name) => {
                self.refuse(&format!("the family {name:?} is not known to this version"));
                None
            }
        }
    }

    pub(super) fn phase(&mut self, phase: &wire::Phase) -> Option<Phase> {
        match phase {
            wire::Phase::Dual => Some(Phase::Dual),
            wire::Phase::Single => Some(Phase::Single),
            wire::Phase::TwoAccounts => Some(Phase::TwoAccounts),
            wire::Phase::Other(name) => {
                self.refuse(&format!("the phase {name:?} is not known to this version"));
                None
            }
        }
    }

    pub(super) fn slug(&mut self, place: &str, text: &str) -> Option<Slug> {
        let slug = text.parse();
        if let Err(e) = &slug {
            self.refuse(&format!("{place}: {e}"));
        }
        slug.ok()
    }

    pub(super) fn title(&mut self, place: &str, text: &str) -> String {
        let title = Scrubber::default().line(text.trim(), TITLE);
        if title.is_empty() {
            self.refuse(&format!("{place} is empty"));
        }
        title
    }

    /// A name as it stands in JSON.
    pub(super) fn name(&mut self, place: &str, name: String) -> String {
        let well_formed = name.len() <= MOST
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !well_formed {
            self.refuse(&format!(
                "{place}: {name:?} is no field name: up to {MOST} letters, digits and _, beginning with a letter"
            ));
        }
        name
    }

    pub(super) fn distinct<'a>(&mut self, place: &str, names: impl Iterator<Item = &'a str>) {
        let mut seen = BTreeSet::new();
        for name in names {
            if !seen.insert(name) {
                self.refuse(&format!("{place}: {name:?} is there twice"));
            }
        }
        if seen.len() > MOST {
            self.refuse(&format!("{place}: more than {MOST}"));
        }
    }

    pub(super) fn connection(&mut self, wire: wire::ConnectionKind) -> Option<ConnectionKind> {
        let app = self.slug("connection app", &wire.app);
        let slug = self.slug("connection slug", &wire.slug);
        let title = self.title("connection title", &wire.title);
        let mut methods = Vec::with_capacity(wire.methods.len());
        for method in wire.methods {
            let place = format!("connection method {:?}", method.name);
            let fields: Vec<Field> = method
                .fields
                .into_iter()
                .map(|field| self.field(&place, field))
                .collect();
            self.distinct(&place, fields.iter().map(|field| field.name.as_str()));
            // A method's name is a word such as `client-secret` or `clientSecret`.
            let name = Scrubber::default().line(&method.name, MOST);
            if name.is_empty() || name.contains(char::is_whitespace) {
                self.refuse(&format!("{place}: the name is one word"));
            }
            let title = self.title(&place, &method.title);
            methods.push(ConnectionMethod {
                name,
                title,
                fields,
            });
        }
        if methods.is_empty() {
            self.refuse("the connection has no method");
        }
        self.distinct(
            "connection methods",
            methods.iter().map(|method| method.name.as_str()),
        );
        Some(ConnectionKind {
            app: app?,
            slug: slug?,
            title,
            methods,
        })
    }

    pub(super) fn field(&mut self, place: &str, wire: wire::Field) -> Field {
        let place = format!("{place}, field {:?}", wire.name);
        let kind = match wire.kind {
            wire::FieldKind::Text => FieldKind::Text,
            wire::FieldKind::LongText => FieldKind::LongText,
            wire::FieldKind::Uuid => FieldKind::Uuid,
            wire::FieldKind::Url => FieldKind::Url,
            wire::FieldKind::Integer => FieldKind::Integer,
            wire::FieldKind::Boolean => FieldKind::Boolean,
            wire::FieldKind::Choice(choices) => {
                if choices.is_empty() || choices.len() > MOST {
                    self.refuse(&format!("{place}: a choice is among 1 to {MOST}"));
                }
                if wire
                    .default
                    .as_ref()
                    .is_some_and(|default| !choices.contains(default))
                {
                    self.refuse(&format!("{place}: the default is none of the choices"));
                }
                FieldKind::Choice(choices)
            }
            wire::FieldKind::Other(name) => FieldKind::Other(name),
        };
        if wire.secret && wire.default.is_some() {
            self.refuse(&format!("{place}: a secret has no default"));
        }
        if wire.max_length == Some(0) {
            self.refuse(&format!("{place}: a longest length of 0 leaves nothing"));
        }
        Field {
            title: self.title(&place, &wire.title),
            name: self.name(&place, wire.name),
            description: Scrubber::default().text(&wire.description, EXPLANATION),
            kind,
            secret: wire.secret,
            required: wire.required,
            default: wire.default,
            max_length: wire.max_length,
        }
    }

    pub(super) fn outputs(&mut self, wire: Vec<wire::OutputKind>) -> Vec<OutputKind> {
        let outputs: Vec<OutputKind> = wire
            .into_iter()
            .map(|output| OutputKind {
                title: self.title("output title", &output.title),
                suggested_name: self.title("output suggested-name", &output.suggested_name),
                name: self.name("outputs", output.name),
                secret: output.secret,
            })
            .collect();
        if outputs.is_empty() {
            self.refuse("there is no output");
        }
        self.distinct("outputs", outputs.iter().map(|output| output.name.as_str()));
        outputs
    }

    pub(super) fn choices(
        &mut self,
        wire: Vec<wire::ChoiceList>,
        parameters: &[Parameter],
    ) -> Vec<ChoiceList> {
        let mut lists = Vec::with_capacity(wire.len());
        for list in wire {
            let place = format!("choices {:?}", list.name);
            let fields: Vec<ChoiceField> = list
                .fields
                .into_iter()
                .map(|field| ChoiceField {
                    title: self.title(&place, &field.title),
                    name: self.name(&place, field.name),
                    fills: field.fills,
                })
                .collect();
            for fills in fields.iter().filter_map(|field| field.fills.as_deref()) {
                if !parameters
                    .iter()
                    .any(|parameter| parameter.field.name == fills)
                {
                    self.refuse(&format!("{place}: there is no parameter {fills:?} to fill"));
                }
            }
            if fields.is_empty() {
                self.refuse(&format!("{place}: there are no fields"));
            }
            self.distinct(&place, fields.iter().map(|field| field.name.as_str()));
            let title = self.title(&place, &list.title);
            if let Some(name) = self.slug(&place, &list.name) {
                lists.push(ChoiceList {
                    name,
                    title,
                    fields,
                });
            }
        }
        self.distinct("choices", lists.iter().map(|list| list.name.as_str()));
        lists
    }

    pub(super) fn hosts(
        &mut self,
        wire: Vec<wire::DeclaredHost>,
        connection: Option<&ConnectionKind>,
    ) -> Vec<DeclaredHost> {
        let mut hosts = Vec::with_capacity(wire.len());
        for host in wire {
            match host {
                wire::DeclaredHost::Fixed(text) => match text.parse::<HostRule>() {
                    Ok(rule) if rule.is_exact() => hosts.push(DeclaredHost::Fixed(rule)),
                    Ok(rule) => self.refuse(&format!("hosts: {rule} is not one host")),
                    Err(e) => self.refuse(&format!("hosts: {e}")),
                },
                wire::DeclaredHost::FromConnection(name) => {
                    let mut fields = connection
                        .iter()
                        .flat_map(|c| &c.methods)
                        .flat_map(|method| &method.fields);
                    if fields.any(|field| field.name == name && !field.secret) {
                        hosts.push(DeclaredHost::FromConnection(name));
                    } else if connection.is_some() {
                        self.refuse(&format!(
                            "hosts: there is no open connection field {name:?}"
                        ));
                    }
                }
                // Unknown: grants nothing.
                wire::DeclaredHost::Other(_) => {}
            }
        }
        if hosts.len() > MOST {
            self.refuse(&format!("hosts: more than {MOST}"));
        }
        hosts
    }

    pub(super) fn limits(&mut self, wire: &wire::Limits) -> ProviderLimits {
        if wire.verify_successes == 0 {
            self.refuse("limits: a credential that no login proves is never published");
        }
        if wire.longest_interval_days == 0 {
            self.refuse("limits: the longest interval is at least a day");
        }
        if wire.credential_cap == Some(0) {
            self.refuse("limits: a target that holds no credential can't be rotated");
        }
        let lifetime = &wire.lifetime;
        if (lifetime.intervals == 0 && lifetime.extra_seconds == 0)
            || lifetime.max_seconds == Some(0)
        {
            self.refuse("limits: the lifetime would be 0");
        }
        let longest = lifetime
            .max_seconds
            .unwrap_or(0)
            .max(lifetime.extra_seconds);
        if lifetime.intervals > INTERVALS || longest > LIFETIME {
            self.refuse(&format!(
                "limits: a lifetime is of at most {INTERVALS} intervals and a century"
            ));
        }
        let spacings = [
            wire.write_spacing_ms,
            wire.propagation_bound_ms,
            wire.minimum_overlap_ms,
            wire.verify_spacing_ms,
        ];
        if spacings.iter().any(|spacing| *spacing > SPACING) {
            self.refuse("limits: a spacing, bound or overlap is of at most ten years");
        }
        ProviderLimits {
            write_spacing: Duration::from_millis(wire.write_spacing_ms),
            propagation_bound: Duration::from_millis(wire.propagation_bound_ms),
            minimum_overlap: Duration::from_millis(wire.minimum_overlap_ms),
            credential_cap: wire.credential_cap,
            longest_interval_days: wire.longest_interval_days,
            verify_successes: wire.verify_successes,
            verify_spacing: Duration::from_millis(wire.verify_spacing_ms),
            lifetime: LifetimeRule {
                intervals: lifetime.intervals,
                extra: Duration::from_secs(lifetime.extra_seconds),
                max: lifetime.max_seconds.map(Duration::from_secs),
            },
        }
    }
}
