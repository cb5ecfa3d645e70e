//! Rows as values. Databases have signed numbers of 64 bits: what does not fit is held at the greatest, which no block, time or round reaches.

use super::{BidsError, Group, Waiting};
use alloy::primitives::{Address, B256};
use chain::{MarketId, Revert};
use intake_api::{BidStatus, Receipt, Refused, Signer, Status};
use market_types::RoundNumber;
use sqlx::Row;
use sqlx::any::AnyRow;

pub(super) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Whether a contract stands for it.
pub(super) fn wallet(signer: Signer) -> i64 {
    i64::from(signer == Signer::Wallet)
}

pub(super) fn count(row: &AnyRow, column: &str) -> Result<u64, BidsError> {
    Ok(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or(0))
}

pub(super) fn count_if_any(row: &AnyRow, column: &str) -> Result<Option<u64>, BidsError> {
    Ok(row.try_get::<Option<i64>, _>(column)?.map(|value| u64::try_from(value).unwrap_or(0)))
}

pub(super) fn bytes<const N: usize>(row: &AnyRow, column: &str) -> Result<[u8; N], BidsError> {
    bytes_if_any(row, column)?.ok_or_else(|| BidsError::Unreadable(format!("no {column}")))
}

fn bytes_if_any<const N: usize>(row: &AnyRow, column: &str) -> Result<Option<[u8; N]>, BidsError> {
    let found: Option<Vec<u8>> = row.try_get(column)?;
    let unreadable = |found: Vec<u8>| BidsError::Unreadable(format!("{column} of {} bytes", found.len()));
    found.map(|found| found.try_into().map_err(unreadable)).transpose()
}

fn status(text: &str) -> Result<Status, BidsError> {
    Ok(match text {
        "queued" => Status::Queued,
        "included" => Status::Included,
        "refused" => Status::Refused,
        "missed" => Status::Missed,
        other => return Err(BidsError::Unreadable(format!("status {other:?}"))),
    })
}

pub(super) fn to_waiting(row: &AnyRow) -> Result<Waiting, BidsError> {
    let signer = if count(row, "wallet")? == 0 { Signer::Key } else { Signer::Wallet };
    let (market, round) =
        (MarketId::from(B256::from(bytes(row, "market")?)), RoundNumber::new(count(row, "round")?));
    Ok(Waiting {
        id: bytes(row, "id")?.into(),
        group: Group { market, round, signer },
        bytes: usize::try_from(count(row, "bytes")?).unwrap_or(usize::MAX),
        gas: count(row, "gas")?,
        accepted_at: count(row, "accepted_at")?,
    })
}

pub(super) fn to_status(row: &AnyRow, chain_id: u64, contract: Address) -> Result<BidStatus, BidsError> {
    let status = status(row.try_get("status")?)?;
    let (market, round) = (B256::from(bytes(row, "market")?), count(row, "round")?);
    let (requester, entry) = (Address::from(bytes(row, "requester")?), B256::from(bytes(row, "entry")?));
    let transaction = bytes_if_any(row, "tx")?.map(B256::from);
    let receipt = match status {
        Status::Included => Some(Receipt {
            chain_id,
            contract,
            market,
            round,
            requester,
            entry,
            transaction: transaction.unwrap_or_default(),
            block_number: count_if_any(row, "decided_block")?.unwrap_or_default(),
            block_hash: bytes_if_any(row, "block_hash")?.map(B256::from).unwrap_or_default(),
            log_index: count_if_any(row, "log_index")?.unwrap_or_default(),
            first_index: u32::try_from(count_if_any(row, "first_index")?.unwrap_or_default())
                .unwrap_or(u32::MAX),
        }),
        _ => None,
    };
    let refusal = match status {
        Status::Refused => {
            let error = Revert::of_selector(bytes_if_any(row, "reason")?.unwrap_or_default());
            let advice = error.advice().map(str::to_owned);
            Some(Refused { reason: error.name().to_owned(), advice, transaction })
        }
        _ => None,
    };
    Ok(BidStatus {
        id: bytes(row, "id")?.into(),
        status,
        market,
        round,
        closes_at: count(row, "closes_at")?,
        requester,
        entry,
        receipt,
        refusal,
        trouble: row.try_get("trouble")?,
    })
}
