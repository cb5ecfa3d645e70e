//! The chain at one moment, as far as it concerns this prover.

use std::collections::BTreeMap;

use alloy::eips::BlockId;
use chain::{
    CallError, FollowError, Head, Market, MarketHistory, MarketId,
    round::{SeatState, seats_at},
};
use market_types::{RoundNumber, Units};
use thiserror::Error;

use super::{
    assigned::{Assigned, open_tasks},
    desk::Desk,
    memory::Memory,
};
use crate::plan::{Policy, SeatView, TaskId, TaskView, Terms, View, Wish};

/// The chain at one block.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) head: Head,
    balance: u128,
    pub(super) seats: Vec<SeatView>,
    pub(super) tasks: BTreeMap<TaskId, Assigned>,
}

/// Why the chain could not be looked at.
#[derive(Debug, Error)]
pub(super) enum ObserveError {
    /// The contract could not be asked.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The logs could not be read.
    #[error(transparent)]
    Follow(#[from] FollowError),
}

/// What the view says of the node itself.
pub(super) struct Operation {
    pub(super) wish: Wish,
    pub(super) policy: Policy,
    pub(super) workers: usize,
    pub(super) running: usize,
}

impl Snapshot {
    /// Reads what `history` does not keep (free capacity, balance) at the very block that it stands at.
    pub(super) async fn take(desk: &Desk, history: &MarketHistory, head: Head) -> Result<Self, CallError> {
        let (client, market) = (&desk.client, desk.market.as_ref());
        let block = BlockId::hash(head.hash);
        let balance = client.market().availableOf(market.id.get(), desk.prover).block(block).call().await?;
        let all = seats_at(client, market, block).await?;
        let mine = all.iter().filter(|state| state.prover == desk.prover);
        let is_open = |round| !history.is_resolved(round, head.timestamp);
        Ok(Self {
            head,
            // Two lanes of 96 bits.
            balance: balance.saturating_to(),
            seats: mine.map(|state| seat_view(state, market.id, head.timestamp, is_open)).collect(),
            tasks: open_tasks(history).into_iter().map(|task| (task.id, task)).collect(),
        })
    }

    pub(super) fn view(&self, market: &Market, memory: &mut Memory, operation: &Operation) -> View {
        let head = self.head.number;
        let tasks: Vec<TaskView> = self
            .tasks
            .values()
            .filter_map(|assigned| assigned.view(market, memory.known(assigned.id), head))
            .collect();
        View {
            wish: operation.wish,
            policy: operation.policy,
            terms: terms(market),
            balance: self.balance,
            seats: self.seats.clone(),
            seats_busy: memory.seats.is_busy(head),
            seats_retry_at: memory.seats.retry_at(),
            tasks,
            workers: operation.workers,
            running: operation.running,
            pace: memory.pace,
        }
    }

    /// Whether a task is on a seat of this prover.
    pub(super) fn is_mine(&self, assigned: &Assigned) -> bool {
        assigned.holder().is_some_and(|holder| self.seats.iter().any(|mine| mine.seat == holder))
    }
}

fn terms(market: &Market) -> Terms {
    let params = &market.params;
    Terms {
        genesis: params.genesis,
        takeover_period: params.takeover_period,
        max_takeovers: params.max_takeovers.into(),
        collateral_per_unit: params.collateral_per_unit,
        bounty_bps: params.bounty_bps,
    }
}

/// One seat at `now`, by the rules of the contract's `SeatBook`. `is_open`: whether a round can still assign work.
fn seat_view(
    state: &SeatState,
    market: MarketId,
    now: u64,
    is_open: impl Fn(RoundNumber) -> bool,
) -> SeatView {
    let offer = state.offer;
    let before = |round: RoundNumber| round.get().checked_sub(1).map(RoundNumber::new);
    let current = market.round_at(now).ok();
    // The last round that has closed, if it can still be settled.
    let waiting = current.and_then(before).filter(|round| is_open(*round));
    let on_offer = waiting.filter(|round| offer.cost_at(*round).is_some()).map_or(0, |r| offer.free_at(r));
    SeatView {
        seat: state.seat,
        capacity: Units::new(state.capacity),
        next_cost: offer.cost(),
        frozen: waiting.is_some() && Some(offer.cost_from()) == current,
        resolved: before(offer.cost_from()).is_none_or(|round| !is_open(round)),
        open: Units::new(state.capacity.saturating_sub(offer.free())),
        takeable: Units::new(offer.free().saturating_sub(on_offer)),
    }
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{Address, B256, U256};
    use chain::Offer;
    use market_types::{AskIndex, UnitCost};

    use super::*;

    const GENESIS: u64 = 1_000;
    const PERIOD: u64 = 60;
    const NO_ASK: u64 = u64::MAX;

    fn market() -> MarketId {
        MarketId::from(B256::from((U256::from(GENESIS) << 88) | (U256::from(PERIOD) << 64)))
    }

    /// A seat of 100 units with cost 5 before round `from` and `cost` from there on; 90 units were free until round 3
    /// opened and 70 are since.
    fn seat(cost: u64, from: u64) -> SeatState {
        let parts = [(5, 192), (cost, 128), (from, 96), (70, 64), (90, 32), (3, 0)];
        let slot =
            parts.iter().fold(U256::ZERO, |slot, (value, shift)| slot | (U256::from(*value) << *shift));
        let (seat, prover) = (AskIndex::new(2), Address::repeat_byte(1));
        SeatState { seat, prover, capacity: 100, offer: Offer::new(slot) }
    }

    /// The seat while `round` takes bids and `open` is not resolved.
    fn view(state: &SeatState, round: u64, open: Option<u64>) -> SeatView {
        seat_view(state, market(), GENESIS + round * PERIOD, |asked| Some(asked.get()) == open)
    }

    #[test]
    fn open_capacity_is_what_tasks_occupy() {
        let seat = view(&seat(6, 1), 3, None);
        assert_eq!((seat.capacity.get(), seat.open.get(), seat.takeable.get()), (100, 30, 70));
        assert_eq!((seat.next_cost, seat.seat), (Some(UnitCost::new(6)), AskIndex::new(2)));
    }

    #[test]
    fn capacity_on_offer_to_a_waiting_round_is_not_takeable() {
        assert_eq!(view(&seat(6, 1), 3, Some(2)).takeable.get(), 0, "90 were on offer, 70 are left");
        assert_eq!(view(&seat(6, 1), 4, Some(3)).takeable.get(), 0);
        assert_eq!(
            view(&seat(6, 1), 3, Some(3)).takeable.get(),
            70,
            "the round that takes bids is not closed"
        );
        assert_eq!(view(&seat(NO_ASK, 3), 4, Some(3)).takeable.get(), 70, "not on offer");
    }

    #[test]
    fn an_ask_is_frozen_while_its_last_change_counts_and_the_round_before_waits() {
        assert!(view(&seat(6, 3), 3, Some(2)).frozen);
        assert!(!view(&seat(6, 3), 3, None).frozen);
        assert!(!view(&seat(6, 3), 4, Some(3)).frozen);
        assert!(!view(&seat(6, 4), 3, Some(2)).frozen);
    }

    #[test]
    fn a_seat_that_left_is_resolved_with_its_last_round() {
        assert!(!view(&seat(NO_ASK, 3), 3, Some(2)).resolved);
        assert!(view(&seat(NO_ASK, 3), 3, None).resolved);
        assert!(view(&seat(NO_ASK, 3), 4, Some(3)).resolved);
        assert_eq!(view(&seat(NO_ASK, 3), 3, None).next_cost, None);
    }

    #[test]
    fn before_the_market_opens_nothing_waits() {
        let seat = seat_view(&seat(6, 1), market(), GENESIS - 1, |_| true);
        assert!(!seat.frozen);
        assert_eq!(seat.takeable.get(), 70);
    }
}
