//! A sealed round: commitments, a crash of everything, a damaged file, openings in time, a copy that is worth nothing, a bond
//! that is lost.

use alloy::primitives::aliases::U96;
use alloy::primitives::{B256, U256};
use bindings::ProverMarket::{NothingRevealed, commitBidCall, revealBidsCall};
use chain::{AskOpening, BidOpening};
use clearing::Prices;
use e2e::{Person, Proophi, Scene, people::*};
use market_types::{AskIndex, RoundNumber, UnitCost, UnitPrice};
use serde_json::Value;
use service::openings::{Opening, Secret, Venue};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

/// Runs a command for `person`.
fn run(proophi: &Proophi, scene: &Scene, person: Person, command: &str) -> Value {
    let arguments = scene.arguments(person);
    let arguments = arguments.iter().map(String::as_str);
    proophi.run(&command.split_whitespace().chain(arguments).collect::<Vec<_>>())
}

/// Bids of 10 and 6 for 14 units, as in the story `default_and_takeover`: Ada (cost 2) wins, is paid Boole's 4, and the losing bid
/// sets the users' price of 6.
#[tokio::test]
async fn what_is_committed_to_is_opened_through_a_crash_and_nothing_else_counts() {
    let mut scene = Scene::of_small_tasks(|params| {
        (params.reveal_period, params.settlement_period, params.bond_bps) = (300, 300, 1_000);
    })
    .await;
    let proophi = Proophi::new();
    scene.relayer(SELMA);
    let ada = scene.prover(ADA, 27, 2).await;
    scene.seat(BOOLE, 27, 4).await;

    scene.open(1).await;
    scene.committed(ADA, 1).await;
    a_seat_commits_once_and_to_what_is_kept(&proophi, &scene).await;
    let committed = run(&proophi, &scene, RITA, "bid --fee 10 --generate 1 --seed 1 --top-up");
    // 10 * 14 + 7 ticks, hidden in the next power of two.
    assert_eq!((&committed["deposit"]["ticks"], &committed["bond"]["ticks"]), (&"256".into(), &"25".into()));
    run(&proophi, &scene, RALPH, "bid --fee 6 --generate 1 --seed 2 --top-up");
    the_opening_is_private(&committed);
    let copied = a_commitment_is_copied(&scene).await;
    let lost = scene.dir().join("rosa").display().to_string();
    let mut of_rosa = scene.arguments(ROSA);
    of_rosa.retain(|argument| !argument.starts_with("--openings"));
    of_rosa.push(format!("--openings={lost}"));
    let mut command = vec!["bid", "--fee", "8", "--generate", "1", "--seed", "3", "--top-up"];
    command.extend(of_rosa.iter().map(String::as_str));
    proophi.run(&command);
    assert!(scene.history().await.round(RoundNumber::new(1)).is_none(), "nobody knows a bid");

    // A power cut: whoever was to open anything is gone.
    scene.watch(SIMON);
    scene.kill(SIMON);
    scene.kill(ADA);
    scene.close(1).await;
    let openings = vec![copied.to_abi().expect("a bid")];
    let refused = scene.try_call(RUDI, revealBidsCall { id: scene.market.id.get(), openings });
    let refused = refused.await.expect_err("a copy");
    assert!(refused.is::<NothingRevealed>(), "{refused}");
    let damaged = Path::new(committed["committed"][0]["opening"].as_str().expect("a file"));
    a_file_is_damaged(&damaged.with_file_name("damaged.json"));
    scene.watch(SIMON);
    scene.prover(ADA, 27, 2).await;
    scene
        .wait("the openings", |history| {
            let round = history.round(RoundNumber::new(1)).filter(|round| round.bid_count() == 2)?;
            (history.asks_at(round.number).len() == 2).then_some(())
        })
        .await;
    let round = run(&proophi, &scene, SIMON, "round show 1");
    assert_eq!(
        (&round["phase"], &round["commitments"].as_array().map(Vec::len)),
        (&"reveal".into(), &Some(6))
    );

    scene.settleable(1).await;
    let round = scene.settled(1).await;
    let (user_price, prover_price) = (UnitPrice::new(6), UnitPrice::new(4));
    let settlement = round.settlement.as_ref().expect("a settlement");
    assert_eq!(settlement.outcome.prices(), Prices::Uniform { user_price, prover_price });
    assert_eq!(round.assignments().expect("a trade")[0].seat, ada);
    scene.ended(1).await;
    for person in [SIMON, ADA] {
        let said = scene.program(person).said();
        assert_eq!(said.matches("damaged.json").count(), 1, "{} says so once: {said}", person.name);
    }
    bonds_are_lost(&proophi, &scene, &of_rosa);

    // The node opens what it has committed to since, and leaves.
    scene.committed(ADA, 2).await;
    scene.take_program(ADA).stop();
    scene.leaving_prover_node(ADA);
    let leaving = scene.wait("the node that leaves", |history| {
        history.seat(ada)?.waiting_for_release().map(|leaving| leaving.from_round)
    });
    assert_eq!(leaving.await, RoundNumber::new(3));
    scene.close(2).await;
    scene
        .wait("its last ask", |history| {
            history.seat(ada)?.revealed.contains_key(&RoundNumber::new(2)).then_some(())
        })
        .await;
    scene.settleable(2).await;
    scene.take_program(ADA).finish(Duration::from_secs(60));
    let bonds = 25 + 12;
    scene
        .everybody_leaves(
            &[
                (RITA, -6 * 14 - 7),
                (RALPH, -7),
                (ROSA, -12),
                (RUDI, -25),
                (ADA, 4 * 14),
                (BOOLE, 0),
                (SELMA, 2 * 7),
            ],
            (6 - 4) * 14 + bonds,
        )
        .await;
}

/// Boole's first try got no further than its opening. The next one sends it, and a third one is refused.
async fn a_seat_commits_once_and_to_what_is_kept(proophi: &Proophi, scene: &Scene) {
    let client = scene.client(BOOLE).await;
    let (prover, seat, salt) = (client.sender().expect("a key"), AskIndex::new(1), B256::repeat_byte(7));
    let ask = AskOpening { prover, seat, cost: UnitCost::new(4), salt };
    let kept = Opening::of_ask(Venue::of(&client, &scene.market), RoundNumber::new(1), ask);
    scene.openings().keep(&kept).expect("an opening");
    let arguments = scene.arguments(BOOLE);
    let refused = |command: &str| {
        let arguments = arguments.iter().map(String::as_str);
        let refusal = proophi.refused(&command.split_whitespace().chain(arguments).collect::<Vec<_>>());
        assert_eq!(refusal.exit_code, 3, "{refusal:?}");
        refusal.message
    };
    assert!(refused("prover commit --cost 5 --top-up").contains("another unit cost"));
    let committed = run(proophi, scene, BOOLE, "prover commit --cost 4 --top-up");
    assert_eq!(committed["committed"][0]["commitment"], kept.key().commitment.to_string());
    assert!(refused("prover commit --cost 4 --top-up").contains("has committed"));
    assert_eq!(scene.openings_of(BOOLE).await, [kept]);
}

fn a_file_is_damaged(file: &Path) {
    std::fs::write(file, "{").expect("a file");
    std::fs::set_permissions(file, Permissions::from_mode(0o600)).expect("permissions");
}

fn the_opening_is_private(committed: &Value) {
    let file = committed["committed"][0]["opening"].as_str().expect("a file");
    let mode = std::fs::metadata(file).expect("the opening").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// Rudi sees Rita's commitment on the chain and makes the same; what he would open it with, once hers is public.
async fn a_commitment_is_copied(scene: &Scene) -> BidOpening {
    let openings = scene.openings_of(RITA).await;
    let [of_rita] = &openings[..] else { panic!("{} openings", openings.len()) };
    scene.deposit(RUDI, 256).await;
    let call = commitBidCall {
        id: scene.market.id.get(),
        commitment: of_rita.key().commitment,
        deposit_: U96::from(256),
        round: u32::try_from(of_rita.key().round.get()).expect("32 bits"),
    };
    scene.call(RUDI, call).await;
    let Secret::Bid(bid) = of_rita.secret() else { panic!("a bid") };
    let rudi = scene.client(RUDI).await.sender().expect("a key");
    BidOpening { requester: rudi, ..bid.clone() }
}

/// Rosa comes too late, Rudi has nothing to open: both lose their bonds and get the rest back.
fn bonds_are_lost(proophi: &Proophi, scene: &Scene, of_rosa: &[String]) {
    let too_late: Vec<&str> = ["reveal"].into_iter().chain(of_rosa.iter().map(String::as_str)).collect();
    assert_eq!(proophi.run(&too_late)["late"], 1);
    let account = run(proophi, scene, RUDI, "account show");
    assert_eq!(
        (&account["staked"]["ticks"], &account["commitments"][0]["status"]),
        (&"256".into(), &"late".into())
    );
    let ended = run(proophi, scene, SIMON, "forfeit --all");
    let mut returned: Vec<U256> = ended["forfeited"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["returned"]["ticks"].as_str().expect("an amount").parse().expect("an amount"))
        .collect();
    returned.sort();
    assert_eq!(returned, [128 - 12, 256 - 25].map(U256::from));
    assert_eq!(run(proophi, scene, SIMON, "forfeit --all")["forfeited"], Value::Array(Vec::new()));
}
