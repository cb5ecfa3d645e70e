//! The owner of a key's nonces.
//!
//! It alone gives nonces out, one at a time, and writes each transaction down before a node gets it. From then on the nonce belongs to that
//! transaction: whatever happens to an answer or to this process, it has at most one effect.

use super::answer::Answer;
use super::error::SendError;
use super::fees::{Fees, GasPrice};
use super::journal::{Account, Record};
use super::options::{Patience, TransactionOptions, Worth};
use super::signing::{Call, TransactionSigner};
use super::slot::{Slot, Waiting};
use crate::CallError;
use alloy::eips::BlockNumberOrTag;
use alloy::primitives::{Address, B256};
use alloy::providers::utils::{EIP1559_FEE_ESTIMATION_REWARD_PERCENTILE, eip1559_default_estimator};
use alloy::providers::{DynProvider, Provider};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{Mutex, Notify};
use tokio::time::Instant;
use tracing::{debug, info, warn};

/// What the owner of a key is made of.
pub(crate) struct Owner {
    pub(super) account: Account,
    pub(super) signer: TransactionSigner,
    pub(super) provider: DynProvider,
    /// Gets signed transactions.
    pub(super) submit: DynProvider,
    pub(super) options: TransactionOptions,
    pub(super) patience: Patience,
    pub(super) book: Mutex<Book>,
    pub(super) wake: Arc<Notify>,
}

/// The transactions that have not ended.
#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) slots: BTreeMap<u64, Slot>,
    /// Looks in a row that found a nonce that nobody uses before those that are used.
    pub(super) gaps: u32,
    /// Whether a task looks after them.
    pub(super) driven: bool,
}

/// A transaction to send.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) call: Call,
    pub(super) purpose: &'static str,
    pub(super) worth: Worth,
}

impl Owner {
    /// Reads what an earlier process wrote down and goes on with it, or forgets it if the options say so.
    ///
    /// # Errors
    /// [`SendError::Journal`] or [`SendError::Sign`] if that cannot be read.
    pub(crate) async fn start(
        signer: TransactionSigner,
        (chain_id, genesis): (u64, B256),
        provider: DynProvider,
        submit: DynProvider,
        options: TransactionOptions,
        patience: Patience,
    ) -> Result<Arc<Self>, SendError> {
        let account = Account { chain_id, genesis, address: signer.address() };
        if options.rebuild {
            options.journal.clear(account).await?;
        }
        let mut slots = BTreeMap::new();
        for record in options.journal.load(account).await? {
            info!(nonce = record.nonce, purpose = record.purpose, "going on with a transaction");
            slots.insert(record.nonce, Slot::read(record, account)?);
        }
        let (book, wake) = (Mutex::new(Book { slots, ..Book::default() }), Arc::default());
        let owner = Arc::new(Self { account, signer, provider, submit, options, patience, book, wake });
        {
            let mut book = owner.book.lock().await;
            if !book.slots.is_empty() {
                owner.drive(&mut book);
            }
        }
        Ok(owner)
    }

    /// The account.
    pub(crate) const fn address(&self) -> Address {
        self.account.address
    }

    /// Gives the transaction a nonce, writes it down and hands it to a node. If the same call is on its way and nobody waits for it any
    /// more, as it was sent before a restart or undone by a reorganisation, that one is waited for instead.
    ///
    /// # Errors
    /// [`SendError`]; nothing was sent.
    pub(super) async fn begin(self: &Arc<Self>, draft: &Draft) -> Result<Waiting, SendError> {
        let mut book = self.book.lock().await;
        self.require_in_time(draft).await?;
        if !book.slots.is_empty() {
            let next = self.provider.get_transaction_count(self.account.address).latest().await?;
            book.undo_from(next);
        }
        if let Some(slot) = book.same_call(&draft.call) {
            debug!(nonce = slot.nonce(), hash = %slot.hash(), "the same call is on its way");
            let waiting = slot.wait_for(&draft.worth);
            self.drive(&mut book);
            return Ok(waiting);
        }
        let (price, most) = (self.price().await?, self.most_of(&draft.call, draft.worth.max_fee_per_gas));
        let too_dear = SendError::TooDear { base_fee: price.base_fee, most };
        let fees = Fees::first(&price, most).ok_or(too_dear)?;
        let mut slot = self.broadcast(draft, fees, book.after_last()).await?;
        debug!(nonce = slot.nonce(), hash = %slot.hash(), purpose = draft.purpose, "sent");
        let waiting = slot.wait_for(&draft.worth);
        book.slots.insert(slot.nonce(), slot);
        self.drive(&mut book);
        Ok(waiting)
    }

    /// Most that may be offered for a call (wei per gas) that is worth so much.
    pub(super) fn most_of(&self, call: &Call, worth: Option<u128>) -> u128 {
        self.options.fees.of_call(call.gas, worth)
    }

    /// Hash of the newest form of the transaction with this nonce.
    pub(super) async fn hash_of(&self, nonce: u64) -> B256 {
        self.book.lock().await.slots.get(&nonce).map(Slot::hash).unwrap_or_default()
    }

    async fn require_in_time(&self, draft: &Draft) -> Result<(), SendError> {
        let Some(until) = draft.worth.until else { return Ok(()) };
        let block = self.provider.get_block_by_number(BlockNumberOrTag::Latest).await?;
        let block = block.ok_or_else(|| CallError::Unexpected("no latest block".to_owned()))?;
        let now = block.header.timestamp;
        if now >= until { Err(SendError::Outdated { now, until }) } else { Ok(()) }
    }

    /// Sends under the first nonce that nobody uses, `floor` or later.
    async fn broadcast(&self, draft: &Draft, fees: Fees, mut floor: u64) -> Result<Slot, SendError> {
        const TRIES: u32 = 5;
        let (account, journal) = (self.account, &self.options.journal);
        let mut tries = 0;
        loop {
            // What waits counts too: it may be from an earlier life of this program that wrote nothing down.
            let pending = self.provider.get_transaction_count(account.address).pending().await?;
            let nonce = pending.max(floor);
            let form = draft.call.sign(&self.signer, account, nonce, fees).await?;
            let Worth { until, max_fee_per_gas: worth } = draft.worth;
            let purpose = draft.purpose.to_owned();
            let record = Record { nonce, purpose, until, worth, forms: vec![form.clone()] };
            journal.keep(account, &record).await?;
            let answer = self.submit.send_raw_transaction(&form.raw).await;
            let mut slot = Slot::new(record, draft.call.clone());
            tries += 1;
            let mut came = Answer::of(&answer);
            if came == Answer::NonceTaken {
                // Whatever lies between may have handed it over twice, and a block may have come between the two.
                came = match self.provider.get_transaction_by_hash(form.hash).await {
                    Ok(Some(_)) => Answer::Taken,
                    Ok(None) => Answer::NonceTaken,
                    Err(_) => Answer::Lost,
                };
            }
            match (came, answer) {
                (Answer::Taken, _) => {
                    slot.sent_at = Some(Instant::now());
                    return Ok(slot);
                }
                // It is handed over again soon.
                (Answer::Lost, _) => return Ok(slot),
                (Answer::NonceTaken, _) if tries < TRIES => {
                    warn!(nonce, "another program used the nonce; use the key in one program only");
                    journal.forget(account, nonce).await?;
                    floor = nonce.saturating_add(1);
                }
                (Answer::NonceTaken | Answer::Unwanted, answer) => {
                    journal.forget(account, nonce).await?;
                    answer.map(|_| ())?;
                }
            }
        }
    }

    /// What gas costs now.
    pub(crate) async fn price(&self) -> Result<GasPrice, CallError> {
        price(&self.provider).await
    }
}

/// What gas costs in the next blocks, by the last ones.
pub(crate) async fn price(provider: &DynProvider) -> Result<GasPrice, CallError> {
    const BLOCKS: u64 = 10;
    let percentile = [EIP1559_FEE_ESTIMATION_REWARD_PERCENTILE];
    let history = provider.get_fee_history(BLOCKS, BlockNumberOrTag::Latest, &percentile).await?;
    let next = history.next_block_base_fee();
    let base_fee = next.ok_or_else(|| CallError::Unexpected("no base fee".to_owned()))?;
    let estimate = eip1559_default_estimator(base_fee, &history.reward.unwrap_or_default());
    let (max_fee, tip) = (estimate.max_fee_per_gas, estimate.max_priority_fee_per_gas);
    Ok(GasPrice { base_fee, tip, max_fee })
}

impl Book {
    /// The first nonce after those that are used here.
    fn after_last(&self) -> u64 {
        self.slots.last_key_value().map_or(0, |(nonce, _)| nonce.saturating_add(1))
    }

    /// The chain takes the nonce `next` next, so that whatever was mined with that or a later one is no more.
    pub(super) fn undo_from(&mut self, next: u64) {
        for slot in self.slots.range_mut(next..).map(|(_, slot)| slot).filter(|slot| slot.mined.is_some()) {
            info!(nonce = slot.nonce(), hash = %slot.hash(), "a reorganisation has undone the transaction");
            slot.undo();
        }
    }

    fn same_call(&mut self, call: &Call) -> Option<&mut Slot> {
        self.slots.values_mut().find(|slot| slot.is_orphan() && slot.call.is_same(call))
    }
}
