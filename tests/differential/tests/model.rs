//! The plain model and the contract agree on every balance and status after each of many random calls.

use differential::play::{Counts, play};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Rounds to settle, if not so many.
const ROUNDS: u64 = 200;
/// Calls in a market, some twenty rounds.
const CALLS: usize = 300;

/// A number in the environment.
fn setting(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is a number, not {value}")))
}

fn play_one(seed: u64) -> Counts {
    play(seed, CALLS, ChaCha8Rng::seed_from_u64).unwrap_or_else(|difference| panic!("{difference}"))
}

/// Market after market, until so many rounds were settled.
fn play_many(rounds: u64) -> Counts {
    let (next, sum) = (AtomicU64::new(0), Mutex::new(Counts::default()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while sum.lock().expect("no other thread panicked").settled < rounds {
                    let counts = play_one(next.fetch_add(1, Ordering::Relaxed));
                    sum.lock().expect("no other thread panicked").add(&counts);
                }
            });
        }
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
    println!("{counts:#?}");
    println!("model: {} calls, {} rounds settled, {} compared", counts.total(), counts.settled, counts.compared);
}
