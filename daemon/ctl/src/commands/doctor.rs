//! `rotorctl doctor`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use clap::Args;
use rotord_api::doctor::{DoctorFinding, DoctorQuery, DoctorReport};
use rotord_api::issue::Severity;
use rotord_api::routes;

use crate::cli::Place;
use crate::client::Reply;
use crate::error::CtlError;
use crate::exit::Exit;
use crate::output::{Cell, Table, Tone};
use crate::session::Session;
use crate::words::Words;
use crate::{find, reach, wait};

/// Looks at everything that would make rotations fail, and changes nothing. Ends with 0 where nothing is a
/// problem (there may be warnings) and with 4 where something is.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Only this connection, and what rotates by it
    #[arg(long, value_name = "NAME")]
    connection: Option<String>,
    /// Only this rotation, and its connection
    #[arg(long, value_name = "NAME")]
    rotation: Option<String>,
    /// Every finding, also where many of one code are fine
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    place: Place,
}

/// As many findings of one code that are fine are shown to a person who did not ask for all.
const FEW: usize = 3;

const LOOKING: &str = "looking at this host, its connections and its rotations";

pub(crate) async fn run(session: &mut Session, command: Doctor) -> Result<Exit, CtlError> {
    let started = Instant::now();
    let (mut report, body): (DoctorReport, _) = match session.client.reach().await {
        Ok(()) => {
            let query = query(session, &command).await?;
            let reply = ask(session, &query).await?;
            (reply.parse()?, reply.body)
        }
        // That nobody answers is what is found, and nobody has to answer for it.
        Err(error) => {
            let found = reach::judge(session.client.socket(), &error);
            let took = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            let report = DoctorReport::new(vec![found], took);
            let body = serde_json::to_value(&report)
                .map_err(|source| CtlError::failed("can't make the report").because(source))?;
            (report, body)
        }
    };
    put_in_words(session, &mut report).await;
    if session.output.is_json() {
        session.output.json(&body)?;
    } else if session.output.is_terminal() {
        session.output.table(&for_people(&report, command.all))?;
        session.output.line("")?;
        session.output.line(summary(&report))?;
    } else {
        session.output.table(&for_programs(&report))?;
    }
    Ok(match report.worst {
        Severity::Problem => Exit::Attention,
        Severity::Fine | Severity::Warning => Exit::Done,
    })
}

/// What is found, as a person reads it here.
async fn put_in_words(session: &Session, report: &mut DoctorReport) {
    if session.output.is_json() {
        return;
    }
    let texts = report.findings.iter().flat_map(|finding| {
        [Some(&finding.message), finding.remedy.as_ref()]
            .into_iter()
            .flatten()
    });
    let words = Words::of(session, texts.map(String::as_str)).await;
    for finding in &mut report.findings {
        finding.message = words.put(&finding.message);
        finding.remedy = finding.remedy.as_deref().map(|text| words.put(text));
    }
}

async fn query(session: &Session, command: &Doctor) -> Result<DoctorQuery, CtlError> {
    let mut query = DoctorQuery::default();
    if let Some(named) = &command.connection {
        let connection = find::connection(&session.client, named).await?;
        query.connection_id = Some(connection.id);
    }
    if let Some(named) = &command.rotation {
        let rotation = find::rotation(&session.client, named, &command.place).await?;
        query.rotation_id = Some(rotation.id);
    }
    Ok(query)
}

/// The daemon looks at everything at once; that it does shows by the seconds.
async fn ask(session: &Session, query: &DoctorQuery) -> Result<Reply, CtlError> {
    let path = routes::with_query(routes::DOCTOR, query);
    let spinner = session.output.spinner(LOOKING);
    wait::ticking(session.client.get(&path), &spinner, LOOKING).await
}

/// What is not fine stands with its cause and what helps.
fn for_people(report: &DoctorReport, all: bool) -> Table {
    let mut table = Table::new(&["", "CODE", "SEEN"]);
    for (finding, more) in shown(report, all) {
        let DoctorFinding {
            about,
            message,
            cause,
            remedy,
            ..
        } = finding;
        let mut seen = format!("{about}: {message}");
        if more > 0 {
            seen = format!("{seen}\nand {more} more that are fine: --all shows them");
        }
        if !is_fine(finding) {
            for (word, text) in [("cause", cause), ("what helps", remedy)] {
                if let Some(text) = text {
                    seen = format!("{seen}\n{word}: {text}");
                }
            }
        }
        table.row([mark(finding), finding.code.as_str().into(), seen.into()]);
    }
    table
}

/// What a person is shown, each with how many of its code are left out: what is fine must not hide what is not.
fn shown(report: &DoctorReport, all: bool) -> Vec<(&DoctorFinding, usize)> {
    let mut fine: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in report.findings.iter().filter(|finding| is_fine(finding)) {
        *fine.entry(&finding.code).or_default() += 1;
    }
    let mut told = BTreeSet::new();
    let shown = report.findings.iter().filter_map(|finding| {
        let alike = fine.get(finding.code.as_str()).copied().unwrap_or_default();
        if all || !is_fine(finding) || alike <= FEW {
            return Some((finding, 0));
        }
        let is_first = told.insert(finding.code.as_str());
        is_first.then_some((finding, alike - 1))
    });
    shown.collect()
}

fn is_fine(finding: &DoctorFinding) -> bool {
    finding.severity == Severity::Fine
}

fn for_programs(report: &DoctorReport) -> Table {
    let mut table = Table::new(&["", "CODE", "ABOUT", "SEEN", "CAUSE", "WHAT HELPS"]);
    for finding in &report.findings {
        let or_empty = |text: &Option<String>| text.clone().unwrap_or_default();
        table.row([
            mark(finding),
            finding.code.as_str().into(),
            finding.about.as_str().into(),
            finding.message.as_str().into(),
            or_empty(&finding.cause).into(),
            or_empty(&finding.remedy).into(),
        ]);
    }
    table
}

fn mark(finding: &DoctorFinding) -> Cell {
    match finding.severity {
        Severity::Fine => Cell::new("fine", Tone::Good),
        Severity::Warning => Cell::new("warning", Tone::Warn),
        Severity::Problem => Cell::new("problem", Tone::Bad),
    }
}

fn summary(report: &DoctorReport) -> String {
    let count = |severity| {
        let all = report.findings.iter();
        all.filter(|finding| finding.severity == severity).count()
    };
    let (problems, warnings) = (count(Severity::Problem), count(Severity::Warning));
    let plural = |count: usize, one: &str| match count {
        1 => format!("1 {one}"),
        count => format!("{count} {one}s"),
    };
    let counts = format!(
        "{}, {}, {} fine",
        plural(problems, "problem"),
        plural(warnings, "warning"),
        count(Severity::Fine)
    );
    match report.findings.first() {
        Some(worst) if worst.severity != Severity::Fine => {
            format!("{counts}; more of a code: rotorctl explain {}", worst.code)
        }
        _ => counts,
    }
}

#[cfg(test)]
mod tests {
    use rotord_api::catalogue;
    use rotord_api::doctor::{DoctorFinding, DoctorReport};

    use super::{for_people, summary};
    use crate::output::Style;

    const TERMINAL: Style = Style {
        json: false,
        terminal: true,
        color: false,
        width: 100,
    };

    fn report() -> DoctorReport {
        DoctorReport::new(
            vec![
                DoctorFinding::fine(&catalogue::CLOCK, "connection azure", "it is right"),
                DoctorFinding::problem(&catalogue::HOST_UNKNOWN, "host a.example", "no name")
                    .because("no resolver")
                    .fix("getent hosts a.example"),
            ],
            7,
        )
    }

    #[test]
    fn people_read_the_worst_first_with_its_cause_and_what_helps() {
        let text = for_people(&report(), false).render(TERMINAL);
        let at = |words: &str| {
            text.find(words)
                .unwrap_or_else(|| panic!("{words}: {text}"))
        };
        assert!(at("host-unknown") < at("cause: no resolver"));
        assert!(at("cause: no resolver") < at("what helps: getent hosts a.example"));
        assert!(at("what helps: getent") < at("connection azure: it is right"));
    }

    #[test]
    fn many_that_are_fine_do_not_hide_what_is_not() {
        let fine = |number| {
            let about = format!("rotation r{number}");
            DoctorFinding::fine(&catalogue::CLOCK, about, "it is right")
        };
        let few = DoctorReport::new((1..=3).map(fine).collect(), 7);
        assert_eq!(
            for_people(&few, false)
                .render(TERMINAL)
                .matches("rotation r")
                .count(),
            3
        );
        let mut many: Vec<_> = (1..=200).map(fine).collect();
        many.push(DoctorFinding::problem(
            &catalogue::CLOCK,
            "rotation r201",
            "it is wrong",
        ));
        let many = DoctorReport::new(many, 7);
        let text = for_people(&many, false).render(TERMINAL);
        for words in [
            "rotation r201: it is wrong",
            "rotation r1: it is right",
            "and 199 more",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
        assert_eq!(text.matches("rotation r").count(), 2);
        assert_eq!(
            for_people(&many, true)
                .render(TERMINAL)
                .matches("rotation r")
                .count(),
            201
        );
    }

    #[test]
    fn the_last_line_counts_and_says_where_to_read_on() {
        assert_eq!(
            summary(&report()),
            "1 problem, 0 warnings, 1 fine; more of a code: rotorctl explain host-unknown"
        );
        assert_eq!(
            summary(&DoctorReport::new(Vec::new(), 0)),
            "0 problems, 0 warnings, 0 fine"
        );
    }
}
