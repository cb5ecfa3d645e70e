//! How far a program has read the chain, as operators are told.

use super::{Health, metric};
use chain::{Change, Head};

/// Tells how a program that follows the chain is.
#[derive(Debug, Clone)]
pub struct Watch {
    health: Health,
    /// The newest block so far.
    head: u64,
}

impl Default for Watch {
    /// For a program that nobody looks at.
    fn default() -> Self {
        Self { health: Health::new(u64::MAX), head: 0 }
    }
}

impl Watch {
    /// Of a program that has read the chain up to `head`.
    #[must_use]
    pub fn of(health: Health, head: Head) -> Self {
        health.read(head);
        Self { health, head: head.number }
    }

    /// The chain was read on.
    pub fn read(&mut self, change: &Change) {
        self.health.read(change.head);
        metric::EVENTS.add([], change.events);
        if let Some(first) = change.undone_from {
            metric::REORGS.add([], 1);
            metric::UNDONE.add([], self.head.saturating_add(1).saturating_sub(first));
        }
        self.head = change.head.number;
    }

    /// The chain could not be read.
    pub fn unreadable(&self, error: &impl ToString) {
        self.health.unreadable(error);
    }

    /// Nothing new is begun.
    pub fn stopping(&self) {
        self.health.stopping();
    }
}
