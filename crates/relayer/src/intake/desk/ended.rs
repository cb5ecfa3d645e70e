//! What a transaction that has ended means for its bids.

use super::{Desk, Rest, TICK};
use crate::intake::post::{Outcome, Posted, Refused};
use alloy::primitives::{Address, B256};
use alloy::sol_types::SolError;
use bindings::ProverMarket::{BidInRoundAlready, RoundFull};
use chain::SendError;
use intake_api::Signer;
use service::{Backoff, CANNOT_NOTE, CANNOT_POST, POSTING_LOST, trouble};
use store::bids::Group;
use tokio::task::JoinError;
use tokio::time::Instant;
use tracing::info;

impl Desk {
    pub(super) async fn finish_joined(&mut self, ended: Result<Posted, JoinError>) {
        match ended {
            Ok(posted) => self.finish(posted).await,
            Err(error) => trouble!(warn, POSTING_LOST, %error, "posting ended without a result"),
        }
    }

    pub(super) async fn finish_running(&mut self) {
        while let Some(ended) = self.running.join_next().await {
            self.finish_joined(ended).await;
        }
    }

    async fn finish(&mut self, posted: Posted) {
        let Posted { group, bids, requesters, result } = posted;
        if let Some(count) = self.under_way.get_mut(&group) {
            *count = count.saturating_sub(1);
        }
        self.under_way.retain(|_, count| *count > 0);
        let (bids, why) = match result {
            Ok(Outcome { mined, refused, left_out }) => {
                let unsent: Vec<B256> = left_out.iter().map(|refused| refused.id).collect();
                let (unsent, sent): (Vec<B256>, Vec<B256>) =
                    bids.iter().copied().partition(|id| mined.is_none() || unsent.contains(id));
                if let Some((transaction, block)) = mined {
                    self.posted(group, &sent, transaction, block, refused);
                }
                if unsent.is_empty() {
                    return;
                }
                let why = self.take_refusals(group, &unsent, left_out);
                (unsent, why)
            }
            Err(error) => {
                // One that is mined and accepts nothing has failed as a whole.
                if matches!(error, SendError::Failed { .. }) && !self.is_closing(group) {
                    self.turn_away(group, requesters);
                }
                let why = self.trouble_of(group, &bids, &error);
                (bids, Some(why))
            }
        };
        let delay = self.backoffs.entry(group).or_insert_with(|| Backoff::new(TICK / 2, TICK * 5)).delay();
        let until = Rest::Until(Instant::now() + delay);
        if let Err(error) = self.shared.bids.let_go(self.holder, &bids).await {
            trouble!(warn, CANNOT_NOTE, %error, "cannot leave bids to other relayers");
        }
        self.rests.extend(bids.iter().map(|id| (*id, until)));
        if let Some(why) = why {
            trouble!(
                warn,
                CANNOT_POST,
                market = %group.market,
                round = %group.round,
                bids = bids.len(),
                trouble = %why,
                "cannot post signed bids, trying again"
            );
            if let Err(error) = self.shared.bids.trouble(&bids, &why).await {
                trouble!(warn, CANNOT_NOTE, %error, "cannot note what went wrong");
            }
        }
    }

    /// What a transaction of bids has come to.
    fn posted(&mut self, group: Group, sent: &[B256], transaction: B256, block: u64, refused: Vec<Refused>) {
        info!(
            market = %group.market,
            round = %group.round,
            bids = sent.len(),
            refused = refused.len(),
            %transaction,
            "posted signed bids"
        );
        self.backoffs.remove(&group);
        self.sizes.grow(group.market, sent.len());
        self.rests.extend(sent.iter().map(|id| (*id, Rest::UntilRead(block))));
        // What somebody else was faster with, or found no room for, is nobody's fault.
        let at_fault = |refused: &&Refused| {
            refused.reason != BidInRoundAlready::SELECTOR && refused.reason != RoundFull::SELECTOR
        };
        self.turn_away(group, refused.iter().filter(at_fault).map(|refused| refused.requester));
        self.refused.extend(refused.into_iter().map(|refused| (block, refused)));
    }

    /// Takes what the contract would refuse before anything was sent. At the close that may be because the round is over, when every
    /// signature is a stranger's: then it says nothing about the bids.
    fn take_refusals(&mut self, group: Group, bids: &[B256], refused: Vec<Refused>) -> Option<String> {
        let block = self.shared.seen.borrow().head.number;
        if self.is_closing(group) {
            return Some("the contract would refuse it, most likely because the round is closing".to_owned());
        }
        let all = refused.len() == bids.len();
        self.refused.extend(refused.into_iter().map(|refused| (block, refused)));
        (!all).then(|| "another bid of the same transaction was refused".to_owned())
    }

    /// Whether a refusal may be because the round is over.
    fn is_closing(&self, group: Group) -> bool {
        let hours = self.shared.options.hours(group.market, group.round);
        let margin = hours.closes_at.saturating_sub(hours.accepts_until) / 2;
        self.shared.seen.borrow().now().saturating_add(margin) >= hours.closes_at
    }

    /// Remembers contracts that were refused on chain.
    fn turn_away(&self, group: Group, requesters: impl IntoIterator<Item = Address>) {
        if group.signer == Signer::Wallet {
            let now = Instant::now();
            requesters.into_iter().for_each(|wallet| self.shared.wallets.turn_away(wallet, now));
        }
    }

    fn trouble_of(&mut self, group: Group, bids: &[B256], error: &SendError) -> String {
        let too_large = matches!(error, SendError::TooMuchGas { .. });
        if too_large && bids.len() > 1 {
            let most = self.sizes.shrink(group.market, bids.len());
            info!(market = %group.market, most, "a transaction of signed bids needs too much gas, making smaller ones");
        }
        error.to_string()
    }
}
