//! One round as its events tell it.

use super::HistoryError;
use super::assignment::{Assignment, assign};
use super::bid_list::BidList;
use super::statement::{Statement, Statements};
use crate::Outcome;
use crate::commitments::{BidWord, ticket};
use crate::events::{BidHead, Origin};
use crate::round::certificate_from_abi;
use alloy::primitives::{Address, B256, U256};
use bindings::ProverMarket::{BidSubmitted, RoundSettled};
use clearing::Certificate;
use market_types::{
    AskIndex, BidIndex, Capacity, CircuitId, Mechanism, OutOfRange, RoundNumber, TaskSize, Ticks, UnitFee,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A bid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BidRecord {
    /// Its index in the round.
    pub index: BidIndex,
    /// Who posted it.
    pub requester: Address,
    /// Its unit fee (ticks per unit).
    pub fee: UnitFee,
    /// The circuit of its task.
    pub circuit: CircuitId,
    /// The bid as the settlement sees it.
    pub word: BidWord,
    /// Where it was posted.
    pub origin: Origin,
}

impl BidRecord {
    pub(super) fn new(head: BidHead, event: &BidSubmitted, origin: Origin) -> (Self, Statement) {
        let ticket = ticket(event.requester, head.circuit, &event.publicInputs, &event.data);
        let bid = Self {
            index: head.index,
            requester: event.requester,
            fee: head.fee,
            circuit: head.circuit,
            word: BidWord::new(head.fee, head.size, ticket),
            origin,
        };
        (bid, Statement { public_inputs: event.publicInputs.clone(), data: event.data.clone() })
    }

    /// Size of its task (units).
    #[must_use]
    pub fn size(&self) -> TaskSize {
        self.word.size()
    }
}

/// A winning prover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Winner {
    /// Its seat.
    pub seat: AskIndex,
    /// What it offered to the round (units).
    pub capacity: Capacity,
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
    /// Who settled the round.
    pub settler: Address,
    /// What it was credited for that (ticks).
    pub reward: U256,
    /// Where the round was settled.
    pub origin: Origin,
    assignments: Arc<[Assignment]>,
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
        let assigned = assign(round, pivot, units, &winners);
        let (assignments, _) = assigned
            .filter(|(_, root)| *root == event.assignmentRoot)
            .ok_or(HistoryError::OtherAssignment(round.number))?;
        Ok(Self {
            certificate,
            outcome: Outcome { mechanism, pivot, revenue, units },
            winners,
            assignment_root: event.assignmentRoot,
            settler: event.settler,
            reward: event.reward,
            origin,
            assignments: assignments.into(),
        })
    }

    /// Whether anything was traded.
    #[must_use]
    pub fn is_trade(&self) -> bool {
        self.outcome.is_trade()
    }

    /// Whether this bid won.
    #[must_use]
    pub fn wins(&self, bid: &BidRecord) -> bool {
        self.outcome.wins(bid.fee, bid.index)
    }

    /// What this bid pays for its task (ticks), nothing if it lost.
    #[must_use]
    pub fn charge(&self, bid: &BidRecord) -> U256 {
        if self.wins(bid) { U256::from(self.outcome.charge(bid.fee, bid.size()).get()) } else { U256::ZERO }
    }

    /// What this bid gets back of what it locked for its task (ticks): all, or a winner what it does not pay.
    #[must_use]
    pub fn refund(&self, bid: &BidRecord) -> U256 {
        U256::from(self.outcome.refund(bid.fee, bid.size(), bid.index).get())
    }

    /// The units of tasks that the auction put on each seat.
    pub(super) fn loads(&self) -> BTreeMap<AskIndex, i64> {
        let mut loads: BTreeMap<AskIndex, i64> = BTreeMap::new();
        for assignment in self.assignments.iter() {
            let load = loads.entry(assignment.seat).or_default();
            *load = load.saturating_add(assignment.size.get().into());
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
    /// Its bids in order of submission.
    pub bids: BidList,
    /// What it decided, once it is settled.
    pub settlement: Option<SettlementRecord>,
    pub(super) tasks: BTreeMap<BidIndex, TaskRecord>,
    statements: Statements,
    /// Whether bids that nobody can act on were taken out.
    pub(super) trimmed: bool,
}

impl RoundRecord {
    pub(super) fn new(number: RoundNumber) -> Self {
        Self {
            number,
            bids: BidList::default(),
            settlement: None,
            tasks: BTreeMap::new(),
            statements: Statements::default(),
            trimmed: false,
        }
    }

    /// Adds the next bid, in a market whose rounds take at most `cap` units.
    pub(super) fn add(&mut self, bid: BidRecord, statement: Statement, cap: u64) {
        self.bids.push(bid.clone());
        self.statements.add(&self.bids, &bid, statement, cap);
    }

    /// Drops every bid that `wanted` does not name, with its statement.
    pub(super) fn retain(&mut self, wanted: impl Fn(BidIndex) -> bool) {
        self.bids.retain(&wanted);
        self.statements.retain(&wanted);
        self.trimmed = true;
    }

    /// A bid, if the round has it.
    #[must_use]
    pub fn bid(&self, index: BidIndex) -> Option<&BidRecord> {
        self.bids.get(usize::try_from(index.get()).ok()?)
    }

    /// What is to be proved for a bid; `None` if there is no such bid, or it cannot win.
    #[must_use]
    pub fn statement(&self, index: BidIndex) -> Option<&Statement> {
        self.statements.of(index)
    }

    /// The bids as the settlement takes them.
    #[must_use]
    pub fn words(&self) -> Vec<BidWord> {
        self.bids.iter().map(|bid| bid.word).collect()
    }

    /// Who proves what, in order of submission; `None` before the settlement, empty without a trade.
    #[must_use]
    pub fn assignments(&self) -> Option<&[Assignment]> {
        self.settlement.as_ref().map(|settlement| settlement.assignments.as_ref())
    }

    /// The assignment of one bid, if it won.
    #[must_use]
    pub fn assignment(&self, index: BidIndex) -> Option<&Assignment> {
        let all = self.assignments()?;
        all.binary_search_by_key(&index, |assignment| assignment.index).ok().and_then(|at| all.get(at))
    }

    /// What happened to the task of a bid since the settlement; `None` if nothing did.
    #[must_use]
    pub fn task(&self, index: BidIndex) -> Option<&TaskRecord> {
        self.tasks.get(&index)
    }

    /// The seats that hold or held a winning task, in order: the one it was assigned to, then each taker.
    #[must_use]
    pub fn holders(&self, assignment: &Assignment) -> Vec<AskIndex> {
        let takers = self.task(assignment.index).map_or(&[][..], |task| &task.takeovers);
        std::iter::once(assignment.seat).chain(takers.iter().map(|taker| taker.seat)).collect()
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
