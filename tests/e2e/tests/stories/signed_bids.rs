//! Bids and deposits that are signed by one and sent by another, with the command line.

use chain::permit::PERMIT2;
use e2e::{Person, Proophi, Refusal, Scene, people::*};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// Commands of people in one scene.
struct Desk<'a> {
    proophi: Proophi,
    scene: &'a Scene,
}

impl Desk<'_> {
    fn run(&self, person: Person, command: &str) -> Value {
        self.with(person, command, |arguments| self.proophi.run(arguments))
    }

    fn refused(&self, person: Person, command: &str) -> Refusal {
        self.with(person, command, |arguments| self.proophi.refused(arguments))
    }

    fn with<T>(&self, person: Person, command: &str, run: impl FnOnce(&[&str]) -> T) -> T {
        let settings = self.scene.arguments(person);
        let arguments: Vec<&str> =
            command.split_whitespace().chain(settings.iter().map(String::as_str)).collect();
        run(&arguments)
    }

    /// Writes a value where commands find it.
    fn write(&self, name: &str, value: &Value) {
        fs::write(self.proophi.dir().join(name), value.to_string()).expect("a file");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_bid_is_handed_in_at_a_relayer_or_submitted_by_anybody() {
    let mut scene = Scene::of_small_tasks(|_| {}).await;
    let url = scene.intake(SELMA);
    let desk = Desk { proophi: Proophi::new(), scene: &scene };

    let relay = format!("bid --fee 10 --generate 1 --seed 1 --relay {url}");
    let poor = desk.refused(RITA, &relay);
    assert!(poor.exit_code == 3 && poor.message.contains("deposit"), "{poor:?}");
    let relayed = desk.run(RITA, &format!("{relay} --top-up"));
    assert_eq!(
        (&relayed["bid"]["status"], &relayed["bid"]["receipt"]["first_index"]),
        (&json!("included"), &json!(0))
    );
    let again = desk.refused(RITA, &format!("bid --fee 11 --generate 1 --seed 1 --top-up --relay {url}"));
    assert!(again.exit_code == 5 && again.message.contains("one signed bid in a round"), "{again:?}");
    assert_eq!(scene.available(RITA).await, 11 * 14 + 7, "nothing was taken for it");

    let shown = desk.run(RITA, &format!("round show {}", relayed["bid"]["round"]));
    let entry = &shown["entries"][0];
    assert_eq!((&entry["told"], &entry["published"]), (&json!(true), &json!(true)), "provers know and owe");

    // For a file, and whoever finds it.
    scene.deposit(RALPH, 1_000).await;
    scene.deposit(ROSA, 1_000).await;
    let lot = desk.run(RALPH, "bid --fee 12 --generate 1 --seed 2 --count 3 --sign-only");
    assert_eq!((&lot["bids"], lot["statements"].as_array().map(Vec::len)), (&json!(3), Some(3)));
    let mut foreign = desk.run(ROSA, "bid --fee 9 --generate 1 --seed 5 --sign-only");
    desk.write("lot.json", &lot);
    desk.write("both.json", &json!([foreign, lot]));
    let submitted = desk.run(RUDI, "submit-signed lot.json");
    assert_eq!((&submitted["accepted"][0]["first_index"], &submitted["refused"]), (&json!(1), &json!([])));
    assert_eq!(scene.available(RALPH).await, 1_000 - 3 * (12 * 14 + 7));
    let submitted = desk.run(RUDI, "submit-signed both.json");
    assert_eq!(submitted["accepted"][0]["first_index"], 4);
    assert_eq!(submitted["refused"][0]["reason"], "BidInRoundAlready");
    let twice = desk.refused(RUDI, "submit-signed lot.json");
    assert!(twice.exit_code == 5 && twice.message.contains("BidInRoundAlready"), "{twice:?}");

    // What is not what was signed.
    foreign["fee"] = json!("8");
    desk.write("foreign.json", &foreign);
    let changed = desk.refused(RUDI, "submit-signed foreign.json");
    assert!(changed.exit_code == 3 && changed.message.contains("not of"), "{changed:?}");
    desk.write(
        "many.json",
        &json!([{"fee": "5", "transfers": 1, "seed": 1}, {"fee": "6", "transfers": 1, "seed": 1}]),
    );
    let many = desk.refused(RUDI, "bid --file many.json --sign-only");
    assert!(many.exit_code == 3 && many.message.contains("one signed entry"), "{many:?}");
    let nobody = desk.refused(RUDI, "bid --fee 5 --generate 1 --top-up --relay http://127.0.0.1:1");
    assert!(nobody.exit_code == 4, "{nobody:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_get_into_a_market_by_signature() {
    let scene = Scene::paid_in_token(100).await;
    let desk = Desk { proophi: Proophi::new(), scene: &scene };
    let deposited = desk.run(RITA, "deposit 1000 --permit");
    assert_eq!((&deposited["amount"]["ticks"], scene.available(RITA).await), (&json!("10"), 10));

    let without = desk.refused(RITA, "deposit 1000 --permit2 --sign-only");
    assert!(without.exit_code == 3 && without.message.contains("no Permit2"), "{without:?}");
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/permit2.json");
    let permit2: Value =
        serde_json::from_slice(&fs::read(vectors).expect("the code of Permit2")).expect("JSON");
    scene.bed.anvil.request("anvil_setCode", json!([PERMIT2, permit2["code"]])).await;
    let signed = desk.run(RITA, "deposit 2000 --permit2 --sign-only");
    desk.write("deposit.json", &signed);
    let sent = desk.run(RUDI, "deposit --signed deposit.json");
    assert_eq!((&sent["account"], scene.available(RITA).await), (&signed["owner"], 30));
    assert_eq!(desk.refused(RUDI, "deposit --signed deposit.json").exit_code, 5);
    assert_eq!(desk.run(RALPH, "deposit 500 --permit2")["available"]["ticks"], "5");
    let odd = desk.refused(RITA, "deposit 150 --permit");
    assert!(odd.exit_code == 3 && odd.message.contains("tick"), "{odd:?}");
}
