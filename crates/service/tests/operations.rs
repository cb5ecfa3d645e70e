//! What operators are given fits the programs: the dashboard, the alerts, the units.
#![allow(clippy::unwrap_used, reason = "a panic is the failure of a test")]

use serde_json::Value;
use service::ops::metric::{ALL, Kind, Metric};
use std::collections::BTreeSet;
use std::path::Path;

fn read(file: &str) -> String {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operations");
    std::fs::read_to_string(dir.join(file)).unwrap()
}

/// Names of metrics in a text, without what Prometheus adds to histograms.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let ours = words.filter(|word| word.starts_with("proophi_"));
    let histograms: Vec<&str> =
        ALL.iter().filter(|one| one.kind() == Kind::Histogram).map(Metric::name).collect();
    let plain = |word: &str| {
        let base = ["_bucket", "_sum", "_count"].iter().find_map(|part| word.strip_suffix(part));
        base.filter(|base| histograms.contains(base)).unwrap_or(word).to_owned()
    };
    ours.map(plain).collect()
}

fn known() -> BTreeSet<String> {
    ALL.iter().map(|metric| metric.name().to_owned()).collect()
}

/// Every query of a dashboard.
fn queries(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for key in ["expr", "query"] {
                into.extend(map.get(key).and_then(Value::as_str).map(str::to_owned));
            }
            map.values().for_each(|value| queries(value, into));
        }
        Value::Array(values) => values.iter().for_each(|value| queries(value, into)),
        _ => {}
    }
}

#[test]
fn the_dashboard_asks_for_every_metric_and_for_no_other() {
    let dashboard: Value = serde_json::from_str(&read("grafana.json")).unwrap();
    let mut all = Vec::new();
    queries(&dashboard, &mut all);
    assert_eq!(metrics_in(&all.join("\n")), known());
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<u64> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len(), "each panel has an id of its own");
    assert!(panels.iter().all(|panel| panel["title"].is_string() && panel["gridPos"]["w"].is_u64()));
}

#[test]
fn alerts_and_the_manual_name_only_metrics_and_codes_that_there_are() {
    let codes: Vec<&str> = service::ALL.iter().map(service::Trouble::code).collect();
    for file in ["alerts.yml", "README.md"] {
        let text = read(file);
        let strangers: Vec<String> = metrics_in(&text).difference(&known()).cloned().collect();
        assert!(strangers.is_empty(), "{file} names {strangers:?}");
        let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-');
        let is_code = |word: &&str| {
            let mut parts = word.split('-');
            let (letter, number) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            letter.len() == 1 && number.len() == 3 && number.bytes().all(|digit| digit.is_ascii_digit())
        };
        for code in words.filter(is_code) {
            assert!(codes.contains(&code), "{file} names {code}");
        }
    }
}

#[test]
fn units_hand_the_key_on_as_a_credential_and_give_a_stop_its_time() {
    for file in ["systemd/relayer.service", "systemd/prover-node.service"] {
        let unit = read(file);
        let setting = |name: &str| -> u64 {
            let value =
                unit.lines().filter(|line| !line.starts_with('#')).find_map(|line| line.split_once(name));
            value.unwrap().1.parse().unwrap()
        };
        for line in ["DynamicUser=yes", "NoNewPrivileges=yes", "ProtectSystem=strict", "LimitCORE=0"] {
            assert!(unit.lines().any(|one| one == line), "{file} lacks {line}");
        }
        assert!(unit.contains("LoadCredential=") && !unit.contains("PRIVATE_KEY"), "{file}");
        assert!(setting("TimeoutStopSec=") > setting("_STOP_WITHIN="), "{file}");
    }
}
