//! Everybody's account, replayed from the contract's events alone. The audit compares it with what the contract says.
//!
//! All amounts are ticks. Sums are plain additions on 256 bits, which no ledger of 96-bit amounts can fill.

use alloy::primitives::{Address, B256, U256};
use bindings::ProverMarket;
use chain::BidWord;
use chain::events::{Event, Place, delivered_task};
use market_types::Mechanism;
use serde::Serialize;
use std::collections::BTreeMap;

use crate::amount::as_text;

/// What happened to one account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Statement {
    /// Put in.
    #[serde(serialize_with = "as_text")]
    pub(crate) deposited: U256,
    /// Taken out.
    #[serde(serialize_with = "as_text")]
    pub(crate) withdrawn: U256,
    /// Paid for winning bids.
    #[serde(serialize_with = "as_text")]
    pub(crate) paid: U256,
    /// Paid towards settlement with every bid, and for taking seats.
    #[serde(serialize_with = "as_text")]
    pub(crate) fees: U256,
    /// Got back for tasks that ended without a proof.
    #[serde(serialize_with = "as_text")]
    pub(crate) refunds: U256,
    /// Got out of the collateral of provers that missed a deadline.
    #[serde(serialize_with = "as_text")]
    pub(crate) compensation: U256,
    /// Earned with proofs.
    #[serde(serialize_with = "as_text")]
    pub(crate) earned: U256,
    /// Earned by proving what another prover had not.
    #[serde(serialize_with = "as_text")]
    pub(crate) bounties: U256,
    /// Earned by settling rounds.
    #[serde(serialize_with = "as_text")]
    pub(crate) rewards: U256,
    /// Collateral lost.
    #[serde(serialize_with = "as_text")]
    pub(crate) slashed: U256,
    /// Lost for commitments that were not opened.
    #[serde(serialize_with = "as_text")]
    pub(crate) bonds: U256,
}

impl Statement {
    /// All that came in.
    pub(crate) fn credits(&self) -> U256 {
        self.deposited + self.refunds + self.compensation + self.earned + self.bounties + self.rewards
    }

    /// All that went out, money withdrawn included.
    pub(crate) fn debits(&self) -> U256 {
        self.withdrawn + self.paid + self.fees + self.slashed + self.bonds
    }

    /// What the market still owes the account, collateral included; `None` if more went out than came in.
    pub(crate) fn claim(&self) -> Option<U256> {
        self.credits().checked_sub(self.debits())
    }
}

#[derive(Debug, Clone, Copy)]
struct Bid {
    requester: Address,
    fee: u64,
    size: u64,
    /// What is held for its task until it ends (ticks); 0 if it lost.
    held: U256,
}

/// What of a market's parameters its accounts depend on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) mechanism: Mechanism,
    /// What taking a seat costs (ticks).
    pub(crate) seat_fee: u64,
    /// What every bid pays whoever settles it (ticks).
    pub(crate) settlement_fee: u64,
}

/// The accounts of one market.
#[derive(Debug)]
pub(crate) struct Accounts {
    rules: Rules,
    statements: BTreeMap<Address, Statement>,
    owners: BTreeMap<U256, Address>,
    bids: BTreeMap<(u64, u64), Bid>,
    sink: SinkAccount,
}

/// What the market's sink is owed: what it was given less what was handed out of it.
#[derive(Debug, Default, Clone, Copy)]
struct SinkAccount {
    given: U256,
    taken: U256,
}

impl Accounts {
    /// Replays events of one market, in the order of the chain.
    pub(crate) fn replay(rules: Rules, events: impl IntoIterator<Item = Event>) -> Self {
        let mut accounts = Self {
            rules,
            statements: BTreeMap::new(),
            owners: BTreeMap::new(),
            bids: BTreeMap::new(),
            sink: SinkAccount::default(),
        };
        for event in events {
            accounts.apply(&event);
        }
        accounts
    }

    /// The account of `who`, empty if nothing ever happened to it.
    pub(crate) fn of(&self, who: Address) -> Statement {
        self.statements.get(&who).cloned().unwrap_or_default()
    }

    /// Every account that something happened to.
    pub(crate) fn all(&self) -> impl Iterator<Item = (Address, &Statement)> {
        self.statements.iter().map(|(who, statement)| (*who, statement))
    }

    /// What waits for the sink; `None` if it gave more than it got.
    pub(crate) fn surplus(&self) -> Option<U256> {
        self.sink.given.checked_sub(self.sink.taken)
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Deposited(e) => self.entry(e.account).deposited += e.amount,
            Event::Withdrawn(e) => self.entry(e.account).withdrawn += e.amount,
            Event::SurplusCollected(e) => self.sink.taken += e.amount,
            Event::BidSubmitted(e) => self.submitted_at(e.place, &[e.word]),
            Event::BidsSubmitted(e) => self.submitted_at(e.place, &e.words),
            Event::SignedBidsSubmitted(e) => {
                let entries = e.bids.iter().map(|bid| (bid.requester, bid.entry));
                self.submitted(e.round.wrapping_to(), e.firstIndex.wrapping_to(), entries);
            }
            Event::SeatRegistered(e) => {
                self.owners.insert(e.seat, e.prover);
                let fee = U256::from(self.rules.seat_fee);
                self.entry(e.prover).fees += fee;
                self.sink.given += fee;
            }
            Event::SeatSlashed(e) => {
                if let Some(owner) = self.owners.get(&e.seat).copied() {
                    self.entry(owner).slashed += e.loss;
                    self.sink.given += e.loss;
                }
            }
            // A commitment moves money within the account only: what is opened is free again, or a bid.
            Event::Forfeited(e) => {
                self.entry(e.account).bonds += e.bond;
                self.sink.given += e.bond;
            }
            Event::RoundSettled(e) => self.settled(e),
            Event::TaskDelivered(e) => self.delivered(e),
            Event::TasksDelivered(e) => {
                for task in &e.tasks {
                    let (index, seat) = delivered_task(*task);
                    self.delivered(&ProverMarket::TaskDelivered {
                        id: e.id,
                        round: e.round,
                        index,
                        seat,
                        payment: e.payment,
                        bounty: U256::ZERO,
                        compensation: U256::ZERO,
                    });
                }
            }
            Event::TaskExpired(e) => {
                if let Some(bid) = self.task(e.round, e.index) {
                    self.entry(bid.requester).refunds += e.refund;
                    self.sink.given += bid.held;
                    self.sink.taken += e.refund;
                }
            }
            _ => {}
        }
    }

    /// The bids of one requester's entries, of which the first is at `place`.
    fn submitted_at(&mut self, place: U256, words: &[B256]) {
        // The contract tells of no other place.
        let Ok(Place { requester, round, first_index }) = Place::try_from(place) else { return };
        let entries = words.iter().map(|word| (requester, *word));
        self.submitted(round.get(), first_index.get().into(), entries);
    }

    /// The bids of entries, of which the first begins at `index`, each with who posted it.
    fn submitted(&mut self, round: u64, mut index: u64, entries: impl Iterator<Item = (Address, B256)>) {
        for (requester, word) in entries {
            // The contract takes no entry that this would not read.
            let Ok(word) = BidWord::try_from(word) else { continue };
            let (fee, size) = (word.fee().get(), word.size().get().into());
            let bid = Bid { requester, fee, size, held: U256::ZERO };
            for _ in 0..word.count().get() {
                self.bids.insert((round, index), bid);
                index += 1;
            }
        }
    }

    fn settled(&mut self, event: &ProverMarket::RoundSettled) {
        let (round, fee) = (event.round.wrapping_to::<u64>(), U256::from(self.rules.settlement_fee));
        for share in &event.shares {
            // `settler (160) | bids of its page (64)`
            let (settler, bids) = (Address::from_word(share.wrapping_shr(64).into()), share.as_limbs()[0]);
            self.entry(settler).rewards += U256::from(bids) * fee;
        }
        let keys = (round, 0)..=(round, u64::MAX);
        let bids: Vec<((u64, u64), Bid)> = self.bids.range(keys).map(|(key, bid)| (*key, *bid)).collect();
        for (key, bid) in bids {
            let (paid, held) = self.price(event, key.1, &bid);
            let statement = self.entry(bid.requester);
            statement.fees += fee;
            statement.paid += paid;
            // What is not held for the task is the sink's at once: the dust of the average.
            self.sink.given += paid - held;
            self.bids.insert(key, Bid { held, ..bid });
        }
    }

    /// What a bid pays, and what of that is held until its task ends (ticks).
    fn price(&self, event: &ProverMarket::RoundSettled, index: u64, bid: &Bid) -> (U256, U256) {
        let (price, pivot) = (event.certificate.pivotFee, u64::from(event.certificate.pivotIndex));
        if bid.fee < price || (bid.fee == price && index >= pivot) {
            return (U256::ZERO, U256::ZERO);
        }
        let size = U256::from(bid.size);
        match self.rules.mechanism {
            Mechanism::Core => (U256::from(price) * size, U256::from(price) * size),
            Mechanism::AverageFee => {
                let share = event.revenue * size / U256::from(event.certificate.units.max(1));
                (U256::from(bid.fee) * size, share)
            }
        }
    }

    fn delivered(&mut self, event: &ProverMarket::TaskDelivered) {
        let Some(bid) = self.task(event.round, event.index) else { return };
        self.entry(bid.requester).compensation += event.compensation;
        if let Some(owner) = self.owners.get(&event.seat).copied() {
            let statement = self.entry(owner);
            statement.earned += event.payment;
            statement.bounties += event.bounty;
        }
        self.sink.given += bid.held;
        self.sink.taken += event.payment + event.bounty + event.compensation;
    }

    fn task(&self, round: U256, index: U256) -> Option<Bid> {
        self.bids.get(&(round.wrapping_to::<u64>(), index.wrapping_to::<u64>())).copied()
    }

    fn entry(&mut self, who: Address) -> &mut Statement {
        self.statements.entry(who).or_default()
    }
}

#[cfg(test)]
mod tests;
