//! What a mechanism wants to know about the users of a round, and two ways to find out.
//!
//! | module | what is in it |
//! |---|---|
//! | `sorted` | the plain way: sort all bids, then scan |
//! | `counted` | the fast way: count bids by bucket of fees, then sort only the bucket that matters |
//! | `buckets`, `band` | the parts of `counted` |
//!
//! Both ways end in the same two scans of ranked bids, [`Prefix::of`] and [`crate::demand::DemandCurve`]; they differ in how many
//! bids these scans see.

mod band;
mod buckets;
mod counted;
mod sorted;

#[cfg(test)]
mod tests;

pub(crate) use counted::{Counted, Grain};
pub(crate) use sorted::Sorted;

use crate::demand::Demand;
use crate::prefix::Prefix;
use crate::total::Total;
use market_types::Units;

/// The users of one round: its bids at or above the reserve price, in user order.
pub(crate) trait Users<T: Total> {
    /// `prefix(limit)`.
    fn prefix(&self, limit: Units) -> Prefix<T>;

    /// What these users want at a price.
    fn demand(&self) -> impl Demand;
}
