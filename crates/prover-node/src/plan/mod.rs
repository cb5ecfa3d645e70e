//! What to do next: one pure function, [`plan`], from a [`View`] and a time to [`Action`]s.
//!
//! | module | what is in it |
//! |---|---|
//! | `view` | [`View`] and what it is made of |
//! | `pace` | [`Pace`]: how long proofs take, and whether a set of them can be made in time |
//! | `tasks` | proving, taking over, expiring |
//! | `deliveries` | delivering, and which proofs share a transaction: [`together`] |
//! | `costs` | [`Costs`]: what deliveries have cost, alone and together |
//! | `limit` | [`offerable`]: how much of what the operator wants offered this machine can prove |
//! | `trials` | measuring circuits before tasks of them are asked for |
//! | `seats` | registering, asking, leaving |
//! | `sealed` | committing to asks and opening them, round by round |
//!
//! The node carries actions out and asks again whenever something has changed. Nothing is remembered here: what is
//! under way is part of the view, so an action is not given twice.

mod costs;
mod deliveries;
mod limit;
mod pace;
mod sealed;
mod seats;
mod tasks;
mod trials;
mod view;

use market_types::{AskIndex, Capacity, CircuitId, RoundNumber, UnitCost};

pub use costs::Costs;
pub use deliveries::together;
pub use limit::{Offerable, offerable};
pub use pace::{Pace, Paces};
pub use seats::WITHDRAWN;
pub use view::{
    CapacityView, Expire, Margin, MarketRules, NoMargin, Policy, SealedSeat, SealedView, SeatView, Stage,
    TaskId, TaskView, TrialsView, View, Wish,
};

/// One thing to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Send the proof of a task.
    Deliver(TaskId),
    /// Check that the published data proves what the bid asks for.
    Examine(TaskId),
    /// Give a task to an idle worker.
    Prove(TaskId),
    /// Take a defaulted task over.
    TakeOver {
        /// The task.
        task: TaskId,
        /// The seat of this prover that takes it.
        seat: AskIndex,
    },
    /// End a task that nobody can deliver any more.
    Expire(TaskId),
    /// Pay so many ticks into the market.
    Deposit {
        /// Ticks.
        ticks: u128,
    },
    /// Prove a task of nobody's, to learn how long one of this circuit takes.
    Measure(CircuitId),
    /// Take a seat.
    Register {
        /// Its capacity.
        capacity: Capacity,
        /// The unit cost that it asks.
        cost: UnitCost,
    },
    /// Change the unit cost of a seat.
    Ask {
        /// The seat.
        seat: AskIndex,
        /// The new unit cost.
        cost: UnitCost,
    },
    /// Ask so much with a seat that it gets no task.
    Withdraw(AskIndex),
    /// Take some of a seat's capacity away.
    Lower {
        /// The seat.
        seat: AskIndex,
        /// What stays.
        capacity: Capacity,
    },
    /// Commit a seat to a unit cost for the round that takes bids.
    Commit {
        /// The seat.
        seat: AskIndex,
        /// The round.
        round: RoundNumber,
        /// The unit cost, unless one is kept for this round already.
        cost: UnitCost,
    },
    /// Open what a seat committed to.
    Reveal {
        /// The seat.
        seat: AskIndex,
        /// The round.
        round: RoundNumber,
    },
    /// Take all capacity of a seat away.
    Leave(AskIndex),
    /// Get the collateral of capacity back that was taken away, or give up a seat that has none left.
    Release(AskIndex),
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Deliver(task) => write!(f, "deliver {task}"),
            Self::Examine(task) => write!(f, "examine {task}"),
            Self::Prove(task) => write!(f, "prove {task}"),
            Self::TakeOver { task, seat } => write!(f, "take over {task} for seat {seat}"),
            Self::Expire(task) => write!(f, "expire {task}"),
            Self::Deposit { ticks } => write!(f, "deposit {ticks} ticks"),
            Self::Register { capacity, cost } => {
                write!(f, "register {capacity} units at {cost} ticks per unit")
            }
            Self::Ask { seat, cost } => write!(f, "ask {cost} ticks per unit for seat {seat}"),
            Self::Withdraw(seat) => write!(f, "withdraw the ask of seat {seat}"),
            Self::Lower { seat, capacity } => write!(f, "lower seat {seat} to {capacity} units"),
            Self::Measure(circuit) => write!(f, "measure circuit {circuit}"),
            // Not the cost: logs are read by more people than offers should be.
            Self::Commit { seat, round, .. } => write!(f, "commit seat {seat} to an ask in round {round}"),
            Self::Reveal { seat, round } => write!(f, "reveal the ask of seat {seat} in round {round}"),
            Self::Leave(seat) => write!(f, "leave seat {seat}"),
            Self::Release(seat) => write!(f, "release seat {seat}"),
        }
    }
}

/// What to do at `now` (seconds of block time), the most urgent first.
#[must_use]
pub fn plan(view: &View, now: u64) -> Vec<Action> {
    let mut actions = tasks::plan(view, now);
    actions.extend(trials::plan(view, &actions, now));
    actions.extend(sealed::reveal(view, now));
    actions.extend(seats::plan(view, now));
    actions
}

#[cfg(test)]
mod tests;
