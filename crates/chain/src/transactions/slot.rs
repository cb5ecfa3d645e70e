//! One transaction of the owner and who waits for it.

use super::journal::{Account, Record};
use super::options::Worth;
use super::signing::{Call, SignError};
use super::step::View;
use crate::Revert;
use alloy::primitives::B256;
use alloy::rpc::types::TransactionReceipt;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// How a transaction ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// It was mined, whether it succeeded or not.
    Mined(Box<TransactionReceipt>),
    /// Its nonce was used up without an effect, since the contract would refuse it by now.
    Refused(Revert),
    /// Its nonce was used up without an effect at this block time, since it was too late.
    Outdated(u64),
    /// Another program used its nonce.
    Replaced(B256),
}

/// Who waits for a transaction.
pub(super) struct Waiting {
    pub(super) nonce: u64,
    pub(super) ended: oneshot::Receiver<Ended>,
}

/// A transaction that is written down.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) record: Record,
    pub(super) call: Call,
    /// `None`: whoever wanted it has gone, or did so in an earlier process.
    waiter: Option<oneshot::Sender<Ended>>,
    /// When nodes got its newest form, as far as is known.
    pub(super) sent_at: Option<Instant>,
    /// Looks in a row that found its nonce used and no receipt.
    pub(super) missing: u32,
    /// The block that it is in.
    pub(super) mined: Option<u64>,
    /// Why it was cancelled, if the contract would refuse it.
    pub(super) refusal: Option<Revert>,
}

impl Slot {
    pub(super) const fn new(record: Record, call: Call) -> Self {
        Self { record, call, waiter: None, sent_at: None, missing: 0, mined: None, refusal: None }
    }

    /// What an earlier process wrote down.
    ///
    /// # Errors
    /// [`SignError`] if it is none of the account's.
    pub(super) fn read(record: Record, account: Account) -> Result<Self, SignError> {
        let calls = record.forms.iter().map(|form| Call::of(form, account, record.nonce));
        let calls = calls.collect::<Result<Vec<Call>, _>>()?;
        // The first form is the one that was wanted.
        let call = calls.into_iter().next();
        let call = call.ok_or(SignError::Foreign(account.address, record.nonce))?;
        Ok(Self::new(record, call))
    }

    pub(super) const fn nonce(&self) -> u64 {
        self.record.nonce
    }

    /// Hash of the newest form.
    pub(super) fn hash(&self) -> B256 {
        self.record.forms.last().map(|form| form.hash).unwrap_or_default()
    }

    /// Whether its newest form only uses the nonce up.
    pub(super) fn is_cancelled(&self) -> bool {
        self.record.forms.last().is_some_and(|form| form.cancels)
    }

    /// Whether nobody waits for it and it could still have its effect.
    pub(super) fn is_orphan(&self) -> bool {
        let waited_for = self.waiter.as_ref().is_some_and(|waiter| !waiter.is_closed());
        !waited_for && self.mined.is_none() && !self.is_cancelled()
    }

    /// Somebody waits for it from now on, to whom it is worth so much.
    pub(super) fn wait_for(&mut self, worth: &Worth) -> Waiting {
        let (sender, ended) = oneshot::channel();
        self.waiter = Some(sender);
        (self.record.until, self.record.worth) = (worth.until, worth.max_fee_per_gas);
        Waiting { nonce: self.nonce(), ended }
    }

    /// Tells whoever waits.
    pub(super) fn tell(&mut self, ended: Ended) {
        if let Some(waiter) = self.waiter.take() {
            // Nobody may wait any more.
            let _ = waiter.send(ended);
        }
    }

    /// A reorganisation has undone it: nodes may have lost it.
    pub(super) fn undo(&mut self) {
        (self.mined, self.sent_at, self.missing) = (None, None, 0);
    }

    /// What there is to know for its next step.
    pub(super) fn view(&self, next: u64, now: u64, rest: Duration) -> View {
        View {
            front: self.nonce() == next,
            cancelled: self.is_cancelled(),
            outdated: self.record.until.is_some_and(|until| now >= until),
            sent: self.sent_at.is_some(),
            rested: self.sent_at.is_some_and(|sent| sent.elapsed() >= rest),
        }
    }
}
