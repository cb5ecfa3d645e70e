//! What wash bids do to the terms, and what they cost.

use super::market::{HIGHEST, LARGEST, Load, bid, offers, round, terms};
use clearing::{Controllers, Outcome, Signal, Terms, certificate, verify_with_signal};
use market_types::{Ask, Bid, Mechanism};

/// Bids that nobody needs proved: tasks of the largest size, all at one fee.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wash {
    /// Total size, in units.
    pub(crate) units: u32,
    /// Unit fee, in ticks per unit.
    pub(crate) fee: u32,
}

/// A round with and without wash bids.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effect {
    /// The terms that follow without them.
    pub(crate) without: Terms,
    /// The terms that follow with them.
    pub(crate) with: Terms,
    /// What the round says without them.
    pub(crate) honest: Signal,
    /// What the round says with them.
    pub(crate) washed: Signal,
    /// What the wash bids pay, in ticks: lost to a washer that is not a prover as well.
    pub(crate) paid: u128,
    /// What provers get for proving them, in ticks: the most that comes back to a washer that owns provers, who
    /// then has to prove.
    pub(crate) earned: u128,
}

/// What `wash` does to a round with these offers under terms that have settled.
pub(crate) fn effect(
    mechanism: Mechanism,
    controllers: Controllers,
    now: Terms,
    (honest, asks): (Vec<Bid>, Vec<Ask>),
    wash: Wash,
) -> Effect {
    let settle = |bids: Vec<Bid>| -> (Outcome, Signal) {
        let taking_part = bids.into_iter().filter(|bid| bid.fee.get() >= now.reserve.get()).collect();
        let round = round(7, now, taking_part, asks.clone());
        verify_with_signal(mechanism, &round, &certificate(mechanism, &round)).unwrap()
    };
    // The wash bids come last, so those are they that follow the honest ones that take part.
    let first = honest.iter().filter(|bid| bid.fee.get() >= now.reserve.get()).count();
    let task = bid(wash.fee, LARGEST);
    let mut bids = honest.clone();
    bids.extend(std::iter::repeat_n(task, (wash.units / LARGEST) as usize));

    let (_, honest) = settle(honest);
    let (outcome, washed) = settle(bids);
    let won = outcome.winning_bids.iter().filter(|index| index.get() as usize >= first).count() as u128;
    Effect {
        without: controllers.next(now, now, honest),
        with: controllers.next(now, now, washed),
        honest,
        washed,
        paid: won * outcome.prices.charge(task.fee, task.size).get(),
        earned: won * outcome.prices.pay_down(task.size, outcome.units).get(),
    }
}

/// The market that is washed: terms that have settled under its load.
pub(crate) fn settled_market(mechanism: Mechanism) -> (Terms, (Vec<Bid>, Vec<Ask>)) {
    let now = match mechanism {
        Mechanism::Core => terms(1_560, 207),
        Mechanism::AverageFee => terms(2_000, 1),
    };
    (now, offers(7, Load::of(1_000, 4_000)))
}

/// Wash bids of every volume and fee that matter in it.
pub(crate) fn attempts() -> impl Iterator<Item = Wash> {
    let fees = (1..=20).map(|step| step * HIGHEST / 10);
    fees.flat_map(|fee| (0..=40).map(move |step| Wash { units: step * 4 * LARGEST, fee }))
}
