//! What the history tells from events alone is what the contract holds, whatever is called: ask books, terms, and so every
//! settlement.
#![allow(clippy::unwrap_used, reason = "the helpers here are test code too, where a panic is the failure")]

use alloy::primitives::{Address, B256, U256, aliases::U96};
use bindings::ProverMarket::{self, Task};
use chain::{AskOpening, BidOpening, Lot, Offer, Statement, Terms};
use differential::evm::Refused;
use differential::world::World;
use market_types::{AskIndex, BidIndex, CircuitId, Mechanism, RoundNumber, SeatedAsk, UnitCost, UnitFee};
use rand::{Rng, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// Whether an action had an effect, or the contract's refusal.
type Tried = Result<bool, Refused>;

/// How people behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Capacity grows only when no closed round waits to be settled.
    Usual,
    /// It may grow at any time.
    Growing,
    /// Tasks and seats are small, and provers let tasks default before somebody delivers.
    Careless,
}

impl Kind {
    /// In units.
    const fn largest_task(self) -> u32 {
        if matches!(self, Self::Careless) { 1 } else { 8 }
    }
}

/// A world with those who act in it at random.
struct Play {
    world: World,
    rng: ChaCha8Rng,
    kind: Kind,
    bids: Vec<(RoundNumber, BidOpening)>,
    /// Entries that are published later than they were submitted.
    late: Vec<Lot>,
    asks: Vec<(RoundNumber, AskOpening)>,
    /// What the contract's books of each settled round were when it was settled.
    books: Vec<(RoundNumber, Vec<SeatedAsk>, Terms)>,
    /// How often each action was accepted.
    accepted: BTreeMap<&'static str, usize>,
    settled: usize,
    traded: usize,
    moved: usize,
    dust: u128,
    /// Entries of more than one bid, and settlements in more than one page.
    lots: usize,
    paged: usize,
    /// Seats that were taken after slashes had left nothing of them.
    retaken: usize,
}

/// Settlements come more often, as a round can be settled for a short time only.
const ACTIONS: [&str; 14] = [
    "settle", "settle", "wait", "register", "ask", "change", "release", "bid", "settle", "deliver", "expire",
    "takeOver", "reveal", "forfeit",
];

impl Play {
    fn new(mechanism: Mechanism, sealed: bool, kind: Kind, seed: u64) -> Self {
        Self {
            world: World::new(mechanism, sealed, kind.largest_task()),
            rng: ChaCha8Rng::seed_from_u64(seed),
            kind,
            bids: Vec::new(),
            late: Vec::new(),
            asks: Vec::new(),
            books: Vec::new(),
            accepted: BTreeMap::new(),
            settled: 0,
            traded: 0,
            moved: 0,
            dust: 0,
            lots: 0,
            paged: 0,
            retaken: 0,
        }
    }

    fn id(&self) -> B256 {
        self.world.market.id.get()
    }

    fn sealed(&self) -> bool {
        self.world.market.params.is_sealed()
    }

    /// One action at random, and then the contract's books against the history's.
    fn step(&mut self) {
        let action = *ACTIONS.choose(&mut self.rng).unwrap();
        let result = match action {
            "wait" => {
                let seconds = self.rng.random_range(1..40);
                self.world.wait(seconds);
                Ok(true)
            }
            "register" => self.register(),
            "ask" => self.ask(),
            "change" => self.change_capacity(),
            "release" => self.release(),
            "bid" => self.bid(),
            "settle" => self.settle(),
            "reveal" => self.reveal(),
            "forfeit" => self.forfeit(),
            task => self.end_a_task(task),
        };
        match result {
            Ok(false) => {}
            Ok(true) => *self.accepted.entry(action).or_default() += 1,
            Err(Refused::Market(_)) => {}
            Err(other) => panic!("{action}: {other:?}"),
        }
        self.compare();
    }

    fn compare(&mut self) {
        let current = self.world.current();
        let next = RoundNumber::new(current.get() + 1);
        for round in self.world.unresolved().into_iter().chain([current, next]) {
            assert_eq!(
                self.world.history.asks_at(round),
                self.world.asks(round),
                "asks of {round} in {current}"
            );
            let terms = self.world.history.terms_at(round);
            let expected = (U256::from(terms.cap.get()), U256::from(terms.reserve.get()));
            assert_eq!(self.world.terms(round), expected, "terms of {round} in {current}");
        }
        for (round, asks, terms) in &self.books {
            assert_eq!(self.world.history.asks_at(*round), *asks, "asks of {round}, settled, in {current}");
            assert_eq!(
                self.world.history.terms_at(*round),
                *terms,
                "terms of {round}, settled, in {current}"
            );
        }
    }

    fn seat(&mut self) -> (u64, Address) {
        let seats: Vec<_> = self.world.history.seats().map(|seat| (seat.seat, seat.prover)).collect();
        let (seat, prover) =
            seats.choose(&mut self.rng).copied().unwrap_or((AskIndex::new(0), Address::repeat_byte(9)));
        (seat.get().into(), prover)
    }

    fn register(&mut self) -> Tried {
        let capacity = self.capacity();
        let lost: Vec<AskIndex> =
            self.world.history.seats().filter(|seat| seat.capacity == 0).map(|seat| seat.seat).collect();
        let cost = if self.sealed() { Offer::NO_ASK } else { self.rng.random_range(0..20) };
        let prover = Address::repeat_byte(self.rng.random_range(1..5));
        let call = ProverMarket::registerCall { id: self.id(), capacity, cost };
        let seat = self.world.send(prover, u64::from(capacity) * 7 + 5, &call)?;
        self.retaken += usize::from(lost.iter().any(|lost| U256::from(lost.get()) == seat));
        Ok(true)
    }

    /// A capacity that a seat may have: 15 to 47 units where tasks have up to 8.
    fn capacity(&mut self) -> u32 {
        let least = 2 * self.kind.largest_task() - 1;
        self.rng.random_range(least..=3 * least + 2)
    }

    fn ask(&mut self) -> Tried {
        let (seat, prover) = self.seat();
        let cost = self.rng.random_range(0..20);
        if !self.sealed() {
            let call = ProverMarket::askCall { id: self.id(), seat: U256::from(seat), cost };
            return self.world.send(prover, 0, &call).map(|_| true);
        }
        let salt = B256::from(self.rng.random::<[u8; 32]>());
        let number = AskIndex::new(u32::try_from(seat).unwrap());
        let opening = AskOpening { prover, seat: number, cost: UnitCost::new(cost), salt };
        let round = self.world.current();
        let commitment = opening.commitment(self.world.seed(round));
        let call = ProverMarket::commitAskCall {
            id: self.id(),
            seat: U256::from(seat),
            commitment,
            round: u32::try_from(round.get()).unwrap(),
        };
        self.world.send(prover, 100, &call)?;
        self.asks.push((round, opening));
        Ok(true)
    }

    fn change_capacity(&mut self) -> Tried {
        let (seat, prover) = self.seat();
        let registered = self.world.history.seats().find(|record| u64::from(record.seat.get()) == seat);
        let registered = registered.map_or(0, |record| record.capacity);
        let capacity = if self.rng.random_bool(0.2) { 0 } else { self.capacity() };
        if self.kind != Kind::Growing && u64::from(capacity) > registered && self.world.unresolved().is_some()
        {
            return Ok(false);
        }
        let call = ProverMarket::changeCapacityCall { id: self.id(), seat: U256::from(seat), capacity };
        self.world.send(prover, 47 * 7, &call).map(|_| true)
    }

    fn release(&mut self) -> Tried {
        let (seat, prover) = self.seat();
        let call = ProverMarket::releaseCapacityCall { id: self.id(), seat: U256::from(seat) };
        self.world.send(prover, 0, &call).map(|_| true)
    }

    /// A few bids: markets with one bid a round hardly trade.
    fn bid(&mut self) -> Tried {
        for _ in 0..self.rng.random_range(1..6) {
            let requester = Address::repeat_byte(0x60 + self.rng.random_range(0..8));
            let fee = self.rng.random_range(1..40);
            let circuit = CircuitId::of(7, self.rng.random_range(1..=self.kind.largest_task()));
            if self.sealed() {
                self.commit_bid(requester, fee, circuit)?;
                continue;
            }
            self.submit(requester, fee, circuit)?;
        }
        Ok(true)
    }

    /// An entry of some bids, told, or with its statements at once or with those of a later one.
    fn submit(&mut self, requester: Address, fee: u64, circuit: CircuitId) -> Result<(), Refused> {
        let count = if self.rng.random_bool(0.3) { self.rng.random_range(2..5) } else { 1 };
        let statement = |number: u64| Statement {
            circuit,
            public_inputs: vec![U256::from(fee), U256::from(number)],
            data: Default::default(),
        };
        let fee = UnitFee::new(fee).unwrap();
        let lot = Lot::new(requester, fee, (0..count).map(statement).collect()).unwrap();
        let market = self.world.market.clone();
        let cost = u64::try_from(lot.cost(&market)).unwrap();
        self.lots += usize::from(count > 1);
        if self.rng.random_bool(0.5) {
            let deposit = ProverMarket::depositCall {
                id: market.id.get(),
                account: requester,
                amount: U256::from(cost),
            };
            self.world.send(requester, cost, &deposit)?;
            self.world.send(requester, 0, &chain::lot::submit_call(&market, &[lot]))?;
            return Ok(());
        }
        let lot = lot.untold();
        self.world.send(requester, cost, &lot.submit_call(&market))?;
        self.late.push(lot);
        if self.rng.random_bool(0.7) {
            for lot in std::mem::take(&mut self.late) {
                self.world.send(Address::repeat_byte(9), 0, &lot.publish_call(&market))?;
            }
        }
        Ok(())
    }

    fn commit_bid(&mut self, requester: Address, fee: u64, circuit: CircuitId) -> Tried {
        let opening = BidOpening {
            requester,
            fee: UnitFee::new(fee).unwrap(),
            circuit,
            public_inputs: vec![U256::from(fee)],
            data: Default::default(),
            salt: B256::from(self.rng.random::<[u8; 32]>()),
        };
        let round = self.world.current();
        let commitment = opening.commitment(self.world.seed(round)).unwrap();
        let deposit = opening.least_deposit(&self.world.market) + self.rng.random_range(0..50);
        let call = ProverMarket::commitBidCall {
            id: self.id(),
            commitment,
            deposit_: U96::saturating_from(deposit),
            round: u32::try_from(round.get()).unwrap(),
        };
        self.world.send(requester, u64::try_from(deposit).unwrap(), &call)?;
        self.bids.push((round, opening));
        Ok(true)
    }

    /// Opens most of what was committed to for the round that closed last.
    fn reveal(&mut self) -> Tried {
        let Some(round) = self.world.unresolved().filter(|_| self.sealed()) else { return Ok(false) };
        let market = self.world.market.clone();
        let asks: Vec<_> = self.asks.iter().filter(|(of, _)| *of == round).map(|(_, ask)| *ask).collect();
        for ask in asks {
            if self.rng.random_bool(0.8) {
                let _ = self.world.send(Address::repeat_byte(9), 0, &ask.reveal_call(&market));
            }
        }
        let bids: Vec<_> =
            self.bids.iter().filter(|(of, _)| *of == round).map(|(_, bid)| bid.clone()).collect();
        let bids: Vec<_> = bids.into_iter().filter(|_| self.rng.random_bool(0.8)).collect();
        let call = chain::sealed::reveal_bids_call(&market, &bids).unwrap();
        self.world.send(Address::repeat_byte(9), 0, &call).map(|_| true)
    }

    fn forfeit(&mut self) -> Tried {
        let Some((round, bid)) = self.bids.choose(&mut self.rng).cloned() else { return Ok(false) };
        let commitment = bid.commitment(self.world.seed(round)).unwrap();
        let (id, account, number) = (self.id(), bid.requester, U256::from(round.get()));
        let call = ProverMarket::forfeitCall { id, account, round: number, commitment };
        self.world.send(Address::repeat_byte(9), 0, &call)?;
        let mut records = self.world.history.commitments(round);
        assert!(records.any(|record| record.commitment == commitment && record.forfeited.is_some()));
        Ok(true)
    }

    /// Settles the round that closed last if it can be, and compares how the terms move with the crate's rule.
    fn settle(&mut self) -> Tried {
        let (market, now) = (self.world.market.clone(), self.world.now());
        let due = self.world.unresolved().filter(|round| now >= market.reveal_by(*round));
        let Some(round) = due.filter(|round| self.world.history.round(*round).is_some()) else {
            return Ok(false);
        };
        let after = |rounds: u64| RoundNumber::new(round.get() + rounds);
        let (of_round, latest): (Terms, Terms) =
            (self.world.history.terms_at(round), self.world.history.terms_at(after(1)));
        let asks = self.world.asks(round);
        let settled = self.world.settle(round, &mut self.rng);
        self.books.push((round, asks, of_round));
        let next = self.world.history.terms_at(after(2));
        assert_eq!(next, self.world.next_terms(latest, of_round, settled.signal), "{settled:?}");
        self.settled += 1;
        self.traded += usize::from(settled.trade);
        self.moved += usize::from(next != latest);
        self.dust += settled.dust;
        self.paged += usize::from(settled.pages > 1);
        Ok(true)
    }

    fn was_taken_over(&self, task: &Task) -> bool {
        let index = BidIndex::new(task.index).unwrap();
        let round = self.world.history.round(RoundNumber::new(task.round.into()));
        round.and_then(|round| round.task(index)).is_some_and(|task| !task.takeovers.is_empty())
    }

    fn end_a_task(&mut self, how: &str) -> Tried {
        let mut tasks = self.world.open_tasks();
        if how == "deliver" && self.kind == Kind::Careless {
            tasks.retain(|(task, _)| self.was_taken_over(task));
        }
        let Some((task, path)) = tasks.choose(&mut self.rng).cloned() else { return Ok(false) };
        let id = self.id();
        match how {
            "deliver" => self.world.deliver(&task).map(|()| true),
            "expire" => {
                // All that can be, as tasks that nobody ends would fill every seat.
                let mut expired = false;
                for (task, path) in tasks {
                    let call = ProverMarket::expireCall { id, task, path };
                    expired |= self.world.send(Address::repeat_byte(9), 0, &call).is_ok();
                }
                Ok(expired)
            }
            _ => {
                let (seat, prover) = self.seat();
                let call = ProverMarket::takeOverCall { id, task, path, seat: U256::from(seat) };
                self.world.send(prover, 0, &call).map(|_| true)
            }
        }
    }
}

/// Plays worlds of one kind, and makes sure that everything happened in them. Tells how many seats were taken after they had lost
/// everything, which is rare where tasks are large.
fn play(mechanism: Mechanism, sealed: bool, kind: Kind) -> usize {
    let mut accepted: BTreeMap<&'static str, usize> = BTreeMap::new();
    let (mut settled, mut traded, mut moved, mut dust, mut retaken) = (0, 0, 0, 0, 0);
    let (mut lots, mut paged) = (0, 0);
    for seed in 0..24 {
        let mut play = Play::new(mechanism, sealed, kind, seed);
        for _ in 0..1_000 {
            play.step();
        }
        for (action, count) in play.accepted {
            *accepted.entry(action).or_default() += count;
        }
        settled += play.settled;
        traded += play.traded;
        moved += play.moved;
        dust += play.dust;
        retaken += play.retaken;
        lots += play.lots;
        paged += play.paged;
    }
    println!(
        "{mechanism}, sealed {sealed}: settled {settled}, traded {traded}, moved {moved}, dust {dust}, retaken {retaken}, lots {lots}, paged {paged}, {accepted:?}"
    );
    for action in ACTIONS {
        let expected = usize::from(sealed || !["reveal", "forfeit"].contains(&action));
        assert!(accepted.get(action).copied().unwrap_or(0) >= expected, "never: {action}");
    }
    assert!(settled >= 100 && traded >= 40 && moved >= 40 && paged >= 40);
    assert_eq!(lots > 100, !sealed);
    assert_eq!(dust > 0, mechanism == Mechanism::AverageFee);
    retaken
}

#[test]
fn books_and_terms_of_an_open_market_follow_from_its_events() {
    play(Mechanism::Core, false, Kind::Usual);
    play(Mechanism::AverageFee, false, Kind::Usual);
}

#[test]
fn books_and_terms_of_a_sealed_market_follow_from_its_events() {
    play(Mechanism::Core, true, Kind::Usual);
    play(Mechanism::AverageFee, true, Kind::Usual);
}

/// While a closed round waits to be settled, a seat of it that grows has to keep what it offered to it.
#[test]
fn books_and_terms_follow_from_events_while_capacity_grows_at_any_time() {
    play(Mechanism::Core, false, Kind::Growing);
    play(Mechanism::AverageFee, true, Kind::Growing);
}

#[test]
fn books_and_terms_follow_from_events_while_seats_lose_everything_and_are_taken_anew() {
    let retaken = play(Mechanism::Core, false, Kind::Careless);
    assert!(retaken > 0, "{retaken}");
}
