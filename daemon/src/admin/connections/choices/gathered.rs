//! The pages of a list, one after the other, up to what one answer may hold.

use std::collections::HashSet;

use rotord_provider::contract::ChoicePage;

/// What one answer holds of a list, however many pages it has. What is beyond is had with the answer's `next`.
const MOST_PAGES: usize = 1000;
const MOST_ROWS: usize = 10_000;
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// What the pages so far held.
pub(super) struct Gathered {
    rows: Vec<Vec<String>>,
    next: Option<String>,
    asked_for: HashSet<String>,
    pages: usize,
    bytes: usize,
}

/// The list has no end: following it further would show the same again.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("has no end: it named the same page twice")]
pub(super) struct NamedTwice;

impl Gathered {
    /// Nothing yet; begins at this page, or at the first.
    pub(super) fn from(page: Option<String>) -> Self {
        Self {
            rows: Vec::new(),
            asked_for: page.iter().cloned().collect(),
            next: page,
            pages: 0,
            bytes: 0,
        }
    }

    /// The page that follows; none at the list's end, and before the first.
    pub(super) fn next(&self) -> Option<&str> {
        self.next.as_deref()
    }

    /// Adds the page that was asked for.
    pub(super) fn add(&mut self, page: ChoicePage) -> Result<(), NamedTwice> {
        let ChoicePage { rows, next } = page;
        self.pages += 1;
        self.bytes += rows.iter().flatten().map(String::len).sum::<usize>();
        self.rows.extend(rows);
        self.next = next;
        match &self.next {
            Some(next) if !self.asked_for.insert(next.clone()) => Err(NamedTwice),
            _ => Ok(()),
        }
    }

    /// Whether the list is at its end, or one answer holds no more of it.
    pub(super) fn is_enough(&self) -> bool {
        self.next.is_none()
            || self.pages >= MOST_PAGES
            || self.rows.len() >= MOST_ROWS
            || self.bytes >= MOST_BYTES
    }

    /// The rows, and where the list goes on. Those of several pages are sorted by their first field: each page is in
    /// an order of its own.
    pub(super) fn rows(mut self) -> (Vec<Vec<String>>, Option<String>) {
        if self.pages > 1 {
            self.rows
                .sort_by_cached_key(|row| row.first().map(|text| text.to_lowercase()));
        }
        (self.rows, self.next)
    }
}

#[cfg(test)]
mod tests {
    use rotord_provider::contract::ChoicePage;

    use super::{Gathered, MOST_BYTES, MOST_PAGES, MOST_ROWS, NamedTwice};

    /// A page of so many rows of so many bytes each, with another behind it.
    fn page(number: usize, rows: usize, bytes: usize) -> ChoicePage {
        ChoicePage {
            rows: vec![vec!["x".repeat(bytes)]; rows],
            next: Some(format!("page-{number}")),
        }
    }

    /// How many of these pages are asked for of a list that goes on for ever.
    fn pages_taken(rows: usize, bytes: usize) -> usize {
        let mut gathered = Gathered::from(None);
        (1..=2 * MOST_PAGES)
            .find(|number| {
                gathered.add(page(*number, rows, bytes)).unwrap();
                gathered.is_enough()
            })
            .unwrap()
    }

    #[test]
    fn a_list_without_end_stops_at_so_many_pages_rows_or_bytes_whichever_comes_first() {
        assert_eq!(pages_taken(0, 0), MOST_PAGES);
        assert_eq!(pages_taken(100, 1), MOST_ROWS / 100);
        assert_eq!(
            pages_taken(3, 1024 * 1024),
            MOST_BYTES.div_ceil(3 * 1024 * 1024)
        );
    }

    #[test]
    fn what_was_cut_off_is_said_with_the_page_to_go_on_with() {
        let mut gathered = Gathered::from(None);
        gathered.add(page(1, MOST_ROWS, 1)).unwrap();
        assert!(gathered.is_enough());
        let (rows, next) = gathered.rows();
        assert_eq!((rows.len(), next.as_deref()), (MOST_ROWS, Some("page-1")));
    }

    #[test]
    fn the_same_page_twice_is_no_list_even_where_it_is_the_one_that_was_begun_with() {
        let mut gathered = Gathered::from(Some("page-1".to_owned()));
        gathered.add(page(2, 1, 1)).unwrap();
        assert_eq!(gathered.add(page(1, 1, 1)), Err(NamedTwice));
    }

    #[test]
    fn several_pages_are_in_one_order_and_one_is_in_its_own() {
        let page = |names: [&str; 2], next: Option<&str>| ChoicePage {
            rows: names.map(|name| vec![name.to_owned()]).to_vec(),
            next: next.map(str::to_owned),
        };
        let names = |gathered: Gathered| gathered.rows().0.concat();
        let mut one = Gathered::from(None);
        one.add(page(["delta", "Alpha"], None)).unwrap();
        assert!(one.is_enough());
        assert_eq!(names(one), ["delta", "Alpha"]);

        let mut two = Gathered::from(None);
        two.add(page(["delta", "Alpha"], Some("more"))).unwrap();
        assert!(!two.is_enough());
        assert_eq!(two.next(), Some("more"));
        two.add(page(["bravo", "Charlie"], None)).unwrap();
        assert!(two.is_enough());
        assert_eq!(names(two), ["Alpha", "bravo", "Charlie", "delta"]);
    }
}
