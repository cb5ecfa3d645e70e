//! Deposits of a token by signature, with a real Permit2 at its address.
#![allow(clippy::unwrap_used, reason = "the helpers here are test code too, where a panic is the failure")]

use alloy::primitives::{Address, TxKind, U256};
use alloy::sol_types::SolCall;
use bindings::IERC20::approveCall;
use bindings::ProverMarket::depositWithPermitCall;
use chain::permit::{PERMIT2, PermitError, SignedDeposit, any_nonce};
use chain::{Client, Currency, Market};
use serde_json::{Value, json};
use std::path::Path;
use testkit::Testbed;

alloy::sol! {
    function mint(address to, uint256 amount);
}

fn file(path: &str) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

/// A token as large stablecoins are, and one without signatures that knows nothing of Permit2.
const CENT: &str = "Cent.sol/Cent";
const PLAIN: &str = "Tokens.sol/PlainToken";

/// A market in ticks of three units of a token of which account 4 has 3,000.
async fn stage(token: &str) -> (Testbed, Market, Client) {
    let bed = Testbed::start().await;
    let client = bed.client(0).await;
    let token = testkit::deploy_mock(client.connection(), token, &[]).await;
    let mut params = bed.params().await;
    (params.currency, params.tick) = (Currency::Token(token), 3);
    let market = bed.market_with(&params).await;
    let mint = mintCall { to: bed.anvil.account(4).address(), amount: U256::from(3_000) };
    client
        .connection()
        .transact(TxKind::Call(token), mint.abi_encode().into(), U256::ZERO, None)
        .await
        .unwrap();
    let owner = bed.client(4).await;
    (bed, market, owner)
}

async fn install_permit2(bed: &Testbed) {
    bed.anvil.request("anvil_setCode", json!([PERMIT2, file("tests/vectors/permit2.json")["code"]])).await;
}

fn token_of(market: &Market) -> Address {
    match market.params.currency {
        Currency::Token(token) => token,
        Currency::Native => panic!("a token"),
    }
}

async fn available(client: &Client, market: &Market, account: usize, bed: &Testbed) -> U256 {
    let account = bed.anvil.account(account).address();
    client.market().availableOf(market.id.get(), account).call().await.unwrap()
}

#[tokio::test]
async fn a_permit_deposits_in_one_transaction() {
    let (bed, market, owner) = stage(CENT).await;
    let (key, later) = (bed.anvil.account(4), bed.anvil.head().await.timestamp + 100);
    let call: depositWithPermitCall = owner.permit_call(&market, key, U256::from(300), later).await.unwrap();
    owner.send(call, U256::ZERO, None).await.unwrap();
    assert_eq!(available(&owner, &market, 4, &bed).await, U256::from(100));
    // A signature of before does not do twice.
    let call = owner.permit_call(&market, key, U256::from(300), later).await.unwrap();
    owner.send(call.clone(), U256::ZERO, None).await.unwrap();
    owner.send(call, U256::ZERO, None).await.unwrap_err();
    assert_eq!(available(&owner, &market, 4, &bed).await, U256::from(200));
}

#[tokio::test]
async fn a_deposit_that_the_owner_signs_for_permit2_is_sent_by_anyone_once_and_to_its_market_only() {
    let (bed, market, owner) = stage(PLAIN).await;
    let (key, later) = (bed.anvil.account(4), bed.anvil.head().await.timestamp + 100);
    let (amount, nonce) = (U256::from(300), any_nonce());
    let sign = async || owner.sign_deposit(&market, key, amount, nonce, later).await;
    assert!(matches!(sign().await, Err(PermitError::NoPermit2(31_337))));
    install_permit2(&bed).await;
    let refused = sign().await.unwrap_err();
    assert!(matches!(refused, PermitError::NotAllowed { .. }), "{refused}");
    let approve = approveCall { spender: PERMIT2, amount: U256::MAX };
    owner.send_to(token_of(&market), &approve, U256::ZERO, None).await.unwrap();

    let signed: SignedDeposit = sign().await.unwrap();
    let anyone = bed.client(8).await;
    let mut params = market.params.clone();
    params.settlement_fee = 8;
    let other = SignedDeposit { market: bed.market_with(&params).await.id, ..signed.clone() };
    anyone.send_deposit(&other).await.unwrap_err();
    anyone.send_deposit(&signed).await.unwrap();
    assert_eq!(available(&owner, &market, 4, &bed).await, U256::from(100));
    anyone.send_deposit(&signed).await.unwrap_err();
}

#[tokio::test]
async fn money_that_takes_no_permit_is_named() {
    let (bed, plain, owner) = stage(PLAIN).await;
    let key = bed.anvil.account(4);
    let native = owner.permit_call(&bed.market().await, key, U256::ONE, 1).await.unwrap_err();
    assert!(matches!(native, PermitError::Native));
    let refused = owner.permit_call(&plain, key, U256::ONE, 1).await.unwrap_err();
    assert!(
        matches!(refused, PermitError::NoPermit(_)) && refused.to_string().contains("Permit2"),
        "{refused}"
    );
}
