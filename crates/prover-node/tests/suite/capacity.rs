//! A seat is no larger than what the machine proves in time, and nothing is asked for while it proves nothing.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use circuits::CircuitKind;
use market_types::{Capacity, UnitCost};
use prover_node::{
    plan::{Margin, WITHDRAWN},
    work::{KeyRing, OnChainCircuit, ProofError},
};

use crate::world::{CAPACITY, CHEAP, KIND, NODE, PRICE, Running, World, key_store};

/// More than any machine proves in the two minutes of the market: 8,000 units a second.
const FAR_TOO_MUCH: u32 = 1_000_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_node_measures_itself_and_takes_a_seat_of_what_it_can_prove() {
    let world = World::new().await;
    let mut config = world.config(CHEAP);
    config.capacity = Some(Capacity::new(FAR_TOO_MUCH).unwrap());
    let node = world.run(NODE, &config, config.wish(None).unwrap()).await;
    let capacity = world.until("the seat", async |history| history.seats().next().map(|seat| seat.capacity));
    let capacity = capacity.await;
    assert!((127..100_000).contains(&capacity), "{capacity}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seat_that_is_larger_than_what_can_be_proved_is_lowered() {
    let world = World::new().await;
    world.bed.register(&world.client(NODE).await, &world.market, FAR_TOO_MUCH, PRICE).await;
    world.open_with_seats(1).await;
    let node = world.serve(NODE, CHEAP).await;
    let capacity = world.until("a lower capacity", async |history| {
        let seat = history.seats().next()?;
        let step = seat.steps.last().filter(|step| step.shrinks)?;
        Some(u64::from(FAR_TOO_MUCH) - step.units)
    });
    let capacity = capacity.await;
    assert!((127..100_000).contains(&capacity), "{capacity}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ask_is_withdrawn_while_proofs_keep_failing_and_made_again_when_one_succeeds() {
    let world = World::new().await;
    world.bed.register(&world.client(NODE).await, &world.market, CAPACITY, PRICE).await;
    let circuit = OnChainCircuit { id: KIND.id(), verifying_key: None };
    let keys = KeyRing::load(key_store(), &[circuit]).unwrap();
    let works = Arc::new(AtomicBool::new(false));
    let mut config = world.config(CHEAP);
    config.margin = Margin::try_from(100).unwrap();
    let node = world.node(NODE, &config, config.wish(None).unwrap()).await;
    let switch = Arc::clone(&works);
    let node = node.proving_by(move |task| {
        let broken = ProofError::Invalid(CircuitKind::Transfers1);
        if switch.load(Ordering::SeqCst) { keys.prove(task) } else { Err(broken) }
    });
    let node = Running::of(node.unwrap());
    let asked = async |cost: UnitCost| {
        let seen = world.until("the ask", async |history| {
            let last = history.seats().next()?.asks.last()?.cost;
            (last == Some(cost)).then_some(())
        });
        seen.await;
    };
    asked(WITHDRAWN).await;
    works.store(true, Ordering::SeqCst);
    asked(UnitCost::new(CHEAP)).await;
    node.stop().await;
}
