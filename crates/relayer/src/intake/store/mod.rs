//! The database that accepted bids lie in: a SQLite file with a write-ahead log that is synced before a bid is answered for.
//!
//! | module | what is in it |
//! |---|---|
//! | `row` | rows as values |
//! | `decided` | what the chain has decided about bids, and undone |
//! | this one | keeps bids, and tells of them |
//!
//! One connection serves all: writes of one file take turns anyway, and none takes longer than a sync. Statements keep to what other
//! databases understand, so that one can be named by its URL some day.

mod decided;
mod row;
#[cfg(test)]
mod tests;

use crate::intake::plan::Waiting;
use alloy::primitives::{Address, B256};
use intake_api::{BidStatus, Status, Submission};
use row::{bytes, number, to_status, to_waiting};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Row, SqlitePool};
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// What makes a [`BidStatus`].
const STATUS: &str = "SELECT * FROM bids WHERE id = ?";

/// Why the database is of no use.
#[derive(Debug, Error)]
pub enum StoreError {
    /// It cannot be opened, or was written by a later version.
    #[error("cannot use the database {}: {reason}; choose another with --database, or mend its disk or permissions", file.display())]
    Open {
        /// The file.
        file: PathBuf,
        /// What the database says.
        reason: sqlx::Error,
    },
    /// It holds bids for another contract.
    #[error(
        "the database {} holds bids for the contract {found} on chain {chain_id}; choose another with --database", file.display()
    )]
    OtherContract {
        /// The file.
        file: PathBuf,
        /// The contract of its bids.
        found: Address,
        /// Its chain.
        chain_id: u64,
    },
    /// It does not answer, or has no room.
    #[error("the database does not take it: {0}; is its disk full?")]
    Database(#[from] sqlx::Error),
    /// What was written cannot be read.
    #[error("the database holds something that this version cannot read: {0}")]
    Unreadable(String),
}

/// A bid to keep.
#[derive(Debug, Clone)]
pub struct NewBid {
    /// What waits: name, group, weight, time.
    pub waiting: Waiting,
    /// Whose it is.
    pub requester: Address,
    /// The entry's word.
    pub entry: B256,
    /// When its round closes (seconds since the epoch).
    pub closes_at: u64,
    /// The newest block when it was accepted.
    pub block: u64,
    /// As it was posted.
    pub submission: Submission,
}

/// Most that may wait at once.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// Bids.
    pub bids: u64,
    /// Bytes of all of them.
    pub bytes: u64,
}

/// What came of keeping a bid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// It is on disk.
    New,
    /// It was there before.
    Known(Box<BidStatus>),
    /// Another one of the requester is there for this round.
    Other(Box<BidStatus>),
    /// There is no room.
    Full,
}

/// The bids of one contract.
#[derive(Debug, Clone)]
pub struct Store {
    pool: SqlitePool,
    chain_id: u64,
    contract: Address,
}

impl Store {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open(file: &Path, chain_id: u64, contract: Address) -> Result<Self, StoreError> {
        let failed = |reason| StoreError::Open { file: file.to_owned(), reason };
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // Each commit is synced: what was answered for survives a loss of power.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(5));
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.map_err(failed)?;
        MIGRATIONS.run(&pool).await.map_err(|error| failed(error.into()))?;
        let store = Self { pool, chain_id, contract };
        store.claim(file).await?;
        Ok(store)
    }

    /// Makes sure that the bids are for this contract.
    async fn claim(&self, file: &Path) -> Result<(), StoreError> {
        let known = sqlx::query("SELECT chain_id, address FROM contract").fetch_optional(&self.pool).await?;
        let Some(row) = known else {
            let claim = sqlx::query("INSERT INTO contract (chain_id, address) VALUES (?, ?)");
            claim.bind(number(self.chain_id)).bind(self.contract.to_vec()).execute(&self.pool).await?;
            return Ok(());
        };
        let (chain_id, found) = (row::count(&row, "chain_id")?, Address::from(bytes::<20>(&row, "address")?));
        if (chain_id, found) == (self.chain_id, self.contract) {
            return Ok(());
        }
        Err(StoreError::OtherContract { file: file.to_owned(), found, chain_id })
    }

    /// Keeps a bid, in place of one that was refused, unless another one is there or there is no room. It is on disk when this returns.
    ///
    /// # Errors
    /// [`StoreError`]; the bid is then not kept.
    pub async fn keep(&self, bid: &NewBid, room: Room) -> Result<Kept, StoreError> {
        let submission = serde_json::to_string(&bid.submission)
            .map_err(|error| StoreError::Unreadable(error.to_string()))?;
        let (waiting, group) = (&bid.waiting, &bid.waiting.group);
        let mut transaction = self.pool.begin().await?;
        let there = sqlx::query("SELECT * FROM bids WHERE market = ? AND round = ? AND requester = ?")
            .bind(group.market.get().to_vec())
            .bind(number(group.round.get()))
            .bind(bid.requester.to_vec())
            .fetch_optional(&mut *transaction)
            .await?;
        if let Some(row) = there {
            let known = Box::new(self.status_of(&row)?);
            if known.status != Status::Refused {
                return Ok(if known.id == waiting.id { Kept::Known(known) } else { Kept::Other(known) });
            }
            // What it was refused for has been mended, or this is another one.
            sqlx::query("DELETE FROM bids WHERE id = ?")
                .bind(known.id.to_vec())
                .execute(&mut *transaction)
                .await?;
        }
        let queued = sqlx::query(
            "SELECT COUNT(*) AS bids, COALESCE(SUM(bytes), 0) AS bytes FROM bids WHERE status = 'queued'",
        )
        .fetch_one(&mut *transaction)
        .await?;
        let more = u64::try_from(waiting.bytes).unwrap_or(u64::MAX);
        if row::count(&queued, "bids")? >= room.bids
            || row::count(&queued, "bytes")?.saturating_add(more) > room.bytes
        {
            return Ok(Kept::Full);
        }
        sqlx::query(
            "INSERT INTO bids (id, market, round, requester, entry, closes_at, wallet, bytes, gas, submission, accepted_block, \
             accepted_at, status) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued')",
        )
        .bind(waiting.id.to_vec())
        .bind(group.market.get().to_vec())
        .bind(number(group.round.get()))
        .bind(bid.requester.to_vec())
        .bind(bid.entry.to_vec())
        .bind(number(bid.closes_at))
        .bind(group.signer == intake_api::Signer::Wallet)
        .bind(number(more))
        .bind(number(waiting.gas))
        .bind(submission)
        .bind(number(bid.block))
        .bind(number(waiting.accepted_at))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(Kept::New)
    }

    /// A bid by its name; `None` if it is not known or has been forgotten.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn status(&self, id: B256) -> Result<Option<BidStatus>, StoreError> {
        let row = sqlx::query(STATUS).bind(id.to_vec()).fetch_optional(&self.pool).await?;
        row.map(|row| self.status_of(&row)).transpose()
    }

    /// How many bids wait.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn queued(&self) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT COUNT(*) AS bids FROM bids WHERE status = 'queued'")
            .fetch_one(&self.pool)
            .await?;
        row::count(&row, "bids")
    }

    /// Everything that waits, in order of acceptance.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn waiting(&self) -> Result<Vec<Waiting>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, market, round, wallet, bytes, gas, accepted_at FROM bids WHERE status = 'queued' ORDER BY seq",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(to_waiting).collect()
    }

    /// The first block in which something that waits can have been included; `None` if nothing waits.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn first_block(&self) -> Result<Option<u64>, StoreError> {
        let row = sqlx::query("SELECT MIN(accepted_block) AS block FROM bids WHERE status = 'queued'")
            .fetch_one(&self.pool)
            .await?;
        let block: Option<i64> = row.try_get("block")?;
        Ok(block.map(|block| u64::try_from(block).unwrap_or(0)))
    }

    /// Bids as they were posted, in this order; what does not wait any more is left out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn submissions(&self, ids: &[B256]) -> Result<Vec<(B256, Submission)>, StoreError> {
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            let row = sqlx::query("SELECT submission FROM bids WHERE id = ? AND status = 'queued'")
                .bind(id.to_vec())
                .fetch_optional(&self.pool)
                .await?;
            let Some(text) = row.and_then(|row| row.try_get::<Option<String>, _>("submission").transpose())
            else {
                continue;
            };
            let submission = serde_json::from_str(&text?);
            found.push((*id, submission.map_err(|error| StoreError::Unreadable(error.to_string()))?));
        }
        Ok(found)
    }

    fn status_of(&self, row: &sqlx::sqlite::SqliteRow) -> Result<BidStatus, StoreError> {
        to_status(row, self.chain_id, self.contract)
    }
}

/// For tests of other modules: how far a bid is.
#[cfg(test)]
impl Store {
    pub(crate) async fn is(&self, id: B256) -> Option<Status> {
        self.status(id).await.unwrap().map(|bid| bid.status)
    }
}
