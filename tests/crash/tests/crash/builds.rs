//! What tests can do to the test build, nobody can do to a build for use.

use e2e::built;

/// Names that the test build reads from its environment.
const OF_TESTS: [&str; 2] = ["ROTORD_CRASH_AT", "ROTORD_TEST_CLOCK"];

#[test]
fn nothing_of_the_named_places_is_in_the_daemon_for_use() {
    // As text: what looks for text in text is quick.
    let text = |program| String::from_utf8_lossy(&std::fs::read(program).unwrap()).into_owned();
    let daemon = text(built::program("rotord").unwrap());
    let test_build = text(built::test_daemon().unwrap());
    for name in OF_TESTS {
        assert!(test_build.contains(name), "{name} can be looked for");
        assert!(!daemon.contains(name), "{name} is in the daemon for use");
    }
}
