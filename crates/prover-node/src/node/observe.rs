//! The chain at one moment, as far as it concerns this prover.

use std::collections::BTreeMap;

use alloy::eips::BlockId;
use chain::{
    CallError, FollowError, Head, Market, MarketHistory,
    round::{SeatState, seats_at},
};
use market_types::{RoundNumber, Units};
use thiserror::Error;

use super::{
    asks::Asks,
    assigned::{Assigned, open_tasks},
    desk::Desk,
    memory::Memory,
};
use crate::plan::{
    CapacityView, MarketRules, Policy, SealedSeat, SealedView, SeatView, TaskId, TaskView, TrialsView, View,
    Wish,
};

/// The chain at one block.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) head: Head,
    balance: u128,
    pub(super) seats: Vec<SeatView>,
    pub(super) asks: Asks,
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
    /// Reads what events do not tell (free capacity, balance) at the very block that `history` stands at.
    pub(super) async fn take(desk: &Desk, history: &MarketHistory, head: Head) -> Result<Self, ObserveError> {
        let (client, market) = (&desk.client, desk.market.as_ref());
        let block = BlockId::hash(head.hash);
        let balance = client.market().availableOf(market.id.get(), desk.prover).block(block).call().await;
        let balance = balance.map_err(CallError::from)?;
        let all = seats_at(client, market, block).await?;
        let mine = all.iter().filter(|state| state.prover == desk.prover);
        let asks = Asks::take(desk, head).await?;
        let is_open = |round| !history.is_resolved(round, head.timestamp);
        let view = |state: &SeatState| {
            // Two factors of 32 and 64 bits.
            let collateral = u128::from(state.capacity) * u128::from(market.params.collateral_per_unit);
            let sealed = asks.of_seat(market, state.seat, market.bond_of(collateral), head.timestamp);
            seat_view(state, market, head.timestamp, sealed, is_open)
        };
        Ok(Self {
            head,
            // Two lanes of 96 bits.
            balance: balance.saturating_to(),
            seats: mine.map(view).collect(),
            asks,
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
            rules: rules(market),
            balance: self.balance,
            seats: self.seats.clone(),
            seats_busy: memory.seats.is_busy(head),
            seats_retry_at: memory.seats.retry_at(),
            sealed: self.sealed(market, memory),
            tasks,
            workers: operation.workers,
            running: operation.running,
            paces: memory.paces.clone(),
            costs: memory.costs.clone(),
            trials: TrialsView { busy: memory.trials.is_busy(head), retry_at: memory.trials.retry_at() },
            failures: memory.failures,
        }
    }

    fn sealed(&self, market: &Market, memory: &Memory) -> Option<SealedView> {
        let round = market.id.round_at(self.head.timestamp).ok().filter(|_| market.id.is_sealed())?;
        Some(SealedView {
            round,
            commit_by: market.commit_by(round),
            reveals_busy: memory.reveals.is_busy(self.head.number),
            reveals_retry_at: memory.reveals.retry_at(),
        })
    }

    /// Whether a task is on a seat of this prover.
    pub(super) fn is_mine(&self, assigned: &Assigned) -> bool {
        self.seats.iter().any(|mine| mine.seat == assigned.holder())
    }
}

fn rules(market: &Market) -> MarketRules {
    let params = &market.params;
    MarketRules {
        genesis: params.genesis,
        proving_period: params.proving_period,
        takeover_period: params.takeover_period,
        max_takeovers: params.max_takeovers.into(),
        collateral_per_unit: params.collateral_per_unit,
        bounty_bps: params.bounty_bps,
        least_capacity: market.id.least_capacity().max(params.min_seat_capacity.into()),
        seat_fee: params.seat_fee,
        most_together: market.most_together(),
    }
}

/// One seat at `now`, by the rules of the contract's `SeatBook`. `is_open`: whether a round can still assign work.
fn seat_view(
    state: &SeatState,
    market: &Market,
    now: u64,
    sealed: SealedSeat,
    is_open: impl Fn(RoundNumber) -> bool,
) -> SeatView {
    let (offer, id) = (state.offer, market.id);
    let current = id.round_at(now).ok();
    // The last round that has closed, if it can still be settled.
    let waiting = current.and_then(before).filter(|round| is_open(*round));
    // A sealed ask of it may yet be opened.
    let asks = |round: &RoundNumber| id.is_sealed() || offer.cost_at(id, *round).is_some();
    let on_offer = waiting.filter(asks).map_or(0, |round| offer.free_at(round));
    // At least 1 by its type.
    let least = 2 * u64::from(market.params.max_task_size.get()) - 1;
    SeatView {
        seat: state.seat,
        capacity: Units::new(state.capacity),
        staying: Units::new(state.capacity.saturating_sub(leaving(state))),
        next_cost: offer.cost(),
        frozen: waiting.is_some() && Some(offer.cost_from()) == current,
        change: capacity_view(state, is_open),
        takes_part: current.is_some_and(|round| state.capacity_at(round) >= least),
        sealed,
        open: Units::new(state.capacity.saturating_sub(offer.free())),
        takeable: Units::new(offer.free().saturating_sub(on_offer)),
    }
}

fn capacity_view(state: &SeatState, is_open: impl Fn(RoundNumber) -> bool) -> CapacityView {
    let change = state.change;
    let resolved = before(change.round()).is_none_or(|round| !is_open(round));
    match change.units() {
        // A slash may have taken some of it.
        units if units != 0 && change.shrinks() => {
            let free = state.offer.free() >= units.min(state.capacity);
            CapacityView::Shrinking { releasable: resolved && free }
        }
        _ if state.capacity == 0 => CapacityView::Gone,
        units if units != 0 && !resolved => CapacityView::Growing,
        _ => CapacityView::Steady,
    }
}

/// Units that leave the seat, or have left it and wait for their release.
fn leaving(state: &SeatState) -> u64 {
    if state.change.shrinks() { state.change.units() } else { 0 }
}

fn before(round: RoundNumber) -> Option<RoundNumber> {
    round.get().checked_sub(1).map(RoundNumber::new)
}

#[cfg(test)]
mod tests {
    use alloy::primitives::{Address, U256};
    use chain::{CapacityChange, Currency, MarketParams, Offer};
    use market_types::{AskIndex, CapacityCap, Mechanism, ReservePrice, TaskSize, UnitCost};

    use super::*;

    const GENESIS: u64 = 1_000;
    const PERIOD: u64 = 60;
    const NO_ASK: u64 = Offer::NO_ASK;

    /// Largest task: 10 units.
    fn market(reveal_period: u64) -> Market {
        let (cap, reserve) = (CapacityCap::new(500).unwrap(), ReservePrice::new(0));
        let params = MarketParams {
            currency: Currency::Native,
            tick: 1,
            mechanism: Mechanism::Core,
            capacity_cap: cap,
            cap_min: cap,
            cap_max: cap,
            reserve_price: reserve,
            reserve_min: reserve,
            reserve_max: reserve,
            genesis: GENESIS,
            bidding_period: PERIOD,
            reveal_period,
            settlement_period: 30,
            proving_period: 60,
            takeover_period: 60,
            max_takeovers: 1,
            max_seats: 4,
            capacity_delay: 1,
            min_seat_capacity: 19,
            seat_fee: 0,
            verifier: Address::repeat_byte(1),
            verifier_gas: 1,
            bounty_bps: 0,
            compensation_bps: 0,
            penalty_bps: 0,
            bond_bps: 0,
            sink: Address::repeat_byte(2),
            collateral_per_unit: 1,
            settlement_fee: 1,
            max_task_size: TaskSize::new(10).unwrap(),
        };
        Market { id: params.market_id(), params }
    }

    /// A seat of 100 units with cost 5 before round `from` and `cost` from there on; 90 units were free until round 3
    /// opened and 70 are since.
    fn seat(cost: u64, from: u64) -> SeatState {
        let parts = [(5, 192), (cost, 128), (from, 96), (70, 64), (90, 32), (3, 0)];
        let slot =
            parts.iter().fold(U256::ZERO, |slot, (value, shift)| slot | (U256::from(*value) << *shift));
        let (seat, prover) = (AskIndex::new(2), Address::repeat_byte(1));
        SeatState { seat, prover, capacity: 100, offer: Offer::new(slot), change: CapacityChange::new(0) }
    }

    /// The same while `units` of it come or leave with round `from`.
    fn changing(units: u64, shrinks: bool, from: u64) -> SeatState {
        let packed = (u64::from(shrinks) << 63) | (units << 32) | from;
        SeatState { change: CapacityChange::new(packed), ..seat(6, 1) }
    }

    /// The seat while `round` takes bids and `open` is not resolved.
    fn view(state: &SeatState, round: u64, open: Option<u64>) -> SeatView {
        view_in(&market(0), state, round, open)
    }

    fn view_in(market: &Market, state: &SeatState, round: u64, open: Option<u64>) -> SeatView {
        let (now, sealed) = (GENESIS + round * PERIOD, SealedSeat::default());
        seat_view(state, market, now, sealed, |asked| Some(asked.get()) == open)
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
        let sealed = market(20);
        assert_eq!(view_in(&sealed, &seat(NO_ASK, 3), 4, Some(3)).takeable.get(), 0, "it may yet be opened");
    }

    #[test]
    fn an_ask_is_frozen_while_its_last_change_counts_and_the_round_before_waits() {
        assert!(view(&seat(6, 3), 3, Some(2)).frozen);
        assert!(!view(&seat(6, 3), 3, None).frozen);
        assert!(!view(&seat(6, 3), 4, Some(3)).frozen);
        assert!(!view(&seat(6, 4), 3, Some(2)).frozen);
    }

    #[test]
    fn capacity_that_comes_keeps_other_changes_away_until_its_round_is_the_next_to_resolve() {
        assert_eq!(view(&seat(6, 1), 3, Some(2)).change, CapacityView::Steady);
        assert_eq!(view(&changing(100, false, 3), 3, Some(2)).change, CapacityView::Growing);
        assert_eq!(view(&changing(100, false, 3), 3, None).change, CapacityView::Steady);
        assert!(!view(&changing(100, false, 3), 2, None).takes_part);
        assert!(view(&changing(100, false, 3), 3, None).takes_part);
    }

    #[test]
    fn capacity_that_left_is_released_with_its_last_round_and_task() {
        let shrinking = |releasable| CapacityView::Shrinking { releasable };
        assert_eq!(view(&changing(70, true, 3), 3, Some(2)).change, shrinking(false));
        assert_eq!(view(&changing(70, true, 3), 3, None).change, shrinking(true));
        assert_eq!(view(&changing(71, true, 3), 3, None).change, shrinking(false), "70 are free");
        assert_eq!(view(&changing(70, true, 3), 2, None).staying.get(), 30);
        assert_eq!(view(&changing(70, false, 3), 2, None).staying.get(), 100);
        assert!(view(&changing(100, true, 3), 2, None).takes_part);
        assert!(!view(&changing(100, true, 3), 3, None).takes_part);
    }

    #[test]
    fn a_seat_that_lost_everything_is_gone_once_no_round_needs_what_leaves_it() {
        let lost = |state: SeatState| SeatState { capacity: 0, offer: Offer::new(U256::ZERO), ..state };
        assert_eq!(view(&lost(seat(6, 1)), 3, Some(2)).change, CapacityView::Gone);
        // Units that were to come are lost as well.
        assert_eq!(view(&lost(changing(100, false, 3)), 3, Some(2)).change, CapacityView::Gone);
        let shrinking = |releasable| CapacityView::Shrinking { releasable };
        assert_eq!(view(&lost(changing(70, true, 3)), 3, Some(2)).change, shrinking(false));
        assert_eq!(view(&lost(changing(70, true, 3)), 3, None).change, shrinking(true));
    }

    #[test]
    fn before_the_market_opens_nothing_waits() {
        let seat = seat_view(&seat(6, 1), &market(0), GENESIS - 1, SealedSeat::default(), |_| true);
        assert!(!seat.frozen && !seat.takes_part);
        assert_eq!(seat.takeable.get(), 70);
    }
}
