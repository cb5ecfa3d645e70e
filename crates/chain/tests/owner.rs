//! A key's transactions have one effect each, through restarts, lost answers, reorganisations and dear gas.
#![allow(clippy::unwrap_used, reason = "the helpers here are test code too, where a panic is the failure")]

use alloy::consensus::{SignableTransaction, Transaction, TxEip1559, TxEnvelope};
use alloy::eips::eip2718::Encodable2718;
use alloy::network::TxSignerSync;
use alloy::primitives::U256;
use alloy::providers::Provider;
use alloy::rpc::types::TransactionReceipt;
use bindings::ProverMarket::depositCall;
use chain::transactions::{Account, Answered, FeeLimits, Journal, JournalError, MemoryJournal, Record};
use chain::{Client, Connection, ConnectionOptions, Market, Patience, SendError, TransactionOptions, Worth};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use testkit::{Proxy, Testbed};
use tokio::task::JoinHandle;

const GWEI: u128 = 1_000_000_000;
const SENDER: usize = 3;

struct Stage {
    bed: Testbed,
    market: Market,
    journal: MemoryJournal,
}

impl Stage {
    async fn new() -> Self {
        let bed = Testbed::start().await;
        let market = bed.market().await;
        Self { bed, market, journal: MemoryJournal::default() }
    }

    fn options(&self) -> TransactionOptions {
        let journal = Arc::new(self.journal.clone());
        TransactionOptions { journal, watch: TransactionOptions::WATCH, ..TransactionOptions::default() }
    }

    /// A process that uses the key, at `url`.
    async fn start(&self, url: &str, transactions: TransactionOptions) -> Client {
        let key = self.bed.anvil.account(SENDER).clone();
        let mut options = ConnectionOptions::new(url).signer(Some(key));
        let (bump_after, give_up_after) = (Duration::from_millis(200), Duration::from_secs(60));
        options.patience = Patience { bump_after, give_up_after };
        options.transactions = transactions;
        let connection = Connection::connect(&options).await.unwrap();
        Client::at(connection, self.bed.deployment.market).await.unwrap()
    }

    async fn client(&self) -> Client {
        self.start(self.bed.anvil.url(), self.options()).await
    }

    fn deposit(&self, client: &Client, ticks: u64) -> JoinHandle<Result<TransactionReceipt, SendError>> {
        let (client, amount) = (client.clone(), self.market.ticks_to_wei(U256::from(ticks)));
        let call = depositCall { id: self.market.id.get(), account: client.sender().unwrap(), amount };
        tokio::spawn(async move { client.send(call, amount, None).await })
    }

    /// Ticks that have arrived.
    async fn held(&self) -> u64 {
        let account = self.bed.anvil.account(SENDER).address();
        let contract = self.bed.client(9).await.market();
        contract.availableOf(self.market.id.get(), account).call().await.unwrap().to()
    }

    /// Transactions that were mined.
    async fn nonce(&self) -> u64 {
        let address = self.bed.anvil.account(SENDER).address();
        self.bed.anvil.connection().provider().get_transaction_count(address).latest().await.unwrap()
    }

    async fn written(&self) -> Vec<Record> {
        let provider = self.bed.anvil.connection().provider();
        let genesis = provider.get_block_by_number(0.into()).await.unwrap().unwrap().header.hash;
        let address = self.bed.anvil.account(SENDER).address();
        self.journal.load(Account { chain_id: 31_337, genesis, address }).await.unwrap()
    }

    /// Transactions that wait to be mined.
    async fn waiting(&self) -> Vec<serde_json::Value> {
        let pool = self.bed.anvil.request("txpool_content", json!([])).await;
        let of_account = pool["pending"].as_object().unwrap().values();
        of_account.flat_map(|of| of.as_object().unwrap().values().cloned().collect::<Vec<_>>()).collect()
    }

    async fn base_fee(&self, wei: u128) {
        self.bed.anvil.request("anvil_setNextBlockBaseFeePerGas", json!([U256::from(wei)])).await;
    }
}

/// Waits until a condition holds, which it does at some time or the test is stuck.
async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(90), wait).await.unwrap_or_else(|_| panic!("never: {what}"));
}

fn method(request: &serde_json::Value) -> &str {
    request["method"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_transaction_that_was_written_down_and_not_sent_is_sent_after_a_restart() {
    let stage = Stage::new().await;
    let proxy = Proxy::to(stage.bed.anvil.url());
    proxy.set(|request, forward| (method(request) != "eth_sendRawTransaction").then(forward));
    let first = stage.start(proxy.url(), stage.options()).await;
    let sending = stage.deposit(&first, 7);
    until("written down", async || !stage.written().await.is_empty()).await;
    sending.abort();
    drop(first);
    assert_eq!((stage.nonce().await, stage.held().await), (0, 0));

    let second = stage.client().await;
    until("mined", async || stage.nonce().await == 1).await;
    assert_eq!(stage.held().await, 7);
    // A new call is a new transaction.
    stage.deposit(&second, 5).await.unwrap().unwrap();
    assert_eq!((stage.nonce().await, stage.held().await), (2, 12));
}

#[tokio::test]
async fn whoever_wants_the_same_again_after_a_restart_waits_for_what_was_sent() {
    let stage = Stage::new().await;
    stage.bed.anvil.set_automine(false).await;
    let first = stage.client().await;
    let sending = stage.deposit(&first, 7);
    until("sent", async || stage.waiting().await.len() == 1).await;
    sending.abort();
    drop(first);

    let second = stage.client().await;
    let again = stage.deposit(&second, 7);
    let more = stage.deposit(&second, 5);
    until("sent", async || stage.waiting().await.len() == 2).await;
    stage.bed.anvil.set_automine(true).await;
    stage.bed.anvil.mine(1).await;
    again.await.unwrap().unwrap();
    more.await.unwrap().unwrap();
    assert_eq!((stage.nonce().await, stage.held().await), (2, 12));
}

#[tokio::test]
async fn a_lost_answer_makes_no_second_effect() {
    let stage = Stage::new().await;
    let proxy = Proxy::to(stage.bed.anvil.url());
    proxy.set(|request, forward| {
        let answer = forward();
        (method(request) != "eth_sendRawTransaction").then_some(answer)
    });
    let client = stage.start(proxy.url(), stage.options()).await;
    let receipt = stage.deposit(&client, 7).await.unwrap().unwrap();
    assert!(receipt.status());
    assert_eq!((stage.nonce().await, stage.held().await), (1, 7));
}

#[tokio::test]
async fn a_transaction_that_is_handed_over_twice_and_mined_between_makes_no_second_effect() {
    let stage = Stage::new().await;
    let proxy = Proxy::to(stage.bed.anvil.url());
    proxy.set(|request, forward| {
        if method(request) == "eth_sendRawTransaction" {
            forward();
        }
        Some(forward())
    });
    let client = stage.start(proxy.url(), stage.options()).await;
    let receipt = stage.deposit(&client, 7).await.unwrap().unwrap();
    assert!(receipt.status());
    assert_eq!((stage.nonce().await, stage.held().await), (1, 7));
}

#[tokio::test]
async fn a_nonce_that_another_program_uses_is_noticed_and_the_next_one_works() {
    let stage = Stage::new().await;
    let client = stage.client().await;
    stage.bed.anvil.set_automine(false).await;
    let replaced = stage.deposit(&client, 7);
    until("sent", async || stage.waiting().await.len() == 1).await;
    let key = stage.bed.anvil.account(SENDER).clone();
    let mut foreign = TxEip1559 {
        chain_id: 31_337,
        nonce: 0,
        gas_limit: 21_000,
        max_fee_per_gas: 400 * GWEI,
        max_priority_fee_per_gas: 400 * GWEI,
        to: key.address().into(),
        ..TxEip1559::default()
    };
    let signature = key.sign_transaction_sync(&mut foreign).unwrap();
    let raw = TxEnvelope::from(foreign.into_signed(signature)).encoded_2718();
    let _ = client.provider().send_raw_transaction(&raw).await.unwrap();
    stage.bed.anvil.mine(1).await;
    let error = replaced.await.unwrap().unwrap_err();
    assert!(matches!(error, SendError::Replaced { nonce: 0, .. }), "{error}");
    stage.bed.anvil.set_automine(true).await;
    stage.deposit(&client, 5).await.unwrap().unwrap();
    assert_eq!((stage.nonce().await, stage.held().await, stage.written().await.len()), (2, 5, 1));
}

#[tokio::test]
async fn what_a_reorganisation_undoes_is_sent_again_and_nothing_jams() {
    let stage = Stage::new().await;
    let client = stage.client().await;
    for depth in 1..=8 {
        let before = stage.held().await;
        stage.deposit(&client, depth).await.unwrap().unwrap();
        stage.bed.anvil.mine(depth - 1).await;
        stage.bed.anvil.reorg(depth).await;
        until("sent again", async || stage.held().await == before + depth).await;
    }
    assert_eq!(stage.nonce().await, 8);
    // Two at once, one of which the next block undoes.
    let (one, other) = (stage.deposit(&client, 100), stage.deposit(&client, 200));
    one.await.unwrap().unwrap();
    other.await.unwrap().unwrap();
    stage.bed.anvil.reorg(1).await;
    stage.deposit(&client, 300).await.unwrap().unwrap();
    until("all of them", async || stage.held().await == 636).await;
    assert_eq!(stage.nonce().await, 11);
}

#[tokio::test]
async fn gas_that_is_too_dear_is_waited_out_before_anything_is_written_down() {
    let stage = Stage::new().await;
    let proxy = Proxy::to(stage.bed.anvil.url());
    let fees = FeeLimits { max_fee_per_gas: 50 * GWEI, max_cost: None };
    let client = stage.start(proxy.url(), TransactionOptions { fees, ..stage.options() }).await;
    stage.base_fee(100 * GWEI).await;
    stage.bed.anvil.mine(1).await;
    let deposit = stage.deposit(&client, 7);
    until("it looks again", async || proxy.asked("eth_feeHistory") >= 3).await;
    assert!(stage.written().await.is_empty());
    assert_eq!(proxy.asked("eth_sendRawTransaction"), 0);
    stage.base_fee(GWEI).await;
    stage.bed.anvil.mine(1).await;
    deposit.await.unwrap().unwrap();
    assert_eq!(stage.held().await, 7);
}

#[tokio::test]
async fn a_spike_of_fees_after_sending_never_lifts_the_offer_above_its_limit() {
    let stage = Stage::new().await;
    let proxy = Proxy::to(stage.bed.anvil.url());
    let fees = FeeLimits { max_fee_per_gas: 50 * GWEI, max_cost: None };
    let client = stage.start(proxy.url(), TransactionOptions { fees, ..stage.options() }).await;
    stage.bed.anvil.set_automine(false).await;
    let deposit = stage.deposit(&client, 7);
    until("sent", async || stage.waiting().await.len() == 1).await;
    stage.base_fee(100 * GWEI).await;
    stage.bed.anvil.mine(1).await;
    let sent = proxy.asked("eth_sendRawTransaction");
    until("handed over again", async || proxy.asked("eth_sendRawTransaction") >= sent + 3).await;
    assert!(stage.written().await[0].forms.iter().all(|form| form.max_fee <= 40 * GWEI && !form.cancels));
    stage.base_fee(GWEI).await;
    until("mined", async || {
        stage.bed.anvil.mine(1).await;
        stage.held().await == 7
    })
    .await;
    let receipt = deposit.await.unwrap().unwrap();
    let mined = client.provider().get_transaction_by_hash(receipt.transaction_hash).await.unwrap().unwrap();
    assert!(mined.max_fee_per_gas() <= 40 * GWEI);
    assert_eq!(stage.nonce().await, 1);
}

#[tokio::test]
async fn a_stuck_transaction_is_offered_more_for_until_it_is_mined() {
    let stage = Stage::new().await;
    let client = stage.client().await;
    stage.bed.anvil.set_automine(false).await;
    let deposit = stage.deposit(&client, 7);
    until("raised twice", async || {
        stage.written().await.first().is_some_and(|record| record.forms.len() >= 3)
    })
    .await;
    assert_eq!(stage.waiting().await.len(), 1);
    stage.bed.anvil.mine(1).await;
    deposit.await.unwrap().unwrap();
    assert_eq!((stage.nonce().await, stage.held().await), (1, 7));
}

#[tokio::test]
async fn what_is_too_late_is_cancelled_and_the_next_one_works() {
    let stage = Stage::new().await;
    let until_time = stage.bed.anvil.head().await.timestamp + 1_000;
    let client = stage.client().await;
    let hurried = client.worth(Worth::until(until_time));
    stage.bed.anvil.set_automine(false).await;
    let deposit = stage.deposit(&hurried, 7);
    until("sent", async || stage.waiting().await.len() == 1).await;
    // Too dear for it, and its time passes.
    stage.base_fee(150 * GWEI).await;
    stage.bed.anvil.warp_to(until_time).await;
    until("cancelled", async || stage.written().await[0].forms.last().unwrap().cancels).await;
    until("mined", async || {
        stage.bed.anvil.mine(1).await;
        stage.nonce().await == 1
    })
    .await;
    let error = deposit.await.unwrap().unwrap_err();
    assert!(matches!(error, SendError::Outdated { until, .. } if until == until_time), "{error}");
    assert_eq!(stage.held().await, 0);
    let error = stage.deposit(&hurried, 7).await.unwrap().unwrap_err();
    assert!(matches!(error, SendError::Outdated { .. }), "{error}");
    stage.bed.anvil.set_automine(true).await;
    stage.deposit(&client, 5).await.unwrap().unwrap();
    assert_eq!((stage.nonce().await, stage.held().await), (2, 5));
}

#[tokio::test]
async fn nonces_that_nobody_uses_are_filled() {
    let stage = Stage::new().await;
    let proxy = Proxy::to(stage.bed.anvil.url());
    proxy.set(|request, forward| (method(request) != "eth_sendRawTransaction").then(forward));
    let first = stage.start(proxy.url(), stage.options()).await;
    let sending = [1, 2, 4].map(|ticks| stage.deposit(&first, ticks));
    until("written down", async || stage.written().await.len() == 3).await;
    sending.iter().for_each(JoinHandle::abort);
    drop(first);
    let provider = stage.bed.anvil.connection().provider();
    let genesis = provider.get_block_by_number(0.into()).await.unwrap().unwrap().header.hash;
    let address = stage.bed.anvil.account(SENDER).address();
    let last = Call::ticks_of(&stage.written().await[2]);
    for nonce in 0..2 {
        stage.journal.forget(Account { chain_id: 31_337, genesis, address }, nonce).await.unwrap();
    }
    let _second = stage.client().await;
    until("mined", async || stage.nonce().await == 3).await;
    assert_eq!(stage.held().await, last);
}

/// What a deposit that was written down pays in.
struct Call;

impl Call {
    fn ticks_of(record: &Record) -> u64 {
        use alloy::eips::Decodable2718;
        let envelope = TxEnvelope::decode_2718_exact(&record.forms[0].raw).unwrap();
        // One tick is a gwei.
        (envelope.value() / U256::from(GWEI)).to()
    }
}

#[tokio::test]
async fn signed_transactions_go_to_the_private_endpoint_only() {
    let stage = Stage::new().await;
    let (public, private) = (Proxy::to(stage.bed.anvil.url()), Proxy::to(stage.bed.anvil.url()));
    let private_url = Some(private.url().to_owned());
    let client = stage.start(public.url(), TransactionOptions { private_url, ..stage.options() }).await;
    stage.deposit(&client, 7).await.unwrap().unwrap();
    let asked = |proxy: &Proxy| proxy.asked("eth_sendRawTransaction");
    assert_eq!((asked(&public), asked(&private)), (0, 1));
    assert_eq!((private.asked("eth_call"), private.asked("eth_getTransactionReceipt")), (0, 0));
}

/// A disk that is full.
#[derive(Debug)]
struct Full;

impl Journal for Full {
    fn load(&self, _: Account) -> Answered<'_, Vec<Record>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn keep<'a>(&'a self, _: Account, _: &'a Record) -> Answered<'a, ()> {
        Box::pin(async { Err(JournalError::new("no space left on device")) })
    }

    fn forget(&self, _: Account, _: u64) -> Answered<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    fn clear(&self, _: Account) -> Answered<'_, ()> {
        Box::pin(async { Ok(()) })
    }
}

#[tokio::test]
async fn what_cannot_be_written_down_is_not_sent() {
    let stage = Stage::new().await;
    let proxy = Proxy::to(stage.bed.anvil.url());
    let journal = Arc::new(Full);
    let client = stage.start(proxy.url(), TransactionOptions { journal, ..stage.options() }).await;
    let error = stage.deposit(&client, 7).await.unwrap().unwrap_err();
    assert!(matches!(error, SendError::Journal(_)), "{error}");
    assert!(error.to_string().contains("no space left"), "{error}");
    assert_eq!((proxy.asked("eth_sendRawTransaction"), stage.nonce().await), (0, 0));
}
