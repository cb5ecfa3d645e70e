//! One schedule: the life of one round, with its faults.

use crate::blocks::Blocks;
use crate::dice::Dice;
use crate::disk;
use crate::fault::{Class, Fault, Kind, Phase, Schedule, Target};
use crate::properties::{Books, Ending, Violation, check};
use crate::world::{PROVER, SECOND, Serving, World};
use alloy::primitives::Address;
use market_types::RoundNumber;
use serde_json::json;
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
/// Looks that a fault lasts at most, unless its phase is over before.
const LONGEST: u64 = 50;
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

    fn is_due(&self, fault: &Fault) -> bool {
        let by_calls = matches!(fault.class(), Class::Answer | Class::Send | Class::Outage)
            || fault.class() == Class::Kill && fault.kind != Kind::KilledAnytime;
        // A proof takes a while, in which things happen as well.
        let pace = if self.phase == Phase::Proving { 1 + fault.chance % 6 } else { 1 };
        fault.phase == self.phase && (by_calls || self.looks - self.phase_began >= fault.wait * pace)
    }

    async fn is_over(&self, number: usize, fault: &Fault, since: u64) -> bool {
        let (lasted, phase) = (self.looks - since, self.phase);
        match fault.class() {
            Class::Answer => self.serving(fault.target).gate.is_over(number) || lasted > LONGEST,
            Class::Send | Class::Kill => {
                self.serving(fault.target).gate.is_over(number)
                    || phase != fault.phase
                    || lasted > 4 * LONGEST
            }
            Class::Chain | Class::Disk => lasted >= fault.length,
            Class::Outage => lasted > 10 || phase != fault.phase,
            Class::Company => {
                let ended = match phase {
                    Phase::Bidding => false,
                    Phase::Settling => self.world.blocks.time >= self.world.market.settle_by(self.round),
                    Phase::Proving => self.world.task(self.round).await >= 3,
                };
                ended || lasted > 20 * LONGEST
            }
        }
    }

    fn serving(&self, target: Target) -> &Serving {
        if target == Target::Relayer { &self.world.relayer } else { &self.world.prover }
    }

    fn serving_mut(&mut self, target: Target) -> &mut Serving {
        if target == Target::Relayer { &mut self.world.relayer } else { &mut self.world.prover }
    }

    async fn begin(&mut self, number: usize, fault: Fault) {
        match fault.kind {
            Kind::KilledAnytime => {
                self.serving(fault.target).program.kill();
            }
            Kind::Reorg => {
                let depth =
                    1 + (fault.chance >> 8) % [4, 16, 64][usize::try_from(fault.chance % 3).unwrap_or(0)];
                let (senders, since) = (self.senders(), self.since);
                let Self { world, dice, .. } = self;
                self.lost += world.blocks.reorganise(&world.bed.anvil, depth, (&senders, since), dice).await;
            }
            Kind::FeeSpike => self.world.blocks.spike = true,
            // It has run away at the beginning.
            Kind::ClockOff => {}
            Kind::DiskFull => {
                let program = &mut self.serving_mut(fault.target).program;
                program.kill();
                program.start(Some(8));
            }
            Kind::JournalLocked => self.lock = disk::Lock::take(&self.serving(fault.target).journal).await,
            Kind::JournalTruncated => {
                let serving = self.serving_mut(fault.target);
                serving.program.kill();
                let cut = disk::truncate(&serving.journal, fault.chance);
                serving.program.start(None);
                self.cut = cut;
            }
            Kind::SecondRelayer => self.invite(number, "second", SECOND),
            Kind::TwinProver => self.invite(number, "twin", PROVER),
            _ => {
                self.serving(fault.target).gate.begin(number, fault);
                if fault.class() == Class::Answer {
                    self.world.observer.gate.begin(number, fault);
                }
            }
        }
    }

    fn invite(&mut self, number: usize, name: &'static str, account: usize) {
        let mut serving = self.world.company(name, account);
        serving.program.start(None);
        self.company.insert(number, serving);
    }

    async fn end(&mut self, number: usize, fault: Fault) {
        let effects = match fault.kind {
            Kind::KilledAnytime | Kind::Reorg => 1,
            Kind::JournalTruncated => self.cut,
            Kind::FeeSpike => {
                self.world.blocks.spike = false;
                1
            }
            Kind::ClockOff => u64::from(self.world.clock_off() >= 3_600),
            Kind::DiskFull => {
                let program = &mut self.serving_mut(fault.target).program;
                program.kill();
                // It could not write, or not even start.
                let said = program.said();
                let refused = said.rsplit("---- start").next().is_some_and(|last| last.contains("disk"));
                program.start(None);
                u64::from(refused)
            }
            Kind::JournalLocked => match self.lock.take() {
                Some(lock) => lock.release().await,
                None => 0,
            },
            Kind::SecondRelayer | Kind::TwinProver => {
                let company = self.company.remove(&number);
                company.map_or(0, |serving| u64::from(serving.program.ready.is_some()))
            }
            Kind::Outage => {
                let market = &self.world.market;
                let until = match fault.target {
                    Target::Relayer => market.settle_by(self.round),
                    Target::Prover => market.final_at(self.round),
                };
                if self.phase == fault.phase {
                    self.world.mine(until).await;
                }
                self.serving(fault.target).gate.end(number)
            }
            _ => {
                self.world.observer.gate.end(number);
                self.serving(fault.target).gate.end(number)
            }
        };
        self.states[number] = State::Over(effects);
        self.outcome.effects.push((fault.kind, effects));
        self.healed = Instant::now();
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

    fn is_active(&self, kind: Kind, target: Target) -> bool {
        let mut faults = self.schedule.faults.iter().zip(&self.states);
        faults.any(|(fault, state)| {
            fault.kind == kind && fault.target == target && matches!(state, State::Active(_))
        })
    }

    /// Waits until nothing waits any more and the programs have read everything.
    async fn quieten(&mut self) -> Option<Violation> {
        self.company.clear();
        let began = Instant::now();
        let mut quiet = 0;
        loop {
            self.look_after_the_end().await;
            let (pending, queued) = Blocks::waiting(&self.world.bed.anvil).await;
            let missing = self.missing().await;
            quiet = if pending + queued == 0 && missing.is_none() { quiet + 1 } else { 0 };
            if quiet >= 3 {
                return None;
            }
            if began.elapsed() > BACK_AT_WORK {
                let pool = self.world.bed.anvil.request("txpool_content", json!([])).await;
                let what = missing.unwrap_or_else(|| format!("transactions that wait for ever: {pool}"));
                return Some(Violation { property: "nothing-left", what });
            }
        }
    }

    async fn look_after_the_end(&mut self) {
        sleep(STEP).await;
        self.supervise().await;
        let (pending, queued) = Blocks::waiting(&self.world.bed.anvil).await;
        self.idle += 1;
        // The heads of programs are compared between two blocks.
        if pending > 0 || self.idle >= if queued > 0 { IDLE } else { 3 * IDLE } {
            self.idle = 0;
            self.world.mine(0).await;
        }
    }

    /// What a program has not done or read yet.
    async fn missing(&self) -> Option<String> {
        for serving in [&self.world.relayer, &self.world.prover] {
            let name = serving.program.name;
            if serving.program.ready.is_none() {
                return Some(format!("{name} is not ready"));
            }
            let head = serving.program.metric("proophi_head_block");
            #[allow(clippy::cast_precision_loss, reason = "a short chain")]
            if head != Some(self.world.blocks.number as f64) {
                return Some(format!("{name} has read up to block {head:?} of {}", self.world.blocks.number));
            }
        }
        let observer = self.world.observer.follower.lock().await;
        let waiting = observer.market(self.world.market.id).map_or(0, |history| history.bundles().count());
        let behind = observer.head().number != self.world.blocks.number;
        drop(observer);
        if behind {
            return Some("the follower in this process is behind".to_owned());
        }
        (waiting > 0).then(|| format!("{waiting} bundles wait to be released"))
    }
}

impl Fault {
    const fn class(&self) -> Class {
        self.kind.class()
    }
}
