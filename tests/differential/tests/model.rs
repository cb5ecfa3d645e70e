//! The plain model and the contract agree on every balance and status after each of many random calls.

use differential::play::{Counts, play};
use differential::settings::{on_every_core, setting};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::sync::Mutex;

/// Rounds to settle, if not so many.
const ROUNDS: u64 = 200;
/// Calls in a market, some twenty rounds.
const CALLS: usize = 300;

/// A long run tells how far it is after so many rounds.
const STAGE: u64 = 5_000;

/// What must have happened: everything.
const KINDS: [&str; 27] = [
    "wait",
    "deposit",
    "withdraw",
    "collectSurplus",
    "fold",
    "release",
    "setOperator",
    "register",
    "ask",
    "changeCapacity",
    "releaseCapacity",
    "submitOneBid",
    "submitBids",
    "submitSignedBids",
    "submitWalletBids",
    "publish",
    "commitBid",
    "revealBids",
    "commitAsk",
    "revealAsk",
    "forfeit",
    "settle",
    "settlePage",
    "deliver",
    "deliverBatch",
    "takeOver",
    "expire",
];

fn play_one(seed: u64) -> Counts {
    play(seed, CALLS, ChaCha8Rng::seed_from_u64).unwrap_or_else(|difference| panic!("{difference}"))
}

/// Market after market, until so many rounds were settled.
fn play_many(rounds: u64) -> Counts {
    let sum = Mutex::new(Counts::default());
    on_every_core(|seed| {
        let counts = play_one(seed);
        let mut sum = sum.lock().expect("no other thread panicked");
        let before = sum.settled;
        sum.add(&counts);
        if sum.settled / STAGE != before / STAGE {
            println!("so far: {} calls, {} rounds settled", sum.total(), sum.settled);
        }
        sum.settled < rounds
    });
    sum.into_inner().expect("no thread panicked")
}

#[test]
fn model_and_contract_agree_after_every_call() {
    if let Some(seed) = setting("PROOPHI_DIFFERENTIAL_SEED") {
        println!("{:#?}", play_one(seed));
        return;
    }
    let rounds = setting("PROOPHI_DIFFERENTIAL_ROUNDS").unwrap_or(ROUNDS);
    let counts = play_many(rounds);
    for (call, (accepted, refused)) in &counts.calls {
        println!("{call}: {accepted} accepted, {refused} refused");
    }
    println!("refused by both: {:?}", counts.refusals);
    println!(
        "agreed: {} calls, {} rounds settled ({} with a trade), {} void, {} views compared",
        counts.total(),
        counts.settled,
        counts.traded,
        counts.void,
        counts.compared
    );
    assert!(counts.settled >= rounds && counts.traded * 4 >= rounds && counts.void * 50 >= rounds);
    for call in KINDS {
        let (accepted, _) = counts.calls.get(call).copied().unwrap_or_default();
        assert!(accepted > 0, "never accepted: {call}");
    }
}
