//! Which of the known names was meant by one that is not known.

/// As alike as a typing mistake.
const ALIKE: f64 = 0.8;

/// More would help nobody.
const MOST: usize = 4;

/// The known names that are like this one, the likest first, each once.
pub fn names<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut alike: Vec<(f64, &str)> = known
        .into_iter()
        .map(|known| (strsim::jaro_winkler(name, known), known))
        .filter(|(alike, _)| *alike >= ALIKE)
        .collect();
    alike.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    alike.dedup_by_key(|(_, known)| *known);
    alike.truncate(MOST);
    alike.into_iter().map(|(_, known)| known).collect()
}

/// What would be right instead of this name: the likest one, or all that there are.
pub fn instead<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match (names(name, known.iter().copied()).first(), &known[..]) {
        (Some(likest), _) => format!("did you mean {likest}?"),
        (None, []) => "there is none".to_owned(),
        (None, known) => format!("there is {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::{instead, names};

    #[test]
    fn the_nearest_comes_first_and_each_once_and_a_stranger_not_at_all() {
        let known = ["billing-old", "payroll", "billing", "billing"];
        assert_eq!(names("biling", known), ["billing", "billing-old"]);
        assert_eq!(names("zzz", known), Vec::<&str>::new());
    }

    #[test]
    fn the_likest_name_is_told_or_all_of_them() {
        let known = ["rotateAtUtc", "rotationInterval"];
        assert_eq!(
            instead("rotationIntervall", known),
            "did you mean rotationInterval?"
        );
        assert_eq!(
            instead("zork", known),
            "there is rotateAtUtc, rotationInterval"
        );
        assert_eq!(instead("zork", []), "there is none");
    }
}
