//! Who posts what. A bid that two post costs the slower one gas for nothing, so that who posts one holds it meanwhile; for a short
//! time only, since who holds it may have died.

use super::row::{bytes, number, wallet};
use super::{Bids, BidsError, Group};
use alloy::primitives::{Address, B256};
use intake_api::Submission;
use sqlx::Row;
use std::collections::BTreeSet;

const HELD: &str = "SELECT id FROM signed_bids WHERE chain_id = $1 AND contract = $2 AND status = 'queued' \
     AND held_by <> $3 AND held_until > $4";

const HOLD: &str = "UPDATE signed_bids SET held_by = $3, held_until = $5 WHERE chain_id = $1 AND contract = $2 \
     AND status = 'queued' AND id = $6 AND (held_by IS NULL OR held_by = $3 OR held_until <= $4) RETURNING submission";

const HOLD_ON: &str = "UPDATE signed_bids SET held_until = $4 WHERE chain_id = $1 AND contract = $2 AND status = 'queued' \
     AND held_by = $3 AND market = $5 AND round = $6 AND wallet = $7";

const LET_GO: &str = "UPDATE signed_bids SET held_by = NULL, held_until = NULL WHERE chain_id = $1 AND contract = $2 \
     AND held_by = $3 AND id = $4";

impl Bids {
    /// What others than `holder` hold at `now` (seconds since the epoch, by the chain's clock).
    ///
    /// # Errors
    /// [`BidsError`].
    pub async fn held_by_others(&self, holder: Address, now: u64) -> Result<BTreeSet<B256>, BidsError> {
        let held = self.about(HELD).bind(holder.to_vec()).bind(number(now));
        let rows = held.fetch_all(&self.database.pool).await?;
        rows.iter().map(|row| Ok(bytes::<32>(row, "id")?.into())).collect()
    }

    /// Makes `holder` the one that posts these bids until `until`, and gives them as they were posted, in this order. What does not wait
    /// any more, or what somebody else holds at `now`, is left out.
    ///
    /// # Errors
    /// [`BidsError`]; then nothing is held.
    pub async fn hold(
        &self,
        holder: Address,
        ids: &[B256],
        now: u64,
        until: u64,
    ) -> Result<Vec<(B256, Submission)>, BidsError> {
        let mut found = Vec::with_capacity(ids.len());
        let mut transaction = self.begin().await?;
        for id in ids {
            let hold = self.about(HOLD).bind(holder.to_vec()).bind(number(now)).bind(number(until));
            let row = hold.bind(id.to_vec()).fetch_optional(&mut *transaction).await?;
            let Some(text) = row.and_then(|row| row.try_get::<Option<String>, _>("submission").transpose())
            else {
                continue;
            };
            let submission = serde_json::from_str(&text?);
            found.push((*id, submission.map_err(|error| BidsError::Unreadable(error.to_string()))?));
        }
        transaction.commit().await?;
        Ok(found)
    }

    /// Holds what `holder` holds of a group until `until`.
    ///
    /// # Errors
    /// [`BidsError`].
    pub async fn hold_on(&self, holder: Address, group: Group, until: u64) -> Result<(), BidsError> {
        let mut transaction = self.begin().await?;
        self.about(HOLD_ON)
            .bind(holder.to_vec())
            .bind(number(until))
            .bind(group.market.get().to_vec())
            .bind(number(group.round.get()))
            .bind(wallet(group.signer))
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    /// Leaves these bids to others, which may fare better.
    ///
    /// # Errors
    /// [`BidsError`]; then nothing is let go.
    pub async fn let_go(&self, holder: Address, ids: &[B256]) -> Result<(), BidsError> {
        let mut transaction = self.begin().await?;
        for id in ids {
            let let_go = self.about(LET_GO).bind(holder.to_vec()).bind(id.to_vec());
            let_go.execute(&mut *transaction).await?;
        }
        Ok(transaction.commit().await?)
    }
}
