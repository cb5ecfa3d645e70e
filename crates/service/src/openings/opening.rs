//! What opens one commitment.

use alloy::primitives::{Address, B256};
use chain::commitments::BidChain;
use chain::{AskOpening, BidOpening, Client, Market, MarketId};
use market_types::{OutOfRange, RoundNumber};
use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;

/// A market on a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Venue {
    /// The chain.
    pub chain_id: u64,
    /// The market's contract.
    pub contract: Address,
    /// The market's id.
    pub market: B256,
}

impl Venue {
    /// Where `client` acts in `market`.
    #[must_use]
    pub fn of(client: &Client, market: &Market) -> Self {
        Self { chain_id: client.chain_id(), contract: client.contract(), market: market.id.get() }
    }

    fn seed(&self, round: RoundNumber) -> BidChain {
        BidChain::seed(self.chain_id, self.contract, MarketId::from(self.market), round)
    }
}

/// Names a commitment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpeningKey {
    /// Where it is made.
    pub venue: Venue,
    /// For which round.
    pub round: RoundNumber,
    /// By whom.
    pub account: Address,
    /// The commitment.
    pub commitment: B256,
}

/// 32 random bytes of the system, without which an offer could be guessed from its commitment.
#[must_use]
pub fn random_salt() -> B256 {
    B256::random()
}

/// An offer that nobody else should know before the round has closed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Secret {
    /// A requester's bid.
    Bid(BidOpening),
    /// A prover's ask.
    Ask(AskOpening),
}

/// What opens a commitment. Written as one JSON object, which `proophi reveal --file` reads.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Opening {
    key: OpeningKey,
    secret: Secret,
}

/// Number of the written form. Before it there was none, and a bid's commitment was over other contents.
const FORMAT: u32 = 2;

/// The written form.
#[derive(Serialize, Deserialize)]
struct Written {
    #[serde(default)]
    format: u32,
    #[serde(flatten)]
    venue: Venue,
    round: RoundNumber,
    commitment: B256,
    #[serde(flatten)]
    secret: Secret,
}

/// Why what was read is no opening. Nothing of what it holds is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NoOpening {
    /// It does not have the form of one.
    #[error("this is no opening")]
    Malformed,
    /// It opens another commitment than it says.
    #[error("this does not open the commitment that it names; a part of it was changed")]
    OtherCommitment,
    /// It was written by another version, whose bids had another form.
    #[error(
        "this opens a bid that was committed to with another version of Proophi, at that version's contract: open it with that \
         version; if it is too late for that, run its `proophi forfeit`, which brings back all but the bond"
    )]
    OtherVersion,
}

impl Opening {
    /// What opens a bid in `round`.
    ///
    /// # Errors
    /// [`OutOfRange`] if the circuit has no size.
    pub fn of_bid(venue: Venue, round: RoundNumber, bid: BidOpening) -> Result<Self, OutOfRange> {
        let (account, commitment) = (bid.requester, bid.commitment(venue.seed(round))?);
        Ok(Self { key: OpeningKey { venue, round, account, commitment }, secret: Secret::Bid(bid) })
    }

    /// What opens an ask in `round`.
    #[must_use]
    pub fn of_ask(venue: Venue, round: RoundNumber, ask: AskOpening) -> Self {
        let (account, commitment) = (ask.prover, ask.commitment(venue.seed(round)));
        Self { key: OpeningKey { venue, round, account, commitment }, secret: Secret::Ask(ask) }
    }

    /// Reads the written form.
    ///
    /// # Errors
    /// [`NoOpening`].
    pub fn read(written: serde_json::Value) -> Result<Self, NoOpening> {
        serde_json::from_value::<Written>(written).map_err(|_| NoOpening::Malformed)?.try_into()
    }

    /// Which commitment it opens.
    #[must_use]
    pub const fn key(&self) -> &OpeningKey {
        &self.key
    }

    /// The offer and its salt.
    #[must_use]
    pub const fn secret(&self) -> &Secret {
        &self.secret
    }
}

impl From<Opening> for Written {
    fn from(opening: Opening) -> Self {
        let OpeningKey { venue, round, commitment, .. } = opening.key;
        Self { format: FORMAT, venue, round, commitment, secret: opening.secret }
    }
}

impl TryFrom<Written> for Opening {
    type Error = NoOpening;

    fn try_from(written: Written) -> Result<Self, NoOpening> {
        let Written { format, venue, round, commitment, secret } = written;
        let opening = match secret {
            // Asks never changed, so that those of any version open what they name.
            Secret::Bid(_) if format != FORMAT => return Err(NoOpening::OtherVersion),
            Secret::Bid(bid) => Self::of_bid(venue, round, bid).map_err(|_| NoOpening::OtherCommitment)?,
            Secret::Ask(ask) => Self::of_ask(venue, round, ask),
        };
        if opening.key.commitment == commitment { Ok(opening) } else { Err(NoOpening::OtherCommitment) }
    }
}

impl fmt::Debug for Opening {
    /// Names the commitment and nothing of the offer, so that no log ever shows it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Opening").field("key", &self.key).finish_non_exhaustive()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Bid(_) => "Bid(..)",
            Self::Ask(_) => "Ask(..)",
        })
    }
}
