//! Whether a program does its work.

use super::metric;
use chain::Head;
use serde::Serialize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// How long a failure of the journal counts without another one (seconds): programs try again at least every 30 seconds as long as they
/// have something to write.
const JOURNAL_TROUBLE: u64 = 60;

/// What is known of a program's health. Cheap to clone; clones share it.
#[derive(Debug, Clone)]
pub struct Health {
    state: Arc<Mutex<State>>,
    /// Oldest head with which it is ready (seconds).
    ready_within: u64,
}

#[derive(Debug, Default)]
struct State {
    head: Option<Head>,
    /// Why the chain could not be read the last time, if it could not.
    trouble: Option<String>,
    /// Why the journal could not be written the last time, if it could not, and when that was (seconds since the epoch).
    journal: Option<(String, u64)>,
    stopping: bool,
}

/// What `/health/ready` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// Whether it does its work.
    pub ready: bool,
    /// Why not.
    pub reasons: Vec<String>,
    /// The newest block that was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<Seen>,
}

/// A block that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// Its number.
    pub number: u64,
    /// Its time (seconds since the epoch).
    pub timestamp: u64,
    /// How old it is by this machine's clock (seconds); 0 if the chain is ahead.
    pub age_seconds: u64,
}

impl Health {
    /// Of a program that has read nothing yet, and is ready while its head is at most `ready_within` seconds old.
    #[must_use]
    pub fn new(ready_within: u64) -> Self {
        Self { state: Arc::default(), ready_within }
    }

    /// The chain was read up to this block.
    pub fn read(&self, head: Head) {
        let mut state = self.state();
        (state.head, state.trouble) = (Some(head), None);
        drop(state);
        metric::HEAD_BLOCK.set([], metric_value(head.number));
        metric::HEAD_TIME.set([], metric_value(head.timestamp));
    }

    /// The chain could not be read.
    pub fn unreadable(&self, error: &impl ToString) {
        self.state().trouble = Some(error.to_string());
    }

    /// The journal was written.
    pub(super) fn journal_works(&self) {
        self.state().journal = None;
    }

    /// The journal could not be written.
    pub(super) fn journal_fails(&self, error: &impl ToString) {
        self.state().journal = Some((error.to_string(), now()));
    }

    /// It finishes what it is at, and begins nothing new.
    pub fn stopping(&self) {
        self.state().stopping = true;
    }

    /// How things stand now.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        self.readiness_at(now())
    }

    fn readiness_at(&self, now: u64) -> Readiness {
        let state = self.state();
        let head = state.head.map(|Head { number, timestamp, .. }| Seen {
            number,
            timestamp,
            age_seconds: now.saturating_sub(timestamp),
        });
        let mut reasons = Vec::new();
        match head {
            None => reasons.push("the chain has not been read yet".to_owned()),
            Some(seen) if seen.age_seconds > self.ready_within => reasons.push(format!(
                "the newest block that was read is {} s old, and {} are allowed",
                seen.age_seconds, self.ready_within
            )),
            Some(_) => {}
        }
        if let Some(trouble) = &state.trouble {
            reasons.push(format!("the chain cannot be read: {trouble}"));
        }
        if let Some((trouble, at)) = &state.journal
            && now.saturating_sub(*at) <= JOURNAL_TROUBLE
        {
            reasons.push(trouble.clone());
        }
        if state.stopping {
            reasons.push("stopping".to_owned());
        }
        Readiness { ready: reasons.is_empty(), reasons, head }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What is behind it is sound between any two statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// This machine's clock (seconds since the epoch).
fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |now| now.as_secs())
}

/// A number as metrics have them: exact up to 53 bits.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "metrics are rounded to 53 bits")]
pub const fn metric_value(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::B256;

    fn head(timestamp: u64) -> Head {
        Head { number: 7, hash: B256::ZERO, timestamp }
    }

    #[test]
    fn it_is_ready_while_its_head_is_young_and_nothing_is_wrong() {
        let health = Health::new(60);
        assert!(!health.readiness_at(100).ready, "nothing was read");
        health.read(head(100));
        assert!(health.readiness_at(160).ready && health.readiness_at(10).ready);
        let late = health.readiness_at(161);
        assert!(!late.ready && late.reasons[0].contains("61 s old"), "{late:?}");
        assert_eq!(late.head.map(|seen| (seen.number, seen.age_seconds)), Some((7, 61)));
    }

    #[test]
    fn trouble_ends_with_the_next_block_and_a_stop_does_not() {
        let health = Health::new(60);
        health.read(head(100));
        health.unreadable(&"no answer");
        assert_eq!(health.readiness_at(100).reasons, ["the chain cannot be read: no answer"]);
        health.read(head(101));
        assert!(health.readiness_at(101).ready);
        health.stopping();
        health.read(head(102));
        assert_eq!(health.readiness_at(102).reasons, ["stopping"]);
    }

    #[test]
    fn a_journal_that_fails_counts_until_it_works_or_for_a_minute() {
        let health = Health::new(u64::MAX);
        health.read(head(100));
        health.journal_fails(&"disk full");
        assert_eq!(health.readiness().reasons, ["disk full"]);
        assert!(health.readiness_at(now() + JOURNAL_TROUBLE + 9).ready);
        health.journal_works();
        assert!(health.readiness().ready);
    }
}
