//! 32-byte big-endian words, the form in which a contract sees field elements.

use ark_bn254::Fr;
use ark_ff::{BigInteger, PrimeField};

use crate::registry::PUBLIC_INPUTS;

/// A 256-bit EVM word, big endian.
pub type Word = [u8; 32];

/// The word that holds `value`, an element of any prime field of at most 256 bits.
pub(crate) fn to_word<F: PrimeField>(value: &F) -> Word {
    let bytes = value.into_bigint().to_bytes_be();
    let mut word = [0u8; 32];
    let start = word.len().saturating_sub(bytes.len());
    word[start..].copy_from_slice(&bytes[bytes.len().saturating_sub(32)..]);
    word
}

/// The field element held by `word`, or `None` if the word is not below the modulus.
///
/// Reducing instead would give one element several encodings, which threatens anything keyed by the bytes.
pub(crate) fn from_word<F: PrimeField>(word: &Word) -> Option<F> {
    let value = F::from_be_bytes_mod_order(word);
    (to_word(&value) == *word).then_some(value)
}

/// The words of a statement as field elements of the proof system's scalar field.
pub(crate) fn scalars(words: &[Word; PUBLIC_INPUTS]) -> Option<[Fr; PUBLIC_INPUTS]> {
    let [old_root, new_root] = words;
    Some([from_word(old_root)?, from_word(new_root)?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::{One, Zero};

    #[test]
    fn modulus_and_above_are_no_field_elements() {
        let mut modulus = to_word(&(Fr::zero() - Fr::one()));
        modulus[31] += 1;
        assert_eq!(from_word::<Fr>(&modulus), None);
        assert_eq!(from_word::<Fr>(&[0xff; 32]), None);
    }

    #[test]
    fn largest_element_survives_the_round_trip() {
        let largest = Fr::zero() - Fr::one();
        assert_eq!(from_word::<Fr>(&to_word(&largest)), Some(largest));
    }
}
