//! Entries and bids of a round as they are shown.

use crate::amount::{as_optional_text, grouped};
use crate::commands::round_view::short;
use crate::render::{Column, Palette, Table};
use alloy::primitives::{Address, B256, U256};
use chain::{EntryRecord, RoundRecord};
use market_types::{AskIndex, BidIndex, TaskSize, UnitFee};
use serde::Serialize;

/// An entry: one bid, or a lot.
#[derive(Debug, Serialize)]
pub(crate) struct EntryView {
    /// Index of its first bid; the others follow.
    first_index: BidIndex,
    /// How many it stands for.
    bids: u16,
    requester: Address,
    fee: UnitFee,
    /// Size of each of its tasks.
    units: TaskSize,
    /// How many of its bids won, the first ones; none before the settlement.
    won: Option<u16>,
    /// Whether what it asks proofs of was published with it, so that a prover that does not deliver owes for it.
    told: bool,
    /// Whether provers can know what it asks proofs of.
    published: bool,
    transaction: B256,
}

impl EntryView {
    pub(crate) fn of(record: &RoundRecord, entry: &EntryRecord) -> Self {
        let settlement = record.settlement.as_ref();
        Self {
            first_index: entry.first_index,
            bids: entry.count().get(),
            requester: entry.requester,
            fee: entry.fee,
            units: entry.size(),
            won: settlement.map(|s| s.outcome.winners(entry.fee, entry.first_index, entry.count())),
            told: entry.word.is_told(),
            published: entry.publication().is_some(),
            transaction: entry.origin.tx_hash,
        }
    }
}

/// A bid and what became of it. Amounts in ticks.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct BidView {
    pub(crate) index: BidIndex,
    /// Index of the first bid of its entry.
    pub(crate) entry: BidIndex,
    pub(crate) requester: Address,
    /// None if nothing is published that could be proved for it.
    pub(crate) circuit: Option<String>,
    pub(crate) fee: UnitFee,
    pub(crate) units: TaskSize,
    /// `open`, `lost`, `assigned`, `taken over`, `delivered` or `expired`.
    pub(crate) state: &'static str,
    /// What it pays for its task; 0 if it lost.
    #[serde(serialize_with = "as_optional_text")]
    pub(crate) pays: Option<U256>,
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

/// Bids line by line; those of a lot that fared alike share a line, which tells amounts for each of them.
pub(crate) fn bid_table(bids: &[BidView], palette: Palette) -> String {
    let mut table = Table::new([
        Column::Right("bids"),
        Column::Left("requester"),
        Column::Left("circuit"),
        Column::Right("units"),
        Column::Right("fee"),
        Column::Right("pays"),
        Column::Left("state"),
        Column::Left("seat"),
        Column::Right("pay"),
        Column::Right("bounty"),
    ]);
    for alike in bids.chunk_by(|a, b| a.entry == b.entry && a.cells(palette) == b.cells(palette)) {
        let [first, .., last] = alike else {
            for bid in alike {
                table.row(std::iter::once(bid.index.to_string()).chain(bid.cells(palette)));
            }
            continue;
        };
        let which = format!("{} to {}", first.index, last.index);
        table.row(std::iter::once(which).chain(first.cells(palette)));
    }
    table.draw(palette)
}

impl BidView {
    /// What a line tells besides which bid it is.
    fn cells(&self, palette: Palette) -> [String; 9] {
        let state = match self.state {
            "delivered" => palette.good(self.state),
            "taken over" | "expired" => palette.bad(self.state),
            state => state.to_owned(),
        };
        let seat = match (&self.assigned, &self.holder) {
            (Some((from, _)), Some((to, _))) if from != to => format!("{from} -> {to}"),
            (Some((seat, _)), _) => seat.to_string(),
            (None, _) => String::new(),
        };
        let ticks = |amount: Option<U256>| amount.map(grouped).unwrap_or_default();
        [
            short(self.requester),
            self.circuit.clone().unwrap_or_else(|| palette.bad("not published")),
            self.units.to_string(),
            self.fee.to_string(),
            ticks(self.pays),
            state,
            seat,
            ticks(self.payment),
            ticks(self.bounty),
        ]
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A bid of 4 units at 9 that seat 0 won, and `holder` holds.
    pub(crate) fn bid(index: u32, entry: u32, state: &'static str, holder: Option<u32>) -> BidView {
        BidView {
            index: BidIndex::new(index).unwrap(),
            entry: BidIndex::new(entry).unwrap(),
            requester: Address::repeat_byte(0xab),
            circuit: Some("0x10000001b".into()),
            fee: UnitFee::new(9).unwrap(),
            units: TaskSize::new(4).unwrap(),
            state,
            assigned: holder.map(|_| (AskIndex::new(0), None)),
            holder: holder.map(|seat| (AskIndex::new(seat), None)),
            pays: None,
            payment: Some(U256::from(1_600)),
            bounty: None,
            compensation: None,
            transaction: B256::ZERO,
        }
    }

    #[test]
    fn bids_of_a_lot_that_fared_alike_share_a_line() {
        let mut bids: Vec<BidView> = (0..5).map(|index| bid(index, 0, "assigned", Some(0))).collect();
        bids[3].state = "lost";
        bids[4].state = "lost";
        bids.push(bid(5, 5, "lost", Some(0)));
        bids.push(BidView { circuit: None, ..bid(6, 6, "lost", Some(0)) });
        let text = bid_table(&bids, Palette::PLAIN);
        let lines: Vec<&str> = text.lines().skip(2).map(str::trim).collect();
        assert_eq!(lines.len(), 4, "{text}");
        for (line, start) in lines.iter().zip(["0 to 2 ", "3 to 4 ", "5 ", "6 "]) {
            assert!(line.starts_with(start), "{text}");
        }
        assert!(lines[3].contains("not published"), "{text}");
    }
}
