//! What a guest answers. Texts for a person are bounded, and cleaned of control characters and of what is
//! known to be secret; names by which the service knows a thing are left as they are, since they are
//! compared, or refused.

use std::time::Duration;

use super::Nonsense;
use crate::Secret;
use crate::bindings::{calls, types};
use crate::contract::{
    ChoiceList, ChoicePage, Fault, FaultKind, Finding, Identity, Inspection, Issued,
    ListedCredential, NamedValue, OptionEntry, Output, ProviderDescription, Revocation,
    RevocationOutcome, Severity, Survey, Timestamp, Value, Verdict, Verification,
};
use crate::scrub::Scrubber;

/// The longest text for a person, in bytes.
const MESSAGE: usize = 4096;

/// The longest title, code or hint, in bytes.
const SHORT: usize = 512;

/// The longest text of a parameter, in bytes: room for a key or a certificate.
const PARAMETER: usize = 16 * 1024;

/// The option in which a fault carries a finding, and how many of them are read.
const FINDING: &str = "finding";
const MOST_CARRIED: usize = 64;

/// The longest handle, in bytes.
const HANDLE: usize = 1024;

pub(crate) fn fault(fault: types::Fault, scrubber: &Scrubber) -> Fault {
    use types::FaultKind as Wire;
    let kind = match fault.kind {
        Wire::InvalidInput(field) => FaultKind::InvalidInput(scrubber.strict_line(&field, SHORT)),
        Wire::Unauthorized => FaultKind::Unauthorized,
        Wire::NotFound => FaultKind::NotFound,
        Wire::Throttled => FaultKind::Throttled,
        Wire::Unavailable => FaultKind::Unavailable,
        Wire::Ambiguous => FaultKind::Ambiguous,
        Wire::Full => FaultKind::Full,
        Wire::Internal => FaultKind::Internal,
        Wire::Refused => FaultKind::Refused,
        Wire::Other(name) => FaultKind::Other(scrubber.strict_line(&name, SHORT)),
    };
    Fault {
        kind,
        message: scrubber.strict_text(&fault.message, MESSAGE),
        code: fault.code.map(|code| scrubber.strict_line(&code, SHORT)),
        retry_after: fault.retry_after_ms.map(Duration::from_millis),
        provider_time: fault.provider_time.map(Timestamp),
        findings: carried(&fault.options, scrubber),
        options: options(
            fault
                .options
                .into_iter()
                .filter(|option| option.name != FINDING)
                .collect(),
            scrubber,
        ),
    }
}

/// The findings that a fault carries: the contract has no field for them, so they are options, in JSON.
fn carried(options: &[types::OptionEntry], scrubber: &Scrubber) -> Vec<Finding> {
    #[derive(serde::Deserialize)]
    struct Carried {
        code: String,
        severity: String,
        message: String,
        remedy: Option<String>,
    }

    let carried = options
        .iter()
        .filter(|option| option.name == FINDING)
        .take(MOST_CARRIED)
        .filter_map(|option| serde_json::from_str::<Carried>(&option.value).ok());
    let wire = carried.map(|carried| types::Finding {
        severity: match carried.severity.as_str() {
            "fine" => types::Severity::Fine,
            "warning" => types::Severity::Warning,
            _ => types::Severity::Problem,
        },
        code: scrubber.strict_line(&carried.code, SHORT),
        message: scrubber.strict_text(&carried.message, MESSAGE),
        remedy: carried
            .remedy
            .map(|remedy| scrubber.strict_text(&remedy, MESSAGE)),
    });
    findings(wire.collect(), scrubber)
}

pub(crate) fn identity(identity: calls::Identity, scrubber: &Scrubber) -> Identity {
    Identity {
        subject: scrubber.line(&identity.subject, SHORT),
        findings: findings(identity.findings, scrubber),
        provider_time: identity.provider_time.map(Timestamp),
    }
}

pub(crate) fn choice_page(
    page: calls::ChoicePage,
    list: &ChoiceList,
) -> Result<ChoicePage, Nonsense> {
    let expected = list.fields.len();
    let rows: Vec<Vec<String>> = page
        .choices
        .into_iter()
        .map(|choice| choice.values.iter().map(|value| tame(value)).collect())
        .collect();
    if let Some(row) = rows.iter().find(|row| row.len() != expected) {
        return Err(format!(
            "a choice has {} values where {expected} are declared",
            row.len()
        ));
    }
    Ok(ChoicePage {
        rows,
        next: page.next,
    })
}

pub(crate) fn inspection(
    inspection: calls::Inspection,
    description: &ProviderDescription,
    scrubber: &Scrubber,
) -> Result<Inspection, Nonsense> {
    let is_declared = |name: &str| {
        description
            .parameters
            .iter()
            .any(|known| known.field.name == name)
    };
    let mut parameters: Vec<NamedValue> = Vec::new();
    for parameter in inspection.parameters {
        let name = scrubber.line(&parameter.name, SHORT);
        if !is_declared(&parameter.name) {
            return Err(format!("a parameter {name:?} is not declared"));
        }
        if parameters.iter().any(|known| known.name == parameter.name) {
            return Err(format!("a parameter {name:?} is there twice"));
        }
        parameters.push(named_value(parameter, scrubber)?);
    }
    Ok(Inspection {
        title: scrubber.line(&inspection.title, SHORT),
        parameters,
        credential_cap: inspection.credential_cap,
        max_lifetime: inspection.max_lifetime_seconds.map(Duration::from_secs),
        findings: findings(inspection.findings, scrubber),
        provider_time: inspection.provider_time.map(Timestamp),
    })
}

/// The outputs' secret values are added to what is scrubbed, whether the answer makes sense or not.
pub(crate) fn issued(
    issued: calls::Issued,
    description: &ProviderDescription,
    scrubber: &mut Scrubber,
) -> Result<Issued, Nonsense> {
    let outputs: Vec<Output> = issued
        .outputs
        .into_iter()
        .map(|output| Output {
            name: output.name,
            value: Secret::new(output.value),
        })
        .collect();
    let is_public = |name: &str| {
        description
            .outputs
            .iter()
            .any(|known| known.name == name && !known.secret)
    };
    super::output_secrets(&outputs, |name| !is_public(name), scrubber);
    for known in &description.outputs {
        match outputs
            .iter()
            .filter(|output| output.name == known.name)
            .count()
        {
            1 => {}
            0 => return Err(format!("the output {:?} is missing", known.name)),
            _ => return Err(format!("the output {:?} is there twice", known.name)),
        }
    }
    if outputs.len() != description.outputs.len() {
        return Err("there is an output that is not declared".to_owned());
    }
    Ok(Issued {
        handle: handle(issued.handle)?,
        outputs,
        expires_at: issued.expires_at.map(Timestamp),
        provider_time: issued.provider_time.map(Timestamp),
    })
}

pub(crate) fn verification(verification: calls::Verification, scrubber: &Scrubber) -> Verification {
    use calls::Verdict as Wire;
    let verdict = match verification.verdict {
        Wire::Works => Verdict::Works,
        Wire::NotYet(why) => Verdict::NotYet(scrubber.strict_text(&why, MESSAGE)),
        Wire::CannotTell(why) => Verdict::CannotTell(scrubber.strict_text(&why, MESSAGE)),
        Wire::Never(why) => Verdict::Never(scrubber.strict_text(&why, MESSAGE)),
        Wire::Other(name) => Verdict::CannotTell(format!(
            "an unknown verdict: {}",
            scrubber.strict_line(&name, SHORT)
        )),
    };
    Verification {
        verdict,
        provider_time: verification.provider_time.map(Timestamp),
    }
}

pub(crate) fn revocation(revocation: calls::Revocation, scrubber: &Scrubber) -> Revocation {
    use calls::RevocationOutcome as Wire;
    let outcome = match revocation.outcome {
        Wire::Accepted => RevocationOutcome::Accepted,
        Wire::NotFound => RevocationOutcome::NotFound,
        Wire::Other(name) => RevocationOutcome::Unknown(scrubber.strict_line(&name, SHORT)),
    };
    Revocation {
        outcome,
        provider_time: revocation.provider_time.map(Timestamp),
    }
}

pub(crate) fn survey(survey: calls::SurveyResult, scrubber: &Scrubber) -> Result<Survey, Nonsense> {
    let listed = |listed: calls::ListedCredential| {
        Ok(ListedCredential {
            handle: handle(listed.handle)?,
            label: listed.label.as_deref().map(tame),
            starts_at: listed.starts_at.map(Timestamp),
            expires_at: listed.expires_at.map(Timestamp),
            hint: listed.hint.as_deref().map(tame),
        })
    };
    Ok(Survey {
        credentials: survey
            .credentials
            .into_iter()
            .map(listed)
            .collect::<Result<_, Nonsense>>()?,
        provider_time: survey.provider_time.map(Timestamp),
        options: options(survey.options, scrubber),
    })
}

pub(super) fn options(options: Vec<types::OptionEntry>, scrubber: &Scrubber) -> Vec<OptionEntry> {
    options
        .into_iter()
        .map(|entry| OptionEntry {
            name: scrubber.strict_line(&entry.name, SHORT),
            value: scrubber.strict_text(&entry.value, MESSAGE),
        })
        .collect()
}

fn findings(findings: Vec<types::Finding>, scrubber: &Scrubber) -> Vec<Finding> {
    findings
        .into_iter()
        .map(|finding| Finding {
            code: scrubber.line(&finding.code, SHORT),
            severity: match finding.severity {
                types::Severity::Fine => Severity::Fine,
                types::Severity::Warning => Severity::Warning,
                types::Severity::Problem | types::Severity::Other(_) => Severity::Problem,
            },
            message: scrubber.text(&finding.message, MESSAGE),
            remedy: finding.remedy.map(|remedy| scrubber.text(&remedy, MESSAGE)),
        })
        .collect()
}

/// What is stored and shown. A text that is too long is nonsense rather than cut: half of a value names
/// something else.
fn named_value(named: types::NamedValue, scrubber: &Scrubber) -> Result<NamedValue, Nonsense> {
    let tamed = |text: &str| {
        if text.len() > PARAMETER {
            return Err(format!(
                "the parameter {:?} is longer than {PARAMETER} bytes",
                named.name
            ));
        }
        Ok(scrubber.text(text, text.len().max(PARAMETER)))
    };
    let value = match named.value {
        types::Value::Text(text) => Value::Text(tamed(&text)?),
        types::Value::Integer(number) => Value::Integer(number),
        types::Value::Boolean(truth) => Value::Boolean(truth),
        types::Value::Secret(secret) => Value::Secret(Secret::new(secret)),
        types::Value::Json(json) => Value::Json(tamed(&json)?),
    };
    Ok(NamedValue {
        name: named.name,
        value,
    })
}

fn handle(handle: String) -> Result<String, Nonsense> {
    if handle.is_empty() || handle.len() > HANDLE || handle.contains(char::is_control) {
        return Err(format!("a handle is a line of 1 to {HANDLE} bytes"));
    }
    Ok(handle)
}

/// Without control characters, but not scrubbed: it may be compared with what the daemon stored.
fn tame(text: &str) -> String {
    Scrubber::default().line(text, MESSAGE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::description_for_tests;

    fn wire_issued(handle: &str, outputs: &[(&str, &str)]) -> calls::Issued {
        let output = |(name, value): &(&str, &str)| types::Output {
            name: (*name).to_owned(),
            value: value.as_bytes().to_vec(),
        };
        calls::Issued {
            handle: handle.to_owned(),
            outputs: outputs.iter().map(output).collect(),
            expires_at: None,
            provider_time: None,
        }
    }

    fn issue(handle: &str, outputs: &[(&str, &str)]) -> Result<Issued, Nonsense> {
        issued(
            wire_issued(handle, outputs),
            &description_for_tests(),
            &mut Scrubber::default(),
        )
    }

    #[test]
    fn an_issued_credential_has_a_handle_and_each_output_once() {
        let both = [("clientId", "id"), ("clientSecret", "value")];
        assert!(issue("key-1", &both).is_ok());
        assert!(issue("", &both).is_err());
        assert!(issue("key\n1", &both).is_err());
        assert!(issue("key-1", &both[..1]).is_err());
        assert!(issue("key-1", &[both[0], both[1], both[1]]).is_err());
        assert!(issue("key-1", &[both[0], both[1], ("extra", "x")]).is_err());
    }

    #[test]
    fn a_new_value_is_scrubbed_even_if_the_answer_makes_no_sense() {
        let mut scrubber = Scrubber::default();
        let answer = wire_issued("", &[("clientSecret", "new-value")]);
        assert!(issued(answer, &description_for_tests(), &mut scrubber).is_err());
        assert_eq!(scrubber.line("got new-value", 100), "got [redacted]");
    }

    #[test]
    fn a_faults_texts_hold_no_secret() {
        let option = |name: &str, value: &str| types::OptionEntry {
            name: name.to_owned(),
            value: value.to_owned(),
        };
        let mut scrubber = Scrubber::default();
        scrubber.add(b"hunter2!");
        let cleaned = fault(
            types::Fault {
                kind: types::FaultKind::InvalidInput("hunter2!".to_owned()),
                message: "refused hunter2!\nbecause".to_owned(),
                code: Some("hunter2!".to_owned()),
                retry_after_ms: Some(5000),
                provider_time: None,
                options: vec![
                    option("a", "hunter2!"),
                    option("finding", "no JSON of hunter2!"),
                    option(
                        "finding",
                        r#"{"code": "closed", "severity": "new", "message": "hunter2! is closed", "remedy": "open hunter2!"}"#,
                    ),
                ],
            },
            &scrubber,
        );
        assert_eq!(cleaned.options.len(), 1);
        let expected = Finding {
            code: "closed".to_owned(),
            severity: Severity::Problem,
            message: "[redacted] is closed".to_owned(),
            remedy: Some("open [redacted]".to_owned()),
        };
        assert_eq!(cleaned.findings, [expected]);
        assert!(!format!("{cleaned:?}").contains("hunter2!"));
        assert_eq!(cleaned.message, "refused [redacted]\nbecause");
        assert_eq!(cleaned.retry_after, Some(Duration::from_secs(5)));
    }

    #[test]
    fn a_parameter_that_comes_back_is_bounded_tame_and_without_secrets() {
        let mut scrubber = Scrubber::default();
        scrubber.add(b"hunter2!");
        let inspected = |values: &[&str]| -> Result<String, Nonsense> {
            let parameter = |text: &&str| types::NamedValue {
                name: "objectId".to_owned(),
                value: types::Value::Text((*text).to_owned()),
            };
            let answer = calls::Inspection {
                title: "t".to_owned(),
                parameters: values.iter().map(parameter).collect(),
                credential_cap: None,
                max_lifetime_seconds: None,
                findings: vec![],
                provider_time: None,
            };
            let inspection = inspection(answer, &description_for_tests(), &scrubber)?;
            match &inspection.parameters[0].value {
                Value::Text(text) => Ok(text.clone()),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(inspected(&["plain"]).unwrap(), "plain");
        assert_eq!(
            inspected(&["is hunter2!\x1b[31m"]).unwrap(),
            "is [redacted] [31m"
        );
        let long = "x".repeat(PARAMETER);
        assert_eq!(inspected(&[&long]).unwrap(), long);
        assert!(inspected(&[&format!("{long}x")]).is_err());
        assert!(inspected(&["a", "b"]).is_err());
    }

    #[test]
    fn a_label_is_never_scrubbed() {
        let mut scrubber = Scrubber::default();
        scrubber.add(b"rotord");
        let result = survey(
            calls::SurveyResult {
                credentials: vec![calls::ListedCredential {
                    handle: "rotord-1".to_owned(),
                    label: Some("rotord-label".to_owned()),
                    starts_at: None,
                    expires_at: None,
                    hint: None,
                }],
                provider_time: None,
                options: vec![],
            },
            &scrubber,
        )
        .unwrap();
        assert_eq!(result.credentials[0].label.as_deref(), Some("rotord-label"));
        assert_eq!(result.credentials[0].handle, "rotord-1");
    }

    #[test]
    fn unknown_cases_become_the_most_careful_known_one() {
        let scrubber = Scrubber::default();
        let verdict = calls::Verification {
            verdict: calls::Verdict::Other("fine".to_owned()),
            provider_time: None,
        };
        assert!(matches!(
            verification(verdict, &scrubber).verdict,
            Verdict::CannotTell(_)
        ));
        let finding = types::Finding {
            code: "x".to_owned(),
            severity: types::Severity::Other("notice".to_owned()),
            message: String::new(),
            remedy: None,
        };
        assert_eq!(
            findings(vec![finding], &scrubber)[0].severity,
            Severity::Problem
        );
    }
}
