//! One look at the chain: what has become of each transaction, and the next step of those that wait.

use super::answer::Answer;
use super::error::SendError;
use super::fees::Fees;
use super::journal::Record;
use super::owner::{Book, Owner};
use super::signing::Call;
use super::slot::{Ended, Slot};
use super::step::{Step, next_step};
use crate::{CallError, Revert};
use alloy::eips::{BlockId, BlockNumberOrTag};
use alloy::providers::Provider;
use alloy::rpc::types::TransactionReceipt;
use tokio::time::Instant;
use tracing::{info, warn};

/// Looks in a row before something is believed that a node which lags behind could say too.
const SURE: u32 = 3;

/// Nonces that are filled at once.
const GAPS_AT_ONCE: u64 = 16;

/// What there is to look after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Activity {
    /// No transaction.
    Nothing,
    /// Transactions that were mined a few blocks ago.
    Watching,
    /// Transactions that are not mined.
    Waiting,
}

/// The chain at the moment of a look.
#[derive(Debug, Clone, Copy)]
struct Chain {
    /// Its newest block.
    block: u64,
    /// Time of that block (seconds since the epoch).
    now: u64,
    /// The nonce that it takes next from the account.
    next: u64,
}

impl Owner {
    /// Looks once.
    ///
    /// # Errors
    /// [`SendError`] if the node does not answer or the journal takes nothing. The next look goes on from there.
    pub(super) async fn look(&self) -> Result<Activity, SendError> {
        let mut book = self.book.lock().await;
        if book.slots.is_empty() {
            return Ok(Activity::Nothing);
        }
        let chain = self.chain().await?;
        book.undo_from(chain.next);
        self.end_what_is_mined(&mut book, chain).await?;
        self.fill_gaps(&mut book, chain).await?;
        let waiting =
            book.slots.values_mut().filter(|slot| slot.mined.is_none() && slot.nonce() >= chain.next);
        for slot in waiting {
            let view = slot.view(chain.next, chain.now, self.patience.bump_after);
            self.take(next_step(&view), slot, chain).await?;
        }
        Ok(match book.slots.values().any(|slot| slot.mined.is_none()) {
            true => Activity::Waiting,
            false if book.slots.is_empty() => Activity::Nothing,
            false => Activity::Watching,
        })
    }

    async fn chain(&self) -> Result<Chain, CallError> {
        let next = self.provider.get_transaction_count(self.account.address).latest().await?;
        let block = self.provider.get_block_by_number(BlockNumberOrTag::Latest).await?;
        let header = block.ok_or_else(|| CallError::Unexpected("no latest block".to_owned()))?.header;
        Ok(Chain { block: header.number, now: header.timestamp, next })
    }

    /// Tells what became of the transactions whose nonces are used, and forgets those that can hardly be undone.
    async fn end_what_is_mined(&self, book: &mut Book, chain: Chain) -> Result<(), SendError> {
        let mut over = Vec::new();
        for slot in book.slots.range_mut(..chain.next).map(|(_, slot)| slot) {
            if slot.mined.is_none() {
                match self.receipt(&slot.record).await? {
                    Some((receipt, cancels)) => end(slot, receipt, cancels, chain),
                    None => slot.missing = slot.missing.saturating_add(1),
                }
            }
            let replaced = slot.mined.is_none() && slot.missing >= SURE;
            if replaced {
                warn!(nonce = slot.nonce(), hash = %slot.hash(), "another transaction took the nonce");
                slot.tell(Ended::Replaced(slot.hash()));
            }
            let deep = |block: u64| chain.block >= block.saturating_add(self.options.watch);
            if replaced || slot.mined.is_some_and(deep) {
                over.push(slot.nonce());
            }
        }
        for nonce in over {
            self.options.journal.forget(self.account, nonce).await?;
            book.slots.remove(&nonce);
        }
        Ok(())
    }

    /// The receipt of the form that was mined, and whether that has no effect.
    async fn receipt(&self, record: &Record) -> Result<Option<(TransactionReceipt, bool)>, CallError> {
        for form in record.forms.iter().rev() {
            if let Some(receipt) = self.provider.get_transaction_receipt(form.hash).await? {
                return Ok(Some((receipt, form.cancels)));
            }
        }
        Ok(None)
    }

    /// Uses up the nonces before the first that is used, as nothing after them is mined otherwise.
    async fn fill_gaps(&self, book: &mut Book, chain: Chain) -> Result<(), SendError> {
        let first = book.slots.range(chain.next..).next().map_or(chain.next, |(nonce, _)| *nonce);
        let address = self.account.address;
        // A transaction of another program may be on its way.
        if first == chain.next
            || self.provider.get_transaction_count(address).pending().await? > chain.next
                && book.gaps < 8 * SURE
        {
            book.gaps = if first == chain.next { 0 } else { book.gaps.saturating_add(1) };
            return Ok(());
        }
        book.gaps = book.gaps.saturating_add(1);
        if book.gaps < SURE {
            return Ok(());
        }
        let price = self.price().await?;
        let Some(fees) = Fees::first(&price, self.options.fees.of_cancel()) else { return Ok(()) };
        for nonce in (chain.next..first).take(usize::try_from(GAPS_AT_ONCE).unwrap_or(1)) {
            warn!(nonce, "nobody uses the nonce, filling the gap");
            let call = Call::cancel(self.account);
            let forms = vec![call.sign(&self.signer, self.account, nonce, fees).await?];
            let purpose = "fill a gap".to_owned();
            let record = Record { nonce, purpose, until: None, worth: None, forms };
            self.options.journal.keep(self.account, &record).await?;
            book.slots.insert(nonce, Slot::new(record, call));
        }
        book.gaps = 0;
        Ok(())
    }

    async fn take(&self, step: Step, slot: &mut Slot, chain: Chain) -> Result<(), SendError> {
        if matches!(step, Step::CheckAndSend | Step::CheckAndRaise)
            && let Some(revert) = self.refusal(slot).await
        {
            info!(nonce = slot.nonce(), hash = %slot.hash(), %revert, "the contract would refuse it by now, cancelling it");
            slot.refusal = Some(revert);
            return self.cancel(slot).await;
        }
        match step {
            Step::Wait => Ok(()),
            Step::Send | Step::CheckAndSend => {
                self.send(slot).await;
                Ok(())
            }
            Step::Raise | Step::CheckAndRaise => self.raise(slot).await,
            Step::Cancel => {
                info!(nonce = slot.nonce(), hash = %slot.hash(), now = chain.now, "too late, cancelling it");
                self.cancel(slot).await
            }
        }
    }

    /// Why the contract would refuse the call now, if it would.
    async fn refusal(&self, slot: &Slot) -> Option<Revert> {
        let call = self.provider.call(slot.call.request(self.account)).block(BlockId::latest()).await;
        call.err().as_ref().and_then(Revert::of_rpc)
    }

    /// Hands the newest form to the nodes, as often as is useful: they know it by its hash.
    async fn send(&self, slot: &mut Slot) {
        let Some(form) = slot.record.forms.last() else { return };
        let answer = self.submit.send_raw_transaction(&form.raw).await;
        match Answer::of(&answer) {
            Answer::Lost => slot.sent_at = None,
            Answer::Taken | Answer::NonceTaken | Answer::Unwanted => slot.sent_at = Some(Instant::now()),
        }
        if let (Answer::Unwanted, Err(error)) = (Answer::of(&answer), answer) {
            warn!(nonce = slot.nonce(), hash = %slot.hash(), %error, "the node does not want it, trying again later");
        }
    }

    /// Offers more for it; if more is not allowed, hands it over again as it is.
    async fn raise(&self, slot: &mut Slot) -> Result<(), SendError> {
        let call = if slot.is_cancelled() { Call::cancel(self.account) } else { slot.call.clone() };
        let most = if slot.is_cancelled() {
            self.options.fees.of_cancel()
        } else {
            self.most_of(&call, slot.record.worth)
        };
        let before = slot.hash();
        if self.replace(slot, &call, most).await? {
            warn!(nonce = slot.nonce(), %before, now = %slot.hash(), "not mined yet, offering more");
        } else {
            info!(nonce = slot.nonce(), hash = %before, most, "not mined yet, and offers as much as it may");
            self.send(slot).await;
        }
        Ok(())
    }

    /// Uses its nonce up without an effect, if that may still be offered enough.
    async fn cancel(&self, slot: &mut Slot) -> Result<(), SendError> {
        let most = self.options.fees.of_cancel();
        if !self.replace(slot, &Call::cancel(self.account), most).await? {
            warn!(nonce = slot.nonce(), most, "cannot be cancelled for what may be offered");
            slot.sent_at = Some(Instant::now());
        }
        Ok(())
    }

    /// Writes a dearer form down and hands it over. Whether one may be made, and the node did not refuse it.
    async fn replace(&self, slot: &mut Slot, call: &Call, most: u128) -> Result<bool, SendError> {
        let Some(newest) = slot.record.forms.last() else { return Ok(false) };
        let fees = Fees { max: newest.max_fee, tip: newest.tip };
        let Some(fees) = fees.dearer(&self.price().await?, most) else { return Ok(false) };
        let form = call.sign(&self.signer, self.account, slot.nonce(), fees).await?;
        slot.record.forms.push(form);
        if let Err(error) = self.options.journal.keep(self.account, &slot.record).await {
            slot.record.forms.pop();
            return Err(error.into());
        }
        let answer = match slot.record.forms.last() {
            Some(form) => self.submit.send_raw_transaction(&form.raw).await,
            None => return Ok(false),
        };
        if let (Answer::Unwanted, Err(error)) = (Answer::of(&answer), answer) {
            // Too dear for the account, perhaps. The form before stands; the node may have dropped it.
            warn!(nonce = slot.nonce(), %error, "the node does not want the dearer form");
            slot.record.forms.pop();
            self.options.journal.keep(self.account, &slot.record).await?;
            return Ok(false);
        }
        slot.sent_at = Some(Instant::now());
        Ok(true)
    }
}

/// One of its forms was mined.
fn end(slot: &mut Slot, receipt: TransactionReceipt, cancels: bool, chain: Chain) {
    slot.mined = Some(receipt.block_number.unwrap_or(chain.block));
    let ended = match (cancels, slot.refusal.take()) {
        (false, _) => Ended::Mined(Box::new(receipt)),
        (true, Some(revert)) => Ended::Refused(revert),
        (true, None) => Ended::Outdated(chain.now),
    };
    slot.tell(ended);
}
