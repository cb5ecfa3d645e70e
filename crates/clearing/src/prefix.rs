//! `prefix(X)`: the users taken up to a limit.

use crate::ranking::BidKey;
use market_types::Units;

/// The users taken, and the first one that was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Prefix {
    /// Total size of the users taken; at most the limit.
    pub(crate) units: Units,
    /// The first user left out, if any.
    pub(crate) left_out: Option<BidKey>,
}

/// Takes users in user order while their total size stays within `limit`, and stops at the first that does
/// not fit: going on with a smaller one behind it would let a user gain by bidding another fee than its true
/// one.
pub(crate) fn prefix(ranked: &[BidKey], limit: Units) -> Prefix {
    let mut units = Units::ZERO;
    for key in ranked {
        let with_next = units.saturating_add(key.size());
        if with_next > limit {
            return Prefix { units, left_out: Some(*key) };
        }
        units = with_next;
    }
    Prefix { units, left_out: None }
}
