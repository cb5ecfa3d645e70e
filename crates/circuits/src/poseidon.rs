//! Poseidon over the BN254 scalar field, natively and as constraints.
//!
//! The permutation is x^5 with 8 full rounds, 57 partial rounds at width 3 and 56 at width 4: the 128-bit parameters for
//! a 254-bit field of the Poseidon paper (Grassi, Khovratovich, Rechberger, Roy, Schofnegger, USENIX Security 2021, with
//! the security margin of +2 full rounds and +7.5 % partial rounds). Round constants and the MDS matrix come
//! out of the paper's Grain LFSR; nothing is chosen here. A test pins the width 3 permutation to a published vector.
//!
//! The capacity element starts as `2^64 * number of inputs`, the paper's constant-input-length domain separation. Every
//! use in this crate has another number of inputs, so the uses cannot be confused with one another.

use std::sync::OnceLock;

use ark_bn254::Fr;
use ark_crypto_primitives::sponge::{
    CryptographicSponge, FieldBasedCryptographicSponge,
    constraints::CryptographicSpongeVar,
    poseidon::{PoseidonConfig, PoseidonSponge, constraints::PoseidonSpongeVar, find_poseidon_ark_and_mds},
};
use ark_ff::PrimeField;
use ark_r1cs_std::fields::fp::FpVar;
use ark_relations::gr1cs::{ConstraintSystemRef, SynthesisError};

const FULL_ROUNDS: usize = 8;
const ALPHA: u64 = 5;

/// Parameters for two inputs per permutation (width 3): inner nodes of the account tree.
fn width_3() -> &'static PoseidonConfig<Fr> {
    static PARAMETERS: OnceLock<PoseidonConfig<Fr>> = OnceLock::new();
    PARAMETERS.get_or_init(|| parameters(2, 57))
}

/// Parameters for three inputs per permutation (width 4): leaves and signature challenges.
fn width_4() -> &'static PoseidonConfig<Fr> {
    static PARAMETERS: OnceLock<PoseidonConfig<Fr>> = OnceLock::new();
    PARAMETERS.get_or_init(|| parameters(3, 56))
}

fn parameters(rate: usize, partial_rounds: usize) -> PoseidonConfig<Fr> {
    let (ark, mds) = find_poseidon_ark_and_mds::<Fr>(
        u64::from(Fr::MODULUS_BIT_SIZE),
        rate,
        FULL_ROUNDS as u64,
        partial_rounds as u64,
        0,
    );
    PoseidonConfig { full_rounds: FULL_ROUNDS, partial_rounds, alpha: ALPHA, ark, mds, rate, capacity: 1 }
}

fn parameters_for<const N: usize>() -> &'static PoseidonConfig<Fr> {
    if N == 2 { width_3() } else { width_4() }
}

fn length_tag<const N: usize>() -> Fr {
    Fr::from((N as u128) << 64)
}

/// Hash of exactly `N` field elements.
pub(crate) fn hash<const N: usize>(inputs: [Fr; N]) -> Fr {
    let mut sponge = PoseidonSponge::new(parameters_for::<N>());
    sponge.state[0] = length_tag::<N>();
    sponge.absorb(&inputs.as_slice());
    sponge.squeeze_native_field_elements(1)[0]
}

/// The constraints of [`hash`].
pub(crate) fn hash_gadget<const N: usize>(
    cs: &ConstraintSystemRef<Fr>,
    inputs: &[FpVar<Fr>; N],
) -> Result<FpVar<Fr>, SynthesisError> {
    let mut sponge = PoseidonSpongeVar::new(cs.clone(), parameters_for::<N>());
    sponge.state[0] = FpVar::Constant(length_tag::<N>());
    for input in inputs {
        sponge.absorb(input)?;
    }
    Ok(sponge.squeeze_field_elements(1)?.swap_remove(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::{MontFp, UniformRand};
    use ark_r1cs_std::{GR1CSVar, alloc::AllocVar};
    use ark_relations::gr1cs::ConstraintSystem;
    use rand::SeedableRng;

    #[test]
    fn permutation_agrees_with_the_published_vector() {
        // poseidon([1, 2]) as computed by circomlib and by the reference implementation: capacity zero, first element out.
        let mut sponge = PoseidonSponge::new(width_3());
        sponge.absorb(&[Fr::from(1u64), Fr::from(2u64)].as_slice());
        sponge.squeeze_native_field_elements(1);
        let expected: Fr =
            MontFp!("7853200120776062878684798364095072458815029376092732009249414926327459813530");
        assert_eq!(sponge.state[0], expected);
    }

    #[test]
    fn width_4_permutation_agrees_with_the_published_vector() {
        // poseidon([1, 2, 3]) of the same source.
        let mut sponge = PoseidonSponge::new(width_4());
        sponge.absorb(&[Fr::from(1u64), Fr::from(2u64), Fr::from(3u64)].as_slice());
        sponge.squeeze_native_field_elements(1);
        let expected: Fr =
            MontFp!("6542985608222806190361240322586112750744169038454362455181422643027100751666");
        assert_eq!(sponge.state[0], expected);
    }

    #[test]
    fn gadget_agrees_with_native_hash() {
        fn check<const N: usize>() {
            let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(N as u64);
            let inputs: [Fr; N] = std::array::from_fn(|_| Fr::rand(&mut rng));
            let cs = ConstraintSystem::new_ref();
            let vars = inputs.map(|value| FpVar::new_witness(cs.clone(), || Ok(value)).unwrap());
            assert_eq!(hash_gadget(&cs, &vars).unwrap().value().unwrap(), hash(inputs));
            assert!(cs.is_satisfied().unwrap());
        }
        check::<2>();
        check::<3>();
        check::<5>();
    }

    #[test]
    fn trailing_zero_changes_the_hash() {
        assert_ne!(
            hash([Fr::from(1u64), Fr::from(2u64)]),
            hash([Fr::from(1u64), Fr::from(2u64), Fr::from(0u64)])
        );
    }
}
