//! The verifier's contract accepts true proofs, whoever made them anew, and nothing next to them.

use differential::proofs::Verifier;
use differential::settings::{on_every_core, setting};
use rand::{Rng, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use std::sync::atomic::{AtomicU64, Ordering};

/// Malformed proofs to try, if not so many.
const PROOFS: u64 = 400;
/// Malformed proofs of a seed, each once by itself and some of them in batches.
const OF_A_SEED: u64 = 40;

#[test]
fn true_proofs_and_their_malleations_are_accepted() {
    let mut verifier = Verifier::default();
    let all: Vec<_> = verifier.all.iter().chain(&verifier.many).cloned().collect();
    assert_eq!(all.len(), 7 + 32);
    for proved in &all {
        assert_eq!(verifier.accepts(proved), Ok(true));
        assert_eq!(verifier.accepts(&proved.malleated()), Ok(true), "a proof is not tied to who made it");
    }
    let many = verifier.many.clone();
    assert_eq!(verifier.accepts_together(&many), vec![true; many.len()]);
}

#[test]
fn no_malformed_proof_is_accepted() {
    let wanted = setting("PROOPHI_DIFFERENTIAL_PROOFS").unwrap_or(PROOFS);
    let (alone, together) = (AtomicU64::new(0), AtomicU64::new(0));
    on_every_core(|seed| {
        if seed * OF_A_SEED >= wanted {
            return false;
        }
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let mut verifier = Verifier::default();
        let (all, many) = (verifier.all.clone(), verifier.many.clone());
        for number in 0..OF_A_SEED {
            let proved = &all[usize::try_from(number).unwrap_or(0) % all.len()];
            let wrong = proved.corrupted(&all, false, rng);
            assert_ne!(verifier.accepts(&wrong), Ok(true), "seed {seed}: {wrong:?} for {proved:?}");
            alone.fetch_add(1, Ordering::Relaxed);
        }
        // As many again, between true ones.
        let mut left = OF_A_SEED;
        while left > 0 {
            let mut batch = many.clone();
            batch.shuffle(rng);
            batch.truncate(rng.random_range(1..=12));
            let mut right = vec![true; batch.len()];
            for (proved, right) in batch.iter_mut().zip(&mut right) {
                if left > 0 && rng.random_bool(0.4) {
                    *proved = proved.corrupted(&many, true, rng);
                    *right = false;
                    left -= 1;
                    together.fetch_add(1, Ordering::Relaxed);
                }
            }
            assert_eq!(verifier.accepts_together(&batch), right, "seed {seed}: {batch:?}");
        }
        true
    });
    let (alone, together) = (alone.into_inner(), together.into_inner());
    println!("refused: {alone} malformed proofs by themselves, {together} among others");
    assert!(alone >= wanted && together >= wanted);
}
