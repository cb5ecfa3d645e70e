//! How much of what the operator wants offered this machine can prove.
//!
//! What a seat offers may be assigned all at once, and is then due within one proving period. So a node offers no more than its
//! workers prove, all of it of the slowest circuit, in a part of that time ([`Margin`](super::Margin)); the rest is for the way onto the chain,
//! for work that does not divide evenly, and for a machine that is slower than it was.

use std::time::Duration;

use super::{Margin, View};

/// What this node dares to offer, of which the operator may want less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offerable {
    /// It is not known yet: a circuit has not been measured.
    Unmeasured,
    /// Nothing: proofs keep failing.
    Failing,
    /// So many units, on all of its seats together.
    Units(u64),
}

/// What this node dares to offer.
#[must_use]
pub fn offerable(view: &View) -> Offerable {
    if keeps_failing(view) {
        return Offerable::Failing;
    }
    if view.policy.margin == Margin::OFF {
        return Offerable::Units(u64::MAX);
    }
    let workers = u64::try_from(view.workers).unwrap_or(u64::MAX);
    let time = Duration::from_secs(view.rules.proving_period)
        .saturating_mul(view.policy.margin.percent().into())
        .checked_div(100)
        .unwrap_or_default();
    let units = view.paces.iter().map(|(_, pace)| pace.units_in(time));
    let slowest = units.reduce(|least, units| Some(least?.min(units?)));
    match slowest {
        // A node that serves no circuit does not start.
        None => Offerable::Units(u64::MAX),
        Some(None) => Offerable::Unmeasured,
        Some(Some(units)) => Offerable::Units(units.saturating_mul(workers)),
    }
}

/// Whether so many proofs have failed in a row that the next one would.
pub(super) fn keeps_failing(view: &View) -> bool {
    view.failures >= view.policy.failures.get()
}
