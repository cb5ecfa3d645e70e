use super::*;
use crate::intake::plan::Group;
use chain::MarketId;
use chain::inclusion::Inclusion;
use intake_api::Signer;
use market_types::{BidIndex, LotSize, RoundNumber, TaskSize, UnitFee};

const CONTRACT: Address = Address::repeat_byte(0xcc);
const ROOM: Room = Room { bids: 3, bytes: 1_000 };

fn submission(who: u8) -> Submission {
    Submission {
        chain_id: 31_337,
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

struct Disk {
    dir: tempfile::TempDir,
}

impl Disk {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    async fn open(&self) -> Store {
        self.open_for(31_337).await.unwrap()
    }

    async fn open_for(&self, chain_id: u64) -> Result<Store, StoreError> {
        Store::open(&self.dir.path().join("bids.db"), chain_id, CONTRACT).await
    }
}

#[tokio::test]
async fn a_bid_that_was_kept_is_there_after_the_program_is_gone() {
    let disk = Disk::new();
    let store = disk.open().await;
    assert_eq!(store.keep(&bid(1), ROOM).await.unwrap(), Kept::New);
    // Nothing is closed or flushed: another connection sees what is on disk.
    let other = disk.open().await;
    assert_eq!(other.is(bid(1).waiting.id).await, Some(Status::Queued));
    assert_eq!(other.waiting().await.unwrap(), [bid(1).waiting]);
    assert_eq!(other.submissions(&[bid(1).waiting.id]).await.unwrap(), [(bid(1).waiting.id, submission(1))]);
    assert_eq!(other.first_block().await.unwrap(), Some(40));
    let mode: String = sqlx::query("PRAGMA journal_mode").fetch_one(&other.pool).await.unwrap().get(0);
    let synchronous: i64 = sqlx::query("PRAGMA synchronous").fetch_one(&other.pool).await.unwrap().get(0);
    assert_eq!((mode.as_str(), synchronous), ("wal", 2));
}

#[tokio::test]
async fn a_requester_has_one_bid_in_a_round_and_posting_it_again_changes_nothing() {
    let disk = Disk::new();
    let store = disk.open().await;
    store.keep(&bid(1), ROOM).await.unwrap();
    assert!(
        matches!(store.keep(&bid(1), ROOM).await.unwrap(), Kept::Known(known) if known.status == Status::Queued)
    );
    let mut other = bid(1);
    other.waiting.id = B256::repeat_byte(9);
    assert!(
        matches!(store.keep(&other, ROOM).await.unwrap(), Kept::Other(known) if known.id == bid(1).waiting.id)
    );
    other.waiting.group.round = RoundNumber::new(8);
    assert_eq!(store.keep(&other, ROOM).await.unwrap(), Kept::New);
    assert_eq!(store.queued().await.unwrap(), 2);
}

#[tokio::test]
async fn there_is_room_for_so_many_bids_and_bytes() {
    let disk = Disk::new();
    let store = disk.open().await;
    let mut large = bid(1);
    large.waiting.bytes = 1_001;
    assert_eq!(store.keep(&large, ROOM).await.unwrap(), Kept::Full);
    for who in 1..4 {
        assert_eq!(store.keep(&bid(who), ROOM).await.unwrap(), Kept::New);
    }
    assert_eq!(store.keep(&bid(4), ROOM).await.unwrap(), Kept::Full);
    store.include(&[inclusion(&bid(1), 50)]).await.unwrap();
    assert_eq!(store.keep(&bid(4), ROOM).await.unwrap(), Kept::New, "what is included does not wait");
}

#[tokio::test]
async fn a_receipt_names_the_place_and_only_for_the_entry_that_was_accepted() {
    let disk = Disk::new();
    let store = disk.open().await;
    store.keep(&bid(1), ROOM).await.unwrap();
    let mut other = inclusion(&bid(1), 50);
    other.entry = B256::repeat_byte(0xee);
    assert_eq!(store.include(&[other]).await.unwrap(), Vec::<B256>::new());
    assert_eq!(store.include(&[inclusion(&bid(1), 50)]).await.unwrap(), [bid(1).waiting.id]);
    let known = store.status(bid(1).waiting.id).await.unwrap().unwrap();
    let receipt = known.receipt.unwrap();
    assert_eq!((known.status, receipt.block_number, receipt.first_index), (Status::Included, 50, 5));
    assert_eq!((receipt.transaction, receipt.block_hash), (B256::repeat_byte(0x77), B256::repeat_byte(0xbb)));
    assert_eq!((receipt.chain_id, receipt.contract, receipt.entry), (31_337, CONTRACT, bid(1).entry));
}

#[tokio::test]
async fn what_was_decided_in_an_undone_block_is_queued_again() {
    let disk = Disk::new();
    let store = disk.open().await;
    for who in 1..4 {
        store.keep(&bid(who), ROOM).await.unwrap();
    }
    let ids = [1, 2, 3].map(|who| bid(who).waiting.id);
    store.include(&[inclusion(&bid(1), 50)]).await.unwrap();
    store.refuse(ids[1], [1, 2, 3, 4], 51, Some(B256::repeat_byte(7))).await.unwrap();
    store.miss(&ids[2..], 52).await.unwrap();
    assert_eq!(store.undo(53).await.unwrap(), 0);
    assert_eq!(store.undo(51).await.unwrap(), 2);
    let now = [store.is(ids[0]).await, store.is(ids[1]).await, store.is(ids[2]).await];
    assert_eq!(now, [Some(Status::Included), Some(Status::Queued), Some(Status::Queued)]);
    assert_eq!(store.undo(50).await.unwrap(), 1);
    assert_eq!(store.status(ids[0]).await.unwrap().unwrap().receipt, None);
}

#[tokio::test]
async fn a_refusal_says_why_and_gives_way_to_an_inclusion() {
    let disk = Disk::new();
    let store = disk.open().await;
    store.keep(&bid(1), ROOM).await.unwrap();
    let (id, reason) = (bid(1).waiting.id, already());
    store.trouble(&[id], "no answer").await.unwrap();
    assert_eq!(store.status(id).await.unwrap().unwrap().trouble.as_deref(), Some("no answer"));
    store.refuse(id, reason, 50, None).await.unwrap();
    let refusal = store.status(id).await.unwrap().unwrap().refusal.unwrap();
    assert_eq!((refusal.reason.as_str(), refusal.transaction), ("BidInRoundAlready", None));
    assert!(refusal.advice.unwrap().contains("next round"));
    store.include(&[inclusion(&bid(1), 49)]).await.unwrap();
    assert_eq!(store.is(id).await, Some(Status::Included));
    store.refuse(id, reason, 51, None).await.unwrap();
    assert_eq!(store.is(id).await, Some(Status::Included), "what is in the round is not refused");
}

fn already() -> [u8; 4] {
    use alloy::sol_types::SolError;
    bindings::ProverMarket::BidInRoundAlready::SELECTOR
}

#[tokio::test]
async fn a_bid_that_was_refused_gives_way_to_the_next_one() {
    let disk = Disk::new();
    let store = disk.open().await;
    store.keep(&bid(1), ROOM).await.unwrap();
    store.refuse(bid(1).waiting.id, already(), 50, None).await.unwrap();
    assert_eq!(store.keep(&bid(1), ROOM).await.unwrap(), Kept::New, "the same, once its cause is mended");
    assert_eq!(store.is(bid(1).waiting.id).await, Some(Status::Queued));
    store.refuse(bid(1).waiting.id, already(), 51, None).await.unwrap();
    let mut other = bid(1);
    other.waiting.id = B256::repeat_byte(9);
    assert_eq!(store.keep(&other, ROOM).await.unwrap(), Kept::New);
    assert_eq!(store.is(bid(1).waiting.id).await, None);
}

#[tokio::test]
async fn old_rounds_are_forgotten_and_decided_bids_take_little_room() {
    let disk = Disk::new();
    let store = disk.open().await;
    for who in 1..3 {
        store.keep(&bid(who), ROOM).await.unwrap();
    }
    store.include(&[inclusion(&bid(1), 50)]).await.unwrap();
    store.forget(700, 51).await.unwrap();
    assert_eq!(store.undo(50).await.unwrap(), 0, "too deep to be undone");
    assert_eq!(store.is(bid(1).waiting.id).await, Some(Status::Included));
    store.forget(701, 51).await.unwrap();
    assert_eq!(store.is(bid(1).waiting.id).await, None);
    assert_eq!(store.is(bid(2).waiting.id).await, Some(Status::Queued), "what waits is not forgotten");
}

#[tokio::test]
async fn bids_for_another_contract_are_not_mixed_in() {
    let disk = Disk::new();
    drop(disk.open().await);
    let error = disk.open_for(1).await.unwrap_err().to_string();
    assert!(error.contains("chain 31337") && error.contains("--database"), "{error}");
    let error = Store::open(&disk.dir.path().join("no/such/bids.db"), 1, CONTRACT).await.unwrap_err();
    assert!(matches!(error, StoreError::Open { .. }), "{error}");
}
