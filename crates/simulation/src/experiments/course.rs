//! A market through time, with terms that move or stay: round `n` sets the terms of round `n + 2`, as on chain, by the same
//! code.

use super::common::{Competitive, Customary};
use crate::account::{Accounts, Penalties, account};
use crate::book::{Bidder, Book, bid};
use crate::distribution::{narrow, positive};
use crate::market::{NO_CAP, Scenario};
use crate::random::Stream;
use clearing::{Bounds, Controllers, Terms, certificate, verify_with_signal};
use market_types::{CapacityCap, ReservePrice};

/// Rounds that are played before the first one shown, so that the terms have settled.
pub(super) const BEFORE: u64 = 120;
pub(super) const SHOWN: usize = 160;
/// The factor of demand in a round counted from the first one shown.
pub(super) type Shape = fn(u64) -> f64;

/// How terms are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Policy {
    /// The reserve price never below half of the competitive price.
    Moving,
    /// The reserve price never below a twentieth of it.
    MovingLow,
    /// What `Moving` could be without moving: the cap at twice the competitive quantity, the reserve at its floor.
    Steady,
    /// The cap at the competitive quantity before anything happens, and no reserve price.
    Tight,
    /// No cap, no reserve price.
    Free,
}

impl Policy {
    /// The least reserve price, in ticks per unit.
    pub(super) fn floor(self, competitive: Competitive) -> u64 {
        match self {
            Self::Moving | Self::Steady => positive(competitive.price * 0.5),
            Self::MovingLow => positive(competitive.price * 0.05),
            Self::Tight | Self::Free => 0,
        }
    }

    /// The cap of the first round, in units.
    pub(super) fn cap(self, competitive: Competitive) -> u64 {
        match self {
            Self::Moving | Self::MovingLow | Self::Steady => competitive.cap(2.0),
            Self::Tight => competitive.cap(1.0),
            Self::Free => NO_CAP,
        }
    }
}

/// One round of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    pub(super) cap: f64,
    pub(super) reserve: f64,
    pub(super) units: f64,
    pub(super) welfare: f64,
    pub(super) best: f64,
    pub(super) requesters: f64,
    pub(super) payments: f64,
    pub(super) washer: f64,
}

/// Wash bids of somebody outside the market in the rounds from 30 on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Washer {
    /// In all, in units.
    pub(super) units: u32,
    /// Unit fee, in ticks.
    pub(super) fee: u64,
    /// In how many rounds.
    pub(super) rounds: u64,
}

/// A market through time.
pub(super) struct Course {
    pub(super) market: Customary,
    pub(super) competitive: Competitive,
    pub(super) policy: Policy,
    pub(super) demand: Shape,
    pub(super) washer: Option<Washer>,
}

impl Course {
    /// The rounds shown of one run.
    pub(super) fn play(&self, random: &mut Stream) -> Vec<Shown> {
        let controllers = self.controllers();
        // Terms of this round and of the next.
        let mut terms = [self.first_terms(); 2];
        let mut shown = Vec::new();
        for number in 0..BEFORE + SHOWN as u64 {
            let now = terms[0];
            let scenario = Scenario {
                cap: now.cap.get(),
                reserve: now.reserve.get(),
                requesters: self.requesters(number),
                ..self.market.scenario
            };
            let population = scenario.draw(random);
            let mut book = self.market.book(&population);
            self.wash(number, &mut book, population.provers.len(), population.max_task);
            let round = book.round(&scenario, number);
            let certificate = certificate(scenario.mechanism, &round);
            let (outcome, signal) = verify_with_signal(scenario.mechanism, &round, &certificate)
                .expect("the certificate of a round is accepted");
            let next = match self.policy {
                Policy::Moving | Policy::MovingLow => controllers.next(terms[1], now, signal),
                Policy::Steady | Policy::Tight | Policy::Free => terms[1],
            };
            terms = [terms[1], next];
            if number >= BEFORE {
                let accounts = account(&population, &book, &outcome, Penalties::default());
                shown.push(Shown::of(&accounts, scenario, population.optimum(NO_CAP).welfare));
            }
        }
        shown
    }

    fn requesters(&self, number: u64) -> u32 {
        let factor = number.checked_sub(BEFORE).map_or(1.0, self.demand);
        narrow(positive(f64::from(self.market.scenario.requesters) * factor))
    }

    /// Adds the wash bids of somebody who is neither requester nor prover.
    fn wash(&self, number: u64, book: &mut Book, nobody: usize, max_task: u32) {
        let Some(washer) = self.washer else { return };
        let since = number.checked_sub(BEFORE + 30);
        if since.is_none_or(|since| since >= washer.rounds) {
            return;
        }
        let mut left = washer.units;
        while left > 0 {
            let size = left.min(max_task);
            book.submit_bid(Bidder::Wash(nobody), bid(washer.fee, size));
            left -= size;
        }
    }

    fn first_terms(&self) -> Terms {
        let cap = self.policy.cap(self.competitive);
        let reserve = match self.policy {
            Policy::Moving | Policy::MovingLow => positive(self.competitive.price),
            other => other.floor(self.competitive),
        };
        Terms { cap: CapacityCap::new(cap).unwrap_or(CapacityCap::MIN), reserve: ReservePrice::new(reserve) }
    }

    /// The cap may go from a quarter to eight times the competitive quantity, the reserve from its floor to four
    /// times the price.
    fn controllers(&self) -> Controllers {
        let cap = |part| CapacityCap::new(self.competitive.cap(part)).unwrap_or(CapacityCap::MIN);
        let reserve = |part: f64| ReservePrice::new(positive(self.competitive.price * part));
        Controllers {
            cap: Bounds::new(cap(0.25), cap(8.0)).expect("a quarter is below eight times"),
            reserve: Bounds::new(ReservePrice::new(self.policy.floor(self.competitive)), reserve(4.0))
                .expect("at most a half"),
        }
    }
}

impl Shown {
    fn of(accounts: &Accounts, scenario: Scenario, best: f64) -> Self {
        Self {
            cap: scenario.cap as f64,
            reserve: scenario.reserve as f64,
            units: accounts.units as f64,
            welfare: accounts.welfare as f64,
            best,
            requesters: accounts.requesters_total() as f64,
            payments: (accounts.payments + accounts.wash) as f64,
            washer: -accounts.wash as f64,
        }
    }
}
