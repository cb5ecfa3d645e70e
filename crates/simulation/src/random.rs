//! Randomness that depends on the seed, the label of a series and the number of the round, and on nothing else:
//! not on threads, not on the order in which rounds are played.

use rand::SeedableRng as _;
pub use rand_chacha::ChaCha8Rng as Stream;

/// The random numbers of one round in one series of rounds.
///
/// Two series with one label see the same participants, so that what is compared differs in nothing else.
pub(crate) fn stream(seed: u64, label: &str, round: u64) -> Stream {
    let mut key = [0; 32];
    let parts = [seed, fingerprint(label), round, 0];
    for (place, part) in key.chunks_exact_mut(8).zip(parts) {
        place.copy_from_slice(&part.to_le_bytes());
    }
    Stream::from_seed(key)
}

/// FNV-1a.
fn fingerprint(label: &str) -> u64 {
    label
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng as _;

    #[test]
    fn a_stream_is_its_seed_its_label_and_its_round() {
        let first = |seed, label, round| stream(seed, label, round).random::<u64>();
        assert_eq!(first(1, "a", 2), first(1, "a", 2));
        let others = [first(2, "a", 2), first(1, "b", 2), first(1, "a", 3)];
        assert!(others.iter().all(|other| *other != first(1, "a", 2)));
    }
}
