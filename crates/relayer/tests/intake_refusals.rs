//! What the intake does not accept, and what it says then.
#![allow(clippy::unwrap_used, reason = "the helpers here are test code too, where a panic is the failure")]

mod support;

use alloy::primitives::{Address, B256, U256};
use bindings::ProverMarket::withdrawCall;
use intake_api::{BidStatus, Code, Health, OpenRound, Submission};
use market_types::{LotSize, RoundNumber, TaskSize};
use relayer::intake::http::openapi;
use relayer::intake::options::MAX_BODY;
use serde_json::json;
use std::num::NonZeroU32;
use std::path::Path;
use support::intake::{ROUND, Scene, problem};
use support::until;
use testkit::sealed;

/// What is changed in a bid that would be accepted.
type Change = fn(&mut Submission);

#[tokio::test(flavor = "multi_thread")]
async fn a_bid_that_cannot_be_submitted_is_refused_with_a_code_and_advice() {
    let scene = Scene::new().await;
    let relayer = scene.relayer(scene.patient(100)).await;
    let desk = &relayer.desk;
    let key = scene.requester(1).await;
    let good = scene.signed(&key, 10).await;
    let changes: [(Change, Code); 9] = [
        (|bid| bid.chain_id += 1, Code::OtherContract),
        (|bid| bid.contract = Address::ZERO, Code::OtherContract),
        (|bid| bid.market = B256::repeat_byte(1), Code::UnknownMarket),
        (|bid| bid.size = TaskSize::new(65).unwrap(), Code::InvalidBid),
        (|bid| bid.bids = LotSize::new(2).unwrap(), Code::OtherStatements),
        (|bid| bid.statements.as_mut().unwrap()[0].data = vec![1].into(), Code::OtherStatements),
        (|bid| bid.signature = vec![0; 65].into(), Code::WrongSignature),
        (|bid| bid.signature = vec![0; 9].into(), Code::WrongSignature),
        (|bid| bid.signature = vec![0; 5_000].into(), Code::TooLarge),
    ];
    for (case, (change, code)) in changes.into_iter().enumerate() {
        let mut bid = good.clone();
        change(&mut bid);
        let problem = desk.refused(&bid).await;
        assert_eq!(problem.code, code, "case {case}: {problem}");
        assert!(problem.detail.len() > 30, "case {case}: {problem}");
    }
    let round = RoundNumber::new(ROUND.get() + 1);
    let problem = desk.refused(&scene.signed_for(&key, 10, round).await).await;
    assert_eq!(problem.code, Code::WrongRound);
    assert!(problem.detail.contains("sign for round 1"), "{problem}");

    let poor = desk.refused(&scene.signed(scene.bed.anvil.account(5), 10).await).await;
    assert_eq!(poor.code, Code::InsufficientBalance);
    assert!(poor.detail.contains("deposit"), "{poor}");

    let wallet = scene.wallet(&key).await;
    let problem = desk.refused(&scene.wallet_bid(wallet, scene.bed.anvil.account(6), 10).await).await;
    assert_eq!(problem.code, Code::WrongSignature);
    relayer.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_requester_has_one_bid_in_a_round_and_may_ask_for_it_twice() {
    let scene = Scene::new().await;
    let relayer = scene.relayer(scene.options()).await;
    let desk = &relayer.desk;
    let key = scene.requester(1).await;
    let bid = scene.signed(&key, 10).await;
    let id = desk.accepted(&bid).await;
    let again = desk.hand_in(&bid).await;
    assert_eq!(again.status(), 200);
    assert_eq!(again.headers()["location"], format!("/v1/bids/{id}"));
    assert_eq!(again.json::<BidStatus>().await.unwrap().id, id);
    desk.becomes(id, intake_api::Status::Included).await;
    assert_eq!(desk.refused(&scene.signed(&key, 11).await).await.code, Code::BidInRound);
    relayer.stop().await;

    let relayer = scene.relayer(scene.patient(100)).await;
    let key = scene.requester(2).await;
    let id = relayer.desk.accepted(&scene.signed(&key, 10).await).await;
    let other = relayer.desk.refused(&scene.signed(&key, 11).await).await;
    assert_eq!(other.code, Code::AlreadyQueued);
    assert!(other.detail.contains(&id.to_string()), "{other}");
    relayer.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bids_are_not_accepted_too_near_the_close() {
    let scene = Scene::new().await;
    let options = scene.patient(100);
    let relayer = scene.relayer(options.clone()).await;
    let bid = scene.signed(&scene.requester(1).await, 10).await;
    let hours = options.hours(scene.market.id, ROUND);
    scene.bed.anvil.warp_to(hours.accepts_until).await;
    until("the block is read", async || {
        relayer.desk.get("/v1/health").await.json::<Health>().await.unwrap().block_time >= hours.accepts_until
    })
    .await;
    let problem = relayer.desk.refused(&bid).await;
    assert_eq!(problem.code, Code::RoundClosing);
    assert!(problem.detail.contains("round 2"), "{problem}");
    relayer.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_open_round_is_told_with_what_is_signed() {
    let scene = Scene::new().await;
    let relayer = scene.relayer(scene.options()).await;
    let round: OpenRound =
        relayer.desk.get(&format!("/v1/markets/{}/round", scene.market.id)).await.json().await.unwrap();
    assert_eq!((round.market, round.round), (scene.market.id.get(), ROUND.get()));
    assert_eq!(round.closes_at, scene.market.close_of(ROUND));
    assert!(round.posts_at < round.accepts_until && round.accepts_until < round.closes_at);
    let domain = scene.reader().market().eip712Domain().call().await.unwrap();
    assert_eq!(
        (round.typed_data.domain.name, round.typed_data.domain.version),
        (domain.name, domain.version)
    );
    assert_eq!(U256::from(round.typed_data.domain.chain_id), domain.chainId);
    assert_eq!(round.typed_data.domain.verifying_contract, domain.verifyingContract);
    let health: Health = relayer.desk.get("/v1/health").await.json().await.unwrap();
    assert!(health.healthy && health.contract == domain.verifyingContract);
    relayer.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_market_takes_no_signed_bids() {
    let scene = Scene::new_in(sealed).await;
    let relayer = scene.relayer(scene.options()).await;
    let bid = scene.signed(scene.bed.anvil.account(5), 10).await;
    assert_eq!(relayer.desk.refused(&bid).await.code, Code::SealedMarket);
    let path = format!("/v1/markets/{}/round", scene.market.id);
    assert_eq!(problem(relayer.desk.get(&path).await).await.code, Code::SealedMarket);
    relayer.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_another_form_are_answered_with_problems() {
    let scene = Scene::new().await;
    let relayer = scene.relayer(scene.options()).await;
    let desk = &relayer.desk;
    for body in ["", "{", "[]", r#"{"fee": 1}"#] {
        assert_eq!(problem(desk.post(body).await).await.code, Code::Malformed, "{body}");
    }
    let mut value = serde_json::to_value(scene.signed(scene.bed.anvil.account(5), 10).await).unwrap();
    value["tip"] = "5".into();
    let unknown = problem(desk.post(value.to_string()).await).await;
    assert!(unknown.code == Code::Malformed && unknown.detail.contains("tip"), "{unknown}");
    value.as_object_mut().unwrap().remove("tip");
    value["fee"] = "0".into();
    assert_eq!(problem(desk.post(value.to_string()).await).await.code, Code::Malformed);
    assert_eq!(problem(desk.post(vec![b' '; MAX_BODY + 1]).await).await.code, Code::TooLarge);
    assert_eq!(problem(desk.get("/v1/bids").await).await.code, Code::MethodNotAllowed);
    assert_eq!(problem(desk.get("/v1/bits").await).await.code, Code::NotFound);
    assert_eq!(problem(desk.get("/v1/bids/0x12").await).await.code, Code::UnknownBid);
    assert_eq!(problem(desk.get("/v1/markets/5/round").await).await.code, Code::UnknownMarket);
    relayer.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_asks_too_often_is_told_when_to_come_back() {
    let scene = Scene::new().await;
    let mut options = scene.options();
    options.requests_per_minute = NonZeroU32::new(3).unwrap();
    let relayer = scene.relayer(options).await;
    for _ in 0..3 {
        assert_eq!(relayer.desk.get("/v1/health").await.status(), 200);
    }
    let answer = relayer.desk.get("/v1/health").await;
    let seconds: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=21).contains(&seconds), "{seconds}");
    assert_eq!(problem(answer).await.code, Code::TooManyRequests);
    relayer.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_accepts_nothing() {
    let scene = Scene::new().await;
    let mut options = scene.patient(100);
    options.queue = NonZeroU32::new(1).unwrap();
    let relayer = scene.relayer(options).await;
    relayer.desk.accepted(&scene.signed(&scene.requester(1).await, 10).await).await;
    let answer = relayer.desk.hand_in(&scene.signed(&scene.requester(2).await, 10).await).await;
    assert!(answer.headers().contains_key("retry-after"));
    assert_eq!(problem(answer).await.code, Code::Busy);
    relayer.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_may_take_only_so_much_of_a_transaction() {
    let scene = Scene::new().await;
    let mut options = scene.options();
    options.bid_bytes = 500.try_into().unwrap();
    let relayer = scene.relayer(options).await;
    let key = scene.requester(1).await;
    let mut bid = scene.signed(&key, 10).await;
    let problem = relayer.desk.refused(&bid).await;
    assert!(problem.code == Code::TooLarge && problem.detail.contains("pays for 500"), "{problem}");
    bid.statements = None;
    let problem = relayer.desk.refused(&bid).await;
    assert!(problem.code == Code::OtherStatements && problem.detail.contains("signed as told"), "{problem}");
    let untold = Scene::lot(key.address(), 10).untold();
    relayer.desk.accepted(&scene.signed_lot(&key, &untold, ROUND, None).await).await;
    relayer.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bid_that_was_refused_is_taken_again_once_its_cause_is_mended() {
    let scene = Scene::new().await;
    let relayer = scene.relayer(scene.patient(100)).await;
    let key = scene.bed.anvil.account(5).clone();
    let bid = scene.signed(&key, 10).await;
    assert_eq!(relayer.desk.refused(&bid).await.code, Code::InsufficientBalance);
    scene.fund(key.address()).await;
    let id = relayer.desk.accepted(&bid).await;
    let withdraw = withdrawCall { id: scene.market.id.get(), amount: U256::MAX, to: key.address() };
    scene.bed.client(5).await.send(withdraw, U256::ZERO, None).await.unwrap();
    scene.warp_to_posting(&scene.patient(100)).await;
    let refused = relayer.desk.becomes(id, intake_api::Status::Refused).await;
    assert!(refused.refusal.is_some());
    Documented::new().assert("BidStatus", &serde_json::to_value(refused).unwrap());
    scene.fund(key.address()).await;
    assert_eq!(relayer.desk.accepted(&bid).await, id);
    relayer.desk.becomes(id, intake_api::Status::Included).await;
    relayer.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documented_interface_is_the_one_that_is_served() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(written == openapi(), "docs/openapi.json is not current; run `make openapi`");
    let written: serde_json::Value = serde_json::from_str(&written).unwrap();
    // Whatever is asked for can meet the limits that all requests have.
    let paths = written["paths"].as_object().unwrap().values();
    let operations: Vec<_> = paths.flat_map(|path| path.as_object().unwrap().values()).collect();
    assert_eq!(operations.len(), 5);
    for operation in operations {
        for limit in ["408", "429", "503"] {
            assert!(operation["responses"][limit].is_object(), "{limit} is missing: {operation}");
        }
    }
    let scene = Scene::new().await;
    let relayer = scene.relayer(scene.options()).await;
    let served: serde_json::Value = relayer.desk.get("/v1/openapi.json").await.json().await.unwrap();
    assert_eq!(served, written);
    relayer.stop().await;
}

/// Whether JSON is of the form that the OpenAPI document has under this name.
struct Documented(serde_json::Value);

impl Documented {
    fn new() -> Self {
        let mut document: serde_json::Value = serde_json::from_str(&openapi()).unwrap();
        // A member that is not documented is wrong here, though clients have to take it.
        for schema in document["components"]["schemas"].as_object_mut().unwrap().values_mut() {
            if schema["properties"].is_object() {
                schema["additionalProperties"] = json!(false);
            }
        }
        Self(document)
    }

    fn errors(&self, name: &str, said: &serde_json::Value) -> Vec<String> {
        let schema =
            json!({ "$ref": format!("#/components/schemas/{name}"), "components": self.0["components"] });
        let validator = jsonschema::validator_for(&schema).unwrap();
        validator.iter_errors(said).map(|error| error.to_string()).collect()
    }

    fn assert(&self, name: &str, said: &serde_json::Value) {
        assert_eq!(self.errors(name, said), Vec::<String>::new(), "{name}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_is_of_the_documented_form_and_other_forms_are_refused() {
    let documented = Documented::new();
    let bids = &documented.0["components"]["schemas"]["Submission"]["properties"]["bids"];
    assert_eq!(bids["maximum"], LotSize::MAX.get());
    let scene = Scene::new().await;
    let relayer = scene.relayer(scene.options()).await;
    let desk = &relayer.desk;
    let market = scene.market.id;
    for (name, path) in [
        ("OpenRound", format!("/v1/markets/{market}/round")),
        ("Health", "/v1/health".to_owned()),
        ("Problem", "/v1/markets/0x01/round".to_owned()),
    ] {
        documented.assert(name, &desk.get(&path).await.json().await.unwrap());
    }
    let bid = serde_json::to_value(scene.signed(&scene.requester(1).await, 10).await).unwrap();
    documented.assert("Submission", &bid);
    let wrong: [(&str, serde_json::Value); 15] = [
        ("chain_id", json!("31337")),
        ("contract", json!("0x1234")),
        ("market", json!("0x01")),
        ("round", json!(-1)),
        ("fee", json!("0x0a")),
        ("fee", json!("0")),
        ("fee", json!(format!("1{}", "0".repeat(20)))),
        ("size", json!(4_294_967_296_u64)),
        ("size", json!(0)),
        ("bids", json!(0)),
        ("bids", json!(16_384)),
        ("ticket", json!(format!("0x1{}", "0".repeat(64)))),
        ("signature", json!("0x012")),
        ("statements", json!([{ "circuit": 1, "public_inputs": ["two"], "data": "0x" }])),
        ("more", json!(1)),
    ];
    for (member, value) in wrong {
        let mut bid = bid.clone();
        bid[member] = value;
        assert!(!documented.errors("Submission", &bid).is_empty(), "{member}: {}", bid[member]);
        let answer = desk.post(bid.to_string()).await;
        let said: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(said["code"], "malformed", "{member} {}: {said}", bid[member]);
        documented.assert("Problem", &said);
    }
    let answer: serde_json::Value = desk.post(bid.to_string()).await.json().await.unwrap();
    documented.assert("BidStatus", &answer);
    let id = answer["id"].as_str().unwrap().parse().unwrap();
    let included = desk.becomes(id, intake_api::Status::Included).await;
    assert!(included.receipt.is_some());
    documented.assert("BidStatus", &serde_json::to_value(included).unwrap());
    relayer.stop().await;
}
