//! What happens to a winning task: delivered by its holder, taken over after a default, or expired.

use super::Model;
use super::refusal::Refusal;
use super::round::Entry;
use super::rules::share;
use alloy::primitives::Address;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Delivered,
    Expired,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Assigned,
    Defaulted,
    Expirable,
    Delivered,
    Expired,
}

#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) named: Address,
    pub(crate) told: bool,
    pub(crate) fee: u64,
    pub(crate) size: u32,
    /// Whoever was to prove it, in order, each with the first second of its default; the assigned prover's is the round's.
    pub(crate) holders: Vec<(usize, Option<u64>)>,
    pub(crate) end: Option<End>,
}

impl Task {
    pub(crate) fn new(entry: Entry, seat: usize) -> Self {
        let Entry { named, fee, size, told, .. } = entry;
        Self { named, told, fee, size, holders: vec![(seat, None)], end: None }
    }

    /// Those of `holders` who owe for their default: not the assigned prover if it was not told what to prove.
    fn owes(&self, holder: usize) -> bool {
        self.told || holder != 0
    }
}

/// What is wrong with a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    /// It names a task that is not the round's.
    Task,
    /// It proves something else.
    Statement,
    /// Its proof does not hold.
    Proof,
}

impl Model {
    pub(crate) fn deliver(&mut self, round: u64, index: u32, flaw: Flaw) -> Result<(), Refusal> {
        self.open_task(round, index, flaw)?;
        if self.now >= self.holder_deadline(round, index) {
            return Err(Refusal::TaskInDefault);
        }
        match flaw {
            Flaw::Statement => return Err(Refusal::WrongStatement),
            Flaw::Proof => return Err(Refusal::ProofRejected),
            Flaw::None | Flaw::Task => {}
        }
        self.pay_delivery(round, index);
        Ok(())
    }

    /// Each by itself: one that is refused does not stop the others. Tells which were delivered.
    pub(crate) fn deliver_batch(
        &mut self,
        round: u64,
        deliveries: &[(u32, Flaw)],
    ) -> Result<Vec<bool>, Refusal> {
        let results: Vec<_> = deliveries.iter().map(|(at, flaw)| self.deliver(round, *at, *flaw)).collect();
        if results.iter().all(Result::is_err) {
            let last = results.into_iter().next_back().and_then(Result::err).expect("a delivery");
            return Err(Refusal::NothingDelivered(Box::new(last)));
        }
        Ok(results.iter().map(Result::is_ok).collect())
    }

    /// `named`: with who asked for it and what for. Returns the taker's deadline.
    pub(crate) fn take_over(
        &mut self,
        caller: Address,
        (round, index): (u64, u32),
        seat: usize,
        named: bool,
    ) -> Result<u64, Refusal> {
        self.open_task(round, index, Flaw::None)?;
        if !named {
            return Err(Refusal::TaskNotNamed);
        }
        if self.now < self.holder_deadline(round, index) {
            return Err(Refusal::TaskNotInDefault);
        }
        let final_at = self.rules.final_at(round);
        let task = self.task(round, index);
        let (size, takers) = (u64::from(task.size), task.holders.len() - 1);
        if self.now >= final_at || takers == usize::from(self.rules.0.max_takeovers) {
            return Err(Refusal::TaskNotTakeable);
        }
        if task.holders.iter().any(|(holder, _)| *holder == seat) {
            return Err(Refusal::HeldBefore);
        }
        self.acts_for(caller, seat)?;
        if self.free_for_takeover(seat) < size {
            return Err(Refusal::CapacityTaken);
        }
        self.seats[seat].load += size;
        let deadline = (self.now + self.rules.0.takeover_period).min(final_at);
        self.task_mut(round, index).holders.push((seat, Some(deadline)));
        Ok(deadline)
    }

    /// Of a task that nobody names the refund goes to the sink, later.
    pub(crate) fn expire(&mut self, round: u64, index: u32, named: bool) -> Result<(), Refusal> {
        self.open_task(round, index, Flaw::None)?;
        let final_at = self.rules.final_at(round);
        let more = if named { 0 } else { final_at - self.rules.settle_by(round) };
        if self.now < final_at + more {
            return Err(Refusal::TaskNotExpirable);
        }
        let task = self.task(round, index).clone();
        let held = self.rounds[&round].held(task.fee, task.size);
        let payment = self.rounds[&round].charge(task.fee, task.size).min(held);
        let penalty = share(payment.min(self.rules.collateral(task.size.into())), self.rules.0.penalty_bps);
        let refund = if named { payment - penalty } else { 0 };

        self.task_mut(round, index).end = Some(End::Expired);
        let lost = self.dismiss(&task, task.holders.len(), penalty);
        self.credit(task.named, refund);
        self.surplus += held - refund + lost;
        Ok(())
    }

    pub(crate) fn status(&self, round: u64, index: u32) -> Status {
        match self.task(round, index).end {
            Some(End::Delivered) => Status::Delivered,
            Some(End::Expired) => Status::Expired,
            None if self.now >= self.rules.final_at(round) => Status::Expirable,
            None if self.now >= self.holder_deadline(round, index) => Status::Defaulted,
            None => Status::Assigned,
        }
    }

    fn pay_delivery(&mut self, round: u64, index: u32) {
        let task = self.task(round, index).clone();
        let held = self.rounds[&round].held(task.fee, task.size);
        let payment = self.rounds[&round].pay(task.size);
        let collateral = self.rules.collateral(task.size.into());
        let defaulters = task.holders.len() - 1;

        self.task_mut(round, index).end = Some(End::Delivered);
        let lost = self.dismiss(&task, defaulters, collateral);
        // Each default is shared by itself.
        let shares = |bps| (0..defaulters).filter(|at| task.owes(*at)).map(|_| share(collateral, bps)).sum();
        let (bounty, compensation): (u128, u128) =
            (shares(self.rules.0.bounty_bps), shares(self.rules.0.compensation_bps));
        let seat = task.holders[defaulters].0;
        self.seats[seat].load -= u64::from(task.size);
        self.credit(self.seats[seat].prover, payment + bounty);
        self.credit(task.named, compensation);
        self.surplus += held - payment + lost - bounty - compensation;
    }

    /// Takes the task off the seats of its first `count` holders; each who owes loses `loss`. Returns all that was lost.
    fn dismiss(&mut self, task: &Task, count: usize, loss: u128) -> u128 {
        let mut lost = 0;
        for (at, (seat, _)) in task.holders.iter().take(count).enumerate() {
            let loss = if task.owes(at) { loss } else { 0 };
            self.slash(*seat, task.size.into(), loss);
            lost += loss;
        }
        lost
    }

    fn open_task(&self, round: u64, index: u32, flaw: Flaw) -> Result<(), Refusal> {
        let known = self.rounds.get(&round).and_then(|round| round.tasks.get(&index));
        match known {
            Some(_) if flaw == Flaw::Task => Err(Refusal::UnknownTask),
            None => Err(Refusal::UnknownTask),
            Some(task) if task.end.is_some() => Err(Refusal::TaskEnded),
            Some(_) => Ok(()),
        }
    }

    fn holder_deadline(&self, round: u64, index: u32) -> u64 {
        let last = self.task(round, index).holders.last().and_then(|(_, deadline)| *deadline);
        last.unwrap_or_else(|| self.rules.prove_by(round))
    }

    pub(crate) fn task(&self, round: u64, index: u32) -> &Task {
        &self.rounds[&round].tasks[&index]
    }

    fn task_mut(&mut self, round: u64, index: u32) -> &mut Task {
        let round = self.rounds.get_mut(&round).expect("its round");
        round.tasks.get_mut(&index).expect("the task")
    }
}
