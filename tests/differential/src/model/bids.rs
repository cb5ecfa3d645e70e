//! Entries in the open: sent by their requesters, or signed by them and sent by anybody.

use super::Model;
use super::refusal::Refusal;
use super::round::{Entry, Placed};
use alloy::primitives::Address;

/// An entry that somebody signed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signed {
    /// Whose signature it bears; `None` if nobody's.
    pub(crate) signer: Option<Address>,
    pub(crate) entry: Entry,
}

impl Model {
    /// `published`: its statements were told in the same transaction, in which calls carry no currency.
    pub(crate) fn submit_bid(
        &mut self,
        caller: Address,
        value: u128,
        entry: Entry,
        published: bool,
    ) -> Result<(), Refusal> {
        self.require_no_value(value, published)?;
        self.require_open_bids()?;
        self.attach(caller, value)?;
        self.check_entry(entry, published)?;
        self.enter(self.current(), caller, entry)
    }

    /// Entries that are released together.
    pub(crate) fn submit_bids(
        &mut self,
        caller: Address,
        value: u128,
        entries: &[Entry],
        published: bool,
    ) -> Result<(), Refusal> {
        self.require_no_value(value, published)?;
        self.require_open_bids()?;
        self.attach(caller, value)?;
        if entries.is_empty() {
            return Err(Refusal::NoBids);
        }
        for entry in entries {
            self.check_entry(*entry, published)?;
        }
        let fee = self.rules.0.settlement_fee;
        self.debit(caller, entries.iter().map(|entry| entry.most(fee)).sum())?;
        let round = self.current();
        let first = self.rounds.entry(round).or_default().count();
        for entry in entries {
            self.place(round, caller, *entry, Some(first));
        }
        self.parcels.insert((caller, round, first));
        Ok(())
    }

    /// Each by itself: one that is refused does not stop the others.
    pub(crate) fn submit_signed(&mut self, bids: &[Signed], published: bool) -> Result<u64, Refusal> {
        self.require_open_bids()?;
        let mut refusal = Refusal::NoBids;
        let mut accepted = 0;
        for bid in bids {
            match self.call(|model| model.enter_signed(*bid, published)) {
                Ok(()) => accepted += 1,
                Err(why) => refusal = why,
            }
        }
        match accepted {
            0 if bids.is_empty() => Err(refusal),
            0 => Err(Refusal::NothingSubmitted(Box::new(refusal))),
            _ => Ok(accepted),
        }
    }

    fn enter_signed(&mut self, bid: Signed, published: bool) -> Result<(), Refusal> {
        let signer = bid.signer.ok_or(Refusal::WrongSignature)?;
        self.check_entry(bid.entry, published)?;
        let round = self.current();
        if self.has_single(round, signer) {
            return Err(Refusal::BidInRoundAlready);
        }
        self.enter(round, signer, bid.entry)
    }

    pub(crate) fn check_entry(&self, entry: Entry, published: bool) -> Result<(), Refusal> {
        if entry.fee == 0 {
            return Err(Refusal::ZeroFee);
        }
        if u64::from(entry.count) > self.rules.max_lot() {
            return Err(Refusal::LotTooLarge);
        }
        if entry.size == 0 || u64::from(entry.size) > self.rules.largest_task() {
            return Err(Refusal::TaskSizeOutOfRange);
        }
        if entry.told && !published { Err(Refusal::NotPublishedHere) } else { Ok(()) }
    }

    /// Takes what an entry may cost. The first that a requester enters by itself in a round comes back by itself; others are released.
    pub(crate) fn enter(&mut self, round: u64, payer: Address, entry: Entry) -> Result<(), Refusal> {
        self.debit(payer, entry.most(self.rules.0.settlement_fee))?;
        if !self.has_single(round, payer) {
            self.place(round, payer, entry, None);
            return Ok(());
        }
        let first = self.rounds.entry(round).or_default().count();
        self.place(round, payer, entry, Some(first));
        self.parcels.insert((payer, round, first));
        Ok(())
    }

    fn place(&mut self, round: u64, payer: Address, entry: Entry, parcel: Option<u32>) {
        let round = self.rounds.entry(round).or_default();
        let first = round.count();
        round.entries.push(Placed { entry, payer, first, parcel });
    }

    fn has_single(&self, round: u64, payer: Address) -> bool {
        let entries = self.rounds.get(&round).map_or(&[][..], |round| &round.entries);
        entries.iter().any(|placed| placed.payer == payer && placed.parcel.is_none())
    }

    fn require_no_value(&self, value: u128, published: bool) -> Result<(), Refusal> {
        if published && value != 0 { Err(Refusal::WrongValue) } else { Ok(()) }
    }

    pub(crate) fn require_open_bids(&self) -> Result<(), Refusal> {
        if self.rules.is_sealed() { Err(Refusal::MarketIsSealed) } else { Ok(()) }
    }
}
