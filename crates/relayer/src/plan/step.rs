//! The next transaction of one settlement. Pure: what others have settled meanwhile is read from the round's record.
//!
//! Every page is followed by another look at the record, so that relayers go on where any of them has come to. Those that send the
//! same page at once all pay for theirs, and the contract pays for those that lead to the end.

use alloy::primitives::Address;
use chain::RoundRecord;
use chain::history::PageRecord;
use chain::settlement::{PageLimits, SettlementCall, Settling};
use std::cmp::Reverse;

/// Whose pages a settlement goes on from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Anybody's, which saves what has been done already. A settler can begin anew and so take its own pages away.
    Everybody,
    /// The relayer's own, which nobody else can take away.
    Nobody,
}

/// The next call of `settler` in the settlement of `record`, which `settling` is about: the whole round if it is within `limits`, else
/// the page after the furthest one that anybody it trusts settled under this certificate. `None` if nothing is left to do.
#[must_use]
pub fn next_step(
    record: &RoundRecord,
    settling: &Settling,
    settler: Address,
    trust: Trust,
    limits: &PageLimits,
) -> Option<SettlementCall> {
    if record.settlement.is_some() {
        return None;
    }
    let after = match trust {
        Trust::Everybody => page_to_continue(record, settling, settler),
        Trust::Nobody => settling.furthest_of(&record.pages, settler),
    };
    settling.next(after, limits)
}

/// Of the pages from which the least is left to do, the one that pays `settler` the most, or the first of those that pay it the same:
/// whoever has no part in any of them then continues the same one.
fn page_to_continue<'a>(
    record: &'a RoundRecord,
    settling: &Settling,
    settler: Address,
) -> Option<&'a PageRecord> {
    let furthest = settling.furthest(&record.pages)?;
    let as_far = |page: &&PageRecord| page.claim == furthest.claim && bids(page) == bids(furthest);
    record.pages.iter().filter(as_far).min_by_key(|page| Reverse(bids_of(page, settler)))
}

/// How many bids a page and those before it have.
fn bids(page: &PageRecord) -> u64 {
    page.shares.iter().fold(0, |sum, share| sum.saturating_add(share.bids.into()))
}

fn bids_of(page: &PageRecord, settler: Address) -> u64 {
    let own = page.shares.iter().filter(|share| share.settler == settler);
    own.fold(0, |sum, share| sum.saturating_add(share.bids.into()))
}

#[cfg(test)]
mod tests;
