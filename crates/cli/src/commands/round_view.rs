//! A round as it is shown.

use crate::amount::{Denomination, as_optional_text, grouped};
use crate::output::Report;
use crate::render::{Column, Curves, Palette, Table, clock, span};
use alloy::primitives::{Address, B256, U256};
use chain::{Market, RoundRecord};
use market_types::{Ask, AskIndex, BidIndex, Capacity, RoundNumber, TaskSize, UnitFee, UnitPrice, Units};
use serde::Serialize;

/// A bid and what became of it. Amounts in ticks.
#[derive(Debug, Serialize)]
pub(crate) struct BidView {
    pub(crate) index: BidIndex,
    pub(crate) requester: Address,
    pub(crate) circuit: String,
    pub(crate) fee: UnitFee,
    pub(crate) units: TaskSize,
    /// `open`, `lost`, `assigned`, `taken over`, `delivered` or `expired`.
    pub(crate) state: &'static str,
    /// The seat that the auction gave it to, and who holds that seat now.
    pub(crate) assigned: Option<(AskIndex, Option<Address>)>,
    /// The seat that holds it now, or held it at its end.
    pub(crate) holder: Option<(AskIndex, Option<Address>)>,
    #[serde(serialize_with = "as_optional_text")]
    pub(crate) payment: Option<U256>,
    #[serde(serialize_with = "as_optional_text")]
    pub(crate) bounty: Option<U256>,
    #[serde(serialize_with = "as_optional_text")]
    pub(crate) compensation: Option<U256>,
    pub(crate) transaction: B256,
}

/// A point in time that ends a phase (seconds since the epoch).
#[derive(Debug, Serialize)]
pub(crate) struct Deadline {
    pub(crate) what: &'static str,
    pub(crate) at: u64,
}

/// A round. Prices in ticks per unit.
#[derive(Debug, Serialize)]
pub(crate) struct RoundView {
    pub(crate) market: String,
    pub(crate) round: u64,
    pub(crate) now: u64,
    pub(crate) phase: &'static str,
    pub(crate) deadlines: Vec<Deadline>,
    pub(crate) user_price: Option<UnitPrice>,
    pub(crate) prover_price: Option<UnitPrice>,
    pub(crate) units: Option<Units>,
    /// Seat and what it offered, in the order in which tasks were assigned.
    pub(crate) winning_seats: Vec<(AskIndex, Capacity)>,
    pub(crate) assignment_root: Option<B256>,
    pub(crate) settler: Option<Address>,
    pub(crate) settled_in: Option<B256>,
    pub(crate) bids: Vec<BidView>,
    /// Every seat that took part, as `[unit cost, capacity]`; empty if the node has forgotten.
    pub(crate) asks: Vec<(AskIndex, Ask)>,
    #[serde(skip)]
    pub(crate) money: Denomination,
}

/// The phase that a round is in at `now`, and its deadlines.
pub(crate) fn phases(
    market: &Market,
    round: RoundNumber,
    record: Option<&RoundRecord>,
    now: u64,
) -> (&'static str, Vec<Deadline>) {
    let opens = market.id.open_of(round);
    let (close, settle) = (market.close_of(round), market.settle_by(round));
    let (prove, last) = (market.prove_by(round), market.final_at(round));
    let settled = record.is_some_and(|record| record.settlement.is_some());
    let phase = match (record, settled) {
        _ if now < opens => "not open yet",
        _ if now < close => "bidding",
        (None, _) => "closed without bids",
        (Some(_), false) if now < settle => "settlement",
        (Some(_), false) => "void, bids are refunded",
        (Some(_), true) if now < prove => "proving",
        (Some(_), true) if now < last => "takeover",
        (Some(_), true) => "over",
    };
    let deadlines = [
        ("opens", opens),
        ("takes bids until", close),
        ("is settled by", settle),
        ("is proved by", prove),
        ("is over at", last),
    ];
    (phase, deadlines.map(|(what, at)| Deadline { what, at }).into())
}

impl RoundView {
    fn curves(&self) -> Curves {
        Curves {
            bids: self.bids.iter().map(|bid| (bid.fee.get(), bid.units.get().into())).collect(),
            asks: self.asks.iter().map(|(_, ask)| (ask.cost.get(), ask.capacity.get().into())).collect(),
            user_price: self.user_price.map_or(0, UnitPrice::get),
            prover_price: self.prover_price.map_or(0, UnitPrice::get),
            units: self.units.map_or(0, Units::get),
        }
    }

    fn table(&self, palette: Palette) -> String {
        let mut table = Table::new([
            Column::Right("bid"),
            Column::Left("requester"),
            Column::Left("circuit"),
            Column::Right("units"),
            Column::Right("fee"),
            Column::Left("state"),
            Column::Left("seat"),
            Column::Right("pay"),
            Column::Right("bounty"),
        ]);
        for bid in &self.bids {
            let state = match bid.state {
                "delivered" => palette.good(bid.state),
                "taken over" | "expired" => palette.bad(bid.state),
                state => state.to_owned(),
            };
            let seat = match (&bid.assigned, &bid.holder) {
                (Some((from, _)), Some((to, _))) if from != to => format!("{from} -> {to}"),
                (Some((seat, _)), _) => seat.to_string(),
                (None, _) => String::new(),
            };
            let ticks = |amount: Option<U256>| amount.map(grouped).unwrap_or_default();
            table.row([
                bid.index.to_string(),
                short(bid.requester),
                bid.circuit.clone(),
                bid.units.to_string(),
                bid.fee.to_string(),
                state,
                seat,
                ticks(bid.payment),
                ticks(bid.bounty),
            ]);
        }
        table.draw(palette)
    }
}

impl Report for RoundView {
    fn text(&self, palette: Palette, width: usize) -> String {
        let title = palette.strong(&format!("round {}", self.round));
        let mut text = format!("{title} of market {}: {}\n", self.market, palette.strong(self.phase));
        for Deadline { what, at } in &self.deadlines {
            text += &format!("  {what:<17} {} UTC  {}\n", clock(*at), palette.faint(&span(self.now, *at)));
        }
        if let (Some(user), Some(prover)) = (self.user_price, self.prover_price) {
            text += &format!("\n  users pay     {}\n", self.money.price_text(user.get()));
            text += &format!("  provers get   {}\n", self.money.price_text(prover.get()));
        }
        if let Some(units) = self.units {
            let seats: Vec<String> = self.winning_seats.iter().map(|(seat, _)| seat.to_string()).collect();
            text += &match self.user_price {
                Some(_) => format!("  traded        {units} units, proved by seats {}\n", seats.join(", ")),
                None => "\n  settled without a trade\n".to_owned(),
            };
        }
        if !self.asks.is_empty() {
            text += &format!("\n{}", self.curves().draw(palette, width));
        }
        if !self.bids.is_empty() {
            text += &format!("\n{}", self.table(palette));
        }
        text
    }
}

/// `0x70997970…79C8`
fn short(address: Address) -> String {
    let text = address.to_string();
    format!("{}…{}", &text[..8], &text[text.len() - 4..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amount::Currency;

    fn view() -> RoundView {
        let bid = |index, state, holder: Option<u32>| BidView {
            index: BidIndex::new(index).unwrap(),
            requester: Address::repeat_byte(0xab),
            circuit: "0x10000001b".into(),
            fee: UnitFee::new(9).unwrap(),
            units: TaskSize::new(4).unwrap(),
            state,
            assigned: holder.map(|_| (AskIndex::new(0), None)),
            holder: holder.map(|seat| (AskIndex::new(seat), None)),
            payment: Some(U256::from(1_600)),
            bounty: None,
            compensation: None,
            transaction: B256::ZERO,
        };
        RoundView {
            market: "0x12".into(),
            round: 3,
            now: 100,
            phase: "proving",
            deadlines: vec![Deadline { what: "opens", at: 40 }],
            user_price: Some(UnitPrice::new(5)),
            prover_price: Some(UnitPrice::new(4)),
            units: Some(Units::new(8)),
            winning_seats: vec![(AskIndex::new(0), Capacity::new(9).unwrap())],
            assignment_root: None,
            settler: None,
            settled_in: None,
            bids: vec![bid(0, "delivered", Some(0)), bid(1, "taken over", Some(2)), bid(2, "lost", None)],
            asks: Vec::new(),
            money: Denomination { currency: Currency::ether(), tick: U256::from(1_000_000_000u64) },
        }
    }

    #[test]
    fn text_tells_prices_phases_and_takeovers() {
        let text = view().text(Palette::PLAIN, 100);
        assert!(text.contains("round 3 of market 0x12: proving"), "{text}");
        assert!(text.contains("60 s ago"), "{text}");
        assert!(text.contains("5 ticks per unit (0.000000005 ETH)"), "{text}");
        assert!(text.contains("8 units, proved by seats 0"), "{text}");
        assert!(text.contains("0 -> 2"), "{text}");
        assert!(text.to_lowercase().contains("0xababab…abab"), "{text}");
    }

    #[test]
    fn amounts_in_json_are_decimal_texts() {
        let json = serde_json::to_value(view()).unwrap();
        assert_eq!(json["bids"][0]["payment"], "1600");
        assert_eq!(json["bids"][0]["bounty"], serde_json::Value::Null);
        assert_eq!(json["user_price"], "5");
    }

    #[test]
    fn a_round_without_a_trade_says_so() {
        let text = RoundView { user_price: None, prover_price: None, ..view() }.text(Palette::PLAIN, 100);
        assert!(text.contains("settled without a trade") && !text.contains("users pay"), "{text}");
    }
}
