//! Where a key's transactions are written down before any node gets them.
//!
//! A journal says what was signed. What became of it the chain says, so that a journal cannot contradict the chain: records of
//! transactions that have ended are simply forgotten.

use alloy::primitives::{Address, B256, Bytes};
use futures_util::future::BoxFuture;
use futures_util::future::FutureExt;
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};
use thiserror::Error;

/// Whose transactions they are: nonces count per account and chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account {
    /// The chain.
    pub chain_id: u64,
    /// Hash of its first block: development chains share their id.
    pub genesis: B256,
    /// The account.
    pub address: Address,
}

/// One transaction in all the forms it was signed in: same nonce, rising fees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its nonce.
    pub nonce: u64,
    /// What it is for, for people who read the journal.
    pub purpose: String,
    /// Until when its effect is worth anything (block time, seconds since the epoch), if that ends.
    pub until: Option<u64>,
    /// What its effect is worth (wei per gas), if that is known.
    pub worth: Option<u128>,
    /// The forms, the newest last.
    pub forms: Vec<Form>,
}

/// A signed transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// Its hash.
    pub hash: B256,
    /// The bytes that nodes take.
    pub raw: Bytes,
    /// Most that it pays (wei per gas).
    pub max_fee: u128,
    /// Most of it that goes to whoever builds the block (wei per gas).
    pub tip: u128,
    /// Whether it does nothing but use the nonce up.
    pub cancels: bool,
}

/// Why a journal is of no use.
#[derive(Debug, Error)]
#[error("the journal of transactions cannot be used: {0}; nothing is sent without it")]
pub struct JournalError(#[source] Box<dyn Error + Send + Sync>);

impl JournalError {
    /// Something is wrong with what the journal lies in.
    #[must_use]
    pub fn new(reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(reason.into())
    }
}

/// What a journal answers, some time later.
pub type Answered<'a, T> = BoxFuture<'a, Result<T, JournalError>>;

/// A list of records by account and nonce. One program uses an account at a time.
pub trait Journal: Debug + Send + Sync {
    /// All records of an account, by nonce.
    ///
    /// # Errors
    /// [`JournalError`].
    fn load(&self, account: Account) -> Answered<'_, Vec<Record>>;

    /// Writes a record, in place of the one with its nonce if there is one. What it wrote survives whatever happens once this returns.
    ///
    /// # Errors
    /// [`JournalError`]; then what was there before is still there.
    fn keep<'a>(&'a self, account: Account, record: &'a Record) -> Answered<'a, ()>;

    /// Drops the record with this nonce, if there is one.
    ///
    /// # Errors
    /// [`JournalError`].
    fn forget(&self, account: Account, nonce: u64) -> Answered<'_, ()>;

    /// Drops all records of an account, readable or not.
    ///
    /// # Errors
    /// [`JournalError`].
    fn clear(&self, account: Account) -> Answered<'_, ()>;
}

/// A journal that ends with the process, or with the last clone of it.
#[derive(Debug, Clone, Default)]
pub struct MemoryJournal {
    records: Arc<Mutex<BTreeMap<(Account, u64), Record>>>,
}

impl MemoryJournal {
    fn with<T>(&self, act: impl FnOnce(&mut BTreeMap<(Account, u64), Record>) -> T) -> T {
        act(&mut self.records.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Journal for MemoryJournal {
    fn load(&self, account: Account) -> Answered<'_, Vec<Record>> {
        let all = |records: &mut BTreeMap<(Account, u64), Record>| {
            records.range((account, 0)..=(account, u64::MAX)).map(|(_, record)| record.clone()).collect()
        };
        let found = self.with(all);
        async { Ok(found) }.boxed()
    }

    fn keep<'a>(&'a self, account: Account, record: &'a Record) -> Answered<'a, ()> {
        async move {
            self.with(|records| records.insert((account, record.nonce), record.clone()));
            Ok(())
        }
        .boxed()
    }

    fn forget(&self, account: Account, nonce: u64) -> Answered<'_, ()> {
        async move {
            self.with(|records| records.remove(&(account, nonce)));
            Ok(())
        }
        .boxed()
    }

    fn clear(&self, account: Account) -> Answered<'_, ()> {
        async move {
            self.with(|records| records.retain(|(owner, _), _| *owner != account));
            Ok(())
        }
        .boxed()
    }
}
