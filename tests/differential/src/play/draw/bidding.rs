//! Bids and asks, in the open or sealed.

use super::super::call::{Call, Wanted};
use super::super::cast::LARGEST;
use super::Draw;
use crate::model::round::Entry;
use alloy::primitives::{Address, B256};
use rand::{Rng, seq::IndexedRandom};

impl<R: Rng> Draw<'_, R> {
    pub(super) fn bid(&mut self) -> Call {
        let published = self.rng.random_bool(0.6);
        match self.rng.random_range(0..20) {
            0..8 => {
                let by = *self.play.cast.requesters().choose(self.rng).expect("requesters");
                let bid = self.wanted(by, published);
                let needed = bid.entry.most(self.play.model.rules.0.settlement_fee);
                let value = if published && !self.rarely() { 0 } else { self.value(by, needed) };
                Call::Bid { by, value, bid, published }
            }
            8..18 => {
                let by = *self.play.cast.requesters().choose(self.rng).expect("requesters");
                let count = if self.rarely() { 0 } else { self.rng.random_range(1..6) };
                let bids: Vec<Wanted> = (0..count).map(|_| self.wanted(by, published)).collect();
                let fee = self.play.model.rules.0.settlement_fee;
                let needed = bids.iter().map(|bid| bid.entry.most(fee)).sum();
                let value = if published && !self.rarely() { 0 } else { self.value(by, needed) };
                Call::Bids { by, value, bids, published }
            }
            18 => {
                let count = if self.rarely() { 0 } else { self.rng.random_range(1..4) };
                let bids = (0..count).map(|_| self.signed(published)).collect();
                Call::Signed { bids, published }
            }
            _ => {
                let wallet = self.play.cast.wallet;
                let count = self.rng.random_range(1..3);
                let bids = (0..count).map(|_| (!self.rarely(), self.wanted(wallet, published))).collect();
                Call::Wallet { bids, published }
            }
        }
    }

    pub(super) fn signed(&mut self, published: bool) -> (Option<usize>, Wanted) {
        let signer = self.rng.random_range(0..self.play.cast.signers.len());
        let bid = self.wanted(self.play.cast.signers[signer].address(), published);
        // What is no word cannot be signed by the tools.
        let signs = bid.bid_word().is_some() && !self.rarely();
        (signs.then_some(signer), bid)
    }

    pub(super) fn publish(&mut self) -> Call {
        let at = self.rng.random_range(0..self.known.untold.len());
        Call::Publish(self.known.untold.swap_remove(at))
    }

    pub(super) fn commit_bid(&mut self) -> Call {
        let by = *self.play.cast.requesters().choose(self.rng).expect("requesters");
        let told = self.rng.random_bool(0.7);
        let bid = self.wanted(by, told);
        let salt = B256::from(self.rng.random::<[u8; 32]>());
        let least = bid.entry.most(self.play.model.rules.0.settlement_fee);
        let deposit = if self.rarely() { least / 2 } else { least + self.rng.random_range(0..20) };
        let round = self.round_to_commit();
        let value = self.value(by, deposit);
        self.known.bids.push((round, by, bid, salt));
        Call::CommitBid { by, value, bid, salt, deposit, round }
    }

    pub(super) fn commit_ask(&mut self) -> Call {
        let (seat, by) = self.seat();
        let prover = self.play.model.seats.get(seat).map_or(by, |seat| seat.prover);
        let (cost, salt) = (self.rng.random_range(0..10), B256::from(self.rng.random::<[u8; 32]>()));
        let round = self.round_to_commit();
        let collateral = self.play.model.seats.get(seat).map_or(0, |seat| seat.capacity);
        let bond = self.play.model.rules.bond(self.play.model.rules.collateral(collateral));
        let value = self.value(by, bond);
        self.known.asks.push((round, seat, cost, salt, prover));
        Call::CommitAsk { by, value, seat, prover, cost, salt, round }
    }

    /// Opens an ask, or some bids, most often of the round that closed last.
    pub(super) fn reveal(&mut self) -> Call {
        let last = self.play.model.current().saturating_sub(1);
        let asks: Vec<_> = self.known.asks.iter().filter(|(round, ..)| *round == last).copied().collect();
        let open = |round: u64, seat: usize, cost: u64, salt, prover| {
            let commitment = self.play.ask_commitment(round, prover, seat, cost, salt);
            self.play.model.stakes.contains_key(&(prover, round, commitment))
        };
        let waiting: Vec<_> = asks.iter().filter(|(r, s, c, salt, p)| open(*r, *s, *c, *salt, *p)).collect();
        if let Some((_, seat, cost, salt, _)) = waiting.choose(self.rng).filter(|_| self.rng.random_bool(0.7))
        {
            return Call::RevealAsk { seat: *seat, cost: *cost, salt: *salt };
        }
        let rarely = self.rarely();
        let published = self.rng.random_bool(0.9);
        let bids: Vec<_> = self.known.bids.iter().filter(|(round, ..)| *round == last || rarely).collect();
        let count = self.rng.random_range(1..6);
        let bids = bids.choose_multiple(self.rng, count).map(|(_, by, bid, salt)| (*by, *bid, *salt));
        Call::RevealBids { bids: bids.collect(), published }
    }

    pub(super) fn forfeit(&mut self) -> Call {
        let late = |round: u64| self.play.model.now >= self.play.model.rules.reveal_by(round);
        let all: Vec<_> = self.play.model.stakes.keys().copied().collect();
        let due: Vec<_> = all.iter().copied().filter(|(_, round, _)| late(*round)).collect();
        let chosen = if self.rarely() { all.choose(self.rng) } else { due.choose(self.rng) };
        let unknown = (self.sender(), 0, B256::repeat_byte(1));
        let (account, round, commitment) = chosen.copied().unwrap_or(unknown);
        Call::Forfeit { account, round, commitment }
    }

    pub(super) fn wanted(&mut self, named: Address, published: bool) -> Wanted {
        let told = if self.rarely() { !published } else { published };
        let sealed = self.play.model.rules.is_sealed();
        let mut entry = Entry {
            named: if self.rng.random_bool(0.1) { self.anybody() } else { named },
            fee: self.rng.random_range(1..16),
            size: self.rng.random_range(1..=LARGEST),
            count: if sealed || self.rng.random_bool(0.7) { 1 } else { self.rng.random_range(2..5) },
            told,
        };
        match self.rng.random_range(0..150) {
            0 => entry.fee = 0,
            1 => entry.size = 0,
            2 => entry.size = LARGEST + 1,
            3 => (entry.count, entry.told) = (1 << 14, false),
            4 => entry.count = 2,
            _ => {}
        }
        self.known.nonce += 1;
        let wanted = Wanted { entry, nonce: self.known.nonce };
        if !entry.told && entry.count < 8 {
            self.known.untold.push(wanted);
        }
        wanted
    }

    pub(super) fn round_to_commit(&mut self) -> u64 {
        let current = self.play.model.current();
        if self.rarely() { current + 1 } else { current }
    }

    pub(super) fn committed(&self, round: u64) -> bool {
        self.play.model.stakes.keys().any(|(_, of, _)| *of == round)
    }
}
