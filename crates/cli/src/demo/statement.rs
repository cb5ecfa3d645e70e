//! Everybody's account, replayed from the contract's events alone. The audit compares it with what the contract says.
//!
//! All amounts are ticks. Sums are plain additions on 256 bits, which no ledger of 96-bit amounts can fill.

use alloy::primitives::{Address, U256};
use bindings::ProverMarket;
use chain::events::{BidHead, Event};
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
    /// Paid for winning bids, at the user price.
    #[serde(serialize_with = "as_text")]
    pub(crate) paid: U256,
    /// Paid towards settlement, with every bid.
    #[serde(serialize_with = "as_text")]
    pub(crate) settlement_fees: U256,
    /// Got back for tasks that ended without a proof.
    #[serde(serialize_with = "as_text")]
    pub(crate) refunds: U256,
    /// Got out of the collateral of provers that missed a deadline.
    #[serde(serialize_with = "as_text")]
    pub(crate) compensation: U256,
    /// Earned with proofs, at the prover price.
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
}

impl Statement {
    /// All that came in.
    pub(crate) fn credits(&self) -> U256 {
        self.deposited + self.refunds + self.compensation + self.earned + self.bounties + self.rewards
    }

    /// All that went out, money withdrawn included.
    pub(crate) fn debits(&self) -> U256 {
        self.withdrawn + self.paid + self.settlement_fees + self.slashed
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
}

/// The accounts of one market.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    statements: BTreeMap<Address, Statement>,
    owners: BTreeMap<U256, Address>,
    bids: BTreeMap<(u64, u64), Bid>,
    user_prices: BTreeMap<u64, u64>,
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
    pub(crate) fn replay(events: impl IntoIterator<Item = Event>) -> Self {
        let mut accounts = Self::default();
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
            Event::BidSubmitted(e) => self.bid(e),
            Event::SeatRegistered(e) => {
                self.owners.insert(e.seat, e.prover);
            }
            Event::SeatSlashed(e) => {
                if let Some(owner) = self.owners.get(&e.seat).copied() {
                    self.entry(owner).slashed += e.loss;
                    self.sink.given += e.loss;
                }
            }
            Event::RoundSettled(e) => self.settled(e),
            Event::TaskDelivered(e) => self.delivered(e),
            Event::TaskExpired(e) => {
                if let Some((bid, price)) = self.task(e.round, e.index) {
                    self.entry(bid.requester).refunds += e.refund;
                    self.sink.given += price * U256::from(bid.size);
                    self.sink.taken += e.refund;
                }
            }
            _ => {}
        }
    }

    fn bid(&mut self, event: &ProverMarket::BidSubmitted) {
        // The contract takes no bid that this would not read.
        let Ok(head) = BidHead::try_from(event.head) else { return };
        let bid = Bid { requester: event.requester, fee: head.fee.get(), size: head.size.get().into() };
        self.bids.insert((head.round.get(), head.index.get().into()), bid);
    }

    fn settled(&mut self, event: &ProverMarket::RoundSettled) {
        let round = event.round.wrapping_to::<u64>();
        let (price, pivot) = (event.certificate.pivotFee, u64::from(event.certificate.pivotIndex));
        self.user_prices.insert(round, price);
        self.entry(event.settler).rewards += event.reward;
        let bids: Vec<(u64, Bid)> =
            self.bids.range((round, 0)..=(round, u64::MAX)).map(|((_, index), bid)| (*index, *bid)).collect();
        // Each bid paid the same share of the reward.
        let fee = event.reward / U256::from(bids.len().max(1));
        for (index, bid) in bids {
            let statement = self.entry(bid.requester);
            statement.settlement_fees += fee;
            if bid.fee > price || (bid.fee == price && index < pivot) {
                statement.paid += U256::from(price) * U256::from(bid.size);
            }
        }
    }

    fn delivered(&mut self, event: &ProverMarket::TaskDelivered) {
        let Some((bid, price)) = self.task(event.round, event.index) else { return };
        self.entry(bid.requester).compensation += event.compensation;
        if let Some(owner) = self.owners.get(&event.seat).copied() {
            let statement = self.entry(owner);
            statement.earned += event.payment;
            statement.bounties += event.bounty;
        }
        self.sink.given += price * U256::from(bid.size);
        self.sink.taken += event.payment + event.bounty + event.compensation;
    }

    fn task(&self, round: U256, index: U256) -> Option<(Bid, U256)> {
        let (round, index) = (round.wrapping_to::<u64>(), index.wrapping_to::<u64>());
        let bid = self.bids.get(&(round, index)).copied()?;
        Some((bid, U256::from(*self.user_prices.get(&round)?)))
    }

    fn entry(&mut self, who: Address) -> &mut Statement {
        self.statements.entry(who).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::B256;
    use bindings::ProverMarket::Certificate;

    const REQUESTER: Address = Address::repeat_byte(1);
    const PROVER: Address = Address::repeat_byte(2);
    const TAKER: Address = Address::repeat_byte(3);
    const RELAYER: Address = Address::repeat_byte(4);

    fn n(value: u64) -> U256 {
        U256::from(value)
    }

    fn deposit(account: Address, amount: u64) -> Event {
        let amount = n(amount);
        Event::Deposited(ProverMarket::Deposited { id: B256::ZERO, account, payer: account, amount })
    }

    fn bid(index: u64, fee: u64, size: u64) -> Event {
        let head = (n(1) << 160) | (n(index) << 128) | (n(fee) << 64) | (n(2) << 32) | n(size);
        Event::BidSubmitted(ProverMarket::BidSubmitted {
            id: B256::ZERO,
            requester: REQUESTER,
            head,
            publicInputs: Vec::new(),
            data: Default::default(),
        })
    }

    fn seat(seat: u64, prover: Address) -> Event {
        Event::SeatRegistered(ProverMarket::SeatRegistered {
            id: B256::ZERO,
            seat: n(seat),
            prover,
            capacity: n(10),
            cost: n(1),
            fromRound: n(1),
        })
    }

    fn settled() -> Event {
        Event::RoundSettled(ProverMarket::RoundSettled {
            id: B256::ZERO,
            round: n(1),
            settler: RELAYER,
            certificate: Certificate { pivotSeat: 1, pivotFee: 7, pivotIndex: 1, units: 5 },
            proverPrice: n(4),
            winners: vec![n(10 << 8)],
            assignmentRoot: B256::ZERO,
            reward: n(4),
        })
    }

    /// Two bids of which the first wins 5 units at 7; the assigned prover defaults, another delivers at 4.
    fn story() -> Vec<Event> {
        vec![
            deposit(REQUESTER, 200),
            deposit(PROVER, 100),
            deposit(TAKER, 100),
            seat(0, PROVER),
            seat(1, TAKER),
            bid(0, 9, 5),
            bid(1, 7, 5),
            settled(),
            Event::SeatSlashed(ProverMarket::SeatSlashed {
                id: B256::ZERO,
                seat: n(0),
                units: n(5),
                loss: n(50),
                returned: n(0),
            }),
            Event::TaskDelivered(ProverMarket::TaskDelivered {
                id: B256::ZERO,
                round: n(1),
                index: n(0),
                seat: n(1),
                payment: n(20),
                bounty: n(25),
                compensation: n(15),
            }),
        ]
    }

    #[test]
    fn every_tick_of_the_deposits_is_claimed_by_someone() {
        let accounts = Accounts::replay(story());
        assert_eq!(accounts.of(REQUESTER).claim(), Some(n(200 - 35 - 4 + 15)));
        assert_eq!(accounts.of(PROVER).claim(), Some(n(50)));
        assert_eq!(accounts.of(TAKER).claim(), Some(n(100 + 20 + 25)));
        assert_eq!(accounts.of(RELAYER).claim(), Some(n(4)));
        assert_eq!(accounts.surplus(), Some(n(35 - 20 + 50 - 25 - 15)));
        let claims: U256 = accounts.all().filter_map(|(_, statement)| statement.claim()).sum();
        assert_eq!(claims + accounts.surplus().unwrap(), n(400));
    }

    #[test]
    fn a_withdrawal_beyond_the_claim_shows() {
        let mut events = story();
        events.push(Event::Withdrawn(ProverMarket::Withdrawn {
            id: B256::ZERO,
            account: PROVER,
            to: PROVER,
            amount: n(51),
        }));
        assert_eq!(Accounts::replay(events).of(PROVER).claim(), None);
    }

    #[test]
    fn an_expired_task_returns_the_payment_less_the_penalty() {
        let mut events = story();
        events.truncate(8);
        events.push(Event::TaskExpired(ProverMarket::TaskExpired {
            id: B256::ZERO,
            round: n(1),
            index: n(0),
            refund: n(30),
        }));
        let accounts = Accounts::replay(events);
        assert_eq!(accounts.of(REQUESTER).claim(), Some(n(200 - 4 - 5)));
        assert_eq!(accounts.surplus(), Some(n(5)));
    }
}
