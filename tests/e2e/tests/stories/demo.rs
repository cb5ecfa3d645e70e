//! The demo: one command that plays a whole round with real proofs and audits it.

use alloy::primitives::U256;
use e2e::Proophi;
use serde_json::Value;

/// An amount in JSON: a text, or a number if it is small.
fn amount(value: &Value) -> U256 {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.parse().unwrap_or_else(|error| panic!("{value} is no amount: {error}"))
}

#[test]
fn the_demo_passes_its_own_audit_and_shows_a_takeover() {
    passes(&["demo"]);
}

#[test]
fn so_does_the_demo_of_average_fees_with_sealed_bids() {
    let summary = passes(&["demo", "--mechanism", "average-fee", "--sealed"]);
    assert!(!amount(&summary["round"]["revenue"]).is_zero());
    let bonds = summary["accounts"].as_array().expect("accounts").iter();
    let losers: Vec<&Value> = bonds
        .filter(|account| !amount(&account["statement"]["bonds"]).is_zero())
        .map(|one| &one["name"])
        .collect();
    assert!(losers.is_empty() || losers == [&summary["killed"]], "{losers:?}");
}

/// Plays a demo that must pass, and returns its summary.
fn passes(arguments: &[&str]) -> Value {
    // Exit code 0 is what `run` requires.
    let proophi = Proophi::new();
    let summary = proophi.run(arguments);
    assert_eq!(summary["passed"], true);
    let checks = summary["checks"].as_array().expect("checks");
    assert!(checks.len() >= 10, "an audit of {} checks", checks.len());
    assert!(checks.iter().all(|check| check["holds"] == true), "{checks:?}");

    let round = &summary["round"];
    let tasks = round["tasks"].as_array().expect("tasks");
    assert_eq!(tasks.len(), 24);
    assert!(round["provers"].as_array().is_some_and(|provers| provers.len() >= 5));
    let won: Vec<&Value> = tasks.iter().filter(|task| !task["assigned"].is_null()).collect();
    assert!(!won.is_empty() && won.iter().all(|task| task["proved"].is_string()), "{won:?}");
    let killed = &summary["killed"];
    let of_killed: Vec<&&Value> = won.iter().filter(|task| task["assigned"] == *killed).collect();
    assert!(!of_killed.is_empty(), "nothing was assigned to {killed}");
    for task in of_killed {
        assert_ne!(task["proved"], *killed, "{task}");
        assert!(!amount(&task["bounty"]).is_zero() && !amount(&task["compensation"]).is_zero(), "{task}");
    }

    // The audit once more, from its own figures: wallets lost nothing but gas, and the sink, one of them, got its share.
    let accounts = summary["accounts"].as_array().expect("accounts");
    assert_eq!(accounts.len(), 6 + 5 + 2);
    let sum = |key: &str| accounts.iter().map(|account| amount(&account[key])).sum::<U256>();
    assert_eq!(sum("before"), sum("after") + sum("gas"));
    assert_eq!(sum("sent"), sum("received"));
    let sink = accounts.iter().find(|account| account["role"] == "sink").expect("the sink");
    assert!(!amount(&sink["received"]).is_zero());
    assert_eq!(sink["received"], summary["sink_share_wei"]);
    summary
}
