//! Openings of sealed asks that are kept, and where they stand.

use alloy::eips::BlockId;
use chain::{AskOpening, CallError, Head, Market};
use market_types::{AskIndex, RoundNumber, UnitCost};
use service::openings::{
    Opening, OpeningKey, OpeningsError, Secret, Venue, are_staked, is_over, random_salt,
};
use thiserror::Error;

use super::desk::Desk;
use crate::plan::SealedSeat;

/// The asks of this prover that are kept, at one block. None in an open market.
#[derive(Debug, Default)]
pub(super) struct Asks(Vec<KeptAsk>);

#[derive(Debug)]
struct KeptAsk {
    opening: Opening,
    /// Whether its commitment is on the chain and not opened.
    staked: bool,
}

/// Why the asks could not be looked at.
#[derive(Debug, Error)]
pub(super) enum AsksError {
    /// The contract could not be asked.
    #[error(transparent)]
    Call(#[from] CallError),
    /// An opening cannot be read.
    #[error(transparent)]
    Openings(#[from] OpeningsError),
}

impl Asks {
    /// Reads what is kept, and forgets what is over.
    pub(super) async fn take(desk: &Desk, head: Head) -> Result<Self, AsksError> {
        let (client, market) = (&desk.client, desk.market.as_ref());
        if !market.id.is_sealed() {
            return Ok(Self::default());
        }
        let mut openings = desk.openings.of_market(&Venue::of(client, market))?;
        openings.retain(|opening| is_ask(opening) && opening.key().account == desk.prover);
        let keys: Vec<OpeningKey> = openings.iter().map(|opening| *opening.key()).collect();
        let staked = are_staked(client, &keys, BlockId::hash(head.hash)).await?;
        let mut kept = Vec::new();
        for (opening, staked) in openings.into_iter().zip(staked) {
            if is_over(market, opening.key().round, staked, head.timestamp) {
                desk.openings.forget(opening.key())?;
            } else {
                kept.push(KeptAsk { opening, staked });
            }
        }
        Ok(Self(kept))
    }

    /// What a seat has committed to at `now`, where `bond` is what a commitment of it locks.
    pub(super) fn of_seat(&self, market: &Market, seat: AskIndex, bond: u128, now: u64) -> SealedSeat {
        let current = market.id.round_at(now).ok();
        let mine = self.0.iter().filter(|kept| kept.staked && is_of(&kept.opening, seat));
        let mut sealed = SealedSeat { bond, ..SealedSeat::default() };
        for round in mine.map(|kept| kept.opening.key().round) {
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
        let mut of_round =
            self.0.iter().filter(|kept| kept.opening.key().round == round && is_of(&kept.opening, seat));
        // With more than one, by the hands of the operator, the one that is on the chain.
        let first = of_round.next()?;
        let staked = std::iter::once(first).chain(of_round).find(|kept| kept.staked);
        Some(staked.unwrap_or(first).opening.clone())
    }
}

fn is_ask(opening: &Opening) -> bool {
    matches!(opening.secret(), Secret::Ask(_))
}

fn is_of(opening: &Opening, seat: AskIndex) -> bool {
    matches!(opening.secret(), Secret::Ask(ask) if ask.seat == seat)
}
