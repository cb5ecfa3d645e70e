//! A round as it is shown.

use crate::amount::{Denomination, Money, decimal, grouped};
use crate::commands::bid_view::{BidView, EntryView, bid_table};
use crate::commands::forfeit::Standing;
use crate::output::Report;
use crate::render::{Column, Curves, Palette, Table, clock, span};
use alloy::primitives::{Address, B256, U256};
use chain::{Market, Phase, RoundRecord};
use clearing::Prices;
use market_types::{Ask, AskIndex, Capacity, CapacityCap, Mechanism, ReservePrice, RoundNumber, Units};
use serde::Serialize;
use service::openings::Status;

/// A commitment and where it stands.
#[derive(Debug, Serialize)]
pub(crate) struct CommitmentView {
    pub(crate) round: u64,
    pub(crate) account: Address,
    pub(crate) commitment: B256,
    pub(crate) status: Status,
    pub(crate) deposit: Money,
    pub(crate) bond: Money,
}

impl CommitmentView {
    pub(crate) fn of(money: &Denomination, standing: &Standing) -> Self {
        let record = &standing.record;
        Self {
            round: record.round.get(),
            account: record.account,
            commitment: record.commitment,
            status: standing.status,
            deposit: money.money(record.deposit),
            bond: money.money(record.bond),
        }
    }
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
    pub(crate) mechanism: Mechanism,
    pub(crate) sealed: bool,
    pub(crate) capacity_cap: CapacityCap,
    pub(crate) reserve_price: ReservePrice,
    pub(crate) phase: &'static str,
    pub(crate) deadlines: Vec<Deadline>,
    /// `user_price` and `prover_price`, or in a market of average fees `revenue`; nothing without a trade.
    #[serde(flatten)]
    pub(crate) prices: Option<Prices>,
    pub(crate) units: Option<Units>,
    /// Seat and what it offered, in the order in which tasks were assigned.
    pub(crate) winning_seats: Vec<(AskIndex, Capacity)>,
    pub(crate) assignment_root: Option<B256>,
    pub(crate) settler: Option<Address>,
    pub(crate) settled_in: Option<B256>,
    /// What was submitted, in order.
    pub(crate) entries: Vec<EntryView>,
    /// The bids that the entries stand for.
    pub(crate) bids: Vec<BidView>,
    /// Every seat that takes part, as `[unit cost, capacity]`; empty before that is fixed.
    pub(crate) asks: Vec<(AskIndex, Ask)>,
    /// In a sealed market what was committed to, bids and asks.
    pub(crate) commitments: Vec<CommitmentView>,
    #[serde(skip)]
    pub(crate) money: Denomination,
}

/// The phase that a round is in at `now`, in words, and its deadlines.
pub(crate) fn phase_of(
    market: &Market,
    round: RoundNumber,
    record: Option<&RoundRecord>,
    now: u64,
) -> (&'static str, Vec<Deadline>) {
    let settled = record.is_some_and(|record| record.settlement.is_some());
    let bids = record.map_or(0, RoundRecord::bid_count) as usize;
    let phase = match market.phase(round, bids, settled, now) {
        Phase::Future => "not open yet",
        Phase::Bidding => "bidding",
        Phase::Reveal => "reveal",
        Phase::Settlement => "settlement",
        Phase::Void if bids == 0 => "closed without bids",
        Phase::Void => "void, bids are refunded",
        Phase::Proving => "proving",
        Phase::Takeover => "takeover",
        Phase::Over => "over",
    };
    let mut deadlines =
        vec![("opens", market.id.open_of(round)), ("takes bids until", market.close_of(round))];
    if market.id.is_sealed() {
        deadlines.push(("is opened until", market.reveal_by(round)));
    }
    deadlines.extend([
        ("is settled by", market.settle_by(round)),
        ("is proved by", market.prove_by(round)),
        ("is over at", market.final_at(round)),
    ]);
    (phase, deadlines.into_iter().map(|(what, at)| Deadline { what, at }).collect())
}

impl RoundView {
    fn curves(&self) -> Curves {
        let (user_price, prover_price) = match self.prices {
            Some(Prices::Uniform { user_price, prover_price }) => (user_price.get(), prover_price.get()),
            Some(Prices::AverageFee { .. }) | None => (0, 0),
        };
        Curves {
            bids: self.bids.iter().map(|bid| (bid.fee.get(), bid.units.get().into())).collect(),
            asks: self.asks.iter().map(|(_, ask)| (ask.cost.get(), ask.capacity.get().into())).collect(),
            user_price,
            prover_price,
            units: self.units.map_or(0, Units::get),
        }
    }

    fn prices_text(&self) -> String {
        let Some(units) = self.units else { return String::new() };
        let seats: Vec<String> = self.winning_seats.iter().map(|(seat, _)| seat.to_string()).collect();
        let traded = format!("  traded        {units} units, proved by seats {}\n", seats.join(", "));
        let per_unit = |price: u64| self.money.price_text(price);
        match self.prices {
            None => "\n  settled without a trade\n".to_owned(),
            Some(Prices::Uniform { user_price, prover_price }) => format!(
                "\n  users pay     {}\n  provers get   {}\n{traded}",
                per_unit(user_price.get()),
                per_unit(prover_price.get())
            ),
            Some(Prices::AverageFee { revenue }) => format!(
                "\n  users pay     what they bid, {} together\n  provers get   the average, {} ticks per unit\n{traded}",
                self.money.money(U256::from(revenue.get())),
                average(revenue.get(), units)
            ),
        }
    }

    fn commitment_table(&self, palette: Palette) -> String {
        let mut table = Table::new([
            Column::Left("account"),
            Column::Left("commitment"),
            Column::Left("status"),
            Column::Right("deposit"),
            Column::Right("bond"),
        ]);
        for one in &self.commitments {
            let status = status_text(one.status, palette);
            let hash = one.commitment.to_string();
            let amounts = [&one.deposit, &one.bond].map(|money| grouped(money.ticks));
            let [deposit, bond] = amounts;
            table.row([short(one.account), format!("{}…", &hash[..10]), status, deposit, bond]);
        }
        table.draw(palette)
    }
}

impl Report for RoundView {
    fn text(&self, palette: Palette, width: usize) -> String {
        let title = palette.strong(&format!("round {}", self.round));
        let kind =
            if self.sealed { format!("{}, sealed", self.mechanism) } else { self.mechanism.to_string() };
        let mut text =
            format!("{title} of market {} ({kind}): {}\n", self.market, palette.strong(self.phase));
        for Deadline { what, at } in &self.deadlines {
            text += &format!("  {what:<17} {} UTC  {}\n", clock(*at), palette.faint(&span(self.now, *at)));
        }
        text += &format!("  {:<17} {} units\n", "capacity cap", self.capacity_cap);
        text += &format!("  {:<17} {}\n", "reserve price", self.money.price_text(self.reserve_price.get()));
        text += &self.prices_text();
        if !self.asks.is_empty() {
            text += &format!("\n{}", self.curves().draw(palette, width));
        }
        if !self.bids.is_empty() {
            text += &format!("\n{}", bid_table(&self.bids, palette));
        }
        if !self.commitments.is_empty() {
            text += &format!("\n{}", self.commitment_table(palette));
        }
        text
    }
}

/// A status in a word, good or bad.
pub(crate) fn status_text(status: Status, palette: Palette) -> String {
    match status {
        Status::Unsent => "not sent".to_owned(),
        Status::Sealed => "sealed".to_owned(),
        Status::Open => palette.strong("can be opened"),
        Status::Late => palette.bad("too late"),
        Status::Revealed => palette.good("opened"),
        Status::Forfeited => palette.bad("forfeited"),
    }
}

/// Revenue per unit with two decimals, rounded down.
fn average(revenue: u128, units: Units) -> String {
    let hundredths = revenue.saturating_mul(100).checked_div(units.get().into()).unwrap_or(0);
    decimal(U256::from(hundredths), 2)
}

/// `0x70997970…79C8`
pub(crate) fn short(address: Address) -> String {
    let text = address.to_string();
    format!("{}…{}", &text[..8], &text[text.len() - 4..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amount::Currency;
    use crate::commands::bid_view::tests::bid;
    use market_types::{Ticks, UnitPrice};

    fn view() -> RoundView {
        RoundView {
            market: "0x12".into(),
            round: 3,
            now: 100,
            mechanism: Mechanism::Core,
            sealed: false,
            capacity_cap: CapacityCap::new(100).unwrap(),
            reserve_price: ReservePrice::new(3),
            phase: "proving",
            deadlines: vec![Deadline { what: "opens", at: 40 }],
            prices: Some(Prices::Uniform { user_price: UnitPrice::new(5), prover_price: UnitPrice::new(4) }),
            units: Some(Units::new(8)),
            winning_seats: vec![(AskIndex::new(0), Capacity::new(9).unwrap())],
            assignment_root: None,
            settler: None,
            settled_in: None,
            entries: Vec::new(),
            bids: vec![
                bid(0, 0, "delivered", Some(0)),
                bid(1, 1, "taken over", Some(2)),
                bid(2, 2, "lost", None),
            ],
            asks: Vec::new(),
            commitments: Vec::new(),
            money: Denomination { currency: Currency::ether(), tick: U256::from(1_000_000_000u64) },
        }
    }

    #[test]
    fn text_tells_prices_phases_and_takeovers() {
        let text = view().text(Palette::PLAIN, 100);
        assert!(text.contains("round 3 of market 0x12 (core): proving"), "{text}");
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
    fn a_sealed_round_of_average_fees_tells_revenue_and_commitments() {
        let money = view().money;
        let one = CommitmentView {
            round: 3,
            account: Address::repeat_byte(0xcd),
            commitment: B256::repeat_byte(0x5e),
            status: Status::Late,
            deposit: money.money(U256::from(1_024)),
            bond: money.money(U256::from(102)),
        };
        let prices = Some(Prices::AverageFee { revenue: Ticks::new(71) });
        let (mechanism, sealed) = (Mechanism::AverageFee, true);
        let round = RoundView { prices, mechanism, sealed, commitments: vec![one], ..view() };
        let text = round.text(Palette::PLAIN, 100);
        assert!(text.contains("(average-fee, sealed)") && text.contains("71 ticks"), "{text}");
        assert!(text.contains("8.87 ticks per unit"), "{text}");
        assert!(
            text.contains("0x5e5e5e5e…") && text.contains("too late") && text.contains("1,024"),
            "{text}"
        );
        let json = serde_json::to_value(round).unwrap();
        assert_eq!((&json["revenue"], &json["commitments"][0]["status"]), (&"71".into(), &"late".into()));
        assert_eq!(json.get("user_price"), None);
    }

    #[test]
    fn a_round_without_a_trade_says_so() {
        let text = RoundView { prices: None, ..view() }.text(Palette::PLAIN, 100);
        assert!(text.contains("settled without a trade") && !text.contains("users pay"), "{text}");
    }
}
