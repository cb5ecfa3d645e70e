//! Results of bids that were submitted together: they come back by one call, which anyone may make.

use crate::commands::session::{OpenMarket, Session};
use crate::failure::{Code, Failure, Outcome};
use alloy::primitives::{Address, U256};
use chain::history::BundleRecord;
use chain::round::release_call;
use chain::{MarketHistory, Retention};

/// Bundles of `account` that wait, resolved or not.
pub(crate) fn waiting(history: &MarketHistory, account: Address) -> Vec<BundleRecord> {
    history.bundles().filter(|bundle| bundle.requester == account).copied().collect()
}

/// Releases every bundle of `account` whose round is resolved, and says how many there were.
pub(crate) async fn release_all(session: &Session, open: &OpenMarket, account: Address) -> Outcome<usize> {
    let follower = session.follow(open, Retention::Live).await?;
    let history = session.history(&follower, open)?;
    let now = follower.head().timestamp;
    let mut released = 0;
    for bundle in waiting(history, account) {
        if history.is_resolved(bundle.round, now) {
            release(session, open, history, &bundle).await?;
            released += 1;
        }
    }
    Ok(released)
}

/// Releases one bundle.
pub(crate) async fn release(
    session: &Session,
    open: &OpenMarket,
    history: &MarketHistory,
    bundle: &BundleRecord,
) -> Outcome<()> {
    let record = history.round(bundle.round);
    let call = record.and_then(|record| release_call(&open.market, record, bundle)).ok_or_else(|| {
        Failure::new(
            Code::Connection,
            eyre::eyre!(
                "the node does not know all bids of round {}; is --from-block too late?",
                bundle.round
            ),
        )
    })?;
    session.send("releasing a bundle of bids", call, U256::ZERO).await?;
    Ok(())
}
