//! One batch of transfers: accounts, paths, balances and the chain of roots.

use ark_bn254::Fr;
use ark_ed_on_bn254::constraints::EdwardsVar;
use ark_r1cs_std::{alloc::AllocVar, boolean::Boolean, eq::EqGadget, fields::fp::FpVar};
use ark_relations::gr1cs::{ConstraintSynthesizer, ConstraintSystemRef, SynthesisError};

use super::{
    UintVar, enforce_bits,
    signature::{enforce_signature, point_on_curve},
};
use crate::{
    poseidon,
    rollup::{Account, RollupId, Step, leaf_offset, message_tag, offset, power_of_two},
    tree::{DEPTH, Path},
};

const BALANCE_BITS: usize = 64;
const NONCE_BITS: usize = 32;
const ROLLUP_BITS: usize = 64;

/// A batch with everything it reads. Public inputs: the old root, then the new root.
///
/// The constraints depend on the number of steps only, never on their values.
#[derive(Clone, Debug)]
pub(crate) struct RollupCircuit {
    pub(crate) rollup: RollupId,
    pub(crate) old_root: Fr,
    pub(crate) new_root: Fr,
    pub(crate) steps: Vec<Step>,
}

impl ConstraintSynthesizer<Fr> for RollupCircuit {
    fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<(), SynthesisError> {
        let mut root = FpVar::new_input(cs.clone(), || Ok(self.old_root))?;
        let new_root = FpVar::new_input(cs.clone(), || Ok(self.new_root))?;
        let rollup = UintVar::new(&cs, self.rollup.get(), ROLLUP_BITS)?.value;
        for step in &self.steps {
            root = enforce_step(&cs, &root, &rollup, step)?;
        }
        root.enforce_equal(&new_root)
    }
}

/// Enforces one transfer from `root` on and returns the root after it.
fn enforce_step(
    cs: &ConstraintSystemRef<Fr>,
    root: &FpVar<Fr>,
    rollup: &FpVar<Fr>,
    step: &Step,
) -> Result<FpVar<Fr>, SynthesisError> {
    let transfer = &step.transfer;
    let amount = UintVar::new(cs, transfer.amount, BALANCE_BITS)?.value;
    let from = UintVar::new(cs, transfer.sender.get().into(), DEPTH)?;
    let to = UintVar::new(cs, transfer.receiver.get().into(), DEPTH)?;

    let sender = AccountVar::new(cs, &step.sender)?;
    let message = message(rollup, &from, &to, &amount, &sender.nonce);
    enforce_signature(cs, &sender.key, &message, &transfer.signature)?;

    let debited = AccountVar {
        balance: &sender.balance - &amount,
        nonce: &sender.nonce + Fr::from(1u64),
        ..sender.clone()
    };
    enforce_bits(&debited.balance, BALANCE_BITS)?;
    enforce_bits(&debited.nonce, NONCE_BITS)?;
    let branch = Branch::new(cs, &from.bits, &step.sender_path)?;
    branch.root(&sender.leaf(cs, rollup)?)?.enforce_equal(root)?;
    let between = branch.root(&debited.leaf(cs, rollup)?)?;

    // The receiver is read from the tree that already has the debit in it: for a transfer to oneself that is the debited
    // account, and any other reading fails the path check.
    let receiver = AccountVar::new(cs, &step.receiver)?;
    let credited = AccountVar { balance: &receiver.balance + &amount, ..receiver.clone() };
    enforce_bits(&credited.balance, BALANCE_BITS)?;
    let branch = Branch::new(cs, &to.bits, &step.receiver_path)?;
    branch.root(&receiver.leaf(cs, rollup)?)?.enforce_equal(&between)?;
    branch.root(&credited.leaf(cs, rollup)?)
}

/// The signed message of `rollup::transfer`. The nonce in it is the account's own, so no other nonce can be signed for.
fn message(
    rollup: &FpVar<Fr>,
    from: &UintVar,
    to: &UintVar,
    amount: &FpVar<Fr>,
    nonce: &FpVar<Fr>,
) -> FpVar<Fr> {
    &from.value
        + &to.value * power_of_two(offset::RECEIVER)
        + amount * power_of_two(offset::AMOUNT)
        + nonce * power_of_two(offset::NONCE)
        + rollup * power_of_two(offset::ROLLUP)
        + message_tag()
}

/// An account as opened from a leaf: key on the curve, balance and nonce range-checked.
#[derive(Clone)]
struct AccountVar {
    key: EdwardsVar,
    balance: FpVar<Fr>,
    nonce: FpVar<Fr>,
}

impl AccountVar {
    fn new(cs: &ConstraintSystemRef<Fr>, account: &Account) -> Result<Self, SynthesisError> {
        Ok(Self {
            key: point_on_curve(cs, account.key.point())?,
            balance: UintVar::new(cs, account.balance, BALANCE_BITS)?.value,
            nonce: UintVar::new(cs, account.nonce.into(), NONCE_BITS)?.value,
        })
    }

    fn leaf(&self, cs: &ConstraintSystemRef<Fr>, rollup: &FpVar<Fr>) -> Result<FpVar<Fr>, SynthesisError> {
        let packed = &self.balance
            + &self.nonce * power_of_two(leaf_offset::NONCE)
            + rollup * power_of_two(leaf_offset::ROLLUP);
        poseidon::hash_gadget(cs, &[self.key.x.clone(), self.key.y.clone(), packed])
    }
}

/// A position in the tree with the siblings on its way up. Used for the old and the new leaf alike, which is what makes
/// an update change one leaf and nothing else.
struct Branch<'a> {
    cs: &'a ConstraintSystemRef<Fr>,
    position: &'a [Boolean<Fr>],
    siblings: Vec<FpVar<Fr>>,
}

impl<'a> Branch<'a> {
    fn new(
        cs: &'a ConstraintSystemRef<Fr>,
        position: &'a [Boolean<Fr>],
        path: &Path,
    ) -> Result<Self, SynthesisError> {
        let siblings = path
            .iter()
            .map(|sibling| FpVar::new_witness(cs.clone(), || Ok(*sibling)))
            .collect::<Result<_, _>>()?;
        Ok(Self { cs, position, siblings })
    }

    fn root(&self, leaf: &FpVar<Fr>) -> Result<FpVar<Fr>, SynthesisError> {
        let mut node = leaf.clone();
        for (is_right, sibling) in self.position.iter().zip(&self.siblings) {
            // One product swaps both children: left = node + bit * (sibling - node), right = the other one.
            let left = &node + FpVar::from(is_right.clone()) * (sibling - &node);
            let right = &node + sibling - &left;
            node = poseidon::hash_gadget(self.cs, &[left, right])?;
        }
        Ok(node)
    }
}
