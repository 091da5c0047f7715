//! Whether somebody expects a proxy to be used, which none is.

use rotord_api::catalogue::{NO_PROXY, PROXY_IGNORED};
use rotord_api::doctor::DoctorFinding;

use super::Looking;
use crate::admin::Shared;

const ABOUT: &str = "environment";
const VARIABLES: [&str; 6] = [
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
];

pub(super) fn look(_: &Shared) -> Looking<'_> {
    let is_set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let set: Vec<&str> = VARIABLES.into_iter().filter(is_set).collect();
    Box::pin(std::future::ready(vec![judge(&set)]))
}

/// By their names alone: a proxy's URL may hold a password.
fn judge(set: &[&str]) -> DoctorFinding {
    if set.is_empty() {
        let message = "no proxy is named; providers connect directly";
        return DoctorFinding::fine(&NO_PROXY, ABOUT, message);
    }
    let names = set.join(", ");
    let message = format!("{names} is set in the daemon's environment and is not used");
    DoctorFinding::warning(&PROXY_IGNORED, ABOUT, message)
}

#[cfg(test)]
mod tests {
    use super::judge;

    #[test]
    fn a_proxy_is_told_by_its_variable() {
        assert_eq!(judge(&[]).code, "no-proxy");
        let found = judge(&["HTTPS_PROXY", "all_proxy"]);
        assert_eq!(found.code, "proxy-ignored");
        assert!(found.message.contains("HTTPS_PROXY, all_proxy"));
    }
}
