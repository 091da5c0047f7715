//! `rotorctl credential revoke`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use toml::Table;

use super::settings_file::SettingsFile;
use super::{grants, position, text};
use crate::error::CtlError;
use crate::exit::Exit;
use crate::output::note;
use crate::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Revoke {
    /// The unit's full name, as it was granted: payroll@.service is every instance of that template
    unit: String,
    /// The credential's name in the unit
    credential: String,
    /// The daemon's settings file [default: /etc/rotord/rotord.toml]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) async fn run(session: &mut Session, command: Revoke) -> Result<Exit, CtlError> {
    let file = SettingsFile::open(command.config.as_deref(), false)?;
    let (unit, credential) = (&command.unit, &command.credential);
    let known = grants(&file.settings);
    let template = template(unit).filter(|unit| position(&known, unit, credential).is_some());
    let Some(at) = position(&known, unit, credential) else {
        return Err(nothing(&command, &known, template));
    };
    let Some(without) = without(&file.text, &file.settings, at) else {
        return Err(CtlError::failed(format!(
            "the grant of {credential} to {unit} is written in a way that is not understood here"
        ))
        .hint(format!(
            "take it out of {} by hand, then: sudo systemctl reload rotord",
            file.path.display()
        )));
    };
    file.replace(&without).await?;
    if let Some(template) = template {
        note(&format!(
            "{template} gets {credential} still, and so does every instance of it: rotorctl credential revoke {template} \
             {credential}"
        ));
    }
    if session.output.is_json() {
        let answer = json!({
            "unit": unit, "credential": credential, "settings": file.path, "removed": known[at]
        });
        session.output.json(&answer)?;
        return Ok(Exit::Done);
    }
    let secret = text(&known[at], "secret").unwrap_or(credential);
    session.output.line(format!(
        "{} grants {secret} to {unit} no more. What is left to do:",
        file.path.display()
    ))?;
    session.output.line("  sudo systemctl reload rotord")?;
    session.output.line(format!(
        "  sudo systemctl edit {unit}, without LoadCredential={credential}: while that is there, the unit does not start"
    ))?;
    session.output.line(
        "  what runs keeps the value that it has; if that is not to be: rotorctl rotate, then rotorctl retire",
    )?;
    Ok(Exit::Done)
}

/// The template of which this is an instance.
fn template(unit: &str) -> Option<String> {
    let (name, rest) = unit.split_once('@')?;
    let (instance, kind) = rest.rsplit_once('.')?;
    (!instance.is_empty()).then(|| format!("{name}@.{kind}"))
}

fn nothing(command: &Revoke, known: &[Table], template: Option<String>) -> CtlError {
    let (unit, credential) = (&command.unit, &command.credential);
    let error = CtlError::failed(format!("nothing is granted to {unit} as {credential}"));
    if let Some(template) = template {
        return error.hint(format!(
            "it has it as an instance of {template}, from which it is taken for all of them: rotorctl credential revoke \
             {template} {credential}"
        ));
    }
    let all = known
        .iter()
        .filter_map(|grant| Some((text(grant, "unit")?, text(grant, "credential")?)));
    let all: Vec<String> = all
        .map(|(unit, credential)| format!("{unit} {credential}"))
        .collect();
    error.hint(if all.is_empty() {
        "nothing is granted to any unit".to_owned()
    } else {
        format!("what is granted: {}", all.join(", "))
    })
}

/// The settings without one of the grants, by its place among them. None where they would not be the same but for
/// that: it is not written as a table of its own.
fn without(text: &str, settings: &Table, at: usize) -> Option<String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut headers = lines.iter().enumerate().filter(|(_, line)| is_header(line));
    let (first, _) = headers.nth(at)?;
    let next = lines[first + 1..]
        .iter()
        .position(|line| line.trim_start().starts_with('['))
        .map_or(lines.len(), |next| first + 1 + next);
    let says = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    // What is said after its last key is said of what follows.
    let end = lines[first..next].iter().rposition(says)? + first + 1;
    let is_blank = |at: usize| lines.get(at).is_none_or(|line| line.trim().is_empty());
    // With the line that parted it from what is beside it.
    let parted = usize::from(is_blank(end));
    let kept = match first {
        0 => lines[(end + parted).min(lines.len())..].to_vec(),
        _ if is_blank(first - 1) => [&lines[..first - parted], &lines[end..]].concat(),
        _ => [&lines[..first], &lines[end..]].concat(),
    };
    let left = kept.concat();
    let read = left.parse::<Table>().ok()?;
    (pruned(read) == pruned(less(settings, at)?)).then_some(left)
}

/// `[[credentials.grants]]`, however it is written.
fn is_header(line: &str) -> bool {
    let inner = line
        .trim_start()
        .strip_prefix("[[")
        .and_then(|rest| rest.split_once("]]"));
    inner.is_some_and(|(name, _)| {
        let name: String = name
            .chars()
            .filter(|letter| !letter.is_whitespace() && !"\"'".contains(*letter))
            .collect();
        name == "credentials.grants"
    })
}

fn less(settings: &Table, at: usize) -> Option<Table> {
    let mut settings = settings.clone();
    let credentials = settings.get_mut("credentials")?;
    let grants = credentials.get_mut("grants")?.as_array_mut()?;
    (at < grants.len()).then(|| grants.remove(at))?;
    Some(settings)
}

/// No grant is the same as none said.
fn pruned(mut settings: Table) -> Table {
    let Some(credentials) = settings
        .get_mut("credentials")
        .and_then(|credentials| credentials.as_table_mut())
    else {
        return settings;
    };
    let grants = credentials
        .get("grants")
        .and_then(|grants| grants.as_array());
    if grants.is_some_and(Vec::is_empty) {
        credentials.remove("grants");
    }
    if credentials.is_empty() {
        settings.remove("credentials");
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::credential::grant::tests::granted;

    fn taken(text: &str, at: usize) -> Option<String> {
        without(text, &text.parse().unwrap(), at)
    }

    #[test]
    fn what_was_granted_is_taken_out_and_nothing_else() {
        for before in [
            "",
            "# mine\n[admin]\nwait = \"9s\" # short\n",
            "[credentials]\nsocket = '/x'\n",
        ] {
            let one = granted(before, "a.service", "/");
            assert_eq!(taken(&one, 0).as_deref(), Some(before));
            let two = granted(&one, "b.service", "/app");
            assert_eq!(taken(&two, 1).as_deref(), Some(one.as_str()));
            let other = taken(&two, 0).unwrap();
            assert_eq!(other, granted(before, "b.service", "/app"));
        }
    }

    #[test]
    fn what_a_person_wrote_around_it_stays() {
        let text = "[[ credentials . \"grants\" ]] # the first\nunit = 'a' # his\n\n# of the second\n[[credentials.grants]]\n\
                    unit = 'b'\n# of the log\n[log]\nfilter = 'info'\n";
        assert_eq!(
            taken(text, 0).unwrap(),
            "# of the second\n[[credentials.grants]]\nunit = 'b'\n# of the log\n[log]\nfilter = 'info'\n"
        );
        let kept = taken(text, 1).unwrap();
        assert!(
            kept.ends_with("# of the second\n# of the log\n[log]\nfilter = 'info'\n"),
            "{kept}"
        );
    }

    #[test]
    fn what_is_not_understood_is_left_to_a_person() {
        for text in [
            "[credentials]\ngrants = [{ unit = 'a' }, { unit = 'b' }]\n",
            "[[credentials.grants]]\nunit = '''\n[[credentials.grants]]\n'''\n[[credentials.grants]]\nunit = 'b'\n",
        ] {
            assert_eq!(taken(text, 1), None, "{text}");
        }
    }

    #[test]
    fn an_instance_has_what_its_template_has() {
        assert_eq!(
            template("payroll@north.service").as_deref(),
            Some("payroll@.service")
        );
        assert_eq!(template("payroll@.service"), None);
        assert_eq!(template("payroll.service"), None);
    }
}
