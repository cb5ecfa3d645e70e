//! Lots: many bids as one entry, which win, are proved, paid and refunded one by one; and statements that come after their bid.

use alloy::primitives::U256;
use chain::history::TaskEnd;
use circuits::CircuitKind::Transfers1;
use clearing::Prices;
use e2e::{Person, Proophi, Scene, people::*, rollup_bid};
use market_types::{AskIndex, RoundNumber, UnitPrice};
use serde_json::{Value, json};
use testkit::with_reserve;

/// A command for `person`.
fn command<'a>(arguments: &'a [String], command: &'a str) -> Vec<&'a str> {
    command.split_whitespace().chain(arguments.iter().map(String::as_str)).collect()
}

fn run(proophi: &Proophi, scene: &Scene, person: Person, text: &str) -> Value {
    proophi.run(&command(&scene.arguments(person), text))
}

/// Ada (cost 2) offers 42 units, three tasks; Boole sets her price of 4. Ralph's bid of 20 wins, and of Rita's lot of four at 10 the
/// first two: the third one is the first that is left out, and sets the users' price of 10.
#[tokio::test]
async fn a_lot_is_won_in_part_and_the_rest_of_it_comes_back() {
    let mut scene = Scene::of_small_tasks(|_| {}).await;
    let proophi = Proophi::new();
    scene.relayer(SELMA);
    let ada = scene.prover(ADA, 55, 2).await;
    scene.seat(BOOLE, 27, 4).await;
    scene.open(1).await;
    let lot = "bid --fee 10 --generate 1 --seed 1 --count 4";
    let quote = run(&proophi, &scene, RITA, &format!("{lot} --dry-run"));
    assert_eq!((&quote["bids"], &quote["cost"]["ticks"]), (&json!(4), &json!((4 * (140 + 7)).to_string())));
    let bid = run(&proophi, &scene, RITA, &format!("{lot} --top-up"));
    let [entry] = &bid["submitted"][0]["entries"].as_array().expect("entries")[..] else {
        panic!("one entry: {bid}")
    };
    assert_eq!((&entry["first_index"], &entry["bids"], &bid["cost"]), (&json!(0), &json!(4), &quote["cost"]));
    assert_eq!(scene.bid(RALPH, &rollup_bid(20, Transfers1, 5)).await, (1, 4));
    let account = run(&proophi, &scene, RITA, "account show");
    let open = &account["open_bids"][0];
    assert_eq!((&open["bids"], &open["locked"]["ticks"]), (&json!(4), &json!("560")));
    scene.close(1).await;

    let round = scene.settled(1).await;
    assert_eq!((round.entries().len(), round.bid_count()), (2, 5));
    let settlement = round.settlement.as_ref().expect("a settlement");
    let (user_price, prover_price) = (UnitPrice::new(10), UnitPrice::new(4));
    assert_eq!(settlement.outcome.prices(), Prices::Uniform { user_price, prover_price });
    assert_eq!(settlement.outcome.pivot.index, 2, "inside the lot");
    let assigned: Vec<(u32, AskIndex)> =
        round.assignments().expect("a trade").iter().map(|task| (task.index.get(), task.seat)).collect();
    assert_eq!(assigned, [(0, ada), (1, ada), (4, ada)]);
    // What the lot did not win is free at once, without a release.
    assert_eq!((scene.available(RITA).await, scene.available(RALPH).await), (2 * 10 * 14, (20 - 10) * 14));

    let round = scene.ended(1).await;
    for task in &round.assignments().expect("a trade") {
        match round.task(task.index).and_then(|task| task.end) {
            Some(TaskEnd::Delivered { seat, payment, .. }) => {
                assert_eq!((seat, payment), (ada, U256::from(4 * 14)));
            }
            other => panic!("task {} was not delivered: {other:?}", task.index),
        }
    }
    let shown = run(&proophi, &scene, RITA, "round show 1");
    assert_eq!((&shown["entries"][0]["won"], &shown["entries"][1]["won"]), (&json!(2), &json!(1)));
    let states: Vec<&str> =
        shown["bids"].as_array().expect("bids").iter().filter_map(|bid| bid["state"].as_str()).collect();
    assert_eq!(states, ["delivered", "delivered", "lost", "lost", "delivered"]);
    scene
        .everybody_leaves(
            &[
                (RITA, -2 * 10 * 14 - 4 * 7),
                (RALPH, -10 * 14 - 7),
                (ADA, 3 * 4 * 14),
                (BOOLE, 0),
                (SELMA, 5 * 7),
            ],
            3 * (10 - 4) * 14,
        )
        .await;
}

/// The reserve of 4 buys any quantity, so a single bid trades: at 4 for the user and at Boole's 3 for the prover.
#[tokio::test]
async fn statements_that_a_bid_left_out_can_be_published_by_anybody() {
    let mut scene = Scene::of_small_tasks(|params| *params = with_reserve(params.clone(), 4)).await;
    let proophi = Proophi::new();
    scene.relayer(SELMA);
    scene.prover(ADA, 55, 2).await;
    scene.seat(BOOLE, 55, 3).await;
    let lot = rollup_bid(10, Transfers1, 1).lot(scene.address(RITA)).untold();
    scene.open(1).await;
    scene.deposit(RITA, 10 * 14 + 7).await;
    scene.call(RITA, lot.submit_call(&scene.market)).await;
    let shown = run(&proophi, &scene, RITA, "round show 1");
    let entry = &shown["entries"][0];
    assert_eq!(
        (&entry["told"], &entry["published"], &shown["bids"][0]["circuit"]),
        (&json!(false), &json!(false), &Value::Null)
    );
    scene.close(1).await;
    let round = scene.settled(1).await;
    let task = round.assignments().expect("a trade")[0];
    assert_eq!(round.named_task(&task), None, "nobody can know what to prove");

    let publish = format!("publish --generate 1 --seed 1 --requester {}", scene.address(RITA));
    let arguments = scene.arguments(SIMON);
    for wrong in [publish.replace("--seed 1", "--seed 2"), "publish --generate 1 --seed 1".to_owned()] {
        let refusal = proophi.refused(&command(&arguments, &wrong));
        assert!(refusal.exit_code == 3 && refusal.message.contains("no bid of a round"), "{refusal:?}");
    }
    let published = run(&proophi, &scene, SIMON, &publish);
    let one = &published["published"][0];
    assert_eq!((&one["round"], &one["first_index"]), (&json!(1), &json!(0)));
    assert!(one["transaction"].is_string(), "{published}");
    assert!(run(&proophi, &scene, SIMON, &publish)["published"][0]["transaction"].is_null());
    scene.ended(1).await;
    assert!(
        scene
            .history()
            .await
            .round(RoundNumber::new(1))
            .and_then(|round| round.entries().iter().next())
            .is_some_and(|entry| entry.publication().is_some())
    );
    scene.everybody_leaves(&[(RITA, -(4 * 14 + 7)), (ADA, 3 * 14), (BOOLE, 0), (SELMA, 7)], 14).await;
}
