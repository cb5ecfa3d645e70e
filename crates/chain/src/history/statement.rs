//! What the bids of a round are to be proved for, as long as they may win.

use super::bid_list::BidList;
use super::pieces::Pieces;
use super::round::BidRecord;
use alloy::primitives::{Bytes, U256};
use market_types::{BidIndex, TaskSize, UnitFee};
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What a requester published with a bid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The statement to prove, besides the circuit.
    pub public_inputs: Vec<U256>,
    /// What a prover needs to build the witness.
    pub data: Bytes,
}

/// The statements of a round's bids that may still win: of at most twice the units of the largest capacity cap.
///
/// A round takes any number of bids, but no more win than the cap has room for, by falling fee and rising index, and none is
/// withdrawn. A bid beyond that is beyond it for good, and nobody has to prove it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Statements {
    of_bids: Pieces<Arc<Statement>>,
    units: u64,
}

impl Statements {
    /// Keeps the statement of `bid`, the newest of `bids`, and those of others that `cap` (units) may have room for.
    pub(super) fn add(&mut self, bids: &BidList, bid: &BidRecord, statement: Statement, cap: u64) {
        self.of_bids.insert(bid.index.get(), Arc::new(statement));
        self.units = self.units.saturating_add(bid.size().get().into());
        // Rarely enough to cost little by each bid.
        if self.units > cap.saturating_mul(2) {
            self.drop_beyond(bids, cap);
        }
    }

    /// The statement of a bid, unless it cannot win.
    pub(super) fn of(&self, index: BidIndex) -> Option<&Statement> {
        self.of_bids.get(index.get()).map(AsRef::as_ref)
    }

    /// Drops the statements of bids that `wanted` does not name.
    pub(super) fn retain(&mut self, wanted: impl Fn(BidIndex) -> bool) {
        self.of_bids.retain(|index| BidIndex::new(index).is_ok_and(&wanted));
    }

    fn drop_beyond(&mut self, bids: &BidList, cap: u64) {
        let kept = self.of_bids.iter().filter_map(|(index, _)| bids.get(usize::try_from(index).ok()?));
        let mut ranked: Vec<(Reverse<UnitFee>, BidIndex, TaskSize)> =
            kept.map(|bid| (Reverse(bid.fee), bid.index, bid.size())).collect();
        ranked.sort_unstable();
        let (mut units, mut within) = (0_u64, BTreeSet::new());
        for (_, index, size) in ranked {
            let with_it = units.saturating_add(size.get().into());
            if with_it > cap {
                break;
            }
            units = with_it;
            within.insert(index);
        }
        self.units = units;
        self.retain(|index| within.contains(&index));
    }
}
