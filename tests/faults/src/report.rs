//! What happened how often.

use crate::fault::Kind;
use crate::run::Outcome;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

/// What all schedules came to.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Injected, with an effect, effects.
    kinds: BTreeMap<Kind, [u64; 3]>,
    pub(crate) passed: u64,
    pub(crate) failed: Vec<u64>,
    settled: u64,
    slowest_start: Duration,
    slowest_recovery: Duration,
}

impl Report {
    pub(crate) fn add(&mut self, seed: u64, outcome: &Outcome) {
        for (kind, effects) in &outcome.effects {
            let row = self.kinds.entry(*kind).or_default();
            row[0] += 1;
            row[1] += u64::from(*effects > 0);
            row[2] += effects;
        }
        self.slowest_start = self.slowest_start.max(outcome.slowest_start);
        self.slowest_recovery = self.slowest_recovery.max(outcome.recovery);
        self.settled += u64::from(outcome.settled);
        if outcome.violations.is_empty() {
            self.passed += 1;
        } else {
            self.failed.push(seed);
        }
    }

    /// Kinds that were injected and never had an effect, or were not injected at all.
    pub(crate) fn idle(&self) -> Vec<Kind> {
        let works = |kind: &Kind| self.kinds.get(kind).is_some_and(|row| row[1] > 0);
        Kind::ALL.iter().copied().filter(|kind| !works(kind)).collect()
    }

    pub(crate) fn table(&self) -> String {
        let mut table =
            format!("{:<20} {:>8} {:>12} {:>8}  {}\n", "fault", "injected", "with effect", "effects", "what");
        for kind in Kind::ALL {
            let [injected, with_effect, effects] = self.kinds.get(kind).copied().unwrap_or_default();
            let _ = writeln!(
                table,
                "{:<20} {injected:>8} {with_effect:>12} {effects:>8}  {}",
                kind.name(),
                kind.what()
            );
        }
        let Self { settled, slowest_start, slowest_recovery, .. } = self;
        let _ = writeln!(
            table,
            "{settled} rounds settled; ready {slowest_start:.1?} after a start at most, ended {slowest_recovery:.1?} after the last fault at most"
        );
        table
    }
}
