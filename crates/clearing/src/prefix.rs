//! `prefix(X)`: the users taken up to a limit.

use crate::certificate::UserPivot;
use crate::ranking::BidKey;
use crate::total::Total;
use market_types::{ReservePrice, Units};

/// The users taken, and the line behind them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Prefix<T> {
    /// The sum over the users taken; their size is at most the limit.
    pub(crate) taken: T,
    /// The first user left out.
    pub(crate) pivot: UserPivot,
}

impl<T: Total> Prefix<T> {
    /// Takes users in user order while their total size stays within `limit`, and stops at the first that does
    /// not fit: going on with a smaller one behind it would let a user gain by bidding another fee than its true
    /// one.
    ///
    /// `ranked`: consecutive bids in user order, with the first one that is left out among them, or down to the
    /// last one at or above `reserve`. `before`: the sum over the bids ranked before them, which fit.
    pub(crate) fn of(before: T, ranked: &[BidKey], reserve: ReservePrice, limit: Units) -> Self {
        let mut taken = before;
        for key in ranked {
            let with_next = taken.plus(T::of(key.fee(), key.size()));
            if with_next.units() > limit {
                return Self { taken, pivot: UserPivot { fee: key.fee(), index: key.index() } };
            }
            taken = with_next;
        }
        Self::everybody(taken, reserve)
    }

    /// All users are taken.
    pub(crate) fn everybody(total: T, reserve: ReservePrice) -> Self {
        Self { taken: total, pivot: UserPivot::at_reserve(reserve) }
    }

    /// The line before every user, where no prover wins.
    pub(crate) const NOBODY: Self = Self { taken: T::NOTHING, pivot: UserPivot::NOBODY_WINS };
}
