//! What a decision is made from: one moment of the market, as far as it concerns this prover.
//!
//! Amounts are ticks, sizes and capacities units, times seconds of block time.

use std::num::NonZeroU32;

use alloy::primitives::B256;
use market_types::{AskIndex, BidIndex, Capacity, CircuitId, RoundNumber, TaskSize, UnitCost, Units};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Costs, Paces};

/// Names a task beyond the round and index that it stands at.
///
/// A reorganisation of the chain can put another bid at the same place. The word of the bid's entry binds its requester and, by
/// their positions, its statements with their data, so whatever was learnt under this name (a witness, a proof) stays true of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId {
    /// The round in which the bid won.
    pub round: RoundNumber,
    /// The index of the bid in the round.
    pub index: BidIndex,
    /// The word of the bid's entry.
    pub word: B256,
    /// The number of the bid in its entry.
    pub position: u16,
}

impl std::fmt::Display for TaskId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.round, self.index)
    }
}

/// One moment of the market and of this node.
#[derive(Debug, Clone)]
pub struct View {
    /// What the operator wants.
    pub wish: Wish,
    /// Which optional work to do.
    pub policy: Policy,
    /// The market's rules, as far as decisions need them.
    pub rules: MarketRules,
    /// Ticks that the market owes this prover right now.
    pub balance: u128,
    /// The seats of this prover, in ascending order.
    pub seats: Vec<SeatView>,
    /// Whether a transaction about seats or money is on its way.
    pub seats_busy: bool,
    /// Nothing about seats or money is tried before this time, after a failure.
    pub seats_retry_at: u64,
    /// The sealed round, in a sealed market.
    pub sealed: Option<SealedView>,
    /// Tasks that have not ended, whoever holds them.
    pub tasks: Vec<TaskView>,
    /// Most proofs that run at the same time.
    pub workers: usize,
    /// Proofs that run now, also of tasks that have ended meanwhile.
    pub running: usize,
    /// How fast this machine proves, as measured so far.
    pub paces: Paces,
    /// What deliveries have cost.
    pub costs: Costs,
    /// Trial proofs, by which a circuit is measured before any task of it is asked for.
    pub trials: TrialsView,
    /// Proofs that have failed since the last one that was made.
    pub failures: u32,
}

impl View {
    /// Whole seconds that the proof of a task is expected to take, 0 while nothing has been measured.
    pub(super) fn seconds_for(&self, task: &TaskView) -> u64 {
        self.paces.of(task.circuit).seconds_for(task.size)
    }
}

/// Trial proofs, one at a time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TrialsView {
    /// Whether one is being made.
    pub busy: bool,
    /// None is tried before this time, after a failure.
    pub retry_at: u64,
}

/// What the operator wants of its seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Hold one seat and ask with it.
    Serve {
        /// Most capacity to offer, and what to register if there is no seat yet.
        capacity: Capacity,
        /// Unit cost to ask; a standing ask that differs is changed.
        cost: UnitCost,
    },
    /// Finish what is assigned, give up every seat and take the collateral out of it.
    Leave,
}

/// Which work the node does beyond its own assignments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Take over tasks that other provers let default.
    pub takeovers: bool,
    /// Which dead tasks to expire.
    pub expire: Expire,
    /// Part of the proving period in which this machine has to be able to prove all that it offers.
    pub margin: Margin,
    /// After so many failures in a row to prove the node asks for nothing more.
    pub failures: NonZeroU32,
}

/// Part of a time, in percent, 0 to 100. Of the proving period, 0 stands for not caring about the pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Margin(u8);

impl Margin {
    /// Half of the time.
    pub const HALF: Self = Self(50);

    /// Offers whatever the operator wants offered, unmeasured.
    pub const OFF: Self = Self(0);

    /// The percentage.
    #[must_use]
    pub const fn percent(self) -> u8 {
        self.0
    }
}

/// More than the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{0} percent of the proving period are more than it has: give 0 to 100")]
pub struct NoMargin(u8);

impl TryFrom<u8> for Margin {
    type Error = NoMargin;

    fn try_from(percent: u8) -> Result<Self, NoMargin> {
        if percent > 100 { Err(NoMargin(percent)) } else { Ok(Self(percent)) }
    }
}

impl From<Margin> for u8 {
    fn from(margin: Margin) -> Self {
        margin.0
    }
}

/// Which tasks to end once nobody can deliver them any more. Ending one costs gas and pays nobody for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expire {
    /// None.
    Never,
    /// Those that hold capacity and collateral of this prover's own seats.
    Own,
    /// All.
    All,
}

/// The market's rules, as far as decisions need them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarketRules {
    /// Start of round 0; before it nobody can take a seat.
    pub genesis: u64,
    /// Time that a round's provers have from its settlement deadline on.
    pub proving_period: u64,
    /// Time that a taker has for itself.
    pub takeover_period: u64,
    /// How often one task can be taken over.
    pub max_takeovers: usize,
    /// Collateral behind each unit of capacity.
    pub collateral_per_unit: u64,
    /// Part of a defaulter's collateral that a taker earns (basis points).
    pub bounty_bps: u16,
    /// Least capacity of a seat that takes part in rounds.
    pub least_capacity: u64,
    /// What taking a seat costs.
    pub seat_fee: u64,
    /// Most deliveries that one transaction carries.
    pub most_together: usize,
}

/// The round that takes commitments, and what is under way about those before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealedView {
    /// The round that takes commitments.
    pub round: RoundNumber,
    /// First time at which a commitment might be mined too late for it.
    pub commit_by: u64,
    /// Whether a reveal is on its way.
    pub reveals_busy: bool,
    /// Nothing is revealed before this time, after a failure.
    pub reveals_retry_at: u64,
}

/// One seat of this prover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeatView {
    /// The seat.
    pub seat: AskIndex,
    /// Registered capacity that is still backed by collateral.
    pub capacity: Units,
    /// Of that, what stays once a change that takes some away is through.
    pub staying: Units,
    /// The unit cost that will count from the next round on; `None` in a sealed market.
    pub next_cost: Option<UnitCost>,
    /// Whether the market refuses a new unit cost until the last round is settled or void.
    pub frozen: bool,
    /// What its capacity is changing to.
    pub change: CapacityView,
    /// Whether it has capacity for the round that takes bids.
    pub takes_part: bool,
    /// Its commitments.
    pub sealed: SealedSeat,
    /// Capacity that is occupied by tasks that have not ended.
    pub open: Units,
    /// Capacity on which a task can be taken over: free, and not on offer to a round that waits for its settlement.
    pub takeable: Units,
}

/// Whether a seat's capacity changes. The market takes one change at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CapacityView {
    /// It does not.
    Steady,
    /// Units come, and a round without them is not resolved.
    Growing,
    /// Units leave or have left.
    Shrinking {
        /// Whether their collateral can be taken out: no round and no task needs them.
        releasable: bool,
    },
    /// Slashes have left nothing of it: the seat can be given up as it is.
    Gone,
}

/// What a seat has committed to. Nothing in an open market.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SealedSeat {
    /// Whether there is a commitment for the round that takes them, or may be one whose opening cannot be read.
    pub committed: bool,
    /// What a commitment locks until it is opened.
    pub bond: u128,
    /// A round whose commitment is not opened yet, and the first time at which it is too late for that.
    pub to_reveal: Option<(RoundNumber, u64)>,
}

/// A winning task that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskView {
    /// Its name.
    pub id: TaskId,
    /// The circuit that proves it, once that has been published.
    pub circuit: Option<CircuitId>,
    /// Its size.
    pub size: TaskSize,
    /// The seat that it was assigned to.
    pub assigned: AskIndex,
    /// The seats that took it over since, in order. The last of all holds the task.
    pub takers: Vec<AskIndex>,
    /// First second at which the holder is in default.
    pub deadline: u64,
    /// First second at which the task can only be expired.
    pub final_at: u64,
    /// What a delivery pays, without bounty.
    pub payment: u128,
    /// What this node knows and does about it.
    pub stage: Stage,
    /// Whether a transaction about it is on its way.
    pub busy: bool,
    /// No transaction about it is tried before this time, after a failure.
    pub retry_at: u64,
}

impl TaskView {
    /// The seat that can deliver, if it is in time.
    #[must_use]
    pub fn holder(&self) -> AskIndex {
        self.takers.last().copied().unwrap_or(self.assigned)
    }

    /// Whether the seat holds the task or held it before.
    #[must_use]
    pub fn was_held_by(&self, seat: AskIndex) -> bool {
        self.assigned == seat || self.takers.contains(&seat)
    }
}

/// How far this node is with a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Nobody has published what its entry asks for. Until somebody does it cannot be named to the contract, so that nobody can
    /// deliver it, take it over or expire it.
    Unpublished,
    /// The published data has not been looked at.
    Unexamined,
    /// The published data is being checked.
    Examining,
    /// No proof can be made: the statement does not follow from the data, or the key is missing.
    Unprovable,
    /// A proof can be made.
    Ready,
    /// A worker is on it.
    Proving,
    /// The proof is there.
    Proved,
}
