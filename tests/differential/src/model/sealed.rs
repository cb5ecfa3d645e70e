//! Commitments of a sealed market, and what opens or ends them. A commitment is a hash here, too: that it binds what it is made of is
//! the hash's affair.

use super::Model;
use super::refusal::Refusal;
use super::round::Entry;
use super::seats::NO_ASK;
use alloy::primitives::{Address, B256};

/// What stands behind a commitment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stake {
    /// The seat of an ask; `None` for a bid.
    pub(crate) seat: Option<usize>,
    pub(crate) deposit: u128,
    /// What of it is lost if it is never opened.
    pub(crate) bond: u128,
}

/// What opens the commitment to a bid.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opening {
    pub(crate) requester: Address,
    /// The commitment that it opens in the round that closed last.
    pub(crate) commitment: B256,
    pub(crate) entry: Entry,
}

impl Model {
    pub(crate) fn commit_bid(
        &mut self,
        caller: Address,
        value: u128,
        commitment: B256,
        deposit: u128,
        round: u64,
    ) -> Result<(), Refusal> {
        self.require_sealed()?;
        self.attach(caller, value)?;
        let bond = self.rules.bond(deposit);
        if deposit < bond {
            return Err(Refusal::DepositTooSmall);
        }
        self.commit(caller, round, commitment, Stake { seat: None, deposit, bond })
    }

    pub(crate) fn commit_ask(
        &mut self,
        caller: Address,
        value: u128,
        seat: usize,
        commitment: B256,
        round: u64,
    ) -> Result<(), Refusal> {
        self.require_sealed()?;
        self.attach(caller, value)?;
        let prover = self.acts_for(caller, seat)?;
        let bond = self.rules.bond(self.rules.collateral(self.seats[seat].capacity));
        self.commit(prover, round, commitment, Stake { seat: Some(seat), deposit: bond, bond })
    }

    fn commit(&mut self, who: Address, round: u64, commitment: B256, stake: Stake) -> Result<(), Refusal> {
        if round != self.current() {
            return Err(Refusal::RoundNotOpen);
        }
        if self.stakes.contains_key(&(who, round, commitment)) {
            return Err(Refusal::CommitmentExists);
        }
        self.debit(who, stake.deposit)?;
        self.stakes.insert((who, round, commitment), stake);
        Ok(())
    }

    /// Each by itself: one that is refused does not stop the others.
    pub(crate) fn reveal_bids(&mut self, openings: &[Opening], published: bool) -> Result<u64, Refusal> {
        let round = self.revealing()?;
        let mut refusal = Refusal::NoOpenings;
        let mut revealed = 0;
        for opening in openings {
            match self.call(|model| model.reveal_bid(round, *opening, published)) {
                Ok(()) => revealed += 1,
                Err(why) => refusal = why,
            }
        }
        match revealed {
            0 if openings.is_empty() => Err(refusal),
            0 => Err(Refusal::NothingRevealed(Box::new(refusal))),
            _ => Ok(revealed),
        }
    }

    fn reveal_bid(&mut self, round: u64, opening: Opening, published: bool) -> Result<(), Refusal> {
        self.check_entry(opening.entry, published)?;
        let key = (opening.requester, round, opening.commitment);
        let stake = self.stakes.get(&key).copied().filter(|stake| stake.seat.is_none());
        let stake = stake.ok_or(Refusal::UnknownCommitment)?;
        if opening.entry.most(self.rules.0.settlement_fee) > stake.deposit {
            return Err(Refusal::DepositTooSmall);
        }
        self.stakes.remove(&key);
        self.credit(opening.requester, stake.deposit);
        self.enter(round, opening.requester, opening.entry)
    }

    /// `commitment`: what these make together.
    pub(crate) fn reveal_ask(&mut self, seat: usize, cost: u64, commitment: B256) -> Result<(), Refusal> {
        let round = self.revealing()?;
        if cost == NO_ASK {
            return Err(Refusal::InvalidCost);
        }
        let prover = self.seats.get(seat).ok_or(Refusal::UnknownCommitment)?.prover;
        let key = (prover, round, commitment);
        let stake = self.stakes.get(&key).copied().filter(|stake| stake.seat == Some(seat));
        let stake = stake.ok_or(Refusal::UnknownCommitment)?;
        let at_close = &mut self.rounds.entry(round).or_default().book[seat];
        if at_close.cost.is_some() {
            return Err(Refusal::AskRevealedAlready);
        }
        at_close.cost = Some(cost);
        self.stakes.remove(&key);
        self.credit(prover, stake.deposit);
        Ok(())
    }

    /// Ends what was not opened in time. Returns what its account gets back.
    pub(crate) fn forfeit(
        &mut self,
        account: Address,
        round: u64,
        commitment: B256,
    ) -> Result<u128, Refusal> {
        self.require_sealed()?;
        if self.now < self.rules.reveal_by(round) {
            return Err(Refusal::RevealOpen);
        }
        let stake = self.stakes.remove(&(account, round, commitment)).ok_or(Refusal::UnknownCommitment)?;
        self.credit(account, stake.deposit - stake.bond);
        self.surplus += stake.bond;
        Ok(stake.deposit - stake.bond)
    }

    /// The round that closed last, if its commitments can still be opened.
    fn revealing(&self) -> Result<u64, Refusal> {
        self.require_sealed()?;
        let round = self.current().checked_sub(1).ok_or(Refusal::RoundOpen)?;
        if self.now < self.rules.reveal_by(round) { Ok(round) } else { Err(Refusal::RevealClosed) }
    }

    fn require_sealed(&self) -> Result<(), Refusal> {
        if self.rules.is_sealed() { Ok(()) } else { Err(Refusal::MarketIsOpen) }
    }
}
