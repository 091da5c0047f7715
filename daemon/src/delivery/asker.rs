//! Which unit asks for which credential. systemd sends nothing: it binds its end of the connection to a name in the
//! abstract namespace, a random number and then `/unit/UNIT/CREDENTIAL` (systemd.exec(5), `LoadCredential=`). Anyone
//! can bind such a name, so it is believed of user 0 alone.

use std::fmt;

/// A unit and the name under which it wants a credential. Both may be in a log.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Asker {
    /// The unit's full name, such as `payroll.service`; of a template the instance's.
    pub unit: String,
    /// The credential's name in the unit.
    pub credential: String,
}

/// The most bytes of both names together that systemd can put into an address.
const LONGEST: usize = 83;
/// Every kind of unit that starts programs.
const SUFFIXES: [&str; 4] = [".service", ".socket", ".mount", ".swap"];

impl Asker {
    /// From the name of the peer's socket, without the zero byte before it. None is nobody that systemd speaks for.
    pub fn from_peer_name(name: &[u8]) -> Option<Self> {
        let name = std::str::from_utf8(name).ok()?;
        let (random, asked) = name.split_once("/unit/")?;
        // Not padded: a small number has fewer digits.
        let is_number = (1..=16).contains(&random.len())
            && random.bytes().all(|digit| digit.is_ascii_hexdigit());
        let (unit, credential) = asked.split_once('/')?;
        let named = Self {
            unit: unit.to_owned(),
            credential: credential.to_owned(),
        };
        (is_number && named.check().is_ok()).then_some(named)
    }

    /// Whether a unit can ask for this.
    ///
    /// # Errors
    /// What is wrong with one of the names, for who wrote it.
    pub fn check(&self) -> Result<(), String> {
        let Self { unit, credential } = self;
        let odd = |name: &str| {
            name.contains('/') || name.chars().any(|c| c.is_control() || c.is_whitespace())
        };
        let has_name = |suffix: &&str| unit.len() > suffix.len() && unit.ends_with(*suffix);
        if odd(unit) || !SUFFIXES.iter().any(has_name) {
            return Err(format!(
                "\"{unit}\" is no unit that starts programs: it must be its full name, such as payroll.service"
            ));
        }
        if credential.is_empty() || odd(credential) || credential.contains(':') {
            return Err(format!(
                "\"{credential}\" is no name of a credential: it must have no spaces, slashes and colons"
            ));
        }
        if unit.len() + credential.len() > LONGEST {
            return Err(format!(
                "{unit} and {credential} are too long together: systemd can ask for {LONGEST} bytes at most"
            ));
        }
        Ok(())
    }

    /// The same of the template, where the unit is an instance of one.
    pub fn of_template(&self) -> Option<Self> {
        let (template, instance) = self.unit.split_once('@')?;
        let (instance, suffix) = instance.rsplit_once('.')?;
        (!instance.is_empty()).then(|| Self {
            unit: format!("{template}@.{suffix}"),
            credential: self.credential.clone(),
        })
    }
}

impl fmt::Display for Asker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} for {}", self.credential, self.unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asker(unit: &str, credential: &str) -> Asker {
        Asker {
            unit: unit.to_owned(),
            credential: credential.to_owned(),
        }
    }

    #[test]
    fn the_names_that_systemd_was_seen_to_use_are_read() {
        for (name, expected) in [
            (
                "59ff28d7c918f306/unit/labcred.service/agent-7_token",
                asker("labcred.service", "agent-7_token"),
            ),
            (
                "ec537e84d5014018/unit/labcred@inst-1.service/tok",
                asker("labcred@inst-1.service", "tok"),
            ),
            ("5/unit/a.mount/t", asker("a.mount", "t")),
        ] {
            assert_eq!(Asker::from_peer_name(name.as_bytes()), Some(expected));
        }
    }

    #[test]
    fn whatever_else_a_name_may_be_is_nobody() {
        let long = format!("5/unit/{}.service/t", "x".repeat(80));
        for name in [
            "",
            "/unit/a.service/t",
            "xyz/unit/a.service/t",
            "12345678123456781/unit/a.service/t",
            "5/unit/a.service",
            "5/unit/a.service/",
            "5/unit/.service/t",
            "5/unit//t",
            "5/unit/a/t",
            "5/unit/a.service/t/u",
            "5/unit/a b.service/t",
            "5/unit/a.service/t\n",
            "5/system/a.service/t",
            long.as_str(),
        ] {
            assert_eq!(Asker::from_peer_name(name.as_bytes()), None, "{name}");
        }
        assert_eq!(Asker::from_peer_name(b"5/unit/\xff.service/t"), None);
    }

    #[test]
    fn an_instance_is_one_of_its_template() {
        let template = asker("app@one.two.service", "t").of_template();
        assert_eq!(template, Some(asker("app@.service", "t")));
        assert_eq!(asker("app@.service", "t").of_template(), None);
        assert_eq!(asker("app.service", "t").of_template(), None);
    }
}
