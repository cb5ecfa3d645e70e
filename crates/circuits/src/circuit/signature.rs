//! The Schnorr check of `schnorr` as constraints.

use ark_bn254::Fr;
use ark_ed_on_bn254::{EdwardsProjective, Fr as Scalar, constraints::EdwardsVar};
use ark_ff::{BigInteger, One, PrimeField, Zero};
use ark_r1cs_std::{
    alloc::{AllocVar, AllocationMode},
    boolean::Boolean,
    convert::ToBitsGadget,
    eq::EqGadget,
    fields::{FieldVar, fp::FpVar},
    groups::CurveVar,
};
use ark_relations::gr1cs::{ConstraintSystemRef, SynthesisError};

use crate::{
    poseidon,
    schnorr::{CHALLENGE_BITS, Signature, generator_multiples},
};

/// Bits of a canonical scalar; the group order is a little below 2^251.
const SCALAR_BITS: usize = Scalar::MODULUS_BIT_SIZE as usize;

/// A witness point, constrained to lie on the curve. Its subgroup is left open.
pub(super) fn point_on_curve(
    cs: &ConstraintSystemRef<Fr>,
    point: impl Into<EdwardsProjective>,
) -> Result<EdwardsVar, SynthesisError> {
    let point = point.into();
    EdwardsVar::new_variable_omit_prime_order_check(cs.clone(), || Ok(point), AllocationMode::Witness)
}

/// Enforces that `signature` is a signature on `message` by `key`, which must be on the curve.
pub(super) fn enforce_signature(
    cs: &ConstraintSystemRef<Fr>,
    key: &EdwardsVar,
    message: &FpVar<Fr>,
    signature: &Signature,
) -> Result<(), SynthesisError> {
    // All additions below are complete on this curve (a is a square, d is not), so no case is left out.
    let r = point_on_curve(cs, signature.r)?;
    let s = scalar_bits(cs, &signature.s)?;
    let challenge = poseidon::hash_gadget(
        cs,
        &[r.x.clone(), r.y.clone(), key.x.clone(), key.y.clone(), message.clone()],
    )?;
    // The decomposition is the canonical one: otherwise a prover could choose between two challenges.
    let challenge = challenge.to_bits_le()?;

    let mut difference = EdwardsVar::zero();
    let multiples = generator_multiples(SCALAR_BITS);
    difference.precomputed_base_scalar_mul_le(s.iter().zip(&multiples))?;
    difference -= r + key.scalar_mul_le(challenge[..CHALLENGE_BITS].iter())?;

    let difference = times_cofactor(difference)?;
    difference.x.enforce_equal(&FpVar::Constant(Fr::zero()))?;
    difference.y.enforce_equal(&FpVar::Constant(Fr::one()))?;

    // In the subgroup of odd order only the identity has x = 0, so an inverse of x exists exactly for other points.
    let _inverse = times_cofactor(key.clone())?.x.inverse()?;
    Ok(())
}

fn times_cofactor(mut point: EdwardsVar) -> Result<EdwardsVar, SynthesisError> {
    for _ in 0..3 {
        point.double_in_place()?;
    }
    Ok(point)
}

fn scalar_bits(cs: &ConstraintSystemRef<Fr>, scalar: &Scalar) -> Result<Vec<Boolean<Fr>>, SynthesisError> {
    let value = scalar.into_bigint();
    (0..SCALAR_BITS).map(|bit| Boolean::new_witness(cs.clone(), || Ok(value.get_bit(bit)))).collect()
}
