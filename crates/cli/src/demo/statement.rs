//! Everybody's account, replayed from the contract's events alone. The audit compares it with what the contract says.
//!
//! All amounts are ticks. Sums are plain additions on 256 bits, which no ledger of 96-bit amounts can fill.

use alloy::primitives::{Address, B256, U256};
use bindings::ProverMarket;
use chain::BidWord;
use chain::events::{Event, Place};
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
            Event::BidSubmitted(e) => self.submitted(e.place, &[e.word]),
            Event::BidsSubmitted(e) => self.submitted(e.place, &e.words),
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

    /// The bids of entries, of which the first is at `place`.
    fn submitted(&mut self, place: U256, words: &[B256]) {
        // The contract takes no entry that this would not read.
        let Ok(Place { requester, round, first_index }) = Place::try_from(place) else { return };
        let mut index = u64::from(first_index.get());
        for word in words.iter().filter_map(|word| BidWord::try_from(*word).ok()) {
            let (fee, size) = (word.fee().get(), word.size().get().into());
            let bid = Bid { requester, fee, size, held: U256::ZERO };
            for _ in 0..word.count().get() {
                self.bids.insert((round.get(), index), bid);
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
mod tests {
    use super::*;
    use bindings::ProverMarket::Certificate;
    use chain::Ticket;
    use market_types::{LotSize, TaskSize, UnitFee};

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

    fn place(index: u64) -> U256 {
        (U256::from_be_bytes(REQUESTER.into_word().0) << 64) | (n(1) << 32) | n(index)
    }

    fn word(fee: u64, size: u32, count: u16) -> B256 {
        let (fee, size) = (UnitFee::new(fee).unwrap(), TaskSize::new(size).unwrap());
        BidWord::new(fee, size, LotSize::new(count).unwrap(), Ticket::new(REQUESTER, B256::ZERO)).get()
    }

    fn bid(index: u64, fee: u64, size: u32) -> Event {
        let (place, word) = (place(index), word(fee, size, 1));
        Event::BidSubmitted(ProverMarket::BidSubmitted { id: B256::ZERO, place, word })
    }

    /// A share of the settlement: the relayer's, for so many bids.
    fn share(bids: u64) -> U256 {
        (U256::from_be_bytes(RELAYER.into_word().0) << 64) | n(bids)
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
            certificate: Certificate {
                pivotSeat: 1,
                pivotFee: 7,
                pivotIndex: 1,
                units: 5,
                ..Certificate::default()
            },
            revenue: n(20),
            winners: vec![n(10 << 8)],
            assignmentRoot: B256::ZERO,
            shares: vec![share(2)],
        })
    }

    fn replay(events: impl IntoIterator<Item = Event>) -> Accounts {
        Accounts::replay(Rules { mechanism: Mechanism::Core, seat_fee: 0, settlement_fee: 2 }, events)
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
        let accounts = replay(story());
        assert_eq!(accounts.of(REQUESTER).claim(), Some(n(200 - 35 - 4 + 15)));
        assert_eq!(accounts.of(PROVER).claim(), Some(n(50)));
        assert_eq!(accounts.of(TAKER).claim(), Some(n(100 + 20 + 25)));
        assert_eq!(accounts.of(RELAYER).claim(), Some(n(4)));
        assert_eq!(accounts.surplus(), Some(n(35 - 20 + 50 - 25 - 15)));
        let claims: U256 = accounts.all().filter_map(|(_, statement)| statement.claim()).sum();
        assert_eq!(claims + accounts.surplus().unwrap(), n(400));
    }

    /// The same two bids as a lot, of which the first wins, and settled in two pages by two settlers.
    #[test]
    fn bids_of_a_lot_pay_one_by_one_and_each_settler_is_rewarded_for_its_page() {
        let Event::RoundSettled(settled) = settled() else { panic!() };
        let mut of_taker = share(1);
        of_taker -= U256::from_be_bytes(RELAYER.into_word().0) << 64;
        of_taker += U256::from_be_bytes(TAKER.into_word().0) << 64;
        let certificate = Certificate { pivotFee: 7, pivotIndex: 2, ..settled.certificate };
        let shares = vec![share(2), of_taker];
        let events = [
            deposit(REQUESTER, 200),
            Event::BidsSubmitted(ProverMarket::BidsSubmitted {
                id: B256::ZERO,
                place: place(0),
                words: vec![word(6, 9, 1), word(7, 5, 2)],
            }),
            Event::RoundSettled(ProverMarket::RoundSettled { certificate, shares, ..settled }),
        ];
        let accounts = replay(events);
        assert_eq!(accounts.of(REQUESTER).paid, n(35));
        assert_eq!(accounts.of(REQUESTER).fees, n(3 * 2));
        assert_eq!((accounts.of(RELAYER).claim(), accounts.of(TAKER).claim()), (Some(n(4)), Some(n(2))));
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
        assert_eq!(replay(events).of(PROVER).claim(), None);
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
        let accounts = replay(events);
        assert_eq!(accounts.of(REQUESTER).claim(), Some(n(200 - 4 - 5)));
        assert_eq!(accounts.surplus(), Some(n(5)));
    }

    /// Bids of 9 and 8 for 5 and 2 units: 61 ticks for 7 units, of which tasks hold 43 and 17.
    #[test]
    fn under_average_fee_bids_pay_themselves_and_the_dust_is_the_sink_s_at_once() {
        let certificate =
            Certificate { pivotFee: 7, pivotIndex: 2, units: 7, revenue: 61, ..Certificate::default() };
        let Event::RoundSettled(settled) = settled() else { panic!() };
        let settled = ProverMarket::RoundSettled { certificate, revenue: n(61), ..settled };
        let mut events =
            vec![deposit(REQUESTER, 200), deposit(PROVER, 100), seat(0, PROVER), bid(0, 9, 5), bid(1, 8, 2)];
        events.push(Event::RoundSettled(settled));
        for (index, payment) in [(0, 43), (1, 17)] {
            events.push(Event::TaskDelivered(ProverMarket::TaskDelivered {
                id: B256::ZERO,
                round: n(1),
                index: n(index),
                seat: n(0),
                payment: n(payment),
                bounty: n(0),
                compensation: n(0),
            }));
        }
        let rules = Rules { mechanism: Mechanism::AverageFee, seat_fee: 6, settlement_fee: 2 };
        let accounts = Accounts::replay(rules, events);
        assert_eq!(accounts.of(REQUESTER).claim(), Some(n(200 - 61 - 4)));
        assert_eq!(accounts.of(PROVER).claim(), Some(n(100 - 6 + 43 + 17)));
        assert_eq!(accounts.surplus(), Some(n(1 + 6)));
    }

    #[test]
    fn a_bond_goes_from_whoever_did_not_open_to_the_sink() {
        let forfeited = Event::Forfeited(ProverMarket::Forfeited {
            id: B256::ZERO,
            account: PROVER,
            round: n(1),
            commitment: B256::ZERO,
            returned: n(30),
            bond: n(3),
        });
        let accounts = replay([deposit(PROVER, 100), forfeited]);
        assert_eq!((accounts.of(PROVER).claim(), accounts.surplus()), (Some(n(97)), Some(n(3))));
    }
}
