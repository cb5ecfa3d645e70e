//! One schedule: the life of one round, with its faults.
//!
//! | module | what is in it |
//! |---|---|
//! | `inflict` | what a fault does, from when to when, and what came of it |
//! | `quiet` | after the end: what has to come to rest |
//! | this one | the life of the round, and the harness's look at it |

mod inflict;
mod quiet;

use crate::blocks::Blocks;
use crate::dice::Dice;
use crate::disk;
use crate::fault::{Kind, Phase, Schedule, Target};
use crate::properties::{Books, Ending, Violation, check};
use crate::world::{SECOND, Serving, World};
use alloy::primitives::Address;
use market_types::RoundNumber;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Between two looks of the harness.
const STEP: Duration = Duration::from_millis(30);
/// Looks between two blocks without a transaction.
const IDLE: u64 = 14;
/// Seconds between such blocks.
const PACE: u64 = 4;
/// Looks of the phase in which bids are taken.
const BIDDING: u64 = 8;
/// Three blocks of twelve seconds.
pub(crate) const BACK_AT_WORK: Duration = Duration::from_secs(36);
/// From the start of a process to its readiness, or from the last fault if that is later.
pub(crate) const RUNNING_AGAIN: Duration = Duration::from_secs(5);
/// A program that ended by itself is started again after so long, as a supervisor does.
const SUPERVISED: Duration = Duration::from_millis(300);

/// What came of a schedule.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Faults that were begun, with their effects.
    pub(crate) effects: Vec<(Kind, u64)>,
    pub(crate) violations: Vec<Violation>,
    /// From the end of the last fault to the end of the round.
    pub(crate) recovery: Duration,
    /// Slowest start of a process.
    pub(crate) slowest_start: Duration,
    pub(crate) settled: bool,
}

impl From<Violation> for Outcome {
    fn from(violation: Violation) -> Self {
        Self { violations: vec![violation], ..Self::default() }
    }
}

/// How far a fault is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    /// Since this look.
    Active(u64),
    Over(u64),
}

pub(crate) struct Run<'a> {
    pub(crate) world: &'a mut World,
    pub(crate) schedule: &'a Schedule,
    pub(crate) round: RoundNumber,
    /// The last block before the schedule.
    pub(crate) since: u64,
    states: Vec<State>,
    phase: Phase,
    /// Looks, of all and at the beginning of the phase.
    looks: u64,
    phase_began: u64,
    idle: u64,
    /// The block at which it was looked whether the round has ended.
    looked_at: u64,
    healed: Instant,
    company: BTreeMap<usize, Serving>,
    lock: Option<disk::Lock>,
    /// Whether a journal was cut off.
    cut: u64,
    outcome: Outcome,
    pub(crate) said: [usize; 2],
    /// Transactions that reorganisations have taken away.
    pub(crate) lost: u64,
    dice: Dice,
}

/// Runs a schedule in a world in which nothing is under way.
pub(crate) async fn run(world: &mut World, schedule: &Schedule) -> Outcome {
    let hours = schedule.faults.iter().find(|fault| fault.kind == Kind::ClockOff);
    let later = hours.map_or(0, |fault| 3_600 * (2 + fault.chance % 7));
    let now = world.blocks.time + later;
    let round = RoundNumber::new(world.market.id.round_at(now).expect("an open market").get() + 1);
    let open = world.market.id.open_of(round);
    world.mine(open).await;
    let said = [&world.relayer, &world.prover].map(|serving| serving.program.said().len());
    let (since, states) = (world.blocks.number, vec![State::Waiting; schedule.faults.len()]);
    let before = Books::of(world).await;
    let mut run = Run {
        world,
        schedule,
        round,
        since,
        states,
        phase: Phase::Bidding,
        looks: 0,
        phase_began: 0,
        idle: 0,
        looked_at: 0,
        healed: Instant::now(),
        company: BTreeMap::new(),
        lock: None,
        cut: 0,
        outcome: Outcome::default(),
        said,
        lost: 0,
        dice: Dice::new(!schedule.seed),
    };
    run.bidding().await;
    let ending = run.until_ended().await;
    let quiet = run.quieten().await;
    run.outcome.settled = ending != Some(Ending::Void);
    let mut violations = check(&run, &before, ending).await;
    violations.extend(quiet);
    violations.append(&mut run.outcome.violations);
    run.outcome.violations = violations;
    run.outcome
}

impl Run<'_> {
    /// Whether a kind of fault was begun.
    pub(crate) fn had(&self, kind: Kind) -> bool {
        let faults = self.schedule.faults.iter().zip(&self.states);
        faults.into_iter().any(|(fault, state)| fault.kind == kind && *state != State::Waiting)
    }

    /// Whether an outage of this target was begun.
    pub(crate) fn had_outage(&self, target: Target) -> bool {
        let mut faults = self.schedule.faults.iter().zip(&self.states);
        faults.any(|(fault, state)| {
            fault.kind == Kind::Outage && fault.target == target && *state != State::Waiting
        })
    }

    pub(crate) const fn recovery(&self) -> Duration {
        self.outcome.recovery
    }

    pub(crate) const fn slowest_start(&self) -> Duration {
        self.outcome.slowest_start
    }

    /// Accounts of programs.
    pub(crate) fn senders(&self) -> [Address; 3] {
        [self.world.relayer.sender, self.world.prover.sender, self.world.address(SECOND)]
    }

    async fn bidding(&mut self) {
        self.world.post(self.schedule.losers).await;
        let last = Instant::now();
        while self.looks < BIDDING || !self.has_company() && last.elapsed() < RUNNING_AGAIN {
            self.look().await;
        }
        self.enter(Phase::Settling);
        let close = self.world.market.close_of(self.round);
        self.world.mine(close).await;
    }

    fn has_company(&self) -> bool {
        self.company.values().all(|serving| serving.program.ready.is_some())
    }

    fn enter(&mut self, phase: Phase) {
        if phase != self.phase {
            (self.phase, self.phase_began) = (phase, self.looks);
        }
    }

    /// Goes on until the round and its tasks have ended and all faults are over; how that was.
    async fn until_ended(&mut self) -> Option<Ending> {
        loop {
            self.look().await;
            let ending = self.ending().await;
            let over = self.states.iter().zip(&self.schedule.faults).all(|(state, fault)| {
                matches!(state, State::Over(_)) || *state == State::Waiting && fault.phase != self.phase
            });
            if ending.is_some() && over {
                // What was healed after the end had nothing left to do.
                self.outcome.recovery = self.healed.elapsed();
                return ending;
            }
            if over && self.healed.elapsed() > BACK_AT_WORK {
                self.outcome.recovery = self.healed.elapsed();
                return None;
            }
        }
    }

    /// How the round has ended, if it has; enters the phase that it is in.
    async fn ending(&mut self) -> Option<Ending> {
        if self.looked_at == self.world.blocks.number {
            return None;
        }
        self.looked_at = self.world.blocks.number;
        if !self.world.is_settled(self.round).await {
            self.enter(Phase::Settling);
            let void = self.world.blocks.time >= self.world.market.settle_by(self.round);
            return void.then_some(Ending::Void);
        }
        self.enter(Phase::Proving);
        match self.world.task(self.round).await {
            3 => Some(Ending::Delivered),
            4 => Some(Ending::Expired),
            _ => None,
        }
    }

    /// One look at everything: begins and ends faults, starts what has ended, mines what waits.
    async fn look(&mut self) {
        sleep(STEP).await;
        self.looks += 1;
        for number in 0..self.states.len() {
            let fault = self.schedule.faults[number];
            match self.states[number] {
                State::Waiting if self.is_due(&fault) => {
                    self.states[number] = State::Active(self.looks);
                    self.begin(number, fault).await;
                }
                State::Active(since) if self.is_over(number, &fault, since).await => {
                    self.end(number, fault).await;
                }
                _ => {}
            }
        }
        self.supervise().await;
        let (pending, _) = Blocks::waiting(&self.world.bed.anvil).await;
        self.idle += 1;
        if pending > 0 || self.idle >= IDLE {
            let time = if pending > 0 { 0 } else { self.world.blocks.time + PACE };
            self.idle = 0;
            self.world.mine(time).await;
        }
    }

    /// Starts what was killed or has ended, and notes when it is ready.
    async fn supervise(&mut self) {
        for target in [Target::Relayer, Target::Prover] {
            let full = self.is_active(Kind::DiskFull, target);
            let disturbed = self.serving(target).gate.disturbed();
            let serving = self.serving_mut(target);
            let was_ready = serving.program.ready.is_some();
            serving.program.look();
            if let (false, Some(ready)) = (was_ready, serving.program.ready) {
                let from = disturbed.map_or(serving.program.started, |at| at.max(serving.program.started));
                let took = ready.saturating_duration_since(from);
                self.outcome.slowest_start = self.outcome.slowest_start.max(took);
                continue;
            }
            match serving.program.running() {
                Ok(true) => {}
                Ok(false) if !full && serving.program.started.elapsed() > SUPERVISED => {
                    serving.program.start(None);
                }
                Ok(false) => {}
                // It is started again after a while.
                Err(_) => {
                    if disk::is_refused(&serving.program.said()) {
                        disk::remove(&serving.journal);
                    }
                }
            }
        }
        self.company.values_mut().for_each(|serving| serving.program.look());
    }
}
