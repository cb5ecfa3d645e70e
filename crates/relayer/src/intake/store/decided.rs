//! What the chain has decided about bids, and undone.

use super::row::{bytes, number};
use super::{Store, StoreError};
use alloy::primitives::B256;
use chain::inclusion::Inclusion;

impl Store {
    /// Notes where bids were included, whatever was thought of them before.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing of it is noted.
    pub async fn include(&self, inclusions: &[Inclusion]) -> Result<Vec<B256>, StoreError> {
        let mut ids = Vec::new();
        if inclusions.is_empty() {
            return Ok(ids);
        }
        let mut transaction = self.pool.begin().await?;
        for found in inclusions {
            // Another entry of the requester in the round is not the one that was accepted.
            let row = sqlx::query(
                "UPDATE bids SET status = 'included', decided_block = ?, tx = ?, block_hash = ?, log_index = ?, first_index = ?, \
                 reason = NULL, trouble = NULL WHERE market = ? AND round = ? AND requester = ? AND entry = ? RETURNING id",
            )
            .bind(number(found.block))
            .bind(found.transaction.to_vec())
            .bind(found.block_hash.to_vec())
            .bind(number(found.log_index))
            .bind(i64::from(found.first_index.get()))
            .bind(found.market.get().to_vec())
            .bind(number(found.round.get()))
            .bind(found.requester.to_vec())
            .bind(found.entry.to_vec())
            .fetch_optional(&mut *transaction)
            .await?;
            if let Some(row) = row {
                ids.push(bytes::<32>(&row, "id")?.into());
            }
        }
        transaction.commit().await?;
        Ok(ids)
    }

    /// Notes that the contract refused a bid that waits, in `transaction` or before one was sent.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn refuse(
        &self,
        id: B256,
        reason: [u8; 4],
        block: u64,
        transaction: Option<B256>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE bids SET status = 'refused', decided_block = ?, tx = ?, reason = ?, trouble = NULL \
             WHERE id = ? AND status = 'queued'",
        )
        .bind(number(block))
        .bind(transaction.map(|hash| hash.to_vec()))
        .bind(reason.to_vec())
        .bind(id.to_vec())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Notes that the rounds of these bids closed without them.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing of it is noted.
    pub async fn miss(&self, ids: &[B256], block: u64) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        for id in ids {
            sqlx::query(
                "UPDATE bids SET status = 'missed', decided_block = ? WHERE id = ? AND status = 'queued'",
            )
            .bind(number(block))
            .bind(id.to_vec())
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Notes what went wrong with an attempt to post these bids.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing of it is noted.
    pub async fn trouble(&self, ids: &[B256], trouble: &str) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        for id in ids {
            sqlx::query("UPDATE bids SET trouble = ? WHERE id = ? AND status = 'queued'")
                .bind(trouble)
                .bind(id.to_vec())
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Queues again what was decided in block `first` or after it, as that is undone.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn undo(&self, first: u64) -> Result<u64, StoreError> {
        let undone = sqlx::query(
            "UPDATE bids SET status = 'queued', decided_block = NULL, tx = NULL, block_hash = NULL, log_index = NULL, \
             first_index = NULL, reason = NULL WHERE decided_block >= ? AND submission IS NOT NULL",
        )
        .bind(number(first))
        .execute(&self.pool)
        .await?;
        Ok(undone.rows_affected())
    }

    /// Forgets bids of rounds that closed before `closed_before`, and what was posted of those decided before block `settled`, as
    /// they cannot be undone any more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn forget(&self, closed_before: u64, settled: u64) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM bids WHERE closes_at < ? AND status <> 'queued'")
            .bind(number(closed_before))
            .execute(&self.pool)
            .await?;
        sqlx::query("UPDATE bids SET submission = NULL WHERE decided_block < ? AND submission IS NOT NULL")
            .bind(number(settled))
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
