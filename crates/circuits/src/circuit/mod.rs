//! The statement as constraints.
//!
//! * `rollup`: [`RollupCircuit`], one batch from old root to new root, and the account and tree gadgets.
//! * `signature`: the signature check.

mod rollup;
mod signature;
#[cfg(test)]
mod tests;

pub(crate) use rollup::RollupCircuit;

use ark_bn254::Fr;
use ark_r1cs_std::{alloc::AllocVar, boolean::Boolean, fields::fp::FpVar};
use ark_relations::gr1cs::{ConstraintSystemRef, SynthesisError};

/// A witness integer of `bits.len()` bits, with its value as a field element.
pub(crate) struct UintVar {
    pub(crate) value: FpVar<Fr>,
    pub(crate) bits: Vec<Boolean<Fr>>,
}

impl UintVar {
    /// Allocates `value` as `bits` (at most 64) boolean witnesses, which is its range check.
    pub(crate) fn new(cs: &ConstraintSystemRef<Fr>, value: u64, bits: usize) -> Result<Self, SynthesisError> {
        let bits = (0..bits)
            .map(|bit| Boolean::new_witness(cs.clone(), || Ok((value >> bit) & 1 == 1)))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { value: Boolean::le_bits_to_fp(&bits)?, bits })
    }
}

/// Enforces that `value` is below `2^bits`.
pub(crate) fn enforce_bits(value: &FpVar<Fr>, bits: usize) -> Result<(), SynthesisError> {
    value.to_bits_le_with_top_bits_zero(bits).map(|_| ())
}
