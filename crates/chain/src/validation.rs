//! Which parameters make a market: the rules of `contracts/books/MarketBook.sol`, said before anything is sent.

use crate::MarketParams;
use alloy::primitives::Address;
use thiserror::Error;

/// A parameter that the contract would refuse, or that does not fit it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{name}: {advice}")]
pub struct InvalidParams {
    /// The parameter, as the contract calls it.
    pub name: &'static str,
    /// What is wrong, and what would do.
    pub advice: String,
}

/// A whole in basis points.
const BPS: u64 = 10_000;
const MAX_TASK_SIZE: u32 = 1 << 30;
const MAX_VERIFIER_GAS: u64 = 12_000_000;
const MAX_SEATS: u8 = 128;
const MAX_TAKEOVERS: u8 = 16;
const MAX_PERIOD: u64 = (1 << 24) - 1;

impl MarketParams {
    /// Whether the contract would take these parameters; that there is code at the addresses only the chain can say.
    ///
    /// # Errors
    /// [`InvalidParams`] with the first parameter that is wrong.
    pub fn validate(&self) -> Result<(), InvalidParams> {
        self.require_money()?;
        self.require_terms()?;
        self.require_times()?;
        self.require_seats()
    }

    fn require_money(&self) -> Result<(), InvalidParams> {
        let shares = u64::from(self.bounty_bps).saturating_add(self.compensation_bps.into());
        require("tick", (1..1 << 96).contains(&self.tick), || within(1, "2^96 - 1", self.tick))?;
        require("settlementFee", u32::try_from(self.settlement_fee).is_ok(), || {
            within(0, u32::MAX, self.settlement_fee)
        })?;
        require("bountyBps", shares <= BPS, || {
            format!("bountyBps and compensationBps together are {shares}; keep them within {BPS}")
        })?;
        let penalty = u64::from(self.penalty_bps);
        require("penaltyBps", penalty <= BPS, || within(0, BPS, penalty))?;
        let bond = u64::from(self.bond_bps);
        let bonds = if self.is_sealed() { 1..=BPS } else { 0..=0 };
        require("bondBps", bonds.contains(&bond), || {
            if !self.is_sealed() {
                format!(
                    "{bond} in a market with open bids, which has no bonds; set it to 0, or set a revealPeriod"
                )
            } else if bond == 0 {
                "0 would let everybody look at the other offers first, and open only what then wins; set at least 1"
                    .to_owned()
            } else {
                within(1, BPS, bond)
            }
        })?;
        require("sink", self.sink != Address::ZERO, || {
            "the zero address cannot receive the surplus; name an account".to_owned()
        })
    }

    fn require_terms(&self) -> Result<(), InvalidParams> {
        let task = self.max_task_size.get();
        require("maxTaskSize", task <= MAX_TASK_SIZE, || within(1, MAX_TASK_SIZE, task))?;
        let (min, cap, max) = (self.cap_min.get(), self.capacity_cap.get(), self.cap_max.get());
        require("capMin", min >= task.into(), || {
            format!("{min} units cannot hold the largest task; set it to maxTaskSize, {task}, or more")
        })?;
        require("capacityCap", min <= cap && cap <= max, || between("capMin", min, cap, "capMax", max))?;
        let (min, price, max) = (self.reserve_min.get(), self.reserve_price.get(), self.reserve_max.get());
        require("reservePrice", min <= price && price <= max, || {
            between("reserveMin", min, price, "reserveMax", max)
        })
    }

    fn require_times(&self) -> Result<(), InvalidParams> {
        require("genesis", self.genesis < 1 << 40, || within(0, "2^40 - 1", self.genesis))?;
        for (name, period, least) in [
            ("biddingPeriod", self.bidding_period, 1),
            ("revealPeriod", self.reveal_period, 0),
            ("settlementPeriod", self.settlement_period, 1),
            ("provingPeriod", self.proving_period, 1),
            ("takeoverPeriod", self.takeover_period, 1),
        ] {
            require(name, (least..=MAX_PERIOD).contains(&period), || within(least, MAX_PERIOD, period))?;
        }
        let (bidding, settled) =
            (self.bidding_period, self.reveal_period.saturating_add(self.settlement_period));
        require("settlementPeriod", settled <= bidding, || {
            format!(
                "a round must be settled before the one after the next opens: revealPeriod and settlementPeriod \
                 together are {settled} s; keep them within biddingPeriod, {bidding} s"
            )
        })?;
        let takeovers = self.max_takeovers;
        require("maxTakeovers", (1..=MAX_TAKEOVERS).contains(&takeovers), || {
            within(1, MAX_TAKEOVERS, takeovers)
        })?;
        let gas = self.verifier_gas;
        require("verifierGas", (1..=MAX_VERIFIER_GAS).contains(&gas), || within(1, MAX_VERIFIER_GAS, gas))
    }

    fn require_seats(&self) -> Result<(), InvalidParams> {
        let seats = self.max_seats;
        require("maxSeats", (1..=MAX_SEATS).contains(&seats), || within(1, MAX_SEATS, seats))?;
        require("capacityDelay", self.capacity_delay != 0, || {
            "a change of capacity cannot count for the round that takes bids; set 1 or more rounds".to_owned()
        })?;
        let (task, seat) = (self.max_task_size.get(), self.min_seat_capacity);
        let least = task.saturating_mul(2).saturating_sub(1);
        require("minSeatCapacity", seat >= least, || {
            format!("a seat of {seat} units could take part in no round; set it to {least} or more")
        })?;
        require("capMin", seat <= self.max_seat_capacity(), || {
            let needed = seat.saturating_sub(task.saturating_sub(1));
            format!(
                "a seat of minSeatCapacity, {seat}, would offer more than this cap; set it to {needed} or more"
            )
        })
    }
}

fn require(name: &'static str, holds: bool, advice: impl FnOnce() -> String) -> Result<(), InvalidParams> {
    if holds { Ok(()) } else { Err(InvalidParams { name, advice: advice() }) }
}

fn within(
    least: impl std::fmt::Display,
    most: impl std::fmt::Display,
    given: impl std::fmt::Display,
) -> String {
    format!("{given} is out of range; set it from {least} to {most}")
}

fn between(low: &str, min: u64, given: u64, high: &str, max: u64) -> String {
    format!("{given} is not from {low}, {min}, to {high}, {max}; set it between them, or move them")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::tests::{params, sealed_params};
    use market_types::{CapacityCap, ReservePrice, TaskSize};

    fn refused(spoil: impl FnOnce(&mut MarketParams)) -> String {
        let mut params = params();
        spoil(&mut params);
        params.validate().unwrap_err().to_string()
    }

    #[test]
    fn good_parameters_pass() {
        assert_eq!(params().validate(), Ok(()));
        assert_eq!(sealed_params().validate(), Ok(()));
    }

    #[test]
    fn each_wrong_parameter_is_named_with_what_would_do() {
        let cap = |units| CapacityCap::new(units).unwrap();
        let named = [
            (refused(|p| p.tick = 0), "tick: 0 is out of range; set it from 1 to 2^96 - 1"),
            (
                refused(|p| p.bounty_bps = 9_000),
                "bountyBps: bountyBps and compensationBps together are 13000",
            ),
            (refused(|p| p.penalty_bps = 10_001), "penaltyBps: 10001"),
            (refused(|p| p.bond_bps = 1), "bondBps: 1 in a market with open bids"),
            (refused(|p| p.reveal_period = 20), "bondBps: 0"),
            (refused(|p| p.sink = Address::ZERO), "sink: the zero address"),
            (refused(|p| p.max_task_size = TaskSize::MAX), "maxTaskSize: 4294967295"),
            (refused(|p| p.cap_min = cap(15)), "capMin: 15 units cannot hold"),
            (refused(|p| p.cap_min = cap(501)), "capacityCap: 500 is not from capMin, 501, to capMax, 900"),
            (refused(|p| p.reserve_max = ReservePrice::new(2)), "reservePrice: 3 is not from reserveMin, 1"),
            (refused(|p| p.settlement_period = 61), "settlementPeriod: a round must be settled before"),
            (
                refused(|p| (p.reveal_period, p.bond_bps) = (31, 1)),
                "settlementPeriod: a round must be settled before",
            ),
            (refused(|p| p.settlement_period = 0), "settlementPeriod: 0"),
            (refused(|p| p.proving_period = 1 << 24), "provingPeriod: 16777216"),
            (refused(|p| p.takeover_period = 0), "takeoverPeriod: 0"),
            (refused(|p| p.max_takeovers = 17), "maxTakeovers: 17"),
            (refused(|p| p.max_seats = 129), "maxSeats: 129"),
            (refused(|p| p.verifier_gas = 12_000_001), "verifierGas: 12000001"),
            (refused(|p| p.capacity_delay = 0), "capacityDelay:"),
            (refused(|p| p.min_seat_capacity = 30), "minSeatCapacity: a seat of 30 units"),
            (refused(|p| p.min_seat_capacity = 116), "capMin: a seat of minSeatCapacity, 116"),
        ];
        for (said, expected) in named {
            assert!(said.starts_with(expected), "{said:?} for {expected:?}");
        }
        assert_eq!(MarketParams { min_seat_capacity: 115, ..params() }.validate(), Ok(()));
    }
}
