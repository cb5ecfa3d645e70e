//! A market's rules as they are shown.

use crate::amount::{Currency, Denomination, decimal};
use crate::output::Report;
use crate::render::{Palette, clock};
use alloy::primitives::{Address, U256};
use chain::Market;
use market_types::{CapacityCap, Mechanism, ReservePrice, RoundNumber};
use serde::Serialize;

/// Capacity cap and reserve price of one round.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct TermsView {
    pub(crate) round: RoundNumber,
    pub(crate) capacity_cap_units: CapacityCap,
    pub(crate) reserve_price_ticks: ReservePrice,
}

/// A market's rules.
#[derive(Debug, Serialize)]
pub(crate) struct MarketView {
    pub(crate) id: String,
    pub(crate) mechanism: Mechanism,
    pub(crate) sealed: bool,
    pub(crate) currency: Currency,
    currency_address: Option<Address>,
    tick_wei: String,
    pub(crate) capacity_cap_units: u64,
    cap_min_units: u64,
    cap_max_units: u64,
    max_task_size_units: u32,
    pub(crate) reserve_price_ticks: u64,
    reserve_min_ticks: u64,
    reserve_max_ticks: u64,
    settlement_fee_ticks: u64,
    collateral_per_unit_ticks: u64,
    pub(crate) genesis: u64,
    pub(crate) bidding_seconds: u64,
    reveal_seconds: u64,
    settlement_seconds: u64,
    proving_seconds: u64,
    takeover_seconds: u64,
    max_takeovers: u8,
    max_seats: u8,
    min_seat_units: u32,
    max_seat_units: u32,
    seat_fee_ticks: u64,
    capacity_delay_rounds: u8,
    bounty_bps: u16,
    compensation_bps: u16,
    penalty_bps: u16,
    bond_bps: u16,
    verifier: Address,
    verifier_gas: u64,
    sink: Address,
    /// The terms of the round that takes bids now; none in a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<TermsView>,
    #[serde(skip)]
    money: Denomination,
}

impl MarketView {
    /// What there is to say about a market.
    pub(crate) fn of(market: &Market, money: &Denomination) -> Self {
        let p = &market.params;
        Self {
            id: market.id.to_string(),
            mechanism: p.mechanism,
            sealed: p.is_sealed(),
            currency: money.currency.clone(),
            currency_address: match p.currency {
                chain::Currency::Native => None,
                chain::Currency::Token(token) => Some(token),
            },
            tick_wei: p.tick.to_string(),
            capacity_cap_units: p.capacity_cap.get(),
            cap_min_units: p.cap_min.get(),
            cap_max_units: p.cap_max.get(),
            max_task_size_units: p.max_task_size.get(),
            reserve_price_ticks: p.reserve_price.get(),
            reserve_min_ticks: p.reserve_min.get(),
            reserve_max_ticks: p.reserve_max.get(),
            settlement_fee_ticks: p.settlement_fee,
            collateral_per_unit_ticks: p.collateral_per_unit,
            genesis: p.genesis,
            bidding_seconds: p.bidding_period,
            reveal_seconds: p.reveal_period,
            settlement_seconds: p.settlement_period,
            proving_seconds: p.proving_period,
            takeover_seconds: p.takeover_period,
            max_takeovers: p.max_takeovers,
            max_seats: p.max_seats,
            min_seat_units: p.min_seat_capacity,
            max_seat_units: p.max_seat_capacity(),
            seat_fee_ticks: p.seat_fee,
            capacity_delay_rounds: p.capacity_delay,
            bounty_bps: p.bounty_bps,
            compensation_bps: p.compensation_bps,
            penalty_bps: p.penalty_bps,
            bond_bps: p.bond_bps,
            verifier: p.verifier,
            verifier_gas: p.verifier_gas,
            sink: p.sink,
            current: None,
            money: money.clone(),
        }
    }

    /// The same with the terms of the round that takes bids now.
    pub(crate) fn with_terms(self, current: TermsView) -> Self {
        Self { current: Some(current), ..self }
    }

    fn ticks(&self, ticks: u64) -> String {
        self.money.money(U256::from(ticks)).to_string()
    }

    fn terms(&self) -> Vec<(&'static str, String)> {
        let cap = match (self.cap_min_units, self.cap_max_units) {
            (min, max) if min == max => format!("{max} units a round"),
            (min, max) => {
                format!("{} units at first, then from {min} to {max}, after demand", self.capacity_cap_units)
            }
        };
        let reserve = match (self.reserve_min_ticks, self.reserve_max_ticks) {
            (min, max) if min == max => self.money.price_text(max),
            (min, max) => format!(
                "{} at first, then from {min} to {max}, as demand is turned away or provers are idle",
                self.money.price_text(self.reserve_price_ticks)
            ),
        };
        let mut lines = vec![("capacity cap", cap), ("reserve price", reserve)];
        lines.extend(self.current.map(|now| {
            let reserve = self.money.price_text(now.reserve_price_ticks.get());
            let text = format!("round {}: {} units, {reserve}", now.round, now.capacity_cap_units);
            ("terms now", text)
        }));
        lines
    }

    fn round(&self) -> String {
        let opened =
            if self.sealed { format!("opened within {} s, ", self.reveal_seconds) } else { String::new() };
        format!(
            "bids {} s, {opened}settled within {} s, proved within {} s, taken over {} times for {} s",
            self.bidding_seconds,
            self.settlement_seconds,
            self.proving_seconds,
            self.max_takeovers,
            self.takeover_seconds
        )
    }

    fn seats(&self) -> String {
        let fee = match self.seat_fee_ticks {
            0 => String::new(),
            fee => format!("; taking one costs {}", self.ticks(fee)),
        };
        format!(
            "at most {}, of {} to {} units{fee}",
            self.max_seats, self.min_seat_units, self.max_seat_units
        )
    }
}

impl Report for MarketView {
    fn text(&self, palette: Palette, _width: usize) -> String {
        let currency = match self.currency_address {
            Some(address) => format!("{} at {address}", self.currency.symbol),
            None => self.currency.symbol.clone(),
        };
        let bids = match self.sealed {
            true => format!("sealed; {} of the deposit is lost if one is not opened", percent(self.bond_bps)),
            false => "open".to_owned(),
        };
        let mut lines = vec![
            ("mechanism", self.mechanism.to_string()),
            ("bids and asks", bids),
            ("pays in", format!("{currency}, one tick is {} wei", self.tick_wei)),
        ];
        lines.extend(self.terms());
        lines.extend([
            ("largest task", format!("{} units", self.max_task_size_units)),
            ("settlement fee", format!("{} a bid", self.ticks(self.settlement_fee_ticks))),
            ("seats", self.seats()),
            ("capacity", format!("a change counts {} rounds later", self.capacity_delay_rounds)),
            ("collateral", self.money.price_text(self.collateral_per_unit_ticks)),
            ("round 0 opens", format!("{} UTC", clock(self.genesis))),
            ("a round", self.round()),
            (
                "a slash",
                format!(
                    "{} to the prover that steps in, {} to the requester, the rest to the sink",
                    percent(self.bounty_bps),
                    percent(self.compensation_bps)
                ),
            ),
            ("no proof at all", format!("requester and prover lose {} each", percent(self.penalty_bps))),
            ("verifier", format!("{}, at most {} gas a proof", self.verifier, self.verifier_gas)),
            ("sink", self.sink.to_string()),
        ]);
        let mut text = format!("{} {}\n", palette.strong("market"), self.id);
        for (name, value) in lines {
            text += &format!("  {name:<16} {value}\n");
        }
        text
    }
}

/// Basis points as percent: 3050 is `30.5 %`.
fn percent(bps: u16) -> String {
    format!("{} %", decimal(U256::from(bps), 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basis_points_are_shown_as_percent() {
        assert_eq!(percent(3_050), "30.5 %");
        assert_eq!(percent(5), "0.05 %");
        assert_eq!(percent(10_000), "100 %");
    }
}
