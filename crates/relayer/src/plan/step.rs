//! The next transaction of one settlement. Pure: what others have settled meanwhile is read from the round's record.
//!
//! Every page is followed by another look at the record, so that relayers go on where any of them has come to. Those that send the
//! same page at once all pay for theirs, and the contract pays for those that lead to the end.
//!
//! Anyone can settle pages, and pages that do little make those after them dearer. So a page is gone on from only if less is left after
//! it than without it: nobody makes a settlement longer than it is for one who begins anew.

use alloy::primitives::Address;
use chain::RoundRecord;
use chain::history::PageRecord;
use chain::settlement::{Left, PageLimits, SettlementCall, Settling};
use std::cmp::Reverse;

/// Whose pages a settlement goes on from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Anybody's that save a transaction. A settler can begin anew and so take its own pages away, and with them the cost of what was to
    /// go on from them.
    Everybody,
    /// The relayer's own, which nobody else can take away.
    Nobody,
}

/// The next call of `settler` in the settlement of `record`, which `settling` is about: the whole round if it is within `limits`, else
/// the page after that from which the least is left. `None` if nothing is left to do.
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
    settling.next(page_to_continue(record, settling, settler, trust, limits), limits)
}

/// The page to go on from, if any.
fn page_to_continue<'a>(
    record: &'a RoundRecord,
    settling: &Settling,
    settler: Address,
    trust: Trust,
    limits: &PageLimits,
) -> Option<&'a PageRecord> {
    let left = |page| settling.left(page, settler, limits);
    let anew = left(None)?;
    if anew.beyond == 0 && anew.transactions <= 1 {
        return None;
    }
    let begun = record.pages.iter().filter_map(|page| Some((left(Some(page))?, page)));
    let (own, of_others): (Vec<_>, Vec<_>) = begun.partition(|(_, page)| page.settler == settler);
    let own = own.into_iter().filter(|(left, _)| *left < anew).min_by_key(|(left, _)| *left);
    let by_oneself = own.map_or(anew, |(left, _)| left);
    // Whoever has no part in any of those that leave as much goes on from the first, as all others do.
    let of_others = of_others
        .into_iter()
        .filter(|(left, _)| trust == Trust::Everybody && saves_a_transaction(left, &by_oneself))
        .min_by_key(|(left, page)| (*left, Reverse(bids_of(page, settler))));
    of_others.or(own).map(|(_, page)| page)
}

/// A page of somebody else may be gone when one's own is mined, which then was paid for in vain.
fn saves_a_transaction(left: &Left, by_oneself: &Left) -> bool {
    left.beyond <= by_oneself.beyond && left.transactions < by_oneself.transactions
}

fn bids_of(page: &PageRecord, settler: Address) -> u64 {
    let own = page.shares.iter().filter(|share| share.settler == settler);
    own.fold(0, |sum, share| sum.saturating_add(share.bids.into()))
}

#[cfg(test)]
mod tests;
