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

/// The same two bids, signed by two requesters and delivered with others.
#[test]
fn signed_bids_are_paid_by_their_signers_and_a_batch_pays_as_one_by_one() {
    let bids = [(REQUESTER, word(9, 5, 1)), (TAKER, word(8, 2, 1))];
    let bids = bids.map(|(requester, entry)| ProverMarket::SubmittedBid { requester, entry }).to_vec();
    let Event::RoundSettled(settled) = settled() else { panic!() };
    let certificate = Certificate { pivotFee: 7, pivotIndex: 2, units: 7, ..settled.certificate };
    let (id, round) = (B256::ZERO, n(1));
    let events = [
        deposit(REQUESTER, 200),
        deposit(TAKER, 100),
        seat(3, PROVER),
        Event::SignedBidsSubmitted(ProverMarket::SignedBidsSubmitted { id, round, firstIndex: n(0), bids }),
        Event::RoundSettled(ProverMarket::RoundSettled { certificate, ..settled }),
        Event::TasksDelivered(ProverMarket::TasksDelivered {
            id,
            round,
            payment: n(10),
            tasks: vec![n(3), n((1 << 8) | 3)],
        }),
    ];
    let accounts = replay(events);
    assert_eq!((accounts.of(REQUESTER).paid, accounts.of(REQUESTER).fees), (n(35), n(2)));
    assert_eq!((accounts.of(TAKER).paid, accounts.of(TAKER).fees), (n(14), n(2)));
    assert_eq!((accounts.of(PROVER).earned, accounts.surplus()), (n(20), Some(n(49 - 20))));
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
