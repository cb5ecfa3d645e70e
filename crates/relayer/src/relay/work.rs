//! An action with what it needs, as a task of its own, and what is logged of its end.

use crate::act::{ActError, Done, Manner, release, settle};
use crate::plan::Action;
use alloy::primitives::U256;
use chain::settlement::Settling;
use chain::{Client, Market, MarketHistory, MarketId, RoundRecord};
use service::{CANNOT_ACT, DOES_NOT_PAY, TOO_LATE, trouble};
use std::sync::Arc;
use tracing::{debug, info};

/// An action with what it needs of the history, which moves on meanwhile.
pub(super) struct Work {
    market: Market,
    record: Arc<RoundRecord>,
    action: Action,
    pub(super) manner: Manner,
    pub(super) cleared: Option<Arc<Settling>>,
    /// Most that a release may cost (wei).
    pub(super) budget: Option<U256>,
}

pub(super) fn work(history: &MarketHistory, action: Action) -> Option<Work> {
    let round = action.round();
    let record = history.shared_round(round)?;
    let manner = Manner::eager(history.terms_at(round));
    Some(Work { market: history.market().clone(), record, action, manner, cleared: None, budget: None })
}

impl Work {
    pub(super) async fn run(self, client: &Client) -> Ended {
        let Self { market, record, action, manner, mut cleared, budget } = self;
        let result = match action {
            Action::Settle { .. } => settle(client, &market, &record, &manner, &mut cleared).await,
            Action::Release { bundle } => release(client, &market, &record, &bundle, budget).await,
        };
        Ended { market: market.id, action, result, cleared }
    }
}

/// One action has ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) market: MarketId,
    pub(super) action: Action,
    pub(super) result: Result<Done, ActError>,
    pub(super) cleared: Option<Arc<Settling>>,
}

/// Logs what came of an action; `said`: it was said already that it does not pay.
pub(super) fn report(market: MarketId, action: Action, result: &Result<Done, ActError>, said: bool) {
    let (round, what) = match action {
        Action::Settle { round } => (round, "settle"),
        Action::Release { bundle } => (bundle.round, "release"),
    };
    match result {
        Ok(Done::Settled { transaction, gas, units, .. }) => {
            info!(%market, %round, %transaction, gas, %units, "settled the round");
        }
        Ok(Done::PageSettled { transaction, gas, bids_left, .. }) => {
            info!(%market, %round, %transaction, gas, bids_left, "settled a page of the round");
        }
        Ok(Done::Overtaken) => debug!(%market, %round, "others have settled further pages, looking again"),
        Ok(Done::UnderWay) => info!(%market, %round, "somebody's settlement waits to be mined"),
        Ok(Done::DoesNotPay { reward, cost }) if matches!(action, Action::Release { .. }) => {
            debug!(%market, %round, left = %reward, %cost, "what the round has paid does not cover the release");
        }
        Ok(Done::DoesNotPay { .. }) if said => debug!(%market, %round, "settling it still does not pay"),
        Ok(Done::DoesNotPay { reward, cost }) => trouble!(
            warn,
            DOES_NOT_PAY,
            %market,
            %round,
            %reward,
            %cost,
            "settling the round does not pay (wei), waiting for gas to be cheaper; see --profit-factor and --settle-at-a-loss"
        ),
        Ok(Done::SettledByOther) => info!(%market, %round, "somebody else settled the round first"),
        Ok(Done::TooLate) => {
            trouble!(warn, TOO_LATE, %market, %round, "too late to settle the round: it is void");
        }
        Ok(Done::Released { transaction, .. }) => {
            info!(%market, %round, %transaction, "released a bundle of bids");
        }
        Ok(Done::ReleasedByOther) => info!(%market, %round, "somebody else released the bundle first"),
        Err(error) => {
            trouble!(warn, CANNOT_ACT, %market, %round, %error, "cannot {what}, trying again later");
        }
    }
}
