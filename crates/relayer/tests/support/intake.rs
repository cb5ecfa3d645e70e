//! A relayer that takes signed bids, and requesters that hand them in.

use super::until;
use alloy::primitives::{Address, B256, Bytes, TxKind, U256};
use alloy::providers::Provider;
use alloy::rpc::types::Filter;
use alloy::signers::SignerSync;
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::{SolEvent, SolValue};
use bindings::ProverMarket;
use chain::wallet::WalletBid;
use chain::{
    Client, FollowOptions, Follower, Lot, Market, MarketHistory, MarketParams, Markets, Retention, Statement,
};
use intake_api::{BidStatus, Problem, Status, Submission};
use market_types::RoundNumber;
use relayer::intake::Intake;
use relayer::intake::options::IntakeOptions;
use relayer::relay::{Relay, Tally};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use testkit::{Bid, Testbed, circuits};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) const ROUND: RoundNumber = RoundNumber::new(1);
/// What every requester has in the market (ticks).
pub(crate) const BALANCE: u64 = 100_000;

/// A market with long rounds, in which round 1 is open, and the database of a relayer.
pub(crate) struct Scene {
    pub(crate) bed: Testbed,
    pub(crate) market: Market,
    bank: Client,
    reader: Client,
    dir: TempDir,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        Self::new_in(|params| params).await
    }

    pub(crate) async fn new_in(kind: impl FnOnce(MarketParams) -> MarketParams) -> Self {
        let bed = Testbed::start().await;
        let mut params = kind(bed.params().await);
        (params.bidding_period, params.settlement_period) = (1_200, 600);
        let market = bed.market_with(&params).await;
        bed.warp_to_open(&market, ROUND).await;
        let (bank, reader) = (bed.client(0).await, bed.client(9).await);
        Self { bed, market, bank, reader, dir: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.dir.path().join("bids.db")
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// An intake that posts a bid as soon as it can, and asks for no patience.
    pub(crate) fn options(&self) -> IntakeOptions {
        let mut options = IntakeOptions::new("127.0.0.1:0".parse().unwrap());
        options.database = self.database().display().to_string();
        options.post_after = Some(0);
        options.requests_per_minute = NonZeroU32::new(1_000_000).unwrap();
        options
    }

    /// The same that waits for the close, or for so many bids.
    pub(crate) fn patient(&self, post_at: usize) -> IntakeOptions {
        let mut options = self.options();
        options.post_after = None;
        options.post_at = post_at.try_into().unwrap();
        options
    }

    /// Starts a relayer with the key of account 7.
    pub(crate) async fn relayer(&self, options: IntakeOptions) -> Relayer {
        self.relayer_of(7, options).await
    }

    /// Starts a relayer with the key of this account.
    pub(crate) async fn relayer_of(&self, account: usize, options: IntakeOptions) -> Relayer {
        let mut follow = FollowOptions::new(Markets::All, 0);
        follow.poll = Duration::from_millis(50);
        let follower = Follower::start(self.bed.client(account).await, follow).await.unwrap();
        let (intake, feed) = Intake::start(options, &follower).await.unwrap();
        let desk = Desk::at(&format!("http://{}", intake.address()));
        let (stop, stopped) = oneshot::channel::<()>();
        let relay = Relay::new(follower, super::OPTIONS).feeding(feed);
        let running = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            let tally = relay.run(stopped).await.unwrap();
            intake.stop().await;
            tally
        });
        Relayer { desk, stop, running }
    }

    /// A key with a balance in the market.
    pub(crate) async fn requester(&self, number: u64) -> PrivateKeySigner {
        let key = PrivateKeySigner::from_bytes(&U256::from(0x1000 + number).into()).unwrap();
        self.fund(key.address()).await;
        key
    }

    pub(crate) async fn fund(&self, account: Address) {
        let (id, amount) = (self.market.id.get(), self.market.ticks_to_wei(U256::from(BALANCE)));
        let call = ProverMarket::depositCall { id, account, amount };
        self.bank.send(call, amount, None).await.unwrap();
    }

    pub(crate) fn lot(requester: Address, fee: u64) -> Lot {
        Bid::of(fee, circuits()[0].id).lot(requester)
    }

    /// A bid of `key` for round 1, with its statement.
    pub(crate) async fn signed(&self, key: &PrivateKeySigner, fee: u64) -> Submission {
        self.signed_for(key, fee, ROUND).await
    }

    pub(crate) async fn signed_for(
        &self,
        key: &PrivateKeySigner,
        fee: u64,
        round: RoundNumber,
    ) -> Submission {
        let lot = Self::lot(key.address(), fee);
        self.signed_lot(key, &lot, round, Some(lot.statements())).await
    }

    pub(crate) async fn signed_lot(
        &self,
        key: &PrivateKeySigner,
        lot: &Lot,
        round: RoundNumber,
        statements: Option<&[Statement]>,
    ) -> Submission {
        let bid = self.reader.bid_to_sign(&self.market, round, lot.word());
        Submission::new(&bid.sign(key).await.unwrap(), key.address(), statements)
    }

    /// A contract that bids by the key of `owner`, with a balance.
    pub(crate) async fn wallet(&self, owner: &PrivateKeySigner) -> Address {
        let artifact = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../out/Wallets.sol/Wallet.json");
        let artifact: serde_json::Value = serde_json::from_slice(&std::fs::read(artifact).unwrap()).unwrap();
        let code: Bytes = artifact["bytecode"]["object"].as_str().unwrap().parse().unwrap();
        let code = [code.to_vec(), owner.address().abi_encode()].concat();
        let client = self.bed.client(0).await;
        let receipt =
            client.connection().transact(TxKind::Create, code.into(), U256::ZERO, None).await.unwrap();
        let wallet = receipt.contract_address.unwrap();
        self.fund(wallet).await;
        wallet
    }

    /// A bid of `wallet`, signed by `owner` in the wallet's way.
    pub(crate) async fn wallet_bid(&self, wallet: Address, owner: &PrivateKeySigner, fee: u64) -> Submission {
        let lot = Self::lot(wallet, fee);
        let bid = self.reader.bid_to_sign(&self.market, ROUND, lot.word());
        let signature = owner.sign_hash_sync(&bid.signing_hash()).unwrap();
        let parity = U256::from(27 + u8::from(signature.v()));
        let signature = (parity, B256::from(signature.r()), B256::from(signature.s())).abi_encode().into();
        Submission::of_wallet(&WalletBid { bid, requester: wallet, signature }, Some(lot.statements()))
    }

    /// Moves the chain's time on to where everything is posted.
    pub(crate) async fn warp_to_posting(&self, options: &IntakeOptions) {
        self.bed.anvil.warp_to(options.hours(self.market.id, ROUND).posts_at).await;
    }

    pub(crate) async fn history(&self) -> MarketHistory {
        let options =
            FollowOptions::new(Markets::Only(vec![self.market.id]), 0).keeping(Retention::Everything);
        let follower = Follower::start(self.reader.clone(), options).await.unwrap();
        follower.market(self.market.id).unwrap().clone()
    }

    /// How many entries were told what they ask for.
    pub(crate) async fn published(&self) -> usize {
        let client = &self.reader;
        let filter = Filter::new()
            .address(client.contract())
            .event_signature(ProverMarket::StatementsPublished::SIGNATURE_HASH)
            .from_block(0);
        client.provider().get_logs(&filter).await.unwrap().len()
    }

    pub(crate) const fn reader(&self) -> &Client {
        &self.reader
    }
}

/// A relayer that runs within the test.
pub(crate) struct Relayer {
    pub(crate) desk: Desk,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Tally>,
}

impl Relayer {
    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        self.running.await.unwrap();
    }
}

/// Where signed bids are handed in.
#[derive(Clone)]
pub(crate) struct Desk {
    url: String,
    http: reqwest::Client,
}

impl Desk {
    pub(crate) fn at(url: &str) -> Self {
        Self { url: url.to_owned(), http: reqwest::Client::builder().build().unwrap() }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    pub(crate) async fn get(&self, path: &str) -> reqwest::Response {
        self.http.get(self.url(path)).send().await.unwrap()
    }

    pub(crate) async fn post(&self, body: impl Into<reqwest::Body>) -> reqwest::Response {
        self.http.post(self.url("/v1/bids")).body(body).send().await.unwrap()
    }

    pub(crate) async fn hand_in(&self, bid: &Submission) -> reqwest::Response {
        self.post(serde_json::to_vec(bid).unwrap()).await
    }

    /// Hands in a bid that must be accepted.
    pub(crate) async fn accepted(&self, bid: &Submission) -> B256 {
        let response = self.hand_in(bid).await;
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert_eq!(status, 202, "{text}");
        let bid: BidStatus = serde_json::from_str(&text).unwrap();
        assert_eq!(bid.status, Status::Queued);
        bid.id
    }

    /// Hands in a bid that must not be accepted, and returns why.
    pub(crate) async fn refused(&self, bid: &Submission) -> Problem {
        problem(self.hand_in(bid).await).await
    }

    pub(crate) async fn bid(&self, id: B256) -> BidStatus {
        self.get(&format!("/v1/bids/{id}")).await.json().await.unwrap()
    }

    /// Waits until a bid is this far.
    pub(crate) async fn becomes(&self, id: B256, status: Status) -> BidStatus {
        until(&format!("bid {id} {status:?}"), async || self.bid(id).await.status == status).await;
        self.bid(id).await
    }
}

/// The problem in an answer.
pub(crate) async fn problem(response: reqwest::Response) -> Problem {
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let status = response.status().as_u16();
    let problem: Problem = response.json().await.unwrap();
    assert_eq!(problem.status, status);
    assert_eq!(problem.kind, format!("urn:proophi:problem:{}", problem.code));
    problem
}
