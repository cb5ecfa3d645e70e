//! What bids cost and what became of them, as `proophi bid` shows it.

use crate::amount::Money;
use crate::commands::bid::cost;
use crate::commands::lots::Entry;
use crate::commands::market::current_round;
use crate::commands::money::available;
use crate::commands::sealed::deposit_for;
use crate::commands::session::{OpenMarket, Session};
use crate::failure::Outcome;
use crate::output::Report;
use crate::render::{Column, Palette, Table, clock, span};
use alloy::primitives::{B256, U256};
use chain::events::Place;
use serde::Serialize;

/// An entry.
#[derive(Debug, Serialize)]
struct EntryView {
    /// Index of its first bid in the round; the others follow. None before it is submitted.
    first_index: Option<u32>,
    /// How many bids it stands for.
    bids: u16,
    /// Ticks per unit.
    fee: u64,
    /// Size of each of its tasks.
    units: u32,
    /// What it locks and pays, for all its bids.
    cost: Money,
    /// Root over its statements.
    statements_root: B256,
    /// Which of the bids that were given it stands for, in order, from 0.
    given: Vec<usize>,
}

impl EntryView {
    fn new(open: &OpenMarket, entry: &Entry, first_index: Option<u32>) -> Self {
        let word = entry.lot.word();
        Self {
            first_index,
            bids: word.count().get(),
            fee: word.fee().get(),
            units: word.size().get(),
            cost: open.money.money(U256::from(entry.lot.cost(&open.market))),
            statements_root: entry.lot.root(),
            given: entry.given.clone(),
        }
    }
}

/// What bids would cost.
#[derive(Debug, Serialize)]
pub(crate) struct Quote {
    market: String,
    /// The round that is open now.
    round: u64,
    entries: Vec<EntryView>,
    bids: u64,
    /// Locked and paid, for all bids.
    cost: Money,
    /// In a sealed market what their commitments lock.
    deposit: Option<Money>,
    available: Money,
    closes_at: u64,
    #[serde(skip)]
    now: u64,
}

impl Quote {
    /// What `entries` would cost now; `deposit`: what each is to lock in a sealed market, if that was said (ticks).
    pub(crate) async fn of(
        session: &Session,
        open: &OpenMarket,
        entries: &[Entry],
        deposit: Option<U256>,
    ) -> Outcome<Self> {
        let round = current_round(session, open).await?;
        let locks = |entry: &Entry| deposit_for(open, entry.lot.cost(&open.market), deposit);
        let deposit = match open.market.id.is_sealed() {
            true => Some(entries.iter().map(locks).sum::<Outcome<U256>>()?),
            false => None,
        };
        let views: Vec<EntryView> = entries.iter().map(|entry| EntryView::new(open, entry, None)).collect();
        Ok(Self {
            market: open.market.id.to_string(),
            round: round.get(),
            bids: views.iter().map(|view| u64::from(view.bids)).sum(),
            entries: views,
            cost: open.money.money(cost(open, entries)),
            deposit: deposit.map(|ticks| open.money.money(ticks)),
            available: open.money.money(available(session, open, session.sender()?).await?),
            closes_at: open.market.close_of(round),
            now: session.now().await?,
        })
    }
}

impl Report for Quote {
    fn text(&self, palette: Palette, _width: usize) -> String {
        let mut table = Table::new([
            Column::Right("entry"),
            Column::Right("bids"),
            Column::Right("fee"),
            Column::Right("units"),
            Column::Left("locks and pays at most"),
        ]);
        for (number, entry) in self.entries.iter().enumerate() {
            let cells = [number as u64, entry.bids.into(), entry.fee, entry.units.into()];
            table.row(cells.map(|cell| cell.to_string()).into_iter().chain([entry.cost.to_string()]));
        }
        let mut text = format!("{}\n", table.draw(palette).trim_end());
        text += &format!("{} bids in {} entries cost {}\n", self.bids, self.entries.len(), self.cost);
        if let Some(deposit) = &self.deposit {
            text += &format!("their commitments lock {deposit}\n");
        }
        text += &format!("available        {}\n", self.available);
        let closes = (span(self.now, self.closes_at), clock(self.closes_at));
        text + &format!("round {} closes {} ({} UTC)\n", self.round, closes.0, closes.1)
    }
}

/// Entries that went into a round with one transaction.
#[derive(Debug, Serialize)]
pub(crate) struct Submitted {
    pub(crate) round: u64,
    pub(crate) first_index: u64,
    /// How many bids its entries stand for.
    pub(crate) bids: u64,
    entries: Vec<EntryView>,
    transaction: B256,
}

impl Submitted {
    /// What `part` became, whose first entry is at `place`.
    pub(crate) fn new(open: &OpenMarket, part: &[Entry], place: &Place, transaction: B256) -> Self {
        let first = place.first_index.get();
        let mut next = first;
        let entries: Vec<EntryView> = part
            .iter()
            .map(|entry| {
                let view = EntryView::new(open, entry, Some(next));
                next = next.saturating_add(view.bids.into());
                view
            })
            .collect();
        let bids = u64::from(next.saturating_sub(first));
        Self { round: place.round.get(), first_index: first.into(), bids, entries, transaction }
    }
}

/// Bids that were submitted.
#[derive(Debug, Serialize)]
pub(crate) struct SubmittedAll {
    pub(crate) market: String,
    pub(crate) submitted: Vec<Submitted>,
    /// Locked and paid, for all bids.
    pub(crate) cost: Money,
    pub(crate) available: Money,
    pub(crate) closes_at: u64,
    #[serde(skip)]
    pub(crate) now: u64,
}

impl Report for SubmittedAll {
    fn text(&self, palette: Palette, _width: usize) -> String {
        let mut text = String::new();
        for part in &self.submitted {
            let last = part.first_index + part.bids.saturating_sub(1);
            let which = match part.bids {
                1 => format!("bid {last}"),
                _ => format!("bids {} to {last}", part.first_index),
            };
            let entries = match part.entries.len() {
                1 if part.bids > 1 => ", one lot".to_owned(),
                1 => String::new(),
                many => format!(", {many} entries"),
            };
            text += &format!("{} as {which} of round {}{entries}\n", palette.good("submitted"), part.round);
        }
        text += &format!("locked and paid  {}\navailable        {}\n", self.cost, self.available);
        text + &format!("the round closes {} ({} UTC)", span(self.now, self.closes_at), clock(self.closes_at))
    }
}
