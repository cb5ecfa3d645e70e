//! Signed bids that were accepted, until what has become of them is forgotten: [`Bids`].
//!
//! | module | what is in it |
//! |---|---|
//! | `row` | rows as values |
//! | `held` | who posts what, of several that share a database |
//! | `decided` | what the chain has decided about bids, and undone |
//! | this one | keeps bids, and tells of them |
//!
//! Any number of programs may share a queue. What they read of the chain they all write down, and whoever reads it later changes nothing.
//! Changes of more than one row take turns by the row of their queue, so that its bounds hold and nobody waits for somebody that waits.

mod decided;
mod held;
mod row;

use crate::{Database, StoreError};
use alloy::primitives::{Address, B256};
use chain::MarketId;
use intake_api::{BidStatus, Signer, Status, Submission};
use market_types::RoundNumber;
use row::{number, to_status, to_waiting};
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::{Any, Row, Transaction};
use thiserror::Error;

const OPEN_QUEUE: &str = "INSERT INTO bid_queues (chain_id, contract, accepted) VALUES ($1, $2, 0) \
     ON CONFLICT (chain_id, contract) DO NOTHING";

/// Changes nothing, but others wait until the transaction has ended.
const LOCK_QUEUE: &str = "UPDATE bid_queues SET accepted = accepted WHERE chain_id = $1 AND contract = $2";

const NEXT_NUMBER: &str = "UPDATE bid_queues SET accepted = accepted + 1 WHERE chain_id = $1 AND contract = $2 \
     RETURNING accepted";

const BID_OF: &str = "SELECT * FROM signed_bids \
     WHERE chain_id = $1 AND contract = $2 AND market = $3 AND round = $4 AND requester = $5";

const BID: &str = "SELECT * FROM signed_bids WHERE chain_id = $1 AND contract = $2 AND id = $3";

const DELETE: &str = "DELETE FROM signed_bids WHERE chain_id = $1 AND contract = $2 AND id = $3";

const QUEUED: &str = "SELECT COUNT(*) AS bids, CAST(COALESCE(SUM(bytes), 0) AS BIGINT) AS bytes FROM signed_bids \
     WHERE chain_id = $1 AND contract = $2 AND status = 'queued'";

const INSERT: &str = "INSERT INTO signed_bids (chain_id, contract, id, number, market, round, requester, entry, closes_at, \
     wallet, bytes, gas, submission, accepted_block, accepted_at, status) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 'queued')";

const WAITING: &str = "SELECT id, market, round, wallet, bytes, gas, accepted_at FROM signed_bids \
     WHERE chain_id = $1 AND contract = $2 AND status = 'queued' ORDER BY number";

const FIRST_BLOCK: &str = "SELECT MIN(accepted_block) AS block FROM signed_bids \
     WHERE chain_id = $1 AND contract = $2 AND status = 'queued'";

const LAST_BLOCK: &str =
    "SELECT MAX(decided_block) AS block FROM signed_bids WHERE chain_id = $1 AND contract = $2";

/// Why the queue is of no use.
#[derive(Debug, Error)]
pub enum BidsError {
    /// The database cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It does not answer, or has no room.
    #[error("the database does not take it: {0}; is its disk full, or its server down?")]
    Database(#[from] sqlx::Error),
    /// What was written cannot be read.
    #[error("the database holds something that this version cannot read: {0}")]
    Unreadable(String),
}

/// Bids that can share a transaction. Keys' and contracts' go by different calls, of which each has to accept something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group {
    /// The market.
    pub market: MarketId,
    /// The round.
    pub round: RoundNumber,
    /// How they are signed.
    pub signer: Signer,
}

/// A bid that is neither included nor refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Its name.
    pub id: B256,
    /// Its group.
    pub group: Group,
    /// Bytes that it takes of a transaction.
    pub bytes: usize,
    /// Gas that it takes of a transaction.
    pub gas: u64,
    /// When it was accepted (seconds since the epoch, by the chain's clock).
    pub accepted_at: u64,
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

/// The bids of one contract. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Bids {
    database: Database,
    chain_id: u64,
    contract: Address,
}

type Query = sqlx::query::Query<'static, Any, AnyArguments>;

impl Bids {
    /// Those in the database at `place`, see [`Database::open`].
    ///
    /// # Errors
    /// [`BidsError`].
    pub async fn open(place: &str, chain_id: u64, contract: Address) -> Result<Self, BidsError> {
        let bids = Self { database: Database::open(place).await?, chain_id, contract };
        bids.about(OPEN_QUEUE).execute(&bids.database.pool).await?;
        Ok(bids)
    }

    /// Keeps a bid, in place of one that was refused, unless another one is there or there is no room. It is on disk when this returns.
    ///
    /// # Errors
    /// [`BidsError`]; the bid is then not kept.
    pub async fn keep(&self, bid: &NewBid, room: Room) -> Result<Kept, BidsError> {
        let submission = serde_json::to_string(&bid.submission)
            .map_err(|error| BidsError::Unreadable(error.to_string()))?;
        let (waiting, group) = (&bid.waiting, &bid.waiting.group);
        let mut transaction = self.begin().await?;
        let there = self.about(BID_OF).bind(group.market.get().to_vec()).bind(number(group.round.get()));
        let there = there.bind(bid.requester.to_vec()).fetch_optional(&mut *transaction).await?;
        if let Some(row) = there {
            let known = Box::new(self.status_of(&row)?);
            if known.status != Status::Refused {
                return Ok(if known.id == waiting.id { Kept::Known(known) } else { Kept::Other(known) });
            }
            // What it was refused for has been mended, or this is another one.
            self.about(DELETE).bind(known.id.to_vec()).execute(&mut *transaction).await?;
        }
        let queued = self.about(QUEUED).fetch_one(&mut *transaction).await?;
        let more = u64::try_from(waiting.bytes).unwrap_or(u64::MAX);
        if row::count(&queued, "bids")? >= room.bids
            || row::count(&queued, "bytes")?.saturating_add(more) > room.bytes
        {
            return Ok(Kept::Full);
        }
        let next: i64 = self.about(NEXT_NUMBER).fetch_one(&mut *transaction).await?.try_get("accepted")?;
        self.about(INSERT)
            .bind(waiting.id.to_vec())
            .bind(next)
            .bind(group.market.get().to_vec())
            .bind(number(group.round.get()))
            .bind(bid.requester.to_vec())
            .bind(bid.entry.to_vec())
            .bind(number(bid.closes_at))
            .bind(row::wallet(group.signer))
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
    /// [`BidsError`].
    pub async fn status(&self, id: B256) -> Result<Option<BidStatus>, BidsError> {
        let row = self.about(BID).bind(id.to_vec()).fetch_optional(&self.database.pool).await?;
        row.map(|row| self.status_of(&row)).transpose()
    }

    /// How many bids wait.
    ///
    /// # Errors
    /// [`BidsError`].
    pub async fn queued(&self) -> Result<u64, BidsError> {
        row::count(&self.about(QUEUED).fetch_one(&self.database.pool).await?, "bids")
    }

    /// Everything that waits, in order of acceptance.
    ///
    /// # Errors
    /// [`BidsError`].
    pub async fn waiting(&self) -> Result<Vec<Waiting>, BidsError> {
        let rows = self.about(WAITING).fetch_all(&self.database.pool).await?;
        rows.iter().map(to_waiting).collect()
    }

    /// The first block in which something that waits can have been included; `None` if nothing waits.
    ///
    /// # Errors
    /// [`BidsError`].
    pub async fn first_block(&self) -> Result<Option<u64>, BidsError> {
        row::count_if_any(&self.about(FIRST_BLOCK).fetch_one(&self.database.pool).await?, "block")
    }

    /// The last block that has decided anything; `None` if nothing is decided.
    ///
    /// # Errors
    /// [`BidsError`].
    pub async fn last_block(&self) -> Result<Option<u64>, BidsError> {
        row::count_if_any(&self.about(LAST_BLOCK).fetch_one(&self.database.pool).await?, "block")
    }

    /// Waits until everything is on disk and lets it go.
    pub async fn close(&self) {
        self.database.close().await;
    }

    /// A statement whose first two parameters name the queue.
    fn about(&self, statement: &'static str) -> Query {
        sqlx::query(statement).bind(number(self.chain_id)).bind(self.contract.to_vec())
    }

    /// Begins a change, after those of all others.
    async fn begin(&self) -> Result<Transaction<'static, Any>, BidsError> {
        let mut transaction = self.database.pool.begin().await?;
        self.about(LOCK_QUEUE).execute(&mut *transaction).await?;
        Ok(transaction)
    }

    fn status_of(&self, row: &AnyRow) -> Result<BidStatus, BidsError> {
        to_status(row, self.chain_id, self.contract)
    }
}
