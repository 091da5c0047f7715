//! Key ids as people type them: what a portal shows in capitals is the same id.

/// The one that is meant: the one that is spelt so, or else the only one that differs in ASCII case alone.
pub(super) fn meant<T>(
    all: impl IntoIterator<Item = T>,
    typed: &str,
    key_id: impl Fn(&T) -> Option<&str>,
) -> Option<T> {
    let is_alike = |one: &T| key_id(one).is_some_and(|id| id.eq_ignore_ascii_case(typed));
    let mut alike: Vec<T> = all.into_iter().filter(is_alike).collect();
    if let Some(exact) = alike.iter().position(|one| key_id(one) == Some(typed)) {
        return Some(alike.swap_remove(exact));
    }
    let first = alike.first().and_then(&key_id);
    let is_one = alike.iter().all(|one| key_id(one) == first);
    alike.into_iter().next().filter(|_| is_one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_matters_only_where_it_tells_two_apart() {
        let found =
            |all: &[&'static str], typed: &str| meant(all.iter().copied(), typed, |one| Some(one));
        assert_eq!(found(&["a-1", "b-2"], "A-1"), Some("a-1"));
        assert_eq!(found(&["a-1", "A-1"], "A-1"), Some("A-1"));
        assert_eq!(found(&["a-b", "A-b"], "A-B"), None);
        assert_eq!(found(&["a-1", "a-1"], "A-1"), Some("a-1"));
        assert_eq!(found(&["a-1"], "a-2"), None);
        assert_eq!(found(&["ä"], "Ä"), None);
    }
}
