//! Which of the known names was meant by one that is not known.

/// As alike as a typing mistake.
const ALIKE: f64 = 0.8;

/// The known names that are like this one, the likest first.
pub fn names<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut alike: Vec<(f64, &str)> = known
        .into_iter()
        .map(|known| (strsim::jaro_winkler(name, known), known))
        .filter(|(alike, _)| *alike >= ALIKE)
        .collect();
    alike.sort_by(|a, b| b.0.total_cmp(&a.0));
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
    use super::instead;

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
