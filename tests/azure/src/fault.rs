//! Faults of single requests: what goes wrong, for which requests, how often.

use serde::{Deserialize, Serialize};

use crate::behaviour::ConcurrencyStatus;

/// What goes wrong with a request.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// The request takes effect; the connection is cut without an answer.
    LostReply,
    /// The connection is cut without an answer and without effect.
    LostRequest,
    /// The request takes effect; the answer is cut off in the middle of its body.
    TruncatedReply,
    /// A 200 whose body is no JSON; the request takes effect.
    Garbage,
    /// A gateway's answer: HTML, or nothing at all.
    Gateway {
        /// 500 to 599.
        status: u16,
        /// No body instead of a page.
        #[serde(default)]
        empty: bool,
        /// Whether the request takes effect.
        #[serde(default)]
        applied: bool,
    },
    /// 429: JSON at Graph, plain text at the token endpoint.
    Throttled {
        /// What `Retry-After` says; absent if not given.
        #[serde(default)]
        retry_after: Option<RetryAfter>,
        /// Graph's error code; `TooManyRequests` if not given.
        #[serde(default)]
        code: Option<String>,
    },
    /// `Directory_ConcurrencyViolation`.
    Concurrency {
        /// 400, 409 or 503.
        #[serde(default)]
        status: ConcurrencyStatus,
        /// Whether the request takes effect.
        #[serde(default)]
        applied: bool,
    },
    /// Any error of Graph's form.
    Graph {
        /// The status.
        status: u16,
        /// `error.code`
        code: String,
        /// `error.message`
        message: String,
        /// Whether the request takes effect.
        #[serde(default)]
        applied: bool,
        /// What `Retry-After` says; absent if not given.
        #[serde(default)]
        retry_after: Option<RetryAfter>,
    },
    /// Graph's 401 for a token that was withdrawn, with the claims that a new one must have.
    ClaimsChallenge,
    /// Any error of the token endpoint, by its number. Its status and class are the service's.
    Entra {
        /// The AADSTS number.
        code: u32,
    },
    /// The answer comes as it would, late.
    Slow {
        /// By how many milliseconds of real time.
        milliseconds: u64,
    },
}

impl Fault {
    /// Whether the request still takes effect.
    pub fn takes_effect(&self) -> bool {
        match self {
            Self::LostReply | Self::TruncatedReply | Self::Garbage | Self::Slow { .. } => true,
            Self::Gateway { applied, .. }
            | Self::Concurrency { applied, .. }
            | Self::Graph { applied, .. } => *applied,
            Self::LostRequest
            | Self::Throttled { .. }
            | Self::ClaimsChallenge
            | Self::Entra { .. } => false,
        }
    }

    /// Its name in the record.
    pub fn name(&self) -> &'static str {
        match self {
            Self::LostReply => "lost_reply",
            Self::LostRequest => "lost_request",
            Self::TruncatedReply => "truncated_reply",
            Self::Garbage => "garbage",
            Self::Gateway { .. } => "gateway",
            Self::Throttled { .. } => "throttled",
            Self::Concurrency { .. } => "concurrency",
            Self::Graph { .. } => "graph",
            Self::ClaimsChallenge => "claims_challenge",
            Self::Entra { .. } => "entra",
            Self::Slow { .. } => "slow",
        }
    }
}

/// The two forms of `Retry-After`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// So many seconds.
    Seconds(u32),
    /// An HTTP date, so many seconds after the answer's own.
    Date(u32),
}

/// What a request is, whatever it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// A login.
    Token,
    /// Any document of the authority that clients read before they log in.
    Discovery,
    /// GET of a collection of applications, or its count.
    ListApplications,
    /// GET of one application.
    GetApplication,
    /// POST addPassword.
    AddPassword,
    /// POST removePassword.
    RemovePassword,
    /// Any other route of Graph.
    OtherGraph,
    /// A path that is nothing here.
    Unknown,
}

/// Which requests a rule is for. Absent fields match everything.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Matching {
    /// What they do.
    pub operation: Option<Operation>,
    /// The application they are about, by client id, object id or name: who logs in, or whose
    /// secrets are read or changed.
    pub app: Option<String>,
}

/// A fault for the requests that match: always, by chance, or so many times.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Which requests.
    #[serde(default)]
    pub matching: Matching,
    /// What goes wrong.
    pub fault: Fault,
    /// So many matching requests pass first.
    #[serde(default)]
    pub skip: u32,
    /// How often it strikes before it is spent; for ever if absent.
    #[serde(default)]
    pub times: Option<u32>,
    /// The chance, 0 to 1, that it strikes a matching request.
    #[serde(default = "always")]
    pub probability: f64,
}

fn always() -> f64 {
    1.0
}

impl Rule {
    /// The next request of an operation gets a fault.
    pub fn once(operation: Operation, fault: Fault) -> Self {
        Self {
            times: Some(1),
            ..Self::always(operation, fault)
        }
    }

    /// Every request of an operation gets a fault.
    pub fn always(operation: Operation, fault: Fault) -> Self {
        Self {
            matching: Matching {
                operation: Some(operation),
                app: None,
            },
            fault,
            skip: 0,
            times: None,
            probability: 1.0,
        }
    }

    /// Every request of an operation gets a fault by chance.
    pub fn chance(operation: Operation, probability: f64, fault: Fault) -> Self {
        Self {
            probability,
            ..Self::always(operation, fault)
        }
    }

    /// The same for requests about one application.
    #[must_use]
    pub fn for_app(mut self, app: impl Into<String>) -> Self {
        self.matching.app = Some(app.into());
        self
    }

    /// The same after letting so many pass.
    #[must_use]
    pub fn after(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
    }
}

/// The rules in force, the earliest first: the first that strikes decides.
#[derive(Debug, Default)]
pub struct Rules(Vec<Rule>);

impl Rules {
    /// Adds one.
    pub fn add(&mut self, rule: Rule) {
        self.0.push(rule);
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Those not yet spent.
    pub fn in_force(&self) -> &[Rule] {
        &self.0
    }

    /// The fault for a request, counted as struck. `is_about` says whether it concerns an application.
    pub fn strike(
        &mut self,
        operation: Operation,
        is_about: impl Fn(&str) -> bool,
        rng: &mut fastrand::Rng,
    ) -> Option<Fault> {
        let mut struck = None;
        for rule in &mut self.0 {
            let matches = rule
                .matching
                .operation
                .is_none_or(|wanted| wanted == operation)
                && rule.matching.app.as_deref().is_none_or(&is_about);
            if !matches {
                continue;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            if rng.f64() >= rule.probability {
                continue;
            }
            rule.times = rule.times.map(|times| times.saturating_sub(1));
            struck = Some(rule.fault.clone());
            break;
        }
        self.0.retain(|rule| rule.times != Some(0));
        struck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strike(rules: &mut Rules, operation: Operation, rng: &mut fastrand::Rng) -> Option<Fault> {
        rules.strike(operation, |app| app == "payroll", rng)
    }

    #[test]
    fn a_one_shot_strikes_its_operation_once() {
        let mut rng = fastrand::Rng::with_seed(1);
        let mut rules = Rules::default();
        rules.add(Rule::once(Operation::AddPassword, Fault::LostReply));
        assert_eq!(strike(&mut rules, Operation::Token, &mut rng), None);
        let struck = strike(&mut rules, Operation::AddPassword, &mut rng);
        assert_eq!(struck, Some(Fault::LostReply));
        assert_eq!(strike(&mut rules, Operation::AddPassword, &mut rng), None);
        assert!(rules.in_force().is_empty());
    }

    #[test]
    fn a_rule_for_one_application_spares_the_others() {
        let mut rng = fastrand::Rng::with_seed(1);
        let mut rules = Rules::default();
        rules.add(Rule::always(Operation::Token, Fault::LostRequest).for_app("billing"));
        assert_eq!(strike(&mut rules, Operation::Token, &mut rng), None);
        rules.add(Rule::always(Operation::Token, Fault::LostRequest).for_app("payroll"));
        assert!(strike(&mut rules, Operation::Token, &mut rng).is_some());
    }

    #[test]
    fn skipped_requests_pass_first() {
        let mut rng = fastrand::Rng::with_seed(1);
        let mut rules = Rules::default();
        rules.add(Rule::once(Operation::Token, Fault::LostReply).after(2));
        assert!(strike(&mut rules, Operation::Token, &mut rng).is_none());
        assert!(strike(&mut rules, Operation::Token, &mut rng).is_none());
        assert!(strike(&mut rules, Operation::Token, &mut rng).is_some());
    }

    #[test]
    fn chance_strikes_about_as_often_as_it_says() {
        let mut rng = fastrand::Rng::with_seed(1);
        let mut rules = Rules::default();
        rules.add(Rule::chance(Operation::Token, 0.3, Fault::LostReply));
        let struck = (0..1000)
            .filter(|_| strike(&mut rules, Operation::Token, &mut rng).is_some())
            .count();
        assert!((230..370).contains(&struck), "{struck}");
    }

    #[test]
    fn rules_are_written_as_people_write_them() {
        let text = r#"{"matching":{"operation":"token"},"fault":{"kind":"throttled","retry_after":{"date":5}},"times":2}"#;
        let rule: Rule = serde_json::from_str(text).unwrap();
        assert_eq!(
            rule.fault,
            Fault::Throttled {
                retry_after: Some(RetryAfter::Date(5)),
                code: None
            }
        );
        assert!(serde_json::from_str::<Rule>(r#"{"fault":{"kind":"slow"}}"#).is_err());
    }
}
