//! What a fault does, from when to when, and what came of it.

use super::{Run, State};
use crate::disk;
use crate::fault::{Class, Fault, Kind, Phase, Target};
use crate::world::{PROVER, SECOND, Serving};
use std::time::Instant;

/// Looks that a fault lasts at most, unless its phase is over before.
const LONGEST: u64 = 50;

impl Run<'_> {
    pub(super) fn is_due(&self, fault: &Fault) -> bool {
        let by_calls = matches!(fault.class(), Class::Answer | Class::Send | Class::Outage)
            || fault.class() == Class::Kill && fault.kind != Kind::KilledAnytime;
        // A proof takes a while, in which things happen as well.
        let pace = if self.phase == Phase::Proving { 1 + fault.chance % 6 } else { 1 };
        fault.phase == self.phase && (by_calls || self.looks - self.phase_began >= fault.wait * pace)
    }

    pub(super) async fn is_over(&self, number: usize, fault: &Fault, since: u64) -> bool {
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

    pub(super) fn serving(&self, target: Target) -> &Serving {
        if target == Target::Relayer { &self.world.relayer } else { &self.world.prover }
    }

    pub(super) fn serving_mut(&mut self, target: Target) -> &mut Serving {
        if target == Target::Relayer { &mut self.world.relayer } else { &mut self.world.prover }
    }

    pub(super) async fn begin(&mut self, number: usize, fault: Fault) {
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

    pub(super) async fn end(&mut self, number: usize, fault: Fault) {
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

    pub(super) fn is_active(&self, kind: Kind, target: Target) -> bool {
        let mut faults = self.schedule.faults.iter().zip(&self.states);
        faults.any(|(fault, state)| {
            fault.kind == kind && fault.target == target && matches!(state, State::Active(_))
        })
    }
}

impl Fault {
    const fn class(&self) -> Class {
        self.kind.class()
    }
}
