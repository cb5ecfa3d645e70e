//! Who won and who proves it, given the line.

use crate::assignment::Assigner;
use crate::certificate::Certificate;
use market_types::{AskIndex, BidIndex, Round, SeatedAsk, TaskSize};

/// How many winning bids are gathered before they are placed.
const BLOCK: usize = 512;

/// The winning bids, each with the ask that proves it, in order of submission.
///
/// Whether a bid wins is as good as random in order of submission, so a branch on it would be guessed wrong for
/// every other bid. Instead each bid is written to the same place until one wins.
pub(super) fn assignment(
    round: &Round,
    winners: &[SeatedAsk],
    certificate: &Certificate,
) -> Vec<(BidIndex, AskIndex)> {
    let mut assigner = Assigner::new(winners, round.number(), certificate.units);
    // Room for every bid: pages that are never written to cost nothing.
    let mut assignment = Vec::with_capacity(round.bids().len());
    let mut place = |ahead: &[(BidIndex, TaskSize)]| {
        // Never drops a bid: the tasks add up to `certificate.units`, so each starts before the batch is full.
        let placed = |(index, size): &(BidIndex, TaskSize)| Some((*index, assigner.place(*size)?));
        assignment.extend(ahead.iter().filter_map(placed));
    };
    let mut ahead = [(BidIndex::MIN, TaskSize::MIN); BLOCK];
    let mut count = 0_usize;
    for (index, bid) in round.indexed_bids() {
        if let Some(next) = ahead.get_mut(count) {
            *next = (index, bid.size);
        }
        count = count.saturating_add(usize::from(certificate.user_pivot.admits(bid.fee, index)));
        if count == BLOCK {
            place(&ahead);
            count = 0;
        }
    }
    place(ahead.get(..count).unwrap_or_default());
    assignment
}
