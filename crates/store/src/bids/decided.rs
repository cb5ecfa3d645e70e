//! What the chain has decided about bids, and undone.

use super::row::{bytes, number};
use super::{Bids, BidsError};
use alloy::primitives::B256;
use chain::inclusion::Inclusion;
use sqlx::AnyConnection;
use std::ops::RangeInclusive;

/// Another entry of the requester in the round is not the one that was accepted.
const INCLUDE: &str = "UPDATE signed_bids SET status = 'included', decided_block = $3, tx = $4, block_hash = $5, log_index = $6, \
     first_index = $7, reason = NULL, trouble = NULL WHERE chain_id = $1 AND contract = $2 AND market = $8 AND round = $9 \
     AND requester = $10 AND entry = $11 AND NOT (status = 'included' AND block_hash = $5 AND log_index = $6) RETURNING id";

const REFUSE: &str = "UPDATE signed_bids SET status = 'refused', decided_block = $4, tx = $5, reason = $6, trouble = NULL \
     WHERE chain_id = $1 AND contract = $2 AND id = $3 AND status = 'queued'";

const MISS: &str = "UPDATE signed_bids SET status = 'missed', decided_block = $4 \
     WHERE chain_id = $1 AND contract = $2 AND id = $3 AND status = 'queued'";

const TROUBLE: &str = "UPDATE signed_bids SET trouble = $4 \
     WHERE chain_id = $1 AND contract = $2 AND id = $3 AND status = 'queued'";

const UNDO: &str = "UPDATE signed_bids SET status = 'queued', decided_block = NULL, tx = NULL, block_hash = NULL, \
     log_index = NULL, first_index = NULL, reason = NULL \
     WHERE chain_id = $1 AND contract = $2 AND decided_block >= $3 AND decided_block <= $4 AND submission IS NOT NULL";

const FORGET: &str =
    "DELETE FROM signed_bids WHERE chain_id = $1 AND contract = $2 AND closes_at < $3 AND status <> 'queued'";

const FORGET_SUBMISSIONS: &str = "UPDATE signed_bids SET submission = NULL \
     WHERE chain_id = $1 AND contract = $2 AND decided_block < $3 AND submission IS NOT NULL";

impl Bids {
    /// Notes where bids were included, whatever was thought of them before; those of which it was not known.
    ///
    /// # Errors
    /// [`BidsError`]; then nothing of it is noted.
    pub async fn include(&self, inclusions: &[Inclusion]) -> Result<Vec<B256>, BidsError> {
        if inclusions.is_empty() {
            return Ok(Vec::new());
        }
        let mut transaction = self.begin().await?;
        let ids = self.include_in(&mut transaction, inclusions).await?;
        transaction.commit().await?;
        Ok(ids)
    }

    /// Queues again what was decided in these blocks, as that may be undone, and notes in the same moment what is included in them: nobody
    /// who shares the queue sees a bid wait that is in its round. How many were queued again, and those included.
    ///
    /// # Errors
    /// [`BidsError`]; then nothing of it is noted.
    pub async fn redo(
        &self,
        blocks: RangeInclusive<u64>,
        inclusions: &[Inclusion],
    ) -> Result<(u64, Vec<B256>), BidsError> {
        let mut transaction = self.begin().await?;
        let undo = self.about(UNDO).bind(number(*blocks.start())).bind(number(*blocks.end()));
        let undone = undo.execute(&mut *transaction).await?.rows_affected();
        let ids = self.include_in(&mut transaction, inclusions).await?;
        transaction.commit().await?;
        Ok((undone, ids))
    }

    async fn include_in(
        &self,
        connection: &mut AnyConnection,
        inclusions: &[Inclusion],
    ) -> Result<Vec<B256>, BidsError> {
        let mut ids = Vec::new();
        for found in inclusions {
            let row = self
                .about(INCLUDE)
                .bind(number(found.block))
                .bind(found.transaction.to_vec())
                .bind(found.block_hash.to_vec())
                .bind(number(found.log_index))
                .bind(i64::from(found.first_index.get()))
                .bind(found.market.get().to_vec())
                .bind(number(found.round.get()))
                .bind(found.requester.to_vec())
                .bind(found.entry.to_vec())
                .fetch_optional(&mut *connection)
                .await?;
            if let Some(row) = row {
                ids.push(bytes::<32>(&row, "id")?.into());
            }
        }
        Ok(ids)
    }

    /// Notes that the contract refused a bid that waits, in `transaction` or before one was sent; whether it waited.
    ///
    /// # Errors
    /// [`BidsError`].
    pub async fn refuse(
        &self,
        id: B256,
        reason: [u8; 4],
        block: u64,
        transaction: Option<B256>,
    ) -> Result<bool, BidsError> {
        let refuse = self.about(REFUSE).bind(id.to_vec()).bind(number(block));
        let refuse = refuse.bind(transaction.map(|hash| hash.to_vec())).bind(reason.to_vec());
        Ok(refuse.execute(&self.database.pool).await?.rows_affected() > 0)
    }

    /// Notes that the rounds of these bids closed without them; how many of them waited.
    ///
    /// # Errors
    /// [`BidsError`]; then nothing of it is noted.
    pub async fn miss(&self, ids: &[B256], block: u64) -> Result<u64, BidsError> {
        let mut missed = 0_u64;
        let mut transaction = self.begin().await?;
        for id in ids {
            let miss = self.about(MISS).bind(id.to_vec()).bind(number(block));
            missed = missed.saturating_add(miss.execute(&mut *transaction).await?.rows_affected());
        }
        transaction.commit().await?;
        Ok(missed)
    }

    /// Notes what went wrong with an attempt to post these bids.
    ///
    /// # Errors
    /// [`BidsError`]; then nothing of it is noted.
    pub async fn trouble(&self, ids: &[B256], trouble: &str) -> Result<(), BidsError> {
        let mut transaction = self.begin().await?;
        for id in ids {
            let note = self.about(TROUBLE).bind(id.to_vec()).bind(trouble.to_owned());
            note.execute(&mut *transaction).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Forgets bids of rounds that closed before `closed_before`, and what was posted of those decided before block `settled`, as
    /// they cannot be undone any more.
    ///
    /// # Errors
    /// [`BidsError`]; then nothing is forgotten.
    pub async fn forget(&self, closed_before: u64, settled: u64) -> Result<(), BidsError> {
        let mut transaction = self.begin().await?;
        for (statement, before) in [(FORGET, closed_before), (FORGET_SUBMISSIONS, settled)] {
            self.about(statement).bind(number(before)).execute(&mut *transaction).await?;
        }
        Ok(transaction.commit().await?)
    }
}
