//! Who takes part in the demo. Nothing here touches a chain.
//!
//! The figures are chosen so that one round shows everything: winners and losers on both sides, two different prices, and
//! enough free capacity among the losing provers to take over from a dead one. A test clears the round to make sure.

use circuits::CircuitKind::{self, Transfers1, Transfers2, Transfers4};
use market_types::Mechanism;

/// Wei in one tick of the demo's market: a millionth of an ether.
pub(crate) const TICK: u64 = 1_000_000_000_000;
/// What every requester deposits (ticks): 0.02 ether.
pub(crate) const DEPOSIT: u64 = 20_000;
/// Most units that a round may prove.
pub(crate) const CAPACITY_CAP: u64 = 400;
/// Lowest unit fee that can win (ticks per unit).
pub(crate) const RESERVE: u64 = 10;
/// Collateral (ticks per unit of capacity).
pub(crate) const COLLATERAL: u64 = 60;
/// What a bid pays towards settlement (ticks).
pub(crate) const SETTLEMENT_FEE: u64 = 30;

/// A requester and the proofs that it wants: circuit and unit fee (ticks per unit).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Requester {
    pub(crate) name: &'static str,
    pub(crate) wants: [(CircuitKind, u64); 4],
}

/// A prover: what a unit costs it (ticks per unit) and how much it registers (units).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Prover {
    pub(crate) name: &'static str,
    pub(crate) cost: u64,
    pub(crate) capacity: u32,
}

/// Six rollups with four batches each: 24 tasks of three sizes. Those of Flint are alike, so that in an open market they are one lot.
pub(crate) const REQUESTERS: [Requester; 6] = [
    Requester {
        name: "Amber",
        wants: [(Transfers4, 92), (Transfers1, 61), (Transfers2, 47), (Transfers1, 33)],
    },
    Requester {
        name: "Basalt",
        wants: [(Transfers2, 84), (Transfers4, 70), (Transfers1, 44), (Transfers2, 29)],
    },
    Requester {
        name: "Cobalt",
        wants: [(Transfers1, 95), (Transfers2, 66), (Transfers4, 52), (Transfers1, 36)],
    },
    Requester {
        name: "Dune",
        wants: [(Transfers2, 78), (Transfers1, 58), (Transfers4, 41), (Transfers2, 31)],
    },
    Requester {
        name: "Ember",
        wants: [(Transfers4, 63), (Transfers2, 55), (Transfers1, 49), (Transfers4, 27)],
    },
    Requester { name: "Flint", wants: [(Transfers1, 60); 4] },
];

impl Requester {
    /// What it wants in words: `14 at 95, 27 at 66`, and `4 x 14 at 60` where several go as one lot.
    pub(crate) fn wants_text(&self) -> String {
        let alike = self.wants.chunk_by(|a, b| a == b);
        let parts = alike.filter_map(|alike| match alike {
            [] => None,
            [(kind, fee)] => Some(format!("{} at {fee}", kind.units())),
            [(kind, fee), ..] => Some(format!("{} x {} at {fee}", alike.len(), kind.units())),
        });
        parts.collect::<Vec<_>>().join(", ")
    }
}

/// Collateral of a seat, or deposit of a bid, that is lost if its commitment is not opened (basis points).
pub(crate) const BOND_BPS: u16 = 1_000;
/// What taking a seat costs (ticks).
pub(crate) const SEAT_FEE: u64 = 25;

/// Five provers. To a round each offers one largest task less a unit below what it registers, so that the assignment,
/// which may exceed its exact share by that much, always fits.
pub(crate) const PROVERS: [Prover; 5] = [
    Prover { name: "Ada", cost: 18, capacity: 165 },
    Prover { name: "Boole", cost: 24, capacity: 152 },
    Prover { name: "Curie", cost: 31, capacity: 139 },
    Prover { name: "Dirac", cost: 38, capacity: 170 },
    Prover { name: "Euler", cost: 46, capacity: 200 },
];

/// The provers under a mechanism. Euler, the dearest, loses under both: at 46 to the price under `core`, at 78 to the average.
pub(crate) fn provers(mechanism: Mechanism) -> [Prover; 5] {
    let cost = |prover: Prover| match (mechanism, prover.name) {
        (Mechanism::AverageFee, "Euler") => 78,
        _ => prover.cost,
    };
    PROVERS.map(|prover| Prover { cost: cost(prover), ..prover })
}

/// Largest task of the demo (units).
pub(crate) fn max_task_size() -> u32 {
    CircuitKind::ALL.into_iter().map(CircuitKind::units).max().unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clearing::Prices;
    use market_types::{
        Ask, Bid, Capacity, CapacityCap, ReservePrice, Round, RoundNumber, TaskSize, UnitCost, UnitFee,
    };
    use std::collections::BTreeSet;

    /// The round with the bids in an order that starts at requester `first`: on the chain any may be first.
    fn round(first: usize, mechanism: Mechanism) -> Round {
        let bids = (0..REQUESTERS.len()).flat_map(|i| REQUESTERS[(first + i) % REQUESTERS.len()].wants);
        let bids = bids.map(|(kind, fee)| Bid {
            fee: UnitFee::new(fee).unwrap(),
            size: TaskSize::new(kind.units()).unwrap(),
        });
        let asks = provers(mechanism).map(|prover| Ask {
            cost: UnitCost::new(prover.cost),
            capacity: Capacity::new(prover.capacity - (max_task_size() - 1)).unwrap(),
        });
        let cap = CapacityCap::new(CAPACITY_CAP).unwrap();
        let number = RoundNumber::new(first as u64);
        Round::from_positions(number, cap, ReservePrice::new(RESERVE), bids.collect(), asks.to_vec()).unwrap()
    }

    #[test]
    fn the_round_has_winners_and_losers_on_both_sides_and_two_prices() {
        for first in 0..REQUESTERS.len() {
            let outcome = clearing::clear(Mechanism::Core, &round(first, Mechanism::Core));
            let Prices::Uniform { user_price, prover_price } = outcome.prices else { panic!("{outcome:?}") };
            assert!(user_price > prover_price, "{outcome:?}");
            assert!(outcome.winning_bids.len() >= 10 && outcome.winning_bids.len() < 24);
            assert_eq!(outcome.winning_asks.len(), 3);
        }
    }

    #[test]
    fn losing_provers_can_hold_whatever_a_winner_leaves_behind() {
        let free: u32 = PROVERS.iter().skip(3).map(|prover| prover.capacity).sum();
        for first in 0..REQUESTERS.len() {
            let (round, mut loads) = (round(first, Mechanism::Core), [0u32; 5]);
            for (bid, seat) in clearing::clear(Mechanism::Core, &round).assignment() {
                loads[seat.get() as usize] += round.bid(bid).unwrap().size.get();
            }
            assert!(loads.iter().all(|load| *load <= free), "{loads:?}");
            assert!(loads[..3].iter().all(|load| *load > 0), "{loads:?}");
        }
    }

    #[test]
    fn under_average_fee_there_are_winners_and_losers_too_and_the_others_can_take_over() {
        let mechanism = Mechanism::AverageFee;
        for first in 0..REQUESTERS.len() {
            let round = round(first, mechanism);
            let outcome = clearing::clear(mechanism, &round);
            assert!(outcome.winning_bids.len() >= 10 && outcome.winning_bids.len() < 24);
            assert_eq!(outcome.winning_asks.len(), 4);
            let mut loads = [0u32; 5];
            for (bid, seat) in outcome.assignment() {
                loads[seat.get() as usize] += round.bid(bid).unwrap().size.get();
            }
            let free = |dead: usize| -> u32 {
                let others = (0..5).filter(|other| *other != dead);
                others.map(|other| PROVERS[other].capacity - loads[other]).sum()
            };
            // One task at each border may find no room that is in one piece.
            assert!(
                (0..4).all(|dead| loads[dead] > 0 && loads[dead] + 4 * max_task_size() <= free(dead)),
                "{loads:?}"
            );
        }
    }

    #[test]
    fn there_are_24_tasks_of_three_sizes_and_only_those_of_the_lot_have_one_fee() {
        let wants: Vec<_> = REQUESTERS.iter().flat_map(|requester| requester.wants).collect();
        assert_eq!(wants.len(), 24);
        assert_eq!(wants.iter().map(|(kind, _)| kind.units()).collect::<BTreeSet<_>>().len(), 3);
        assert_eq!(wants.iter().map(|(_, fee)| fee).collect::<BTreeSet<_>>().len(), 21);
        let texts = REQUESTERS.map(|requester| requester.wants_text());
        assert_eq!(texts[0], "53 at 92, 14 at 61, 27 at 47, 14 at 33");
        assert_eq!(texts[5], "4 x 14 at 60");
    }

    /// Whoever bids first: under `core` the lot is where the round ends, and its third bid sets the price.
    #[test]
    fn the_lot_wins_in_part() {
        for first in 0..REQUESTERS.len() {
            let won = |mechanism| {
                let round = round(first, mechanism);
                let fees = clearing::clear(mechanism, &round).winning_bids;
                fees.iter().filter(|bid| round.bid(**bid).unwrap().fee.get() == 60).count()
            };
            assert_eq!((won(Mechanism::Core), won(Mechanism::AverageFee)), (2, 4));
        }
    }

    #[test]
    fn deposits_cover_the_bids_and_seats_can_take_part() {
        for requester in REQUESTERS {
            let cost: u64 = requester
                .wants
                .iter()
                .map(|(kind, fee)| fee * u64::from(kind.units()) + SETTLEMENT_FEE)
                // What hides a bid is at most twice its cost.
                .map(u64::next_power_of_two)
                .sum();
            assert!(cost <= DEPOSIT, "{}: {cost}", requester.name);
        }
        assert!(PROVERS.iter().all(|prover| prover.capacity >= 2 * max_task_size() - 1));
    }
}
