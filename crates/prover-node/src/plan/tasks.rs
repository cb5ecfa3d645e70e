//! Tasks: prove what is held, take over what pays, expire what is dead. When to deliver is decided in `deliveries`.
//!
//! The deadlines are those of the contract: at `deadline` exactly the holder is in default, at `final_at` exactly nobody
//! can take the task over any more.

use market_types::{AskIndex, Units};

use super::{
    Action, Expire, Stage, TaskView, View, Wish, deliveries, limit,
    pace::{Job, all_in_time},
};

pub(super) fn plan(view: &View, now: u64) -> Vec<Action> {
    let mut held: Vec<&TaskView> =
        view.tasks.iter().filter(|task| now < task.deadline && is_mine(view, task.holder())).collect();
    held.sort_by_key(|task| (task.deadline, task.id));

    let mut actions = deliveries::plan(view, &held, now);
    actions.extend(prove(view, &held, now));
    actions.extend(held.iter().filter_map(|task| examine(task)));
    actions.extend(take_over(view, &held, now));
    actions.extend(view.tasks.iter().filter(|task| is_dead(view, task, now)).map(|t| Action::Expire(t.id)));
    actions
}

fn is_mine(view: &View, seat: AskIndex) -> bool {
    view.seats.iter().any(|mine| mine.seat == seat)
}

fn can_send(task: &TaskView, now: u64) -> bool {
    !task.busy && now >= task.retry_at
}

fn examine(task: &TaskView) -> Option<Action> {
    (task.stage == Stage::Unexamined).then_some(Action::Examine(task.id))
}

/// Fills idle workers, earliest deadline first. A task that is expected to come too late is tried only when a worker would
/// otherwise have nothing to do: the estimate may be wrong, but must not make another task late.
fn prove(view: &View, held: &[&TaskView], now: u64) -> Vec<Action> {
    let idle = view.workers.saturating_sub(view.running);
    let mut waiting: Vec<_> = held.iter().filter(|task| task.stage == Stage::Ready).collect();
    waiting.sort_by_key(|task| {
        let too_late = now.saturating_add(view.seconds_for(task)) >= task.deadline;
        (too_late, task.deadline, task.id)
    });
    waiting.into_iter().take(idle).map(|task| Action::Prove(task.id)).collect()
}

/// Tasks of others worth taking over, the best paid per unit first, as many as can be proved in time besides those held.
fn take_over(view: &View, held: &[&TaskView], now: u64) -> Vec<Action> {
    let Wish::Serve { .. } = view.wish else { return Vec::new() };
    if !view.policy.takeovers || limit::keeps_failing(view) {
        return Vec::new();
    }
    let (under_way, mut offers): (Vec<&TaskView>, Vec<_>) =
        view.tasks.iter().filter(|task| is_on_offer(view, task, now)).partition(|task| task.busy);
    // Compares a/b with c/d as a*d with c*b: rewards are below 2^101 ticks and sizes below 2^32 units, held at the top.
    offers.sort_by(|a, b| {
        let left = reward(view, a).saturating_mul(u128::from(b.size.get()));
        let right = reward(view, b).saturating_mul(u128::from(a.size.get()));
        right.cmp(&left).then(a.id.cmp(&b.id))
    });
    let mut load = Load::of(view, held, now);
    for task in under_way {
        // Counted as if it succeeds, so that what it needs is not given away twice.
        load.take(view, task, now);
    }
    offers
        .into_iter()
        .filter_map(|task| match task.stage {
            Stage::Unexamined => Some(Action::Examine(task.id)),
            Stage::Ready | Stage::Proved if can_send(task, now) => load.take(view, task, now),
            _ => None,
        })
        .collect()
}

/// Whether the contract lets this prover take the task over, and the reward covers what it asks.
/// It never takes over what it let default itself: it would fail for the same reason again.
fn is_on_offer(view: &View, task: &TaskView, now: u64) -> bool {
    let Wish::Serve { cost, .. } = view.wish else { return false };
    let asked = u128::from(cost.get()) * u128::from(task.size.get());
    now >= task.deadline
        && now < task.final_at
        && task.takers.len() < view.rules.max_takeovers
        && !view.seats.iter().any(|mine| task.was_held_by(mine.seat))
        && reward(view, task) >= asked
}

/// What a delivery after taking the task over would earn (ticks): the payment, and a bounty out of the collateral of everybody who
/// held it. The contract rounds one share down and multiplies it.
fn reward(view: &View, task: &TaskView) -> u128 {
    let collateral = u128::from(task.size.get()) * u128::from(view.rules.collateral_per_unit);
    let bounty = collateral * u128::from(view.rules.bounty_bps) / 10_000;
    let defaulters = task.takers.len() as u128 + 1;
    task.payment.saturating_add(bounty * defaulters)
}

/// What the seats hold and the workers have to do, as takeovers are added one by one. What is not published yet may be any time.
struct Load {
    takeable: Vec<(AskIndex, Units)>,
    jobs: Vec<Job>,
}

impl Load {
    /// Held tasks that are already too late are left out: nothing can make them any later.
    fn of(view: &View, held: &[&TaskView], now: u64) -> Self {
        let unproved = |task: &&&TaskView| !matches!(task.stage, Stage::Proved | Stage::Unprovable);
        let job = |task: &&TaskView| Job { deadline: task.deadline, seconds: view.seconds_for(task) };
        let in_time = |job: &Job| now.saturating_add(job.seconds) < job.deadline;
        let jobs = held.iter().filter(unproved).map(job).filter(in_time).collect();
        let takeable = view.seats.iter().map(|seat| (seat.seat, seat.takeable)).collect();
        Self { takeable, jobs }
    }

    fn take(&mut self, view: &View, task: &TaskView, now: u64) -> Option<Action> {
        let deadline = now.saturating_add(view.rules.takeover_period).min(task.final_at);
        let job = Job { deadline, seconds: view.seconds_for(task) };
        if !self.fits(view, task, job, now) {
            return None;
        }
        let (seat, free) = self.takeable.iter_mut().max_by_key(|(_, free)| *free)?;
        if *free < Units::from(task.size) {
            return None;
        }
        *free = free.saturating_sub(task.size.into());
        self.jobs.push(job);
        Some(Action::TakeOver { task: task.id, seat: *seat })
    }

    /// Before the first proof has been measured, only as much as can be begun at once.
    fn fits(&self, view: &View, task: &TaskView, job: Job, now: u64) -> bool {
        if !view.paces.of(task.circuit).is_known() {
            return self.jobs.len() < view.workers;
        }
        let mut jobs = self.jobs.clone();
        jobs.push(job);
        all_in_time(jobs, view.workers, now)
    }
}

fn is_dead(view: &View, task: &TaskView, now: u64) -> bool {
    let wanted = match view.policy.expire {
        Expire::Never => false,
        Expire::Own => view.seats.iter().any(|mine| task.was_held_by(mine.seat)),
        Expire::All => true,
    };
    wanted && task.stage != Stage::Unpublished && now >= task.final_at && can_send(task, now)
}
