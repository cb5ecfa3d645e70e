//! Compares a history with the contract: the running hash of a round's bids is in its storage, so that one view shows whether any is missing.

use super::FollowError;
use crate::commitments::BidChain;
use crate::{Client, Head, MarketHistory};
use alloy::eips::BlockId;
use alloy::primitives::U256;
use tracing::debug;

/// Compares the rounds whose bids somebody may still act on, as they are at `head`.
///
/// # Errors
/// [`FollowError::Incomplete`] if bids are missing, or there are others. A node that does not answer is no error.
pub(super) async fn compare(client: &Client, history: &MarketHistory, head: Head) -> Result<(), FollowError> {
    let market = history.market();
    let open = history.rounds().filter(|round| {
        round.settlement.is_none() && round.bid_count() > 0 && head.timestamp < market.settle_by(round.number)
    });
    for round in open {
        let (id, number) = (market.id.get(), U256::from(round.number.get()));
        let view = client.market().bidChainOf(id, number).block(BlockId::hash(head.hash)).call().await;
        let actual = match view {
            Ok(stored) => BidChain::stored(stored),
            Err(error) => {
                debug!(%error, round = %round.number, "cannot compare a round with the contract");
                continue;
            }
        };
        let seed = (client.chain_id(), client.contract());
        let known = BidChain::of(seed.0, seed.1, market.id, round.number, &round.words());
        if known != actual {
            let (known, actual) = (known.count(), actual.count());
            return Err(FollowError::Incomplete { round: round.number, known, actual });
        }
    }
    Ok(())
}
