//! Transactions are seen through, and refusals cost nothing.
#![allow(clippy::unwrap_used, reason = "the helpers here are test code too, where a panic is the failure")]

mod support;

use alloy::primitives::{Address, U256};
use alloy::providers::Provider;
use bindings::ProverMarket::{InsufficientBalance, depositCall, withdrawCall};
use chain::{Client, ConnectError, ConnectOptions, Connection, ConnectionOptions, Patience, SendError};
use std::time::Duration;
use testkit::{AnvilOptions, Testbed};

async fn nonce(client: &Client) -> u64 {
    client.provider().get_transaction_count(client.sender().unwrap()).await.unwrap()
}

/// The client of account 3 with a patience of its own.
async fn impatient(bed: &Testbed, bump_after: Duration, give_up_after: Duration) -> Client {
    let mut options = ConnectionOptions::new(bed.anvil.url()).signer(Some(bed.anvil.account(3).clone()));
    options.patience = Patience { bump_after, give_up_after };
    let connection = Connection::connect(&options).await.unwrap();
    Client::at(connection, bed.deployment.market).await.unwrap()
}

#[tokio::test]
async fn a_refusal_is_decoded_and_nothing_is_sent() {
    let bed = Testbed::start().await;
    let market = bed.market().await;
    let client = bed.client(3).await;
    let to = client.sender().unwrap();
    let call = withdrawCall { id: market.id.get(), amount: U256::from(5), to };
    let error = client.send(call, U256::ZERO, None).await.unwrap_err();
    assert!(error.is::<InsufficientBalance>());
    assert_eq!(error.to_string(), "InsufficientBalance(available: 0, needed: 5)");
    assert!(matches!(error, SendError::Refused(_)));
    assert_eq!(nonce(&client).await, 0);
}

#[tokio::test]
async fn many_at_once_get_a_nonce_each() {
    let bed = Testbed::start_with(&AnvilOptions { block_time: Some(1), ..AnvilOptions::default() }).await;
    let market = bed.market().await;
    let client = bed.client(3).await;
    let deposits = (1..=10_u64).map(|ticks| {
        let (client, market) = (client.clone(), market.clone());
        tokio::spawn(async move {
            let amount = market.ticks_to_wei(U256::from(ticks));
            let call = depositCall { id: market.id.get(), account: client.sender().unwrap(), amount };
            client.send(call, amount, None).await.unwrap();
        })
    });
    for deposit in deposits.collect::<Vec<_>>() {
        deposit.await.unwrap();
    }
    let account = client.sender().unwrap();
    let held = client.market().availableOf(market.id.get(), account).call().await.unwrap();
    assert_eq!((held, nonce(&client).await), (U256::from(55), 10));
}

#[tokio::test]
async fn a_transaction_that_gets_stuck_is_replaced_by_a_dearer_one_and_has_one_effect() {
    let bed = Testbed::start().await;
    let market = bed.market().await;
    let client = impatient(&bed, Duration::from_millis(300), Duration::from_secs(20)).await;
    bed.anvil.set_automine(false).await;
    let sending = tokio::spawn({
        let (client, market) = (client.clone(), market.clone());
        async move {
            let amount = market.ticks_to_wei(U256::from(7));
            let call = depositCall { id: market.id.get(), account: client.sender().unwrap(), amount };
            client.send(call, amount, None).await
        }
    });
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    bed.anvil.mine(1).await;
    let receipt = sending.await.unwrap().unwrap();
    let mined = client.provider().get_transaction_by_hash(receipt.transaction_hash).await.unwrap().unwrap();
    let first = client.provider().estimate_eip1559_fees().await.unwrap().max_priority_fee_per_gas;
    assert!(alloy::consensus::Transaction::max_priority_fee_per_gas(&mined).unwrap() > first);
    let account = client.sender().unwrap();
    let held = client.market().availableOf(market.id.get(), account).call().await.unwrap();
    assert_eq!((held, nonce(&client).await), (U256::from(7), 1));
}

#[tokio::test]
async fn a_call_that_fails_only_when_it_is_mined_says_why() {
    let bed = Testbed::start().await;
    let market = bed.market().await;
    let client = bed.client(3).await;
    bed.deposit(&client, &market, 5).await;
    bed.anvil.set_automine(false).await;
    // Each would be accepted by itself.
    let withdrawals: Vec<_> = (0..2)
        .map(|_| {
            let (client, id, to) = (client.clone(), market.id.get(), client.sender().unwrap());
            let call = withdrawCall { id, amount: U256::from(5), to };
            tokio::spawn(async move { client.send(call, U256::ZERO, None).await })
        })
        .collect();
    let sent = async || {
        let account = client.sender().unwrap();
        client.provider().get_transaction_count(account).pending().await.unwrap()
    };
    while sent().await < 3 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bed.anvil.mine(1).await;
    let mut failures = Vec::new();
    for withdrawal in withdrawals {
        failures.extend(withdrawal.await.unwrap().err());
    }
    assert_eq!(failures.len(), 1);
    assert!(matches!(failures[0], SendError::Failed { .. }));
    assert!(failures[0].is::<InsufficientBalance>(), "{}", failures[0]);
}

#[tokio::test]
async fn a_transaction_that_is_never_mined_is_given_up_with_its_hash() {
    let bed = Testbed::start().await;
    let market = bed.market().await;
    let client = impatient(&bed, Duration::from_secs(60), Duration::from_millis(400)).await;
    bed.anvil.set_automine(false).await;
    let amount = market.ticks_to_wei(U256::ONE);
    let call = depositCall { id: market.id.get(), account: client.sender().unwrap(), amount };
    let error = client.send(call, amount, None).await.unwrap_err();
    let SendError::NotMined { hash, .. } = error else { panic!("{error}") };
    assert!(client.provider().get_transaction_by_hash(hash).await.unwrap().is_some());
}

#[tokio::test]
async fn without_a_key_nothing_is_sent() {
    let bed = Testbed::start().await;
    let market = bed.market().await;
    let options = ConnectOptions::new(bed.anvil.url(), bed.deployment.market);
    let client = Client::connect(&options).await.unwrap();
    let call = withdrawCall { id: market.id.get(), amount: U256::ZERO, to: Address::repeat_byte(1) };
    assert!(matches!(client.send(call, U256::ZERO, None).await, Err(SendError::NoKey)));
}

#[tokio::test]
async fn another_chain_another_contract_and_no_contract_are_refused() {
    let bed = Testbed::start().await;
    let connect = async |contract, chain_id| {
        Client::connect(&ConnectOptions::new(bed.anvil.url(), contract).chain_id(chain_id)).await
    };
    assert!(connect(bed.deployment.market, Some(31_337)).await.is_ok());
    let error = connect(bed.deployment.market, Some(1)).await.unwrap_err();
    assert!(matches!(error, ConnectError::WrongChain { expected: 1, found: 31_337 }));
    let error = connect(Address::repeat_byte(9), None).await.unwrap_err();
    assert!(matches!(error, ConnectError::NoContract { .. }));
    let error = connect(bed.deployment.lens, None).await.unwrap_err();
    assert!(matches!(error, ConnectError::OtherContract { .. }));
}

#[tokio::test]
async fn a_node_that_is_not_there_is_an_error_that_says_so() {
    let error = Connection::connect(&ConnectionOptions::new("http://127.0.0.1:1")).await.unwrap_err();
    assert!(error.to_string().contains("is a node running"), "{error}");
    for url in ["ftp://127.0.0.1", "nonsense", ""] {
        let error = Connection::connect(&ConnectionOptions::new(url)).await.unwrap_err();
        assert!(matches!(error, ConnectError::Url(_)));
    }
}
