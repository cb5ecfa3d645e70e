//! The state of one market, rebuilt from its events alone.
//!
//! | module | what is in it |
//! |---|---|
//! | `entry` | what was submitted: [`EntryRecord`], its [`BidRecord`]s, and what was published for it |
//! | `submission` | how entries and what is published for them come into a history |
//! | `round` | a round: [`RoundRecord`], its entries, settlement and the ends of its tasks |
//! | `assignment` | who proves what, and the Merkle paths that show it |
//! | `seat` | a prover's seat: its asks and its capacity, round by round |
//! | `commitment` | what was committed to in a sealed market |
//! | `entry_list` | the entries of a round, which copies of the history share: [`EntryList`] |
//! | `contenders` | which entries of an open round may still win |
//! | `pieces` | the tables that copies share |
//! | `retention` | what is forgotten when it is over: [`Retention`] |
//!
//! Events are applied in the order of the chain. One that cannot follow those before it means that logs are missing, and
//! is an error; the state is then to be read anew.

mod assignment;
mod commitment;
mod contenders;
mod entry;
mod entry_list;
#[cfg(test)]
mod lot_tests;
mod pieces;
mod retention;
mod round;
mod seat;
mod submission;
#[cfg(test)]
mod tests;

pub use assignment::Assignment;
pub use commitment::CommitmentRecord;
pub use entry::{BidRecord, EntryRecord, Publication};
pub use entry_list::EntryList;
pub use retention::Retention;
pub use round::{
    PageRecord, PageShare, RoundRecord, SettlementRecord, TakeoverRecord, TaskEnd, TaskRecord, Winner,
};
pub use seat::{AskChange, CapacityStep, SeatRecord};

use pieces::Pieces;
use seat::Seats;
use submission::Told;

use crate::commitments::Ticket;
use crate::events::{Event, LoggedEvent, Origin, delivered_task};
use crate::round::{terms_from_abi, to_clearing};
use crate::{Market, MarketId, Terms};
use alloy::primitives::{Address, B256, U256};
use bindings::ProverMarket::{PageSettled, RoundSettled, TaskTakenOver, TasksDelivered};
use market_types::{AskIndex, BidIndex, OutOfRange, Round, RoundNumber, SeatedAsk};
use std::collections::BTreeMap;
use std::sync::Arc;
use thiserror::Error;

/// An event that cannot follow those before it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HistoryError {
    /// A number outside its range.
    #[error("an event holds a number that the market cannot have: {0}")]
    OutOfRange(#[from] OutOfRange),
    /// A bid is missing.
    #[error("round {round}: bid {found} follows {expected} bids; logs are missing")]
    BidOutOfOrder {
        /// The round.
        round: RoundNumber,
        /// How many bids are known.
        expected: u32,
        /// Index of the bid that came.
        found: BidIndex,
    },
    /// The round was not known, or not settled.
    #[error("round {0}: an event about a settlement that is not known; logs are missing")]
    UnknownRound(RoundNumber),
    /// The seat was not known.
    #[error("seat {0}: an event about a seat that nobody is known to hold; logs are missing")]
    UnknownSeat(AskIndex),
    /// The commitment was not known.
    #[error("round {0}: a commitment that is not known was forfeited; logs are missing")]
    UnknownCommitment(RoundNumber),
    /// The assignment that follows from the logs has another root than the contract's.
    #[error("round {0}: the assignment does not follow from the known bids; logs are missing")]
    OtherAssignment(RoundNumber),
}

/// Bids whose results come back by one `release`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BundleRecord {
    /// Round of the bids.
    pub round: RoundNumber,
    /// Index of the first one.
    pub first_index: BidIndex,
    /// How many entries they are of; see [`RoundRecord::entries_from`].
    pub entries: u32,
    /// Who posted them.
    pub requester: Address,
}

/// One market as its events tell it.
#[derive(Debug, Clone)]
pub struct MarketHistory {
    market: Arc<Market>,
    rounds: BTreeMap<RoundNumber, Arc<RoundRecord>>,
    /// Entries for which nothing has been published yet. Tickets come in no order, so that most pieces change: they are small ones.
    unpublished: Pieces<(Ticket, RoundNumber, BidIndex), (), 32>,
    told: Told,
    seats: Seats,
    /// By round and first index. No round is without.
    bundles: BTreeMap<RoundNumber, Pieces<BidIndex, BundleRecord>>,
    commitments: Pieces<(RoundNumber, Address, B256), CommitmentRecord>,
    /// Each with the first round that it counts for.
    terms: BTreeMap<RoundNumber, Terms>,
    /// The first round of which no ask was forgotten; `None` as long as everything is kept.
    forgotten: Option<RoundNumber>,
}

impl MarketHistory {
    /// A market in which nothing has happened.
    #[must_use]
    pub fn new(market: Market) -> Self {
        Self {
            market: Arc::new(market),
            rounds: BTreeMap::new(),
            unpublished: Pieces::default(),
            told: Told::default(),
            seats: Seats::default(),
            bundles: BTreeMap::new(),
            commitments: Pieces::default(),
            terms: BTreeMap::new(),
            forgotten: None,
        }
    }

    /// The market.
    #[must_use]
    pub fn market(&self) -> &Market {
        &self.market
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> MarketId {
        self.market.id
    }

    /// Every round with a bid that is known, in order.
    pub fn rounds(&self) -> impl DoubleEndedIterator<Item = &RoundRecord> {
        self.rounds.values().map(AsRef::as_ref)
    }

    /// A round, if it has a bid and was not forgotten ([`Retention`]).
    #[must_use]
    pub fn round(&self, number: RoundNumber) -> Option<&RoundRecord> {
        self.rounds.get(&number).map(AsRef::as_ref)
    }

    /// A round to keep while the history moves on.
    #[must_use]
    pub fn shared_round(&self, number: RoundNumber) -> Option<Arc<RoundRecord>> {
        self.rounds.get(&number).cloned()
    }

    /// The seats that are taken, in order.
    pub fn seats(&self) -> impl Iterator<Item = &SeatRecord> {
        self.seats.taken.values()
    }

    /// A seat, if it is taken.
    #[must_use]
    pub fn seat(&self, seat: AskIndex) -> Option<&SeatRecord> {
        self.seats.taken.get(&seat)
    }

    /// The ask book of `round` by ascending seat: final once the round closed, and in a sealed market once its asks are
    /// revealed. Follows from events alone, for every round that is kept whole or can be settled ([`Retention`]).
    #[must_use]
    pub fn asks_at(&self, round: RoundNumber) -> Vec<SeatedAsk> {
        let records = self.seats.left.iter().chain(self.seats.taken.values());
        let mut asks: Vec<SeatedAsk> = records
            .filter_map(|record| Some((record.seat, record.ask_at(self.market.id, round)?)))
            .map(|(seat, ask)| SeatedAsk { seat, ask })
            .collect();
        asks.sort_unstable_by_key(|entry| entry.seat);
        asks
    }

    /// Capacity cap and reserve price of `round`: final for the open round and those before it. Later ones may still move. Those of
    /// rounds whose asks are forgotten are meaningless.
    #[must_use]
    pub fn terms_at(&self, round: RoundNumber) -> Terms {
        let moved = self.terms.range(..=round).next_back().map(|(_, terms)| *terms);
        moved.unwrap_or(self.market.params.first_terms())
    }

    /// A closed round with a bid as the crate `clearing` takes it, from events alone; `None` if there is no such round, or only what is
    /// left of it.
    #[must_use]
    pub fn closed_round(&self, round: RoundNumber) -> Option<Round> {
        let record = self.round(round).filter(|record| !record.trimmed && Some(round) >= self.forgotten)?;
        // The asks are by ascending seat, and the bids have their indices.
        to_clearing(record, self.terms_at(round), self.asks_at(round)).ok()
    }

    /// The commitments of a round of a sealed market, opened or not.
    pub fn commitments(&self, round: RoundNumber) -> impl Iterator<Item = &CommitmentRecord> {
        let first = (round, Address::ZERO, B256::ZERO);
        self.commitments.from(first).take_while(move |(key, _)| key.0 == round).map(|(_, record)| record)
    }

    /// The bundles that wait to be released, whether or not their round is resolved.
    pub fn bundles(&self) -> impl Iterator<Item = &BundleRecord> {
        self.bundles.values().flat_map(Pieces::iter).map(|(_, bundle)| bundle)
    }

    /// Whether nothing about the result of `round` can change any more at `now` (seconds since the epoch): settled, void, or
    /// closed without a bid.
    #[must_use]
    pub fn is_resolved(&self, round: RoundNumber, now: u64) -> bool {
        match self.round(round) {
            None => now >= self.market.reveal_by(round),
            Some(record) => record.settlement.is_some() || now >= self.market.settle_by(round),
        }
    }

    /// Follows one more event. Events of other markets change nothing.
    ///
    /// # Errors
    /// [`HistoryError`] if events before it are missing; the history is then as it was.
    pub fn apply(&mut self, logged: &LoggedEvent) -> Result<(), HistoryError> {
        if logged.market != self.market.id {
            return Ok(());
        }
        // What happens before the market opens changes no round.
        let current = self.market.id.round_at(logged.origin.time).unwrap_or(RoundNumber::MIN);
        match &logged.event {
            Event::BidSubmitted(event) => self.submit_at(event.place, &[event.word], logged.origin),
            Event::BidsSubmitted(event) => self.submit_at(event.place, &event.words, logged.origin),
            Event::SignedBidsSubmitted(event) => self.submit_signed(event, logged.origin),
            Event::StatementsPublished(event) => {
                self.publish(event, logged.origin);
                Ok(())
            }
            Event::BidsBundled(event) => {
                let bundle = BundleRecord {
                    round: round_number(event.round)?,
                    first_index: bid_index(event.firstIndex)?,
                    entries: bid_index(event.count)?.get(),
                    requester: event.requester,
                };
                self.bundles.entry(bundle.round).or_default().insert(bundle.first_index, bundle);
                Ok(())
            }
            Event::BundleReleased(event) => {
                let (round, first) = (round_number(event.round)?, bid_index(event.firstIndex)?);
                if let Some(bundles) = self.bundles.get_mut(&round) {
                    bundles.remove(first);
                    if bundles.is_empty() {
                        self.bundles.remove(&round);
                    }
                }
                if let Some(record) = self.rounds.get_mut(&round).filter(|record| record.trimmed) {
                    Arc::make_mut(record).trimmed = false;
                }
                Ok(())
            }
            Event::PageSettled(event) => self.settle_page(event),
            Event::RoundSettled(event) => self.settle(event, logged.origin, current),
            Event::TermsMoved(event) => {
                let terms = terms_from_abi(event.capacityCap, event.reservePrice)?;
                self.terms.insert(round_number(event.fromRound)?, terms);
                Ok(())
            }
            Event::TaskDelivered(event) => {
                let end = TaskEnd::Delivered {
                    seat: seat_index(event.seat)?,
                    payment: event.payment,
                    bounty: event.bounty,
                    compensation: event.compensation,
                    origin: logged.origin,
                };
                self.end(round_number(event.round)?, bid_index(event.index)?, end, current)
            }
            Event::TasksDelivered(event) => self.deliver_together(event, logged.origin, current),
            Event::TaskExpired(event) => {
                let end = TaskEnd::Expired { refund: event.refund, origin: logged.origin };
                self.end(round_number(event.round)?, bid_index(event.index)?, end, current)
            }
            Event::TaskTakenOver(event) => self.take_over(event, logged.origin, current),
            Event::Committed(event) => {
                let record = CommitmentRecord {
                    round: round_number(event.round)?,
                    account: event.account,
                    commitment: event.commitment,
                    deposit: event.deposit,
                    bond: event.bond,
                    origin: logged.origin,
                    forfeited: None,
                };
                let key = (record.round, record.account, record.commitment);
                self.commitments.insert(key, record);
                Ok(())
            }
            Event::Forfeited(event) => {
                let key = (round_number(event.round)?, event.account, event.commitment);
                match self.commitments.get_mut(key) {
                    Some(record) => record.forfeited = Some(logged.origin),
                    None if self.forgotten.is_some() => {}
                    None => return Err(HistoryError::UnknownCommitment(key.0)),
                }
                Ok(())
            }
            // What was refused changed nothing.
            Event::SignedBidRefused(_) => Ok(()),
            other => self.seats.apply(other, logged.origin, current),
        }
    }

    /// The most units that a round may ever trade.
    fn cap(&self) -> u64 {
        self.market.params.cap_max.get()
    }

    fn settle_page(&mut self, event: &PageSettled) -> Result<(), HistoryError> {
        let round = round_number(event.round)?;
        let record = self.rounds.get_mut(&round).ok_or(HistoryError::UnknownRound(round))?;
        let page = PageRecord::from(event);
        let pages = &mut Arc::make_mut(record).pages;
        pages.retain(|other| !page.replaces(other));
        pages.push(page);
        Ok(())
    }

    fn take_over(
        &mut self,
        event: &TaskTakenOver,
        origin: Origin,
        current: RoundNumber,
    ) -> Result<(), HistoryError> {
        let (seat, deadline) = (seat_index(event.seat)?, narrow(event.deadline));
        let (round, index) = (round_number(event.round)?, bid_index(event.index)?);
        self.seats.require([seat])?;
        let record = self.settled_mut(round)?;
        let size = record.bid(index).map_or(0, |bid| i64::from(bid.size().get()));
        let taker = TakeoverRecord { seat, deadline, origin };
        record.tasks.or_default(index).takeovers.push(taker);
        self.seats.taken(seat)?.add_free(current, size.saturating_neg());
        Ok(())
    }

    fn settle(
        &mut self,
        event: &RoundSettled,
        origin: Origin,
        current: RoundNumber,
    ) -> Result<(), HistoryError> {
        let round = round_number(event.round)?;
        let record = self.rounds.get_mut(&round).ok_or(HistoryError::UnknownRound(round))?;
        let mechanism = self.market.params.mechanism;
        let settlement = SettlementRecord::new(record, mechanism, event, origin)?;
        let loads = settlement.loads();
        self.seats.require(loads.keys().copied())?;
        for (seat, load) in loads {
            self.seats.taken(seat)?.add_free(current, load.saturating_neg());
        }
        Arc::make_mut(record).settle(settlement);
        Ok(())
    }

    fn round_mut(&mut self, number: RoundNumber) -> &mut RoundRecord {
        Arc::make_mut(self.rounds.entry(number).or_insert_with(|| Arc::new(RoundRecord::new(number))))
    }

    fn settled_mut(&mut self, number: RoundNumber) -> Result<&mut RoundRecord, HistoryError> {
        let record = self.rounds.get_mut(&number).filter(|record| record.settlement.is_some());
        record.map(Arc::make_mut).ok_or(HistoryError::UnknownRound(number))
    }

    /// Ends tasks that were delivered by one call, all or none of them.
    fn deliver_together(
        &mut self,
        event: &TasksDelivered,
        origin: Origin,
        current: RoundNumber,
    ) -> Result<(), HistoryError> {
        let round = round_number(event.round)?;
        let (payment, bounty, compensation) = (event.payment, U256::ZERO, U256::ZERO);
        let mut ends = Vec::with_capacity(event.tasks.len());
        for task in &event.tasks {
            let (index, seat) = delivered_task(*task);
            let (index, seat) = (bid_index(index)?, seat_index(seat)?);
            let holders = self.settled_mut(round)?.holders_of(index);
            self.seats.require(holders)?;
            ends.push((index, TaskEnd::Delivered { seat, payment, bounty, compensation, origin }));
        }
        ends.into_iter().try_for_each(|(index, end)| self.end(round, index, end, current))
    }

    /// Ends a task: the units that it held on each of its seats come back. What a slash took of them is gone already.
    fn end(
        &mut self,
        round: RoundNumber,
        index: BidIndex,
        end: TaskEnd,
        current: RoundNumber,
    ) -> Result<(), HistoryError> {
        let record = self.settled_mut(round)?;
        let holders = record.holders_of(index);
        let size = record.bid(index).map_or(0, |bid| i64::from(bid.size().get()));
        self.seats.require(holders.iter().copied())?;
        self.settled_mut(round)?.end_task(index, end);
        for seat in holders {
            self.seats.taken(seat)?.add_free(current, size);
        }
        Ok(())
    }
}

/// Held at the greatest u64, which no checked constructor that follows takes for something else.
fn narrow(value: U256) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

fn round_number(value: U256) -> Result<RoundNumber, OutOfRange> {
    RoundNumber::from_u64(narrow(value))
}

fn bid_index(value: U256) -> Result<BidIndex, OutOfRange> {
    BidIndex::from_u64(narrow(value))
}

fn seat_index(value: U256) -> Result<AskIndex, OutOfRange> {
    AskIndex::from_u64(narrow(value))
}
