//! What the bids of a round are to be proved for, as long as they may win.

use super::round::BidRecord;
use alloy::primitives::{Bytes, U256};
use market_types::{BidIndex, TaskSize, UnitFee};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a requester published with a bid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The statement to prove, besides the circuit.
    pub public_inputs: Vec<U256>,
    /// What a prover needs to build the witness.
    pub data: Bytes,
}

/// The statements of a round's bids that may still win: those that the largest capacity cap has room for, by falling fee and
/// rising index. A round takes any number of bids, but not more than the cap can win, and bids are never withdrawn, so
/// what falls out of this prefix is not to be proved by anybody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Statements {
    by_rank: BTreeMap<(Reverse<UnitFee>, BidIndex), (TaskSize, Arc<Statement>)>,
    units: u64,
}

impl Statements {
    /// Keeps the statement of a new bid, and lets those go that are beyond `cap` (units) with it.
    pub(super) fn add(&mut self, bid: &BidRecord, statement: Statement, cap: u64) {
        self.by_rank.insert((Reverse(bid.fee), bid.index), (bid.size(), Arc::new(statement)));
        self.units = self.units.saturating_add(bid.size().get().into());
        while self.units > cap
            && let Some((_, (size, _))) = self.by_rank.pop_last()
        {
            self.units = self.units.saturating_sub(size.get().into());
        }
    }

    /// Drops the statements of bids that `wanted` does not name.
    pub(super) fn retain(&mut self, wanted: impl Fn(BidIndex) -> bool) {
        self.by_rank.retain(|(_, index), _| wanted(*index));
        self.units = self.by_rank.values().map(|(size, _)| u64::from(size.get())).sum();
    }

    /// The statement of a bid, unless it cannot win.
    pub(super) fn of(&self, bid: &BidRecord) -> Option<&Statement> {
        self.by_rank.get(&(Reverse(bid.fee), bid.index)).map(|(_, statement)| statement.as_ref())
    }
}
