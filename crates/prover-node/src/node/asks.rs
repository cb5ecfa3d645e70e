//! This prover's sealed asks, as the node's decisions need them.

use alloy::eips::BlockId;
use chain::{AskOpening, CallError, Head, Market};
use market_types::{AskIndex, RoundNumber, UnitCost};
use service::openings::{self, Opening, OpeningsError, Venue, random_salt};

use super::desk::Desk;
use crate::plan::SealedSeat;

/// The asks of this prover that are kept, at one block. None in an open market.
#[derive(Debug, Default)]
pub(super) struct Asks(openings::Asks);

impl Asks {
    /// Reads what is kept, and forgets what is over.
    pub(super) async fn take(desk: &Desk, head: Head) -> Result<Self, CallError> {
        let (client, market) = (&desk.client, desk.market.as_ref());
        if !market.id.is_sealed() {
            return Ok(Self::default());
        }
        let block = BlockId::hash(head.hash);
        let mut asks = openings::Asks::of(&desk.openings, client, market, desk.prover, block).await?;
        asks.forget_over(&desk.openings, market, head.timestamp);
        Ok(Self(asks))
    }

    /// What is wrong with files among the openings.
    pub(super) fn faults(&self) -> &[OpeningsError] {
        &self.0.faults
    }

    /// What a seat has committed to at `now`, where `bond` is what a commitment of it locks.
    pub(super) fn of_seat(&self, market: &Market, seat: AskIndex, bond: u128, now: u64) -> SealedSeat {
        let current = market.id.round_at(now).ok();
        let mut sealed = SealedSeat { bond, ..SealedSeat::default() };
        sealed.committed = current.is_some_and(|round| self.0.hidden_in(round).is_some());
        for ask in self.0.iter().filter(|ask| ask.staked && ask.is_of(seat)) {
            let round = ask.opening.key().round;
            sealed.committed |= Some(round) == current;
            if (market.close_of(round)..market.reveal_by(round)).contains(&now) {
                sealed.to_reveal = Some((round, market.reveal_by(round)));
            }
        }
        sealed
    }

    /// The ask to commit to: the one that is kept for this round, if a crash or a lost answer left one. Two commitments of a seat
    /// would cost a bond, as only one of them can be opened.
    pub(super) fn to_commit(
        &self,
        desk: &Desk,
        seat: AskIndex,
        round: RoundNumber,
        cost: UnitCost,
    ) -> Opening {
        self.find(seat, round).unwrap_or_else(|| {
            let ask = AskOpening { prover: desk.prover, seat, cost, salt: random_salt() };
            Opening::of_ask(Venue::of(&desk.client, &desk.market), round, ask)
        })
    }

    /// The ask to open.
    pub(super) fn to_reveal(&self, seat: AskIndex, round: RoundNumber) -> Option<Opening> {
        self.find(seat, round)
    }

    fn find(&self, seat: AskIndex, round: RoundNumber) -> Option<Opening> {
        self.0.find(seat, round).map(|ask| ask.opening.clone())
    }
}
