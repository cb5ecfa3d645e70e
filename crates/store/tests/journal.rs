//! Both kinds of database keep the same journal.
#![allow(clippy::unwrap_used, reason = "the helpers here are test code too, where a panic is the failure")]

use alloy::primitives::{Address, B256, Bytes};
use chain::transactions::{Account, Form, Journal, Record};
use store::{Database, StoreError};
use testkit::Postgres;

fn account(byte: u8) -> Account {
    Account { chain_id: 31_337, genesis: B256::repeat_byte(byte), address: Address::repeat_byte(byte) }
}

fn form(byte: u8, cancels: bool) -> Form {
    let raw = Bytes::from(vec![byte; 1_000]);
    Form { hash: B256::repeat_byte(byte), raw, max_fee: u128::MAX, tip: u128::from(byte), cancels }
}

fn record(nonce: u64, forms: Vec<Form>) -> Record {
    Record { nonce, purpose: "settle".to_owned(), until: Some(1_800_000_000), worth: Some(u128::MAX), forms }
}

/// What holds for every kind of database. `place` is one without tables.
async fn suite(place: &str) {
    let database = Database::open(place).await.unwrap();
    let (mine, other) = (account(1), account(2));
    assert_eq!(database.load(mine).await.unwrap(), []);

    let first = record(0, vec![form(1, false)]);
    let second = Record { until: None, worth: None, ..record(1, vec![form(2, false)]) };
    database.keep(mine, &second).await.unwrap();
    database.keep(mine, &first).await.unwrap();
    database.keep(other, &first).await.unwrap();
    assert_eq!(database.load(mine).await.unwrap(), [first.clone(), second.clone()]);

    // A raise is added, another one takes its place, and it is taken back.
    let raised = record(0, vec![form(1, false), form(3, false)]);
    database.keep(mine, &raised).await.unwrap();
    let cancelled = record(0, vec![form(1, false), form(4, true)]);
    database.keep(mine, &cancelled).await.unwrap();
    assert_eq!(database.load(mine).await.unwrap(), [cancelled.clone(), second.clone()]);
    database.keep(mine, &first).await.unwrap();
    assert_eq!(database.load(mine).await.unwrap(), [first.clone(), second.clone()]);

    // Another process finds it.
    database.close().await;
    let database = Database::open(place).await.unwrap();
    assert_eq!(database.load(mine).await.unwrap(), [first.clone(), second.clone()]);
    // Who begins anew forgets its own and nobody else's.
    database.clear(other).await.unwrap();
    assert_eq!(database.load(other).await.unwrap(), []);
    assert_eq!(database.load(mine).await.unwrap(), [first.clone(), second.clone()]);
    database.keep(other, &first).await.unwrap();
    database.forget(mine, 0).await.unwrap();
    database.forget(mine, 0).await.unwrap();
    assert_eq!(database.load(mine).await.unwrap(), [second]);
    assert_eq!(database.load(other).await.unwrap(), [first]);
    assert_eq!(database.load(Account { chain_id: 1, ..other }).await.unwrap(), []);

    // A number that no database column can hold is refused, and nothing of it is written.
    assert!(database.keep(mine, &record(u64::MAX, vec![form(1, false)])).await.is_err());
    assert_eq!(database.load(mine).await.unwrap().len(), 1);

    // Nothing is left of what has ended.
    for nonce in 0..50 {
        database.keep(mine, &record(nonce, vec![form(1, false), form(2, true)])).await.unwrap();
        database.forget(mine, nonce).await.unwrap();
    }
    assert_eq!(database.load(mine).await.unwrap(), []);
    database.close().await;
    assert!(database.keep(mine, &record(0, vec![form(1, false)])).await.is_err());
}

#[tokio::test]
async fn a_sqlite_file_keeps_a_journal() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("what is it? 100% #1.db");
    suite(file.to_str().unwrap()).await;
    assert!(file.is_file());
    assert!(!dir.path().join("what is it").exists());
}

#[tokio::test]
async fn postgres_keeps_a_journal() {
    let Some(server) = Postgres::start() else { return };
    suite(&server.database("journal").await).await;
}

#[tokio::test]
async fn a_database_that_cannot_be_used_is_named_without_its_password() {
    let dir = tempfile::tempdir().unwrap();
    let error = Database::open_file(&dir.path().join("no/such.db")).await.unwrap_err();
    assert!(matches!(error, StoreError::Open { .. }), "{error}");
    assert!(error.to_string().contains("no/such.db"), "{error}");
    let file = dir.path().join("text.db");
    std::fs::write(
        &file,
        "this is no database, and longer than a header of one hundred bytes would be, so that it is read",
    )
    .unwrap();
    assert!(Database::open_file(&file).await.is_err());
    let error = Database::open("postgres://me:secret@127.0.0.1:1/market?sslmode=disable").await.unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(text.contains("127.0.0.1:1/market") && !text.contains("secret"), "{text}");
}

#[tokio::test]
async fn many_at_once_wait_for_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("many.db");
    let databases = [Database::open_file(&file).await.unwrap(), Database::open_file(&file).await.unwrap()];
    let writes = (0..40_u8).map(|number| {
        let database = databases[usize::from(number % 2)].clone();
        tokio::spawn(async move {
            database.keep(account(number % 4), &record(number.into(), vec![form(number, false)])).await
        })
    });
    for write in writes.collect::<Vec<_>>() {
        write.await.unwrap().unwrap();
    }
    let mut kept = 0;
    for byte in 0..4 {
        kept += databases[0].load(account(byte)).await.unwrap().len();
    }
    assert_eq!(kept, 40);
}

#[tokio::test]
async fn a_file_that_is_cut_off_anywhere_is_an_error_or_an_earlier_journal() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("whole.db");
    let database = Database::open_file(&file).await.unwrap();
    let kept: Vec<_> = (0..20).map(|nonce| record(nonce, vec![form(1, false)])).collect();
    for record in &kept {
        database.keep(account(1), record).await.unwrap();
    }
    database.close().await;
    let whole = std::fs::read(&file).unwrap();
    for length in (0..whole.len()).step_by(1_357) {
        let cut = dir.path().join("cut.db");
        std::fs::write(&cut, &whole[..length]).unwrap();
        if let Ok(database) = Database::open_file(&cut).await {
            if let Ok(records) = database.load(account(1)).await {
                assert!(kept.starts_with(&records), "{length}: {records:?}");
            }
            // What could be opened can be written.
            for nonce in 0..20 {
                database.forget(account(1), nonce).await.unwrap();
                database.keep(account(1), &record(nonce, vec![form(2, false)])).await.unwrap();
            }
            database.close().await;
        }
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(dir.path().join(format!("cut.db{suffix}")));
        }
    }
}

#[tokio::test]
async fn a_damaged_file_is_set_aside_to_begin_anew_and_a_sound_one_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("journal.db");
    let place = file.to_str().unwrap();
    let database = Database::open_or_replace(place).await.unwrap();
    database.keep(account(1), &record(0, vec![form(1, false)])).await.unwrap();
    database.close().await;
    let database = Database::open_or_replace(place).await.unwrap();
    assert_eq!(database.load(account(1)).await.unwrap().len(), 1);
    database.close().await;

    let good = std::fs::read(&file).unwrap();
    let middle = good.len() / 2;
    for damaged in
        [good[..middle].to_vec(), vec![b'x'; 5_000], [&good[..4_096], &vec![7; 4_096][..]].concat()]
    {
        std::fs::write(&file, &damaged).unwrap();
        let database = Database::open_or_replace(place).await.unwrap();
        assert_eq!(database.load(account(1)).await.unwrap(), []);
        database.keep(account(1), &record(0, vec![form(1, false)])).await.unwrap();
        database.close().await;
        assert_eq!(std::fs::read(dir.path().join("journal.db.damaged")).unwrap()[..64], damaged[..64]);
    }
    let nowhere = dir.path().join("no/such/directory.db");
    assert!(matches!(
        Database::open_or_replace(nowhere.to_str().unwrap()).await,
        Err(StoreError::Open { .. })
    ));
}
