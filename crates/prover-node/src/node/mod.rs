//! The loop: looks at the chain, asks [`plan`](crate::plan::plan) what to do, does it, and again on every change.
//!
//! | module | what is in it |
//! |---|---|
//! | `proving` | what is examined, proved and measured, and what this says of what can be offered |
//! | `observe` | the chain at one moment, as the plan's view of it |
//! | `assigned` | winning tasks that have not ended, from the market's history |
//! | `asks` | this prover's sealed asks |
//! | `memory` | what this process knows beyond the chain |
//! | `desk` | transactions |
//! | `finish` | a stop: what is under way is finished, and nothing else begun |
//! | `watch` | what is counted and told of it, in one place |
//! | `start` | what has to be there before the loop: connection, market, keys |

mod asks;
mod assigned;
mod desk;
mod finish;
mod memory;
mod observe;
mod proving;
mod start;
mod watch;

use std::{future::Future, sync::Arc, time::Duration};

use alloy::rpc::types::TransactionReceipt;
use chain::{Client, FollowError, Follower};

use circuits::{CircuitId, Proof, Task};
use service::{
    Backoff, CANNOT_SEE, DEAR_BATCHES, DELIVERY_REFUSED, FAULTY_OPENING, SMALL_SEAT, Stop,
    TRANSACTION_FAILED, UNPUBLISHED_TASK, openings::Opening, ops::Watch, trouble,
};
use thiserror::Error;
use tokio::{
    task::{JoinError, JoinSet},
    time::sleep,
};

use crate::{
    plan::{Action, Policy, TaskId, Wish, plan, together},
    work::{Pool, ProofError, Published, Unprovable},
};
use assigned::Assigned;
use desk::{Desk, DeskError};
use memory::{Memory, Notice, Progress};
use observe::{ObserveError, Operation, Snapshot};
use proving::Purpose;

pub use start::{StartError, start, work};

/// How long a stop waits for what is under way, unless told otherwise.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// Workers that make proofs.
type ProverPool = Pool<(Purpose, Arc<Task>), Result<Proof, ProofError>>;

/// A prover node that is ready to run.
#[derive(Debug)]
pub struct Node {
    desk: Desk,
    follower: Follower,
    wish: Wish,
    policy: Policy,
    memory: Memory,
    examiner: Pool<(TaskId, Published), Result<Task, Unprovable>>,
    prover: ProverPool,
    /// Threads that one proof uses.
    threads: usize,
    orders: JoinSet<Report>,
    seen: Option<Snapshot>,
    stop: Stop,
    /// Whether nothing new is begun.
    stopping: bool,
    watch: Watch,
}

/// What came of a transaction.
#[derive(Debug)]
struct Report {
    action: Action,
    /// What was delivered with it, if that is the action.
    delivery: Option<Delivered>,
    result: Result<TransactionReceipt, DeskError>,
}

/// Proofs that shared a transaction.
#[derive(Debug)]
struct Delivered {
    tasks: Vec<TaskId>,
    circuit: Option<CircuitId>,
}

impl Report {
    const fn of(action: Action, result: Result<TransactionReceipt, DeskError>) -> Self {
        Self { action, delivery: None, result }
    }
}

/// Why a node gave up. Trouble with the chain is sat out and is none of these.
#[derive(Debug, Error)]
pub enum NodeError {
    /// A bug in this program.
    #[error("a transaction's task broke off: {0}; report this as a bug and start the node again")]
    Broken(#[from] JoinError),
}

impl Node {
    /// Runs until `stop` resolves, or, when leaving, until there is no seat left.
    ///
    /// # Errors
    /// [`NodeError`] on a bug of this program; never for trouble with the chain.
    pub async fn run(mut self, stop: impl Future<Output = ()>) -> Result<(), NodeError> {
        tokio::pin!(stop);
        let mut backoff = Backoff::default();
        loop {
            let pause = self.turn_or_pause(&mut backoff).await;
            if self.has_left() {
                tracing::info!(
                    "no seat is left; what the market owes this prover can be withdrawn (proophi withdraw)"
                );
                return Ok(());
            }
            tokio::select! {
                () = &mut stop => break,
                woken = self.wake(pause) => woken?,
            }
        }
        self.finish().await
    }

    /// Finishes what is under way for as long as `stop` allows, once it is asked to stop.
    #[must_use]
    pub fn stopping(mut self, stop: Stop) -> Self {
        self.stop = stop;
        self
    }

    /// The connection that it sends with.
    #[must_use]
    pub fn client(&self) -> Client {
        self.desk.client.clone()
    }

    /// [`Node::turn`]; how long to wait before the next one, if it failed.
    async fn turn_or_pause(&mut self, backoff: &mut Backoff) -> Duration {
        match self.turn().await {
            Ok(()) => {
                backoff.reset();
                Duration::ZERO
            }
            Err(error) => {
                let pause = backoff.delay();
                self.watch.unreadable(&error);
                trouble!(warn, CANNOT_SEE, %error, ?pause, "cannot see the chain, trying again");
                pause
            }
        }
    }

    /// Waits until there is something new, or for `pause` after a failure.
    async fn wake(&mut self, pause: Duration) -> Result<(), NodeError> {
        tokio::select! {
            finished = self.examiner.finished() => self.examined(finished),
            finished = self.prover.finished() => self.proved(finished),
            Some(report) = self.orders.join_next() => self.reported(&report?),
            () = sleep(pause), if !pause.is_zero() => {}
            // Why it failed shows in the next turn.
            change = self.follower.next_change(), if pause.is_zero() => {
                if let Ok(change) = change {
                    self.watch.read(&change);
                }
            }
        }
        Ok(())
    }

    /// Looks at the chain and starts whatever there is to do now.
    async fn turn(&mut self) -> Result<(), ObserveError> {
        self.look().await?;
        let Some(seen) = self.seen.take() else { return Ok(()) };
        let operation = Operation {
            wish: self.wish,
            policy: self.policy,
            workers: self.prover.workers(),
            running: self.prover.running(),
        };
        let view = seen.view(&self.desk.market, &mut self.memory, &operation);
        watch::view(self.desk.market.id, &view, seen.head.timestamp);
        self.tell_of_limit(&view);
        let mut actions = plan(&view, seen.head.timestamp);
        if self.stopping {
            actions.retain(finish::is_owed);
        }
        for tasks in together(&view, &actions) {
            self.deliver(tasks, &seen);
        }
        for action in actions {
            self.start(action, &seen);
        }
        self.seen = Some(seen);
        Ok(())
    }

    /// Brings what was seen up to the head of the chain.
    async fn look(&mut self) -> Result<(), ObserveError> {
        match self.follower.poll().await {
            Ok(Some(change)) => self.watch.read(&change),
            // A block came while it was read; the next look is soon enough.
            Ok(None) | Err(FollowError::Moving) => {}
            Err(error) => return Err(error.into()),
        }
        let head = self.follower.head();
        if self.seen.as_ref().is_some_and(|seen| seen.head == head) {
            return Ok(());
        }
        let Some(history) = self.follower.market(self.desk.market.id) else { return Ok(()) };
        let seen = Snapshot::take(&self.desk, history, head).await?;
        self.memory.keep(&seen.tasks.keys().copied().collect());
        for assigned in seen.tasks.values().filter(|assigned| seen.is_mine(assigned)) {
            self.tell_of(assigned);
        }
        self.warn_of_small_seats(&seen);
        self.warn_of_openings(&seen);
        self.seen = Some(seen);
        Ok(())
    }

    /// Tells the prover what is new about a task on its seat.
    fn tell_of(&mut self, assigned: &Assigned) {
        let task = assigned.id;
        if self.memory.is_new(task) {
            tracing::info!(%task, "on a seat of this prover");
        }
        match self.memory.known(task).notice(assigned.is_published()) {
            Some(Notice::Missing) => trouble!(
                warn,
                UNPUBLISHED_TASK,
                %task,
                deadline = assigned.deadline(&self.desk.market),
                "nobody has published what this task asks for, so it cannot be proved yet: it will be if that is published before the \
                 deadline. If it is published later, others may take it over and prove it at the cost of this seat's collateral. \
                 Until it is published nobody can end it, and it occupies capacity of the seat"
            ),
            Some(Notice::Published) => tracing::info!(%task, "what it asks for has been published"),
            None => {}
        }
    }

    /// Slashes take capacity for good. A seat with too little of it is in no round any more, which its prover should know.
    fn warn_of_small_seats(&mut self, seen: &Snapshot) {
        let least = self.desk.market.id.least_capacity();
        for seat in seen.seats.iter().filter(|seat| seat.capacity.get() < least) {
            if self.memory.small_seats.insert(seat.seat) {
                trouble!(
                    warn,
                    SMALL_SEAT,
                    seat = %seat.seat,
                    capacity = %seat.capacity,
                    least,
                    "too little capacity is left to take part: raise it (proophi prover capacity), or leave"
                );
            }
        }
    }

    /// What cannot be opened loses its bond, unless its file is put right in time.
    fn warn_of_openings(&mut self, seen: &Snapshot) {
        for fault in seen.asks.faults() {
            if self.memory.faults.insert(fault.to_string()) {
                trouble!(warn, FAULTY_OPENING, %fault, "among the openings of sealed offers");
            }
        }
    }

    fn has_left(&self) -> bool {
        let no_seat = self.seen.as_ref().is_some_and(|seen| seen.seats.is_empty());
        self.wish == Wish::Leave && no_seat && self.orders.is_empty()
    }

    fn start(&mut self, action: Action, seen: &Snapshot) {
        match action {
            Action::Examine(id) => {
                if let Some(assigned) = seen.tasks.get(&id) {
                    self.examine(assigned);
                }
            }
            Action::Prove(id) => {
                if let Some(task) = self.memory.start_proving(id) {
                    tracing::info!(task = %id, circuit = %task.kind(), "proving");
                    self.prover.submit((Purpose::Task(id), task));
                }
            }
            Action::Measure(circuit) => self.measure(circuit),
            // Under way already, with those that it shares a transaction with.
            Action::Deliver(_) => {}
            Action::TakeOver { task: id, .. } | Action::Expire(id) => {
                if let Some(assigned) = seen.tasks.get(&id) {
                    self.order_about_task(action, assigned.clone());
                }
            }
            Action::Commit { seat, round, cost } => {
                self.memory.seats.begin();
                self.order_about_ask(action, seen.asks.to_commit(&self.desk, seat, round, cost));
            }
            Action::Reveal { seat, round } => {
                if let Some(opening) = seen.asks.to_reveal(seat, round) {
                    self.memory.reveals.begin();
                    self.order_about_ask(action, opening);
                }
            }
            Action::Deposit { .. }
            | Action::Register { .. }
            | Action::Ask { .. }
            | Action::Withdraw(_)
            | Action::Lower { .. }
            | Action::Leave(_)
            | Action::Release(_) => {
                self.memory.seats.begin();
                let desk = self.desk.clone();
                self.orders.spawn(async move { Report::of(action, desk.about_seat(action).await) });
            }
        }
    }

    fn deliver(&mut self, mut tasks: Vec<TaskId>, seen: &Snapshot) {
        let mut batch = Vec::new();
        tasks.retain(|id| {
            let known = self.memory.known(*id);
            let (Some(assigned), Progress::Proved(proof)) = (seen.tasks.get(id), &known.progress) else {
                return false;
            };
            batch.push((assigned.clone(), Arc::clone(proof)));
            known.attempts.begin();
            true
        });
        let Some((first, (assigned, _))) = tasks.first().copied().zip(batch.first()) else { return };
        let (action, desk) = (Action::Deliver(first), self.desk.clone());
        let delivery = Some(Delivered { tasks, circuit: assigned.circuit() });
        self.orders
            .spawn(async move { Report { action, delivery, result: desk.deliver(first, &batch).await } });
    }

    fn order_about_ask(&mut self, action: Action, opening: Opening) {
        let desk = self.desk.clone();
        self.orders.spawn(async move { Report::of(action, desk.about_ask(action, &opening).await) });
    }

    fn order_about_task(&mut self, action: Action, assigned: Assigned) {
        self.memory.known(assigned.id).attempts.begin();
        let desk = self.desk.clone();
        self.orders.spawn(async move { Report::of(action, desk.about_task(action, &assigned).await) });
    }

    fn reported(&mut self, report: &Report) {
        let now = self.follower.head().timestamp;
        let action = report.action;
        watch::reported(action, &report.result);
        match &report.result {
            Ok(receipt) => {
                tracing::info!(%action, block = receipt.block_number, gas = receipt.gas_used, "done");
            }
            Err(error) if error.is_lost_race() => {
                tracing::info!(%action, %error, "too late, or others were faster");
            }
            Err(error) => trouble!(warn, TRANSACTION_FAILED, %action, %error, "failed"),
        }
        if let Some(delivery) = &report.delivery {
            for id in &delivery.tasks {
                self.delivered(*id, &report.result, now);
            }
            self.learn_cost(delivery, &report.result);
            return;
        }
        let attempts = match action {
            Action::TakeOver { task: id, .. } | Action::Expire(id) => {
                let Some(known) = self.memory.get_mut(id) else { return };
                &mut known.attempts
            }
            Action::Reveal { .. } => &mut self.memory.reveals,
            _ => &mut self.memory.seats,
        };
        match &report.result {
            Ok(receipt) => attempts.succeeded(receipt.block_number.unwrap_or_default()),
            Err(_) if matches!(action, Action::Reveal { .. }) => attempts.failed_in_a_hurry(now),
            Err(_) => attempts.failed(now),
        }
    }

    /// Compares what proofs cost together with what they cost alone. One that is refused costs more than its place in a batch.
    fn learn_cost(&mut self, delivery: &Delivered, result: &Result<TransactionReceipt, DeskError>) {
        let (Some(circuit), Ok(receipt)) = (delivery.circuit, result) else { return };
        let gas = receipt.gas_used;
        match delivery.tasks.as_slice() {
            [_] => self.memory.costs.alone(circuit, gas),
            tasks if tasks.iter().any(|id| self.desk.has_refused(receipt, *id)) => {}
            tasks => {
                let count = u64::try_from(tasks.len()).unwrap_or(u64::MAX);
                if self.memory.costs.together(circuit, count, gas) {
                    trouble!(
                        warn, DEAR_BATCHES, %circuit, count, gas,
                        "proofs together cost more than alone, delivering one by one from now on"
                    );
                }
            }
        }
    }

    /// What came of one task's delivery, which a batch may have been mined without.
    fn delivered(&mut self, id: TaskId, result: &Result<TransactionReceipt, DeskError>, now: u64) {
        let Some(known) = self.memory.get_mut(id) else { return };
        match result {
            Ok(receipt) if self.desk.has_refused(receipt, id) => {
                trouble!(warn, DELIVERY_REFUSED, task = %id, "refused, while others of its batch were delivered");
                known.attempts.failed(now);
            }
            Ok(receipt) => known.attempts.succeeded(receipt.block_number.unwrap_or_default()),
            Err(_) => known.attempts.failed(now),
        }
    }
}
