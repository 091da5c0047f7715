//! What somebody who mistyped a name may have meant.

/// As alike as a typing mistake.
const ALIKE: f64 = 0.8;
/// How many that are alike are named.
const SHOWN: usize = 4;

/// Those of the known names that are like this one, the nearest first, each once.
pub(crate) fn alike<'a>(named: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut alike: Vec<(f64, &str)> = known
        .into_iter()
        .map(|known| (strsim::jaro_winkler(named, known), known))
        .filter(|(alike, _)| *alike >= ALIKE)
        .collect();
    alike.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    alike.dedup_by_key(|(_, known)| *known);
    alike.truncate(SHOWN);
    alike.into_iter().map(|(_, known)| known).collect()
}

#[cfg(test)]
mod tests {
    use super::alike;

    #[test]
    fn the_nearest_comes_first_and_each_once_and_a_stranger_not_at_all() {
        let known = ["billing-old", "payroll", "billing", "billing"];
        assert_eq!(alike("biling", known), ["billing", "billing-old"]);
        assert_eq!(alike("zzz", known), Vec::<&str>::new());
    }
}
