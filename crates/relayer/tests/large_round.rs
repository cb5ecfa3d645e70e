//! A round of many more bids than a transaction holds, on a chain that keeps the limits of one (2^24 gas, 128 KiB): submitted, settled
//! in pages by two relayers, the second one going on where the first one stopped, released, and in part delivered; then every tick is
//! accounted for. `make large-round` does it with 100,000 bids.
#![allow(clippy::unwrap_used, reason = "the helpers here are test code too, where a panic is the failure")]

mod support;

use alloy::consensus::Transaction as _;
use alloy::eips::eip2718::Encodable2718;
use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
use alloy::providers::Provider;
use alloy::rpc::types::TransactionRequest;
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::SolCall;
use bindings::ProverMarket::{depositCall, releaseCall, settlePageCall, submitBidsCall};
use chain::commitments::{BidWord, Ticket};
use chain::settlement::{PageLimits, Settling};
use chain::{Client, RoundRecord};
use clearing::{Outcome, Prices};
use market_types::{AskIndex, BidIndex, LotSize, TaskSize, UnitFee, UnitPrice};
use relayer::act::Done;
use relayer::relay::Tally;
use std::collections::BTreeMap;
use support::{ROUND, Stage, relay};
use testkit::{AnvilOptions, Testbed, circuits, lot};

/// Bids by themselves in the round, if the variable does not say otherwise.
const BIDS: usize = 12_000;
const VARIABLE: &str = "PROOPHI_LARGE_ROUND";

/// Accounts of those that bid in turns, as many words in a call as its transaction holds.
const REQUESTERS: [usize; 4] = [11, 12, 13, 14];
const A_CALL: usize = 4_000;
/// Account that submits what others have signed.
const SUBMITTER: usize = 15;
const SIGNERS: u8 = 40;
/// Lots of one requester, and how many bids each is.
const LOTS: usize = 10;
const OF_A_LOT: u16 = 50;
/// Tasks with a statement whose proof is known, at a fee above all others.
const PROVED: u16 = 3;
const PROVED_FEE: u64 = 5_000;
/// Accounts of the provers, with what each asks: the third is the first that does not win.
const PROVERS: [(usize, u64); 3] = [(1, 10), (2, 20), (3, 30)];
const SETTLERS: [usize; 2] = [7, 8];

const LARGEST: u32 = 16;
const MAX_GAS: u64 = 1 << 24;
const MAX_BYTES: usize = 128 << 10;

fn bids() -> usize {
    std::env::var(VARIABLE).map_or(BIDS, |number| number.parse().expect(VARIABLE))
}

/// An entry of these many bids, at a fee and of a size that follow from its number.
fn entry(number: usize, requester: Address, count: u16) -> BidWord {
    let random = keccak256((number as u64).to_be_bytes());
    let (fee, size) = (u64::from(random[0]) * 4 + u64::from(random[1]) % 4, u32::from(random[2]));
    BidWord::new(
        UnitFee::new(40 + fee).unwrap(),
        TaskSize::new(1 + size % LARGEST).unwrap(),
        LotSize::new(count).unwrap(),
        Ticket::new(requester, random),
    )
}

/// A market whose periods pass only when the test says so. Its winning provers can prove about half of the bids.
async fn stage(bids: usize) -> Stage {
    let options = AnvilOptions { tx_gas_limit: true, ..AnvilOptions::default() };
    let bed = Testbed::start_with(&options).await;
    let mut params = bed.params().await;
    (params.bidding_period, params.settlement_period) = (40_000, 40_000);
    (params.proving_period, params.takeover_period) = (40_000, 10_000);
    params.max_task_size = TaskSize::new(LARGEST).unwrap();
    params.min_seat_capacity = 2 * LARGEST - 1;
    let market = bed.market_with(&params).await;
    let stage = Stage { bed, market };
    let half = u32::try_from(bids).unwrap() * (LARGEST + 1) / 4;
    for (account, cost) in PROVERS {
        stage.bed.register(&stage.bed.client(account).await, &stage.market, half / 2, cost).await;
    }
    stage.bed.warp_to_open(&stage.market, ROUND).await;
    stage
}

/// Everybody's bids, in calls as large as they may be. Tells what each account has deposited (ticks).
struct Crowd<'a> {
    stage: &'a Stage,
    deposits: BTreeMap<Address, u128>,
}

impl Crowd<'_> {
    async fn deposit(&mut self, payer: &Client, account: Address, ticks: u128) {
        let market = &self.stage.market;
        let amount = market.ticks_to_wei(U256::from(ticks));
        payer.send(depositCall { id: market.id.get(), account, amount }, amount, None).await.unwrap();
        *self.deposits.entry(account).or_default() += ticks;
    }

    fn price(&self, word: BidWord) -> u128 {
        let task = u128::from(word.fee().get()) * u128::from(word.size().get());
        (task + u128::from(self.stage.market.params.settlement_fee)) * u128::from(word.count().get())
    }

    async fn submit(&mut self, account: usize, words: impl Fn(Address) -> Vec<BidWord>) {
        let client = self.stage.bed.client(account).await;
        let requester = client.sender().unwrap();
        let words = words(requester);
        let ticks = words.iter().map(|word| self.price(*word)).sum();
        self.deposit(&client, requester, ticks).await;
        let entries = words.into_iter().map(B256::from).collect();
        let call = submitBidsCall { id: self.stage.market.id.get(), entries };
        client.send(call, U256::ZERO, None).await.unwrap();
    }

    async fn submit_singles(&mut self, bids: usize) {
        for (call, first) in (0..bids).step_by(A_CALL).enumerate() {
            let numbers = first..bids.min(first + A_CALL);
            let words = |who| numbers.clone().map(|number| entry(number, who, 1)).collect();
            self.submit(REQUESTERS[call % REQUESTERS.len()], words).await;
        }
    }

    async fn submit_signed(&mut self) {
        let (stage, submitter) = (self.stage, self.stage.bed.client(SUBMITTER).await);
        let mut signed = Vec::new();
        for number in 1..=SIGNERS {
            let signer = PrivateKeySigner::from_bytes(&B256::repeat_byte(number)).unwrap();
            let word = entry(usize::from(number), signer.address(), 1);
            self.deposit(&submitter, signer.address(), self.price(word)).await;
            signed.push(submitter.bid_to_sign(&stage.market, ROUND, word).sign(&signer).await.unwrap());
        }
        submitter.submit_signed(&stage.market, &[], &signed).await.unwrap();
    }

    /// Tells the index of the first bid.
    async fn submit_proved(&mut self) -> u32 {
        let (stage, client) = (self.stage, self.stage.bed.client(REQUESTERS[0]).await);
        let requester = client.sender().unwrap();
        let circuit = &circuits()[0];
        let public_inputs = circuit.statements[0].public_inputs.clone();
        let statement = chain::Statement { circuit: circuit.id, public_inputs, data: Bytes::new() };
        let lot = lot(requester, PROVED_FEE, vec![statement; PROVED.into()]);
        *self.deposits.entry(requester).or_default() += lot.cost(&stage.market);
        stage.bed.lots(&client, &stage.market, &[lot]).await.1
    }
}

/// Half of the pages by the first relayer, one at a time, and then all that is left by the second one. Tells the gas of each page of the
/// first.
async fn settle(stage: &Stage, pages: usize, bundles: usize) {
    let mut follower = stage.follower().await;
    for _ in 0..pages / 2 {
        follower.poll().await.unwrap();
        let record = follower.market(stage.market.id).unwrap().shared_round(ROUND).unwrap();
        let done = stage.settle(SETTLERS[0], &record, &PageLimits::TRANSACTION).await.unwrap();
        assert!(matches!(done, Done::PageSettled { .. }), "{done:?}");
    }
    let tally = relay(stage.bed.client(SETTLERS[1]).await).await.run_once().await.unwrap();
    let left = pages - pages / 2 - 1;
    assert_eq!(tally, Tally { settled: 1, pages: left, released: bundles, ..Tally::default() });
}

/// What the round has to have come to.
fn check_outcome(record: &RoundRecord, outcome: &Outcome) {
    let settlement = record.settlement.as_ref().unwrap();
    assert_eq!((settlement.outcome.prices(), settlement.outcome.units), (outcome.prices, outcome.units));
    let mut assigned: Vec<(BidIndex, AskIndex)> =
        record.assignments().unwrap().iter().map(|task| (task.index, task.seat)).collect();
    assigned.sort_unstable();
    assert_eq!(assigned, outcome.assignment().collect::<Vec<_>>());
}

async fn deliver_proved(stage: &Stage, record: &RoundRecord, first: u32) {
    let proof = circuits()[0].statements[0].proof.clone();
    let client = stage.bed.client(9).await;
    let tasks = record.winning_tasks();
    let proved = tasks.filter(|task| (first..first + u32::from(PROVED)).contains(&task.index.get()));
    let mut delivered = 0;
    for task in proved {
        let delivery = record.delivery(&task, proof.clone()).unwrap();
        client.deliver(&stage.market, delivery).await.unwrap();
        delivered += 1;
    }
    assert_eq!(delivered, PROVED);
}

/// Transactions of one kind: how many, their gas, and the longest (bytes).
#[derive(Debug, Default, Clone, Copy)]
struct Sent {
    count: usize,
    gas: u64,
    longest: usize,
}

/// All that was sent to the market, by selector. No transaction on the chain is above the limits.
async fn transactions(stage: &Stage) -> BTreeMap<[u8; 4], Sent> {
    let provider = stage.bed.anvil.connection().provider();
    let mut sent = BTreeMap::<[u8; 4], Sent>::new();
    for number in 0..=stage.bed.anvil.head().await.number {
        let block = provider.get_block_by_number(number.into()).full().await.unwrap().unwrap();
        for transaction in block.transactions.txns() {
            let bytes = transaction.inner.encode_2718_len();
            assert!(transaction.gas_limit() <= MAX_GAS && bytes <= MAX_BYTES, "{bytes} bytes in {number}");
            let Some(selector) = transaction.input().first_chunk::<4>() else { continue };
            let hash = *transaction.inner.tx_hash();
            let receipt = provider.get_transaction_receipt(hash).await.unwrap().unwrap();
            let of = sent.entry(*selector).or_default();
            (of.count, of.gas) = (of.count + 1, of.gas + receipt.gas_used);
            of.longest = of.longest.max(bytes);
        }
    }
    sent
}

/// The chain refuses a transaction of more gas than EIP-7825 allows.
async fn require_limits(stage: &Stage) {
    let provider = stage.bed.anvil.connection().provider();
    let (from, to) = (stage.bed.anvil.account(16).address(), Address::ZERO);
    let request = TransactionRequest::default().from(from).to(to).gas_limit(MAX_GAS + 1);
    assert!(provider.send_transaction(request).await.is_err());
}

/// What everybody has, and that it is all that the market holds (ticks).
async fn check_accounts(
    stage: &Stage,
    before: &RoundRecord,
    outcome: &Outcome,
    mut due: BTreeMap<Address, u128>,
) {
    let (client, id) = (stage.bed.client(9).await, stage.market.id.get());
    let Prices::Uniform { user_price, prover_price } = outcome.prices else { panic!("core") };
    let price = |price: UnitPrice, units: u64| u128::from(price.get()) * u128::from(units);
    let fee = u128::from(stage.market.params.settlement_fee);
    let mut won = outcome.winning_bids.iter().copied().peekable();
    for bid in before.bids() {
        let has_won = won.next_if_eq(&bid.index()).is_some();
        let pays = if has_won { price(user_price, bid.size().get().into()) } else { 0 };
        *due.get_mut(&bid.requester).unwrap() -= fee + pays;
    }
    let settlement_fees: u128 = fee * u128::from(before.bid_count());
    let record = stage.record().await;
    let mut rewards = 0;
    for account in SETTLERS {
        let settler = stage.bed.anvil.account(account).address();
        let reward = record.settlement.as_ref().unwrap().reward_of(settler, stage.market.id.settlement_fee());
        assert!(reward > U256::ZERO);
        rewards += reward.to::<u128>();
        due.insert(settler, reward.to());
    }
    assert_eq!(rewards, settlement_fees);
    let units = u64::from(circuits()[0].key.units.get()) * u64::from(PROVED);
    let mut paid = 0;
    for (account, _) in PROVERS {
        let prover = stage.bed.anvil.account(account).address();
        let available = client.market().availableOf(id, prover).call().await.unwrap().to::<u128>();
        paid += available;
        due.insert(prover, available);
    }
    assert_eq!(paid, price(prover_price, units), "what the provers were paid");
    for (account, ticks) in &due {
        let available = client.market().availableOf(id, *account).call().await.unwrap();
        assert_eq!(available, U256::from(*ticks), "what {account} has");
    }
    // What is not theirs: collateral, what is held for open tasks, and the sink's.
    let mut collateral = 0;
    for seat in 0..PROVERS.len() {
        let seat = client.market().seatOf(id, U256::from(seat)).call().await.unwrap();
        collateral += seat.capacity.to::<u128>() * u128::from(stage.market.params.collateral_per_unit);
    }
    let surplus = client.market().surplusOf(id).call().await.unwrap().to::<u128>();
    assert_eq!(surplus, price(user_price, units) - price(prover_price, units));
    let held = price(user_price, outcome.units.get() - units);
    let ticks = due.values().sum::<u128>() + collateral + held + surplus;
    let balance = stage.bed.anvil.connection().provider().get_balance(client.contract()).await.unwrap();
    assert_eq!(balance, stage.market.ticks_to_wei(U256::from(ticks)), "every wei of the market");
}

#[tokio::test]
async fn a_round_of_many_pages_is_settled_by_two_relayers_and_every_wei_is_accounted_for() {
    let singles = bids();
    let stage = stage(singles).await;
    require_limits(&stage).await;
    let mut crowd = Crowd { stage: &stage, deposits: BTreeMap::new() };
    crowd.submit_singles(singles).await;
    let lots = |who| (0..LOTS).map(|number| entry(number, who, OF_A_LOT)).collect();
    crowd.submit(REQUESTERS[1], lots).await;
    let first_proved = crowd.submit_proved().await;
    crowd.submit_signed().await;
    let deposits = crowd.deposits;
    stage.close().await;

    let history = stage.history().await;
    let before = history.round(ROUND).unwrap();
    let posted = singles + LOTS * usize::from(OF_A_LOT) + usize::from(PROVED) + usize::from(SIGNERS);
    assert_eq!(before.bid_count() as usize, posted);
    let round = history.closed_round(ROUND).unwrap();
    let (outcome, certificate) = clearing::clear_with_certificate(stage.market.params.mechanism, &round);
    let won = outcome.winning_bids.len();
    assert!((posted / 3..posted * 2 / 3).contains(&won), "{won} win");
    let client = stage.bed.client(9).await;
    let settling = Settling::new(&stage.market, client.seed(&stage.market, ROUND), before, &certificate);
    let pages = settling.page_count(&PageLimits::TRANSACTION);
    assert!(pages >= 3, "{pages} pages");
    settle(&stage, pages, history.bundles().count()).await;

    let record = stage.record().await;
    assert_eq!(record.settlement.as_ref().unwrap().certificate, certificate);
    check_outcome(&record, &outcome);
    deliver_proved(&stage, &record, first_proved).await;
    check_accounts(&stage, before, &outcome, deposits).await;

    let sent = transactions(&stage).await;
    let of = |selector: [u8; 4]| sent.get(&selector).copied().unwrap_or_default();
    let (submitted, settled) = (of(submitBidsCall::SELECTOR), of(settlePageCall::SELECTOR));
    assert_eq!(settled.count, pages);
    println!("{posted} bids in {} entries, {won} win", before.entries().len());
    for (what, sent) in
        [("submitBids", submitted), ("settlePage", settled), ("release", of(releaseCall::SELECTOR))]
    {
        let Sent { count, gas, longest } = sent;
        println!(
            "{what}: {count} transactions, {gas} gas, {} a bid, longest {longest} bytes",
            gas / posted as u64
        );
    }
}
