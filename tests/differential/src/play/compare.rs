//! Every balance and status, as the model and the contract have it.

use super::Play;
use crate::model::round::State;
use crate::model::seats::Change;
use crate::model::tasks::Status;
use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::sol_types::SolCall;
use bindings::{IERC20, ProverMarket as M};
use chain::commitments::BidChain;
use chain::round::ask_book;
use chain::{Currency, Outcome};
use market_types::{BidIndex, UnitFee};
use std::fmt::Debug;

/// Rounds back from the open one of which something may still happen, or has just happened.
const RECENT: u64 = 4;

/// Compares an answer of the contract with what the model says.
type Check = Box<dyn FnOnce(&[u8]) -> Result<(), String>>;

/// Views of the market, asked together, and what the model says of each.
#[derive(Default)]
struct Views {
    data: Vec<Bytes>,
    checks: Vec<Check>,
}

impl Views {
    /// `read` makes of the contract's answer what the model says.
    fn ask<C: SolCall, T: PartialEq + Debug + 'static>(
        &mut self,
        what: String,
        call: &C,
        expected: T,
        read: impl FnOnce(C::Return) -> T + 'static,
    ) {
        self.data.push(call.abi_encode().into());
        self.checks.push(Box::new(move |answer| {
            let found = read(C::abi_decode_returns(answer).expect("the declared return type"));
            same(&what, &expected, &found)
        }));
    }
}

fn same<T: PartialEq + Debug>(what: &str, expected: &T, found: &T) -> Result<(), String> {
    if expected == found { Ok(()) } else { Err(format!("{what}: model {expected:?}, contract {found:?}")) }
}

impl Play {
    /// Compares everything that there is.
    pub(super) fn compare(&mut self) -> Result<(), String> {
        let mut views = Views::default();
        self.ask_accounts(&mut views);
        self.ask_seats(&mut views);
        self.ask_rounds(&mut views);
        self.ask_tasks(&mut views);
        self.counts.compared += views.data.len() as u64 + 2;
        let answers = self.world.view(&M::multicallCall { data: views.data });
        for (check, answer) in views.checks.into_iter().zip(&answers) {
            check(answer)?;
        }
        let found = self.currency_held();
        let tick = U256::from(self.world.market.params.tick);
        same("currency held", &(U256::from(self.model.holdings) * tick), &found)?;
        same("sum of all claims", &self.model.claims(), &self.model.holdings)
    }

    fn currency_held(&mut self) -> U256 {
        let market = self.world.address();
        match self.world.market.params.currency {
            Currency::Native => self.world.evm().balance(market),
            Currency::Token(token) => {
                let call = IERC20::balanceOfCall { account: market };
                self.world.evm().call(Address::ZERO, token, &call).expect("a view")
            }
        }
    }

    fn id(&self) -> B256 {
        self.world.market.id.get()
    }

    fn ask_accounts(&self, views: &mut Views) {
        let id = self.id();
        for account in &self.cast.everybody {
            let call = M::availableOfCall { id, account: *account };
            let balance = U256::from(self.model.balance(*account));
            views.ask(format!("balance of {account}"), &call, balance, |found| found);
        }
        views.ask("surplus".into(), &M::surplusOfCall { id }, U256::from(self.model.surplus), |found| found);
        let recent = self.model.current().saturating_sub(RECENT);
        let placed = self.model.rounds.range(recent..).flat_map(|(round, known)| {
            let bundled = known.entries.iter().filter(|placed| placed.parcel == Some(placed.first));
            bundled.map(move |placed| (placed.payer, *round, placed.first))
        });
        for parcel in placed {
            let (requester, round, first) = parcel;
            let call =
                M::bundleHashCall { id, requester, round: U256::from(round), firstIndex: U256::from(first) };
            let waits = self.model.parcels.contains(&parcel);
            views.ask(format!("parcel {parcel:?} waits"), &call, waits, |found| !found.is_zero());
        }
        for ((account, round, commitment), stake) in &self.model.stakes {
            let (account, round, commitment) = (*account, U256::from(*round), *commitment);
            let call = M::stakeOfCall { id, account, round, commitment };
            let expected = (U256::from(stake.deposit), U256::from(stake.bond));
            let what = format!("stake of {account} in {round}");
            views.ask(what, &call, expected, |found| (found.deposit_, found.bond));
        }
    }

    fn ask_seats(&self, views: &mut Views) {
        let id = self.id();
        let count = U256::from(self.model.seats.len());
        views.ask("seats".into(), &M::seatCountCall { id }, count, |found| found);
        for (number, seat) in self.model.seats.iter().enumerate() {
            let call = M::seatOfCall { id, seat: U256::from(number) };
            let expected = (seat.prover, U256::from(seat.capacity), seat.free(), seat.change);
            views.ask(format!("seat {number}"), &call, expected, |found| {
                let change = Change {
                    units: (found.change & !(1 << 63)) >> 32,
                    shrinks: found.change >> 63 != 0,
                    from: found.change & u64::from(u32::MAX),
                };
                let free = (found.offer.as_limbs()[1] & u64::from(u32::MAX)).min(u32::MAX.into());
                (found.prover, found.capacity, free, (change.units != 0).then_some(change))
            });
        }
        for prover in self.cast.provers() {
            let call = M::operatorOfCall { id, prover: *prover };
            let operator = self.model.operators.get(prover).copied().unwrap_or_default();
            views.ask(format!("operator of {prover}"), &call, operator, |found| found);
        }
    }

    fn ask_rounds(&self, views: &mut Views) {
        let id = self.id();
        let current = self.model.current();
        let last = current.checked_sub(1).filter(|_| self.model.waits_for_result());
        for round in last.into_iter().chain([current, current + 1]) {
            let number = U256::from(round);
            let offers = Ok(self.model.offers(round));
            let call = M::asksOfCall { id, round: number };
            views.ask(format!("asks of round {round} in {current}"), &call, offers, |found| {
                ask_book(&found.costs, &found.capacities)
            });
            let terms = self.model.terms_at(round);
            let expected = (U256::from(terms.cap.get()), U256::from(terms.reserve.get()));
            let call = M::termsOfCall { id, round: number };
            let what = format!("terms of round {round} in {current}");
            views.ask(what, &call, expected, |found| (found.capacityCap, found.reservePrice));
        }
        for (round, known) in self.model.rounds.range(current.saturating_sub(3)..) {
            let number = U256::from(*round);
            let call = M::bidChainOfCall { id, round: number };
            let count = u64::from(known.count());
            views
                .ask(format!("bids of round {round}"), &call, count, |found| BidChain::stored(found).count());
            let decided = match &known.state {
                State::Settled(decided) => Some(decided.clone()),
                State::Open | State::Void => None,
            };
            let expected = decided.clone().map(|decided| (decided.prices, decided.units, decided.winners));
            let fees: Vec<u64> = known
                .entries
                .iter()
                .flat_map(|placed| std::iter::repeat_n(placed.entry.fee, placed.entry.count.into()))
                .collect();
            let call = M::outcomeOfCall { id, round: number };
            views.ask(format!("outcome of round {round}"), &call, expected, move |found| {
                let outcome = Outcome::from_slot(found).expect("an outcome")?;
                let wins = |index: u32, fee: u64| {
                    outcome.wins(UnitFee::new(fee).expect("a fee"), BidIndex::new(index).expect("an index"))
                };
                let won = (0..).zip(fees).filter(|(index, fee)| wins(*index, *fee)).map(|(index, _)| index);
                Some((outcome.prices(), outcome.units, won.collect()))
            });
        }
    }

    fn ask_tasks(&self, views: &mut Views) {
        let id = self.id();
        let recent = self.model.current().saturating_sub(RECENT);
        for (round, known) in &self.model.rounds {
            for (index, task) in &known.tasks {
                if *round < recent && task.end.is_some() {
                    continue;
                }
                let (number, place) = (U256::from(*round), U256::from(*index));
                let status = self.model.status(*round, *index);
                let what = format!("status of task {index} of round {round}");
                let call = M::taskStatusCall { id, round: number, index: place };
                views.ask(what, &call, Some(status), |found| {
                    let all = [
                        Status::Assigned,
                        Status::Defaulted,
                        Status::Expirable,
                        Status::Delivered,
                        Status::Expired,
                    ];
                    all.get(usize::from(found)).copied()
                });
                let takers: Vec<usize> = task.holders.iter().skip(1).map(|(seat, _)| *seat).collect();
                let deadline = task.holders.last().and_then(|(_, deadline)| *deadline).unwrap_or(0);
                let what = format!("takers of task {index} of round {round}");
                let call = M::takeoverOfCall { id, round: number, index: place };
                views.ask(what, &call, (takers, deadline), |found: U256| {
                    let count = usize::from(found.byte(16));
                    let takers = (0..count).map(|taker| usize::from(found.byte(taker))).collect();
                    (takers, (found >> 136_usize).as_limbs()[0])
                });
            }
        }
    }
}
