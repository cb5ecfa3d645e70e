//! A key's transactions in a database: [`Journal`].
//!
//! Rows are there only while their transactions have not ended, so that the tables stay as small as what is on its way.

use crate::Database;
use alloy::primitives::{B256, Bytes};
use chain::transactions::{Account, Answered, Form, Journal, JournalError, Record};
use futures_util::FutureExt;
use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, Row};
use std::collections::BTreeMap;
use std::str::FromStr;

const RECORDS: &str = "SELECT nonce, purpose, until_time, worth FROM transactions \
     WHERE chain_id = $1 AND genesis = $2 AND sender = $3 ORDER BY nonce";

const FORMS: &str = "SELECT nonce, hash, raw, max_fee, tip, cancels FROM transaction_forms \
     WHERE chain_id = $1 AND genesis = $2 AND sender = $3 ORDER BY nonce, number";

const KEEP_RECORD: &str = "INSERT INTO transactions (chain_id, genesis, sender, nonce, purpose, until_time, worth) \
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (chain_id, genesis, sender, nonce) \
     DO UPDATE SET purpose = excluded.purpose, until_time = excluded.until_time, worth = excluded.worth";

/// Forms are large and hardly ever change, so that those that are there are left.
const KEEP_FORM: &str = "INSERT INTO transaction_forms \
     (chain_id, genesis, sender, nonce, number, hash, raw, max_fee, tip, cancels) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (chain_id, genesis, sender, nonce, number) \
     DO UPDATE SET hash = excluded.hash, raw = excluded.raw, max_fee = excluded.max_fee, tip = excluded.tip, \
     cancels = excluded.cancels WHERE transaction_forms.hash <> excluded.hash";

const FORGET_FORMS: &str = "DELETE FROM transaction_forms \
     WHERE chain_id = $1 AND genesis = $2 AND sender = $3 AND nonce = $4 AND number >= $5";

const FORGET_RECORD: &str =
    "DELETE FROM transactions WHERE chain_id = $1 AND genesis = $2 AND sender = $3 AND nonce = $4";

const CLEAR_FORMS: &str =
    "DELETE FROM transaction_forms WHERE chain_id = $1 AND genesis = $2 AND sender = $3";

const CLEAR_RECORDS: &str = "DELETE FROM transactions WHERE chain_id = $1 AND genesis = $2 AND sender = $3";

impl Journal for Database {
    fn load(&self, account: Account) -> Answered<'_, Vec<Record>> {
        async move {
            let mut forms: BTreeMap<u64, Vec<Form>> = BTreeMap::new();
            for row in about(FORMS, account)?.fetch_all(&self.pool).await.map_err(JournalError::new)? {
                forms.entry(unsigned(&row, "nonce")?).or_default().push(to_form(&row)?);
            }
            let rows = about(RECORDS, account)?.fetch_all(&self.pool).await.map_err(JournalError::new)?;
            rows.iter().map(|row| to_record(row, &mut forms)).collect()
        }
        .boxed()
    }

    fn keep<'a>(&'a self, account: Account, record: &'a Record) -> Answered<'a, ()> {
        async move {
            let mut transaction = self.pool.begin().await.map_err(JournalError::new)?;
            write(&mut transaction, account, record).await?;
            transaction.commit().await.map_err(JournalError::new)
        }
        .boxed()
    }

    fn forget(&self, account: Account, nonce: u64) -> Answered<'_, ()> {
        async move {
            let mut transaction = self.pool.begin().await.map_err(JournalError::new)?;
            let nonce = signed(nonce)?;
            let forms =
                about(FORGET_FORMS, account)?.bind(nonce).bind(0_i64).execute(&mut *transaction).await;
            forms.map_err(JournalError::new)?;
            let record = about(FORGET_RECORD, account)?.bind(nonce).execute(&mut *transaction).await;
            record.map_err(JournalError::new)?;
            transaction.commit().await.map_err(JournalError::new)
        }
        .boxed()
    }

    fn clear(&self, account: Account) -> Answered<'_, ()> {
        async move {
            let mut transaction = self.pool.begin().await.map_err(JournalError::new)?;
            for statement in [CLEAR_FORMS, CLEAR_RECORDS] {
                let cleared = about(statement, account)?.execute(&mut *transaction).await;
                cleared.map_err(JournalError::new)?;
            }
            transaction.commit().await.map_err(JournalError::new)
        }
        .boxed()
    }
}

async fn write(
    connection: &mut AnyConnection,
    account: Account,
    record: &Record,
) -> Result<(), JournalError> {
    let nonce = signed(record.nonce)?;
    let query = about(KEEP_RECORD, account)?
        .bind(nonce)
        .bind(record.purpose.clone())
        .bind(record.until.map(signed).transpose()?)
        .bind(record.worth.map(|worth| worth.to_string()));
    query.execute(&mut *connection).await.map_err(JournalError::new)?;
    let mut number = 0_i64;
    for form in &record.forms {
        let query = about(KEEP_FORM, account)?
            .bind(nonce)
            .bind(number)
            .bind(form.hash.to_vec())
            .bind(form.raw.to_vec())
            .bind(form.max_fee.to_string())
            .bind(form.tip.to_string())
            .bind(i64::from(form.cancels));
        query.execute(&mut *connection).await.map_err(JournalError::new)?;
        number = number.saturating_add(1);
    }
    let others = about(FORGET_FORMS, account)?.bind(nonce).bind(number);
    others.execute(&mut *connection).await.map(|_| ()).map_err(JournalError::new)
}

type Query = sqlx::query::Query<'static, Any, sqlx::any::AnyArguments>;

/// A statement whose first three parameters name an account.
fn about(statement: &'static str, account: Account) -> Result<Query, JournalError> {
    let query = sqlx::query(statement).bind(signed(account.chain_id)?);
    Ok(query.bind(account.genesis.to_vec()).bind(account.address.to_vec()))
}

fn to_record(row: &AnyRow, forms: &mut BTreeMap<u64, Vec<Form>>) -> Result<Record, JournalError> {
    let nonce = unsigned(row, "nonce")?;
    let until: Option<i64> = row.try_get("until_time").map_err(JournalError::new)?;
    let worth: Option<String> = row.try_get("worth").map_err(JournalError::new)?;
    Ok(Record {
        nonce,
        purpose: row.try_get("purpose").map_err(JournalError::new)?,
        until: until.map(u64::try_from).transpose().map_err(JournalError::new)?,
        worth: worth.as_deref().map(u128::from_str).transpose().map_err(JournalError::new)?,
        forms: forms.remove(&nonce).unwrap_or_default(),
    })
}

fn to_form(row: &AnyRow) -> Result<Form, JournalError> {
    let (hash, raw): (Vec<u8>, Vec<u8>) =
        (row.try_get("hash").map_err(JournalError::new)?, row.try_get("raw").map_err(JournalError::new)?);
    Ok(Form {
        hash: B256::try_from(hash.as_slice()).map_err(JournalError::new)?,
        raw: Bytes::from(raw),
        max_fee: decimal(row, "max_fee")?,
        tip: decimal(row, "tip")?,
        cancels: unsigned(row, "cancels")? != 0,
    })
}

fn decimal(row: &AnyRow, column: &str) -> Result<u128, JournalError> {
    let text: String = row.try_get(column).map_err(JournalError::new)?;
    text.parse().map_err(JournalError::new)
}

fn unsigned(row: &AnyRow, column: &str) -> Result<u64, JournalError> {
    let number: i64 = row.try_get(column).map_err(JournalError::new)?;
    u64::try_from(number).map_err(JournalError::new)
}

fn signed(number: u64) -> Result<i64, JournalError> {
    i64::try_from(number).map_err(JournalError::new)
}
