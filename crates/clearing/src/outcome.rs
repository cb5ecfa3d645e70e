//! The result of a round, in the written form of the test vectors.

use crate::assignment::{Share, Tasks};
use crate::certificate::{Certificate, ProverClaim};
use crate::prices::Prices;
use market_types::{AskIndex, BidIndex, Mechanism, Round, SeatedAsk, UnitPrice, Units};
use serde::{Deserialize, Serialize};

/// What a mechanism makes of a round. Without a trade every list is empty and every number 0.
///
/// The prices are written in line with the rest: `user_price` and `prover_price`, or `revenue`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Outcome {
    /// The bids that won, in order of submission.
    pub winning_bids: Vec<BidIndex>,
    /// The asks that won, in ask-book order.
    pub winning_asks: Vec<AskIndex>,
    /// What winners pay and are paid.
    pub prices: Prices,
    /// Total size of the winning tasks, in units.
    pub units: Units,
    /// Who proves what: the first of `winning_bids` are the first share's, and so on. See [`Outcome::assignment`].
    pub shares: Vec<Share>,
}

/// What an outcome is written as: the same, with the assignment bid by bid.
#[derive(Serialize, Deserialize)]
struct Written {
    winning_bids: Vec<BidIndex>,
    winning_asks: Vec<AskIndex>,
    #[serde(flatten)]
    prices: Prices,
    units: Units,
    assignment: Vec<(BidIndex, AskIndex)>,
}

impl From<Outcome> for Written {
    fn from(outcome: Outcome) -> Self {
        let assignment = outcome.assignment().collect();
        let Outcome { winning_bids, winning_asks, prices, units, shares: _ } = outcome;
        Self { winning_bids, winning_asks, prices, units, assignment }
    }
}

impl From<Written> for Outcome {
    fn from(written: Written) -> Self {
        let Written { winning_bids, winning_asks, prices, units, assignment } = written;
        let shares = assignment.into_iter().collect::<Tasks>().shares;
        Self { winning_bids, winning_asks, prices, units, shares }
    }
}

impl Outcome {
    /// The outcome of a round without a trade.
    #[must_use]
    pub const fn no_trade(mechanism: Mechanism) -> Self {
        Self {
            winning_bids: Vec::new(),
            winning_asks: Vec::new(),
            prices: Prices::none(mechanism),
            units: Units::ZERO,
            shares: Vec::new(),
        }
    }

    /// Each winning bid with the ask that proves it, in order of submission.
    pub fn assignment(&self) -> impl Iterator<Item = (BidIndex, AskIndex)> + '_ {
        let provers = self.shares.iter().flat_map(|share| std::iter::repeat_n(share.ask, share.tasks));
        self.winning_bids.iter().copied().zip(provers)
    }

    /// Whether anything was traded.
    #[must_use]
    pub fn is_trade(&self) -> bool {
        self.units > Units::ZERO
    }

    /// The outcome that a true certificate proves. `winners`: in ask-book order; `tasks`: of every winning bid.
    pub(crate) fn proved(
        round: &Round,
        certificate: &Certificate,
        winners: &[SeatedAsk],
        tasks: Tasks,
    ) -> Self {
        if certificate.units == Units::ZERO {
            return Self::no_trade(certificate.prover_side.mechanism());
        }
        Self {
            winning_bids: tasks.bids,
            winning_asks: winners.iter().map(|entry| entry.seat).collect(),
            prices: prices(round, certificate),
            units: certificate.units,
            shares: tasks.shares,
        }
    }
}

/// The prices of a round with a trade.
fn prices(round: &Round, certificate: &Certificate) -> Prices {
    match certificate.prover_side {
        ProverClaim::Core { pivot_ask } => Prices::Uniform {
            user_price: certificate.user_pivot.fee,
            // With a trade there is a pivot ask, and it is in the round.
            prover_price: pivot_ask
                .and_then(|seat| round.ask(seat))
                .map_or(UnitPrice::ZERO, |ask| ask.cost.into()),
        },
        ProverClaim::AverageFee { revenue, .. } => Prices::AverageFee { revenue },
    }
}

/// A round's results by mechanism, as written: `{"core": {...}, "average_fee": {...}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClearedRound {
    /// The result under the mechanism `core`.
    pub core: Outcome,
    /// The result under the mechanism `average-fee`.
    pub average_fee: Outcome,
}

impl ClearedRound {
    /// Clears `round` under every mechanism.
    #[must_use]
    pub fn of(round: &Round) -> Self {
        Self {
            core: crate::clear(Mechanism::Core, round),
            average_fee: crate::clear(Mechanism::AverageFee, round),
        }
    }
}
