//! Real proofs for several tasks of a real round, delivered in one call.
#![allow(clippy::unwrap_used, reason = "the helpers here are test code too, where a panic is the failure")]

mod support;

use alloy::primitives::{Bytes, U256};
use alloy::rpc::types::TransactionReceipt;
use alloy::sol_types::{SolError, SolEvent};
use bindings::ProverMarket::{DeliveryRefused, NothingDelivered, ProofRejected, TaskEnded, TasksDelivered};
use chain::delivery::delivery_batch;
use chain::history::TaskEnd;
use chain::{Assignment, Client, RoundRecord, SendError, Statement};
use support::{ROUND, Stage};
use testkit::lot;

/// Account 4 posts a lot of three real statements, of which the last is another, and account 5 one bid beside it. All of them win;
/// many cheap bids lose, and set the price.
async fn settled() -> Stage {
    let stage = Stage::with_provers().await;
    let [one, other] = [0, 1].map(|number| statement(&stage, number));
    let (four, five) = (stage.bed.client(4).await, stage.bed.client(5).await);
    let who = [&four, &five].map(|client| client.sender().unwrap());
    let three = vec![one.clone(), one.clone(), other.clone()];
    stage.bed.lots(&four, &stage.market, &[lot(who[0], 90, three)]).await;
    stage.bed.lots(&five, &stage.market, &[lot(who[1], 80, vec![other])]).await;
    let rest: Vec<_> = (0..9).map(|step| lot(who[1], 65 - step, vec![one.clone()])).collect();
    stage.bed.lots(&five, &stage.market, &rest).await;
    stage.settle().await;
    stage
}

fn statement(stage: &Stage, number: usize) -> Statement {
    let circuit = stage.circuits.last().unwrap();
    let public_inputs = circuit.statements[number].public_inputs.clone();
    Statement { circuit: circuit.id, public_inputs, data: vec![7; 40].into() }
}

/// Each winning task with the proof of its statement.
fn proved(stage: &Stage, record: &RoundRecord) -> Vec<(Assignment, Bytes)> {
    let statements = &stage.circuits.last().unwrap().statements;
    let proof = |task: &Assignment| {
        let asked = record.bid(task.index).unwrap().statement().unwrap();
        statements.iter().find(|known| known.public_inputs == asked.public_inputs).unwrap().proof.clone()
    };
    record.assignments().unwrap().iter().map(|task| (*task, proof(task))).collect()
}

async fn deliver(
    stage: &Stage,
    client: &Client,
    proofs: &[(Assignment, Bytes)],
) -> Result<TransactionReceipt, SendError> {
    let record = stage.round().await;
    client.deliver_batch(&stage.market, delivery_batch(&record, proofs).unwrap()).await
}

fn refused(receipt: &TransactionReceipt) -> Vec<(U256, [u8; 4])> {
    let logs = receipt.inner.logs().iter().filter_map(|log| DeliveryRefused::decode_log(&log.inner).ok());
    logs.map(|log| (log.index, log.reason.0)).collect()
}

#[tokio::test]
async fn a_batch_delivers_tasks_of_lots_and_of_several_seats_as_one_by_one() {
    let stage = settled().await;
    let client = stage.bed.client(8).await;
    let record = stage.round().await;
    let proofs = proved(&stage, &record);
    let seats: std::collections::BTreeSet<_> = proofs.iter().map(|(task, _)| task.seat).collect();
    let positions: Vec<_> = proofs.iter().map(|(task, _)| record.bid(task.index).unwrap().position).collect();
    assert_eq!((&positions[..4], seats.len()), (&[0, 1, 2, 0][..], 2));

    let receipt = deliver(&stage, &client, &proofs).await.unwrap();
    assert_eq!(refused(&receipt), []);
    let history = stage.history().await;
    let record = history.round(ROUND).unwrap();
    let outcome = record.settlement.as_ref().unwrap().outcome;
    for (task, _) in &proofs {
        let Some(TaskEnd::Delivered { seat, payment, bounty, .. }) = record.task(task.index).unwrap().end
        else {
            panic!("{task:?}")
        };
        let due = U256::from(outcome.pay_down(task.size).get());
        assert_eq!((seat, payment, bounty), (task.seat, due, U256::ZERO));
    }
    for seat in seats {
        let prover = history.seat(seat).unwrap().prover;
        let due: U256 = proofs
            .iter()
            .filter(|(task, _)| task.seat == seat)
            .map(|(task, _)| U256::from(outcome.pay_down(task.size).get()))
            .sum();
        let held = client.market().availableOf(stage.market.id.get(), prover).call().await.unwrap();
        assert_eq!(held, due);
    }
}

#[tokio::test]
async fn what_is_wrong_with_one_delivery_does_not_stop_the_others() {
    let stage = settled().await;
    let client = stage.bed.client(8).await;
    let mut proofs = proved(&stage, &stage.round().await);
    let (index, right) = (proofs[1].0.index, proofs[1].1.clone());
    assert_ne!(right, proofs[2].1);
    proofs[1].1 = proofs[2].1.clone();
    let receipt = deliver(&stage, &client, &proofs[..3]).await.unwrap();
    assert_eq!(refused(&receipt), [(U256::from(index.get()), ProofRejected::SELECTOR)]);
    let record = stage.round().await;
    assert!(record.task(index).is_none_or(|task| task.end.is_none()));

    // With the right proof, and two that are delivered already.
    proofs[1].1 = right;
    let receipt = deliver(&stage, &client, &proofs).await.unwrap();
    let told = receipt.inner.logs().iter().find_map(|log| TasksDelivered::decode_log(&log.inner).ok());
    assert_eq!(told.unwrap().tasks.len(), proofs.len() - 2);
    let ended: Vec<_> =
        [0, 2].map(|at: usize| (U256::from(proofs[at].0.index.get()), TaskEnded::SELECTOR)).to_vec();
    assert_eq!(refused(&receipt), ended);

    let nothing = deliver(&stage, &client, &proofs).await.unwrap_err();
    assert!(nothing.is::<NothingDelivered>());
    assert!(nothing.to_string().contains("NothingDelivered(reason: TaskEnded)"), "{nothing}");
}
