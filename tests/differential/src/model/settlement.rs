//! What a round comes to, by the crate `clearing`, at once or page by page.

use super::Model;
use super::refusal::Refusal;
use super::round::{Decided, State};
use super::tasks::Task;
use alloy::primitives::Address;
use clearing::{Outcome, clear_with_certificate, verify_with_signal};
use market_types::{Bid, Round as Closed, RoundNumber, TaskSize, UnitFee};

/// What the pages of a settlement have left: whose they are and how many bids each has, from the last on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Left {
    /// Bids before the last page.
    pub(crate) before: u32,
    pub(crate) shares: Vec<(Address, u32)>,
}

impl Model {
    /// The round as the mechanism sees it.
    pub(crate) fn closed_round(&self, round: u64) -> Closed {
        let terms = self.terms_at(round);
        let bids = self.rounds[&round].entries.iter().flat_map(|placed| {
            let fee = UnitFee::new(placed.entry.fee).expect("a fee");
            let size = TaskSize::new(placed.entry.size).expect("a size");
            std::iter::repeat_n(Bid { fee, size }, placed.entry.count.into())
        });
        let number = RoundNumber::new(round);
        Closed::new(number, terms.cap, terms.reserve, bids.collect(), self.offers(round)).expect("a round")
    }

    /// `right`: with the round's certificate and all of its bids.
    pub(crate) fn settle(&mut self, caller: Address, round: u64, right: bool) -> Result<(), Refusal> {
        self.require_settleable(round)?;
        if !right {
            return Err(Refusal::WrongClaim);
        }
        let bids = self.rounds[&round].count();
        self.accept(round, &[(caller, bids)]);
        Ok(())
    }

    /// A page of the round's certificate that begins behind `before` bids, after what a settler has left.
    pub(crate) fn settle_page(
        &mut self,
        caller: Address,
        round: u64,
        after: Option<(Address, &Left)>,
        before: u32,
    ) -> Result<(), Refusal> {
        self.require_settleable(round)?;
        let (end, mut shares) = match after {
            None => (self.rounds[&round].count(), Vec::new()),
            Some((settler, left)) if self.pages.get(&(round, settler)) == Some(left) => {
                (left.before, left.shares.clone())
            }
            Some(_) => return Err(Refusal::WrongProgress),
        };
        shares.push((caller, end - before));
        if before == 0 {
            self.accept(round, &shares);
        } else {
            self.pages.insert((round, caller), Left { before, shares });
        }
        Ok(())
    }

    fn require_settleable(&self, round: u64) -> Result<(), Refusal> {
        let known = self.rounds.get(&round).filter(|round| !round.entries.is_empty());
        let known = known.ok_or(Refusal::NothingToSettle)?;
        match known.state {
            State::Settled(_) => Err(Refusal::RoundSettledAlready),
            _ if self.now < self.rules.reveal_by(round) => Err(Refusal::RoundOpen),
            State::Void => Err(Refusal::RoundVoid),
            State::Open => Ok(()),
        }
    }

    fn accept(&mut self, number: u64, shares: &[(Address, u32)]) {
        let mechanism = self.rules.0.mechanism;
        let closed = self.closed_round(number);
        let (outcome, certificate) = clear_with_certificate(mechanism, &closed);
        let winners = outcome.winning_bids.iter().map(|index| index.get()).collect();
        let decided = Decided { winners, prices: outcome.prices, units: outcome.units };
        self.resolve(number, State::Settled(decided));
        self.assign(number, &outcome);
        for (settler, bids) in shares {
            self.credit(*settler, u128::from(*bids) * u128::from(self.rules.0.settlement_fee));
        }
        let (_, signal) = verify_with_signal(mechanism, &closed, &certificate).expect("its own certificate");
        let controllers = self.rules.0.controllers().expect("bounds");
        let next = controllers.next(self.terms_at(number + 1), self.terms_at(number), signal);
        self.terms.insert(number + 2, next);
    }

    /// Puts every winning task on its prover's seat. What rounding leaves of the revenue goes to the sink.
    fn assign(&mut self, number: u64, outcome: &Outcome) {
        let mut charged = 0;
        let mut held = 0;
        for (index, seat) in outcome.assignment() {
            let round = self.rounds.get_mut(&number).expect("it is settled");
            let at = round.entries.iter().rfind(|placed| placed.first <= index.get()).expect("its bid");
            let (entry, seat) = (at.entry, usize::try_from(seat.get()).expect("a seat"));
            charged += round.charge(entry.fee, entry.size);
            held += round.held(entry.fee, entry.size);
            round.tasks.insert(index.get(), Task::new(entry, seat));
            self.seats[seat].load += u64::from(entry.size);
        }
        self.surplus += charged - held;
    }
}
