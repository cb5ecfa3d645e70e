//! `prefix(X)`: the users taken up to a limit.

use crate::certificate::UserPivot;
use crate::ranking::BidKey;
use market_types::{ReservePrice, Units};

/// The users taken, and the line behind them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Prefix<'a> {
    /// The users taken, in user order.
    pub(crate) taken: &'a [BidKey],
    /// Their total size; at most the limit.
    pub(crate) units: Units,
    /// The first user left out.
    pub(crate) pivot: UserPivot,
}

impl<'a> Prefix<'a> {
    /// Takes users in user order while their total size stays within `limit`, and stops at the first that does
    /// not fit: going on with a smaller one behind it would let a user gain by bidding another fee than its true
    /// one.
    ///
    /// `ranked`: the bids at or above `reserve`, in user order.
    pub(crate) fn of(ranked: &'a [BidKey], reserve: ReservePrice, limit: Units) -> Self {
        let mut units = Units::ZERO;
        let fits = |key: &&BidKey| {
            let with_next = units.saturating_add(key.size());
            let fits = with_next <= limit;
            if fits {
                units = with_next;
            }
            fits
        };
        let (taken, others) = ranked.split_at(ranked.iter().take_while(fits).count());
        let pivot = match others.first() {
            Some(key) => UserPivot { fee: key.fee(), index: key.index() },
            None => UserPivot::at_reserve(reserve),
        };
        Self { taken, units, pivot }
    }

    /// The line before every user, where no prover wins.
    pub(crate) const NOBODY: Self = Self { taken: &[], units: Units::ZERO, pivot: UserPivot::NOBODY_WINS };
}
