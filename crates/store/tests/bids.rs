//! Both kinds of database keep the same signed bids.
#![allow(clippy::unwrap_used, reason = "the helpers here are test code too, where a panic is the failure")]

use alloy::primitives::{Address, B256};
use alloy::sol_types::SolError;
use bindings::ProverMarket::BidInRoundAlready;
use chain::MarketId;
use chain::inclusion::Inclusion;
use intake_api::{Signer, Status, Submission};
use market_types::{BidIndex, LotSize, RoundNumber, TaskSize, UnitFee};
use sqlx::{Connection, Executor};
use std::collections::BTreeSet;
use std::path::Path;
use store::StoreError;
use store::bids::{Bids, BidsError, Group, Kept, NewBid, Room, Waiting};
use testkit::Postgres;

const CHAIN: u64 = 31_337;
const CONTRACT: Address = Address::repeat_byte(0xcc);
/// Two relayers.
const MINE: Address = Address::repeat_byte(0xa1);
const OTHER: Address = Address::repeat_byte(0xa2);
const ROOM: Room = Room { bids: 3, bytes: 1_000 };

fn submission(who: u8) -> Submission {
    Submission {
        chain_id: CHAIN,
        contract: CONTRACT,
        market: B256::repeat_byte(0x11),
        round: RoundNumber::new(7),
        fee: UnitFee::new(9).unwrap(),
        size: TaskSize::new(4).unwrap(),
        bids: LotSize::MIN,
        told: false,
        ticket: alloy::primitives::U256::from(who),
        requester: Address::repeat_byte(who),
        signer: Signer::Key,
        signature: vec![who; 65].into(),
        statements: None,
    }
}

/// A bid of `who` in round 7, which closes at 700, accepted in block 40.
fn bid(who: u8) -> NewBid {
    let submission = submission(who);
    let group = Group {
        market: MarketId::from(submission.market),
        round: submission.round,
        signer: submission.signer,
    };
    NewBid {
        waiting: Waiting { id: B256::repeat_byte(who), group, bytes: 96, gas: 50_000, accepted_at: 650 },
        requester: submission.requester,
        entry: submission.bid().unwrap().entry.get(),
        closes_at: 700,
        block: 40,
        submission,
    }
}

fn inclusion(bid: &NewBid, block: u64) -> Inclusion {
    Inclusion {
        market: bid.waiting.group.market,
        round: bid.waiting.group.round,
        requester: bid.requester,
        entry: bid.entry,
        first_index: BidIndex::from_u64(5).unwrap(),
        block,
        block_hash: B256::repeat_byte(0xbb),
        transaction: B256::repeat_byte(0x77),
        log_index: 3,
    }
}

async fn open(place: &str) -> Bids {
    Bids::open(place, CHAIN, CONTRACT).await.unwrap()
}

/// How far a bid is.
async fn is(bids: &Bids, id: B256) -> Option<Status> {
    bids.status(id).await.unwrap().map(|bid| bid.status)
}

async fn a_bid_that_was_kept_is_there_after_the_program_is_gone(place: &str) {
    let bids = open(place).await;
    assert_eq!(bids.keep(&bid(1), ROOM).await.unwrap(), Kept::New);
    // Nothing is closed or flushed: another connection sees what is on disk.
    let other = open(place).await;
    assert_eq!(is(&other, bid(1).waiting.id).await, Some(Status::Queued));
    assert_eq!(other.waiting().await.unwrap(), [bid(1).waiting]);
    let posted = other.hold(MINE, &[bid(1).waiting.id], 650, 660).await.unwrap();
    assert_eq!(posted, [(bid(1).waiting.id, submission(1))]);
    assert_eq!(other.first_block().await.unwrap(), Some(40));
}

async fn a_requester_has_one_bid_in_a_round_and_posting_it_again_changes_nothing(place: &str) {
    let bids = open(place).await;
    bids.keep(&bid(1), ROOM).await.unwrap();
    assert!(
        matches!(bids.keep(&bid(1), ROOM).await.unwrap(), Kept::Known(known) if known.status == Status::Queued)
    );
    let mut other = bid(1);
    other.waiting.id = B256::repeat_byte(9);
    assert!(
        matches!(bids.keep(&other, ROOM).await.unwrap(), Kept::Other(known) if known.id == bid(1).waiting.id)
    );
    other.waiting.group.round = RoundNumber::new(8);
    assert_eq!(bids.keep(&other, ROOM).await.unwrap(), Kept::New);
    assert_eq!(bids.queued().await.unwrap(), 2);
}

async fn there_is_room_for_so_many_bids_and_bytes(place: &str) {
    let bids = open(place).await;
    let mut large = bid(1);
    large.waiting.bytes = 1_001;
    assert_eq!(bids.keep(&large, ROOM).await.unwrap(), Kept::Full);
    for who in 1..4 {
        assert_eq!(bids.keep(&bid(who), ROOM).await.unwrap(), Kept::New);
    }
    assert_eq!(bids.keep(&bid(4), ROOM).await.unwrap(), Kept::Full);
    bids.include(&[inclusion(&bid(1), 50)]).await.unwrap();
    assert_eq!(bids.keep(&bid(4), ROOM).await.unwrap(), Kept::New, "what is included does not wait");
}

async fn a_receipt_names_the_place_and_only_for_the_entry_that_was_accepted(place: &str) {
    let bids = open(place).await;
    bids.keep(&bid(1), ROOM).await.unwrap();
    let mut other = inclusion(&bid(1), 50);
    other.entry = B256::repeat_byte(0xee);
    assert_eq!(bids.include(&[other]).await.unwrap(), Vec::<B256>::new());
    assert_eq!(bids.include(&[inclusion(&bid(1), 50)]).await.unwrap(), [bid(1).waiting.id]);
    let known = bids.status(bid(1).waiting.id).await.unwrap().unwrap();
    let receipt = known.receipt.unwrap();
    assert_eq!((known.status, receipt.block_number, receipt.first_index), (Status::Included, 50, 5));
    assert_eq!((receipt.transaction, receipt.block_hash), (B256::repeat_byte(0x77), B256::repeat_byte(0xbb)));
    assert_eq!((receipt.chain_id, receipt.contract, receipt.entry), (CHAIN, CONTRACT, bid(1).entry));
}

async fn what_was_decided_in_an_undone_block_is_queued_again(place: &str) {
    let bids = open(place).await;
    for who in 1..4 {
        bids.keep(&bid(who), ROOM).await.unwrap();
    }
    let ids = [1, 2, 3].map(|who| bid(who).waiting.id);
    bids.include(&[inclusion(&bid(1), 50)]).await.unwrap();
    bids.refuse(ids[1], [1, 2, 3, 4], 51, Some(B256::repeat_byte(7))).await.unwrap();
    bids.miss(&ids[2..], 52).await.unwrap();
    assert_eq!(bids.redo(53..=u64::MAX, &[]).await.unwrap().0, 0);
    assert_eq!(bids.redo(51..=u64::MAX, &[]).await.unwrap().0, 2);
    let now = [is(&bids, ids[0]).await, is(&bids, ids[1]).await, is(&bids, ids[2]).await];
    assert_eq!(now, [Some(Status::Included), Some(Status::Queued), Some(Status::Queued)]);
    assert_eq!(bids.redo(50..=u64::MAX, &[]).await.unwrap().0, 1);
    assert_eq!(bids.status(ids[0]).await.unwrap().unwrap().receipt, None);
}

async fn what_was_included_elsewhere_since_is_never_seen_to_wait(place: &str) {
    let bids = open(place).await;
    for who in 1..3 {
        bids.keep(&bid(who), ROOM).await.unwrap();
    }
    let before = [inclusion(&bid(1), 50), inclusion(&bid(2), 50)];
    assert_eq!(bids.include(&before).await.unwrap().len(), 2);
    assert_eq!(bids.include(&before).await.unwrap().len(), 0, "others have noted it already");
    assert_eq!(bids.last_block().await.unwrap(), Some(50));
    let after = Inclusion { block_hash: B256::repeat_byte(0xb2), ..inclusion(&bid(1), 51) };
    let (undone, included) = bids.redo(50..=51, &[after]).await.unwrap();
    assert_eq!((undone, included), (2, vec![bid(1).waiting.id]));
    let receipt = bids.status(bid(1).waiting.id).await.unwrap().unwrap().receipt.unwrap();
    assert_eq!((receipt.block_number, receipt.block_hash), (51, after.block_hash));
    assert_eq!(is(&bids, bid(2).waiting.id).await, Some(Status::Queued));
    // Whose node lags knows nothing of later blocks, and changes nothing of them.
    assert_eq!(bids.redo(0..=50, &[]).await.unwrap().0, 0);
}

async fn a_refusal_says_why_and_gives_way_to_an_inclusion(place: &str) {
    let bids = open(place).await;
    bids.keep(&bid(1), ROOM).await.unwrap();
    let (id, reason) = (bid(1).waiting.id, already());
    bids.trouble(&[id], "no answer").await.unwrap();
    assert_eq!(bids.status(id).await.unwrap().unwrap().trouble.as_deref(), Some("no answer"));
    bids.refuse(id, reason, 50, None).await.unwrap();
    let refusal = bids.status(id).await.unwrap().unwrap().refusal.unwrap();
    assert_eq!((refusal.reason.as_str(), refusal.transaction), ("BidInRoundAlready", None));
    assert!(refusal.advice.unwrap().contains("next round"));
    bids.include(&[inclusion(&bid(1), 49)]).await.unwrap();
    assert_eq!(is(&bids, id).await, Some(Status::Included));
    bids.refuse(id, reason, 51, None).await.unwrap();
    assert_eq!(is(&bids, id).await, Some(Status::Included), "what is in the round is not refused");
}

fn already() -> [u8; 4] {
    BidInRoundAlready::SELECTOR
}

async fn a_bid_that_was_refused_gives_way_to_the_next_one(place: &str) {
    let bids = open(place).await;
    bids.keep(&bid(1), ROOM).await.unwrap();
    bids.refuse(bid(1).waiting.id, already(), 50, None).await.unwrap();
    assert_eq!(bids.keep(&bid(1), ROOM).await.unwrap(), Kept::New, "the same, once its cause is mended");
    assert_eq!(is(&bids, bid(1).waiting.id).await, Some(Status::Queued));
    bids.refuse(bid(1).waiting.id, already(), 51, None).await.unwrap();
    let mut other = bid(1);
    other.waiting.id = B256::repeat_byte(9);
    assert_eq!(bids.keep(&other, ROOM).await.unwrap(), Kept::New);
    assert_eq!(is(&bids, bid(1).waiting.id).await, None);
}

async fn old_rounds_are_forgotten_and_decided_bids_take_little_room(place: &str) {
    let bids = open(place).await;
    for who in 1..3 {
        bids.keep(&bid(who), ROOM).await.unwrap();
    }
    bids.include(&[inclusion(&bid(1), 50)]).await.unwrap();
    bids.forget(700, 51).await.unwrap();
    assert_eq!(bids.redo(50..=u64::MAX, &[]).await.unwrap().0, 0, "too deep to be undone");
    assert_eq!(is(&bids, bid(1).waiting.id).await, Some(Status::Included));
    bids.forget(701, 51).await.unwrap();
    assert_eq!(is(&bids, bid(1).waiting.id).await, None);
    assert_eq!(is(&bids, bid(2).waiting.id).await, Some(Status::Queued), "what waits is not forgotten");
}

async fn what_one_relayer_posts_no_other_one_does(place: &str) {
    let (bids, others) = (open(place).await, open(place).await);
    for who in 1..4 {
        bids.keep(&bid(who), ROOM).await.unwrap();
    }
    let ids = [1, 2, 3].map(|who| bid(who).waiting.id);
    let named = |held: Vec<(B256, Submission)>| held.into_iter().map(|(id, _)| id).collect::<Vec<_>>();
    assert_eq!(named(bids.hold(MINE, &ids[..2], 650, 660).await.unwrap()), ids[..2]);
    assert_eq!(others.held_by_others(OTHER, 650).await.unwrap(), ids[..2].iter().copied().collect());
    assert!(bids.held_by_others(MINE, 650).await.unwrap().is_empty());
    assert_eq!(named(others.hold(OTHER, &ids, 655, 665).await.unwrap()), ids[2..]);
    assert_eq!(
        named(bids.hold(MINE, &ids, 656, 660).await.unwrap()),
        ids[..2],
        "a restart goes on with its own"
    );

    // Signs of life count for what one holds, and end with it.
    bids.hold_on(MINE, bid(1).waiting.group, 670).await.unwrap();
    assert_eq!(named(others.hold(OTHER, &ids, 664, 665).await.unwrap()), ids[2..]);
    bids.let_go(MINE, &ids[..1]).await.unwrap();
    bids.let_go(MINE, &ids[2..]).await.unwrap();
    assert_eq!(named(others.hold(OTHER, &ids, 664, 680).await.unwrap()), [ids[0], ids[2]]);
    assert_eq!(named(others.hold(OTHER, &ids, 670, 680).await.unwrap()), ids, "whoever is silent has died");

    bids.include(&[inclusion(&bid(3), 50)]).await.unwrap();
    assert_eq!(bids.hold(MINE, &ids[2..], 690, 700).await.unwrap(), [], "what is included is not posted");
}

async fn contracts_share_a_database_and_no_bids(place: &str) {
    let bids = open(place).await;
    bids.keep(&bid(1), ROOM).await.unwrap();
    bids.include(&[inclusion(&bid(1), 50)]).await.unwrap();
    for (chain, contract) in [(1, CONTRACT), (CHAIN, Address::repeat_byte(1))] {
        let other = Bids::open(place, chain, contract).await.unwrap();
        assert_eq!(is(&other, bid(1).waiting.id).await, None);
        assert_eq!((other.queued().await.unwrap(), other.last_block().await.unwrap()), (0, None));
        assert_eq!(other.redo(0..=u64::MAX, &[]).await.unwrap().0, 0);
        other.forget(u64::MAX, u64::MAX).await.unwrap();
    }
    assert_eq!(is(&bids, bid(1).waiting.id).await, Some(Status::Included));
}

async fn many_at_once_wait_for_each_other_and_keep_the_bounds(place: &str) {
    let relayers = [open(place).await, open(place).await];
    let room = Room { bids: 20, bytes: 1 << 20 };
    let writes = (0..40_u8).map(|who| {
        let bids = relayers[usize::from(who % 2)].clone();
        tokio::spawn(async move { bids.keep(&bid(who), room).await })
    });
    let mut kept = 0;
    for write in writes.collect::<Vec<_>>() {
        kept += u64::from(write.await.unwrap().unwrap() == Kept::New);
    }
    assert_eq!((kept, relayers[0].queued().await.unwrap()), (20, 20));
    // They note the same, and go back before the same, at the same time.
    let found: Vec<Inclusion> = (0..40).map(|who| inclusion(&bid(who), 50)).collect();
    let notes = (0..10).map(|number| {
        let (bids, found) = (relayers[number % 2].clone(), found.clone());
        tokio::spawn(async move { bids.redo(50..=50, &found).await })
    });
    for note in notes.collect::<Vec<_>>() {
        note.await.unwrap().unwrap();
    }
    assert_eq!(relayers[1].queued().await.unwrap(), 0);
}

/// What holds for every kind of database. `place` names one without tables.
async fn suite(place: impl AsyncFn(&str) -> String) {
    a_bid_that_was_kept_is_there_after_the_program_is_gone(&place("kept").await).await;
    a_requester_has_one_bid_in_a_round_and_posting_it_again_changes_nothing(&place("one").await).await;
    there_is_room_for_so_many_bids_and_bytes(&place("room").await).await;
    a_receipt_names_the_place_and_only_for_the_entry_that_was_accepted(&place("receipt").await).await;
    what_was_decided_in_an_undone_block_is_queued_again(&place("undone").await).await;
    what_was_included_elsewhere_since_is_never_seen_to_wait(&place("redone").await).await;
    a_refusal_says_why_and_gives_way_to_an_inclusion(&place("refusal").await).await;
    a_bid_that_was_refused_gives_way_to_the_next_one(&place("refused").await).await;
    old_rounds_are_forgotten_and_decided_bids_take_little_room(&place("old").await).await;
    what_one_relayer_posts_no_other_one_does(&place("held").await).await;
    contracts_share_a_database_and_no_bids(&place("contracts").await).await;
    many_at_once_wait_for_each_other_and_keep_the_bounds(&place("many").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sqlite_file_keeps_signed_bids() {
    let dir = tempfile::tempdir().unwrap();
    suite(async |name| dir.path().join(name).display().to_string()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_keeps_signed_bids() {
    let Some(server) = Postgres::start() else { return };
    suite(async |name| server.database(name).await).await;
}

#[tokio::test]
async fn a_file_of_a_relayer_that_kept_tables_of_its_own_is_taken_over() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("relayer.db").display().to_string();
    sqlx::any::install_default_drivers();
    let mut old = sqlx::AnyConnection::connect(&format!("sqlite://{place}?mode=rwc")).await.unwrap();
    let tables = "CREATE TABLE contract (chain_id BIGINT NOT NULL, address BLOB NOT NULL);
        CREATE TABLE bids (
            seq INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE, market BLOB NOT NULL, round BIGINT NOT NULL,
            requester BLOB NOT NULL, entry BLOB NOT NULL, closes_at BIGINT NOT NULL, wallet BOOLEAN NOT NULL, bytes BIGINT NOT NULL,
            gas BIGINT NOT NULL, submission TEXT, accepted_block BIGINT NOT NULL, accepted_at BIGINT NOT NULL, status TEXT NOT NULL,
            decided_block BIGINT, tx BLOB, block_hash BLOB, log_index BIGINT, first_index BIGINT, reason BLOB, trouble TEXT,
            UNIQUE (market, round, requester)
        );";
    old.execute(tables).await.unwrap();
    let contract = sqlx::query("INSERT INTO contract VALUES ($1, $2)").bind(31_337_i64);
    contract.bind(CONTRACT.to_vec()).execute(&mut old).await.unwrap();
    let kept = bid(1);
    sqlx::query(
        "INSERT INTO bids VALUES (7, $1, $2, 7, $3, $4, 700, TRUE, 96, 50000, $5, 40, 650, 'queued', \
         NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
    )
    .bind(kept.waiting.id.to_vec())
    .bind(kept.submission.market.to_vec())
    .bind(kept.requester.to_vec())
    .bind(kept.entry.to_vec())
    .bind(serde_json::to_string(&kept.submission).unwrap())
    .execute(&mut old)
    .await
    .unwrap();
    old.close().await.unwrap();

    let bids = open(&place).await;
    let group = Group { signer: Signer::Wallet, ..kept.waiting.group };
    assert_eq!(bids.waiting().await.unwrap(), [Waiting { group, ..kept.waiting }]);
    let posted = bids.hold(MINE, &[kept.waiting.id], 650, 660).await.unwrap();
    assert_eq!(posted, [(kept.waiting.id, kept.submission)]);
    // The next one comes after it, and nothing is taken over twice.
    bids.keep(&bid(2), ROOM).await.unwrap();
    bids.close().await;
    let waiting = open(&place).await.waiting().await.unwrap();
    assert_eq!(waiting.iter().map(|bid| bid.id).collect::<Vec<_>>(), [kept.waiting.id, bid(2).waiting.id]);
}

#[tokio::test]
async fn a_place_without_a_database_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("no/such/bids.db").display().to_string();
    let error = Bids::open(&place, CHAIN, CONTRACT).await.unwrap_err();
    assert!(matches!(error, BidsError::Store(StoreError::Open { .. })), "{error}");
    assert!(error.to_string().contains(&place), "{error}");
}

/// The bids that wait in the files of a database, or nothing if it refuses them.
async fn waiting_in(dir: &Path, main: &[u8], log: &[u8]) -> Option<Vec<Waiting>> {
    let dir = tempfile::tempdir_in(dir).unwrap();
    let place = dir.path().join("cut");
    std::fs::write(&place, main).unwrap();
    std::fs::write(dir.path().join("cut-wal"), log).unwrap();
    let bids = Bids::open(place.to_str().unwrap(), CHAIN, CONTRACT).await.ok()?;
    // What could be opened can be read and written.
    let waiting = bids.waiting().await.unwrap();
    bids.keep(&bid(9), Room { bids: 9, ..ROOM }).await.unwrap();
    bids.close().await;
    Some(waiting)
}

#[tokio::test]
async fn bids_are_in_the_files_once_kept_and_files_cut_off_hold_earlier_ones_or_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("whole");
    let bids = open(place.to_str().unwrap()).await;
    let kept: Vec<_> = (1..=3).map(bid).collect();
    for bid in &kept {
        bids.keep(bid, ROOM).await.unwrap();
    }
    // What they hold now, without a word to the database.
    let [main, log] = ["whole", "whole-wal"].map(|name| std::fs::read(dir.path().join(name)).unwrap());
    let kept: Vec<_> = kept.into_iter().map(|bid| bid.waiting).collect();
    assert_eq!(waiting_in(dir.path(), &main, &log).await.as_deref(), Some(&*kept));
    let mut earlier = BTreeSet::new();
    for length in (0..log.len()).rev().step_by(1_009) {
        if let Some(waiting) = waiting_in(dir.path(), &main, &log[..length]).await {
            assert!(kept.starts_with(&waiting), "{length}: {waiting:?}");
            earlier.insert(waiting.len());
        }
    }
    assert!(earlier.contains(&2), "{earlier:?}");
    bids.close().await;
    let main = std::fs::read(&place).unwrap();
    assert_eq!(waiting_in(dir.path(), &main, &[]).await.as_deref(), Some(&*kept));
    let mut refused = 0;
    for length in (1..main.len()).step_by(1_009) {
        match waiting_in(dir.path(), &main[..length], &[]).await {
            Some(waiting) => assert!(kept.starts_with(&waiting), "{length}: {waiting:?}"),
            None => refused += 1,
        }
    }
    assert!(refused > 10, "{refused}");
}
