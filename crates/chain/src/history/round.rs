//! One round as its events tell it.

use super::HistoryError;
use super::assignment::{Assigned, Assignment, assign};
use super::contenders::Contenders;
use super::entry::{BidRecord, EntryRecord};
use super::entry_list::EntryList;
use super::pieces::Pieces;
use crate::Outcome;
use crate::commitments::BidWord;
use crate::events::Origin;
use crate::round::certificate_from_abi;
use alloy::primitives::{Address, B256, Bytes, U256};
use bindings::ProverMarket::{self, RoundSettled};
use clearing::Certificate;
use market_types::{AskIndex, BidIndex, Capacity, Mechanism, OutOfRange, RoundNumber, Ticks};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A winning prover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Winner {
    /// Its seat.
    pub seat: AskIndex,
    /// What it offered to the round (units).
    pub capacity: Capacity,
}

/// Who checked a page of a settlement, and how many bids it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageShare {
    /// Who is credited the settlement fees of its bids.
    pub settler: Address,
    /// Number of its bids.
    pub bids: u32,
}

impl PageShare {
    /// `settler (160) | bids (64)`
    pub(crate) fn from_abi(share: U256) -> Self {
        let bids = u32::try_from(share.as_limbs()[0]).unwrap_or(u32::MAX);
        Self { settler: Address::from_word(share.wrapping_shr(64).into()), bids }
    }

    pub(crate) fn to_abi(self) -> U256 {
        (U256::from_be_bytes(self.settler.into_word().0) << 64) | U256::from(self.bids)
    }
}

/// The last page that somebody found right of a claim about a round, with what the next one needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRecord {
    /// Who checked it. The next page names it, and need not be the same settler's.
    pub settler: Address,
    /// The claim, see [`claim_of`](crate::settlement::claim_of). It may be a wrong one: that shows with the last page.
    pub claim: B256,
    /// The pages so far, from the last of the round on.
    pub shares: Vec<PageShare>,
    /// State of the check after it.
    pub progress: Bytes,
}

impl PageRecord {
    /// A settler has one page in a market, whatever it claims.
    pub(super) fn replaces(&self, other: &Self) -> bool {
        self.settler == other.settler
    }
}

impl From<&ProverMarket::PageSettled> for PageRecord {
    fn from(event: &ProverMarket::PageSettled) -> Self {
        Self {
            settler: event.settler,
            claim: event.claim,
            shares: event.shares.iter().map(|share| PageShare::from_abi(*share)).collect(),
            progress: event.progress.clone(),
        }
    }
}

/// What a round decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettlementRecord {
    /// The certificate that was accepted.
    pub certificate: Certificate,
    /// Pivot, revenue and units: what everybody pays and is paid follows from it.
    pub outcome: Outcome,
    /// The winning provers in the order of the walk that assigns tasks to them.
    pub winners: Vec<Winner>,
    /// Root over the assignments.
    pub assignment_root: B256,
    /// Who settled the round, by the last page if there were many.
    pub settler: Address,
    /// The pages of the settlement, from the last of the round to the first. Each settler was credited the market's settlement fee
    /// for every bid of its pages.
    pub shares: Vec<PageShare>,
    /// Where the round was settled.
    pub origin: Origin,
    pub(super) assigned: Arc<Assigned>,
}

impl SettlementRecord {
    pub(super) fn new(
        round: &RoundRecord,
        mechanism: Mechanism,
        event: &RoundSettled,
        origin: Origin,
    ) -> Result<Self, HistoryError> {
        let certificate = certificate_from_abi(mechanism, &event.certificate);
        let (pivot, units) = (certificate.user_pivot, certificate.units);
        let revenue = Ticks::new(u128::try_from(event.revenue).unwrap_or(u128::MAX));
        let winners: Vec<Winner> =
            event.winners.iter().map(|packed| winner(*packed)).collect::<Result<_, _>>()?;
        let shares: Vec<PageShare> = event.shares.iter().map(|share| PageShare::from_abi(*share)).collect();
        let assigned = assign(round, pivot, units, &winners, &shares);
        if assigned.tree.root() != event.assignmentRoot {
            return Err(HistoryError::OtherAssignment(round.number));
        }
        Ok(Self {
            certificate,
            outcome: Outcome { mechanism, pivot, revenue, units },
            winners,
            assignment_root: event.assignmentRoot,
            settler: event.settler,
            shares,
            origin,
            assigned: Arc::new(assigned),
        })
    }

    /// Whether anything was traded.
    #[must_use]
    pub fn is_trade(&self) -> bool {
        self.outcome.is_trade()
    }

    /// What `account` was credited for its part in the settlement (ticks), at `fee` ticks a bid.
    #[must_use]
    pub fn reward_of(&self, account: Address, fee: u64) -> U256 {
        let own = self.shares.iter().filter(|share| share.settler == account);
        let bids = own.fold(0_u64, |sum, share| sum.saturating_add(share.bids.into()));
        U256::from(bids).saturating_mul(U256::from(fee))
    }

    /// Whether this bid won.
    #[must_use]
    pub fn wins(&self, bid: &BidRecord<'_>) -> bool {
        self.outcome.wins(bid.fee, bid.index())
    }

    /// What this bid pays for its task (ticks), nothing if it lost.
    #[must_use]
    pub fn charge(&self, bid: &BidRecord<'_>) -> U256 {
        if self.wins(bid) { U256::from(self.outcome.charge(bid.fee, bid.size()).get()) } else { U256::ZERO }
    }

    /// What this bid gets back of what it locked for its task (ticks): all, or a winner what it does not pay.
    #[must_use]
    pub fn refund(&self, bid: &BidRecord<'_>) -> U256 {
        U256::from(self.outcome.refund(bid.fee, bid.size(), bid.index()).get())
    }

    /// The units of tasks that the auction put on each seat.
    pub(super) fn loads(&self) -> BTreeMap<AskIndex, i64> {
        let mut loads: BTreeMap<AskIndex, i64> = BTreeMap::new();
        for run in &self.assigned.runs {
            let load = loads.entry(run.seat).or_default();
            *load = load.saturating_add_unsigned(run.units());
        }
        loads
    }
}

/// Somebody took a task over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakeoverRecord {
    /// The seat that it is on since.
    pub seat: AskIndex,
    /// First second at which that seat is in default.
    pub deadline: u64,
    /// Where it happened.
    pub origin: Origin,
}

/// How a task ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskEnd {
    /// Proved and paid. Amounts in ticks.
    Delivered {
        /// The seat that was paid.
        seat: AskIndex,
        /// The prover price for its size, or its share of the revenue.
        payment: U256,
        /// The prover's part of what defaulters lost.
        bounty: U256,
        /// The requester's part.
        compensation: U256,
        /// Where it happened.
        origin: Origin,
    },
    /// Nobody proved it.
    Expired {
        /// What the requester got back (ticks).
        refund: U256,
        /// Where it happened.
        origin: Origin,
    },
}

/// What happened to a winning task after the settlement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskRecord {
    /// Who took it over, in order. The last one holds it.
    pub takeovers: Vec<TakeoverRecord>,
    /// How it ended, if it has.
    pub end: Option<TaskEnd>,
}

/// A round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundRecord {
    /// Its number.
    pub number: RoundNumber,
    /// What it decided, once it is settled.
    pub settlement: Option<SettlementRecord>,
    /// What settlements that are under way have left, the last page of each settler; none once the round is settled.
    pub pages: Vec<PageRecord>,
    pub(super) entries: EntryList,
    pub(super) tasks: Pieces<BidIndex, TaskRecord>,
    pub(super) contenders: Contenders,
    /// How many winning tasks have not ended, by the first index of their entry. None is 0.
    pub(super) open_tasks: Pieces<BidIndex, u32>,
    /// Whether everything was taken out that nobody can act on, since the round was decided and tasks or bundles of it ended.
    pub(super) trimmed: bool,
}

impl RoundRecord {
    pub(super) fn new(number: RoundNumber) -> Self {
        Self {
            number,
            settlement: None,
            pages: Vec::new(),
            entries: EntryList::default(),
            tasks: Pieces::default(),
            contenders: Contenders::default(),
            open_tasks: Pieces::default(),
            trimmed: false,
        }
    }

    /// Its entries in order of submission.
    #[must_use]
    pub const fn entries(&self) -> &EntryList {
        &self.entries
    }

    /// Its bids in order of submission: those of each entry.
    pub fn bids(&self) -> impl DoubleEndedIterator<Item = BidRecord<'_>> {
        self.entries.iter().flat_map(EntryRecord::bids)
    }

    /// How many bids it has, with those that were taken out.
    #[must_use]
    pub const fn bid_count(&self) -> u32 {
        self.entries.bid_count()
    }

    /// A bid, if the round has it.
    #[must_use]
    pub fn bid(&self, index: BidIndex) -> Option<BidRecord<'_>> {
        self.entries.bid(index)
    }

    /// The entries as the settlement takes them.
    #[must_use]
    pub fn words(&self) -> Vec<BidWord> {
        self.entries.iter().map(|entry| entry.word).collect()
    }

    /// The `count` entries from that on whose first bid has index `first`, if they are known.
    #[must_use]
    pub fn entries_from(&self, first: BidIndex, count: u32) -> Option<Vec<&EntryRecord>> {
        self.entries.from(first, count)
    }

    /// Whether a winning task has not ended.
    #[must_use]
    pub fn has_open_tasks(&self) -> bool {
        !self.open_tasks.is_empty()
    }

    /// Whether a winning task of the entry whose first bid has index `first` has not ended.
    pub(super) fn has_open_task(&self, first: BidIndex) -> bool {
        self.open_tasks.contains(first)
    }

    /// Whether somebody may have to prove a task of the entry whose first bid has index `first`.
    pub(super) fn may_need(&self, first: BidIndex) -> bool {
        self.contenders.contains(first) || self.has_open_task(first)
    }

    pub(super) fn settle(&mut self, settlement: SettlementRecord) {
        let mut open = Pieces::default();
        for run in &settlement.assigned.runs {
            if let Some(bid) = self.bid(run.first) {
                let count: &mut u32 = open.or_default(bid.first_index);
                *count = count.saturating_add(run.length.get().into());
            }
        }
        (self.open_tasks, self.settlement) = (open, Some(settlement));
        (self.pages, self.trimmed) = (Vec::new(), false);
    }

    pub(super) fn end_task(&mut self, index: BidIndex, end: TaskEnd) {
        let known = self.tasks.or_default(index).end.replace(end);
        if known.is_some() || self.assignment(index).is_none() {
            return;
        }
        let Some(first) = self.bid(index).map(|bid| bid.first_index) else { return };
        let Some(open) = self.open_tasks.get_mut(first) else { return };
        *open = open.saturating_sub(1);
        if *open == 0 {
            self.open_tasks.remove(first);
            self.trimmed = false;
        }
    }

    /// What happened to the task of a bid since the settlement; `None` if nothing did.
    #[must_use]
    pub fn task(&self, index: BidIndex) -> Option<&TaskRecord> {
        self.tasks.get(index)
    }

    /// The seats that hold or held a winning task, in order: the one it was assigned to, then each taker.
    #[must_use]
    pub fn holders(&self, assignment: &Assignment) -> Vec<AskIndex> {
        let takers = self.task(assignment.index).map_or(&[][..], |task| &task.takeovers);
        std::iter::once(assignment.seat).chain(takers.iter().map(|taker| taker.seat)).collect()
    }

    /// [`RoundRecord::holders`] of the task of a bid; none if it did not win.
    pub(super) fn holders_of(&self, index: BidIndex) -> Vec<AskIndex> {
        self.assignment(index).map_or_else(Vec::new, |assignment| self.holders(&assignment))
    }

    /// The seat that holds a winning task now, or held it when it ended: the last taker, or the one it was assigned to.
    #[must_use]
    pub fn holder(&self, assignment: &Assignment) -> AskIndex {
        let taker = self.task(assignment.index).and_then(|task| task.takeovers.last());
        taker.map_or(assignment.seat, |taker| taker.seat)
    }
}

/// `capacity (units) << 8 | seat`
fn winner(packed: U256) -> Result<Winner, OutOfRange> {
    let seat = super::narrow(packed & U256::from(u8::MAX));
    Ok(Winner { seat: AskIndex::from_u64(seat)?, capacity: Capacity::from_u64(super::narrow(packed >> 8))? })
}
