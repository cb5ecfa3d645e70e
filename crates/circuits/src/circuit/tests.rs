//! The constraint system against native execution: honest batches satisfy it, every lie breaks it.

use std::collections::BTreeMap;

use ark_bn254::Fr;
use ark_ec::AffineRepr;
use ark_ed_on_bn254::{EdwardsAffine, Fr as Scalar};
use ark_ff::{AdditiveGroup, One, UniformRand, Zero};
use ark_relations::gr1cs::{ConstraintSynthesizer, ConstraintSystem, ConstraintSystemRef};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::RollupCircuit;
use crate::{
    registry::{CircuitKind, PUBLIC_INPUTS},
    rollup::{Account, AccountIndex, Batch, Demo, KeyPair, PublicKey, RollupId, State, Transfer},
    task::Task,
    tree::Tree,
};

const ALICE: AccountIndex = AccountIndex::new(3);
const BOB: AccountIndex = AccountIndex::new(77);
const CAROL: AccountIndex = AccountIndex::new(76);
const ROLLUP: RollupId = RollupId::new(11);

fn key(index: AccountIndex) -> KeyPair {
    KeyPair::from_seed(&[index.get(); 32])
}

fn account(index: AccountIndex, balance: u64, nonce: u32) -> (AccountIndex, Account) {
    (index, Account { key: key(index).public(), balance, nonce })
}

fn state() -> State {
    State::new(ROLLUP, BTreeMap::from([account(ALICE, 100, 5), account(BOB, 50, 0), account(CAROL, 1, 9)]))
}

fn pay(amount: u64, nonce: u32) -> Transfer {
    Transfer::sign(&key(ALICE), ROLLUP, ALICE, BOB, amount, nonce)
}

fn honest() -> RollupCircuit {
    Task::new(&state(), &Batch { transfers: vec![pay(10, 5)] }).unwrap().circuit()
}

fn synthesise(circuit: RollupCircuit) -> ConstraintSystemRef<Fr> {
    let cs = ConstraintSystem::new_ref();
    circuit.generate_constraints(cs.clone()).unwrap();
    cs
}

fn satisfied(circuit: RollupCircuit) -> bool {
    synthesise(circuit).is_satisfied().unwrap()
}

/// Follows the circuit's own arithmetic from whatever the step claims, so that roots, paths and leaves are consistent and only
/// the rule under test can object. Balances and nonces wrap, as a cheating prover would have them.
fn consistent(mut circuit: RollupCircuit, accounts: &BTreeMap<AccountIndex, Account>) -> RollupCircuit {
    let rollup = circuit.rollup;
    let mut accounts = accounts.clone();
    let mut tree = Tree::new(accounts.iter().map(|(index, a)| (index.get(), a.leaf(rollup))));
    circuit.old_root = tree.root();
    for step in &mut circuit.steps {
        let (from, to, amount) = (step.transfer.sender, step.transfer.receiver, step.transfer.amount);
        step.sender = accounts[&from];
        step.sender_path = tree.path(from.get());
        let debited = Account {
            balance: step.sender.balance.wrapping_sub(amount),
            nonce: step.sender.nonce.wrapping_add(1),
            ..step.sender
        };
        accounts.insert(from, debited);
        tree.set(from.get(), debited.leaf(rollup));
        step.receiver = accounts[&to];
        step.receiver_path = tree.path(to.get());
        let credited = Account { balance: step.receiver.balance.wrapping_add(amount), ..step.receiver };
        accounts.insert(to, credited);
        tree.set(to.get(), credited.leaf(rollup));
    }
    circuit.new_root = tree.root();
    circuit
}

fn accounts_of(state: &State) -> BTreeMap<AccountIndex, Account> {
    state.accounts().map(|(index, account)| (index, *account)).collect()
}

/// A one-transfer circuit over the given accounts, consistent in everything but the rules.
fn claim(accounts: &[(AccountIndex, Account)], transfer: Transfer) -> RollupCircuit {
    let mut circuit = honest();
    circuit.steps[0].transfer = transfer;
    consistent(circuit, &accounts.iter().copied().collect())
}

#[test]
fn honest_transfer_satisfies_and_matches_native_roots() {
    let mut after = state();
    after.apply(&Batch { transfers: vec![pay(10, 5)] }).unwrap();
    let circuit = honest();
    assert_eq!(crate::word::to_word(&circuit.new_root), after.root());
    assert!(satisfied(circuit.clone()));
    // The helper of the tests below changes nothing in an honest circuit.
    let again = consistent(circuit.clone(), &accounts_of(&state()));
    assert_eq!((again.old_root, again.new_root), (circuit.old_root, circuit.new_root));
    assert!(satisfied(again));
}

#[test]
fn transfer_to_oneself_satisfies() {
    let transfer = Transfer::sign(&key(ALICE), ROLLUP, ALICE, ALICE, 100, 5);
    let task = Task::new(&state(), &Batch { transfers: vec![transfer] }).unwrap();
    assert!(satisfied(task.circuit()));
}

#[test]
fn transfer_to_oneself_cannot_credit_the_undebited_account() {
    let transfer = Transfer::sign(&key(ALICE), ROLLUP, ALICE, ALICE, 100, 5);
    let task = Task::new(&state(), &Batch { transfers: vec![transfer] }).unwrap();
    let mut circuit = task.circuit();
    circuit.steps[0].receiver = circuit.steps[0].sender;
    let minted = Account { balance: 200, ..circuit.steps[0].sender };
    let mut tree = Tree::new(state().accounts().map(|(index, a)| (index.get(), a.leaf(ROLLUP))));
    tree.set(ALICE.get(), minted.leaf(ROLLUP));
    circuit.new_root = tree.root();
    assert!(!satisfied(circuit));
}

#[test]
fn bad_signature_is_unsatisfiable() {
    let mut scalar = honest();
    scalar.steps[0].transfer.signature.s += Scalar::one();
    assert!(!satisfied(scalar));
    let mut point = honest();
    point.steps[0].transfer.signature.r = EdwardsAffine::generator();
    assert!(!satisfied(point));
    let forger = Transfer::sign(&key(BOB), ROLLUP, ALICE, BOB, 10, 5);
    assert!(!satisfied(claim(&[account(ALICE, 100, 5), account(BOB, 50, 0)], forger)));
}

#[test]
fn small_order_shift_of_r_breaks_the_signature() {
    // (0, -1) has order 2. The cofactor removes it from the equation, but the challenge covers R as it stands.
    let mut circuit = honest();
    let order_two = EdwardsAffine::new_unchecked(Fr::zero(), -Fr::one());
    let r = circuit.steps[0].transfer.signature.r;
    circuit.steps[0].transfer.signature.r = (r + order_two).into();
    assert!(!satisfied(circuit));
}

#[test]
fn small_order_key_can_spend_nothing() {
    let weak = Account { key: PublicKey::from_point(EdwardsAffine::zero()), balance: 100, nonce: 5 };
    let mut transfer = pay(10, 5);
    let k = Scalar::from(3u64);
    transfer.signature.r = (EdwardsAffine::generator() * k).into();
    transfer.signature.s = k;
    assert!(!satisfied(claim(&[(ALICE, weak), account(BOB, 50, 0)], transfer)));
}

#[test]
fn overspend_is_unsatisfiable() {
    let accounts = [account(ALICE, 100, 5), account(BOB, 50, 0)];
    assert!(satisfied(claim(&accounts, pay(100, 5))));
    assert!(!satisfied(claim(&accounts, pay(101, 5))));
}

#[test]
fn balance_overflow_is_unsatisfiable() {
    let accounts = |bob| [account(ALICE, 100, 5), account(BOB, bob, 0)];
    assert!(satisfied(claim(&accounts(u64::MAX - 10), pay(10, 5))));
    assert!(!satisfied(claim(&accounts(u64::MAX - 9), pay(10, 5))));
}

#[test]
fn exhausted_nonce_is_unsatisfiable() {
    let accounts = |nonce| [account(ALICE, 100, nonce), account(BOB, 50, 0)];
    assert!(satisfied(claim(&accounts(u32::MAX - 1), pay(1, u32::MAX - 1))));
    assert!(!satisfied(claim(&accounts(u32::MAX), pay(1, u32::MAX))));
}

#[test]
fn wrong_nonce_is_unsatisfiable() {
    let accounts = [account(ALICE, 100, 5), account(BOB, 50, 0)];
    assert!(!satisfied(claim(&accounts, pay(10, 4))));
    assert!(!satisfied(claim(&accounts, pay(10, 6))));
}

#[test]
fn replay_is_unsatisfiable() {
    let mut circuit =
        Task::new(&state(), &Batch { transfers: vec![pay(10, 5), pay(10, 6)] }).unwrap().circuit();
    assert!(satisfied(circuit.clone()));
    circuit.steps[1].transfer = circuit.steps[0].transfer;
    assert!(!satisfied(consistent(circuit, &accounts_of(&state()))));
}

#[test]
fn signature_for_another_rollup_is_unsatisfiable() {
    let transfer = Transfer::sign(&key(ALICE), RollupId::new(12), ALICE, BOB, 10, 5);
    assert!(!satisfied(claim(&[account(ALICE, 100, 5), account(BOB, 50, 0)], transfer)));
    let mut circuit = honest();
    circuit.rollup = RollupId::new(12);
    assert!(!satisfied(circuit));
}

#[test]
fn tampered_amount_or_receiver_is_unsatisfiable() {
    let accounts = accounts_of(&state());
    for transfer in [Transfer { amount: 11, ..pay(10, 5) }, Transfer { receiver: CAROL, ..pay(10, 5) }] {
        let mut circuit = honest();
        circuit.steps[0].transfer = transfer;
        assert!(!satisfied(consistent(circuit, &accounts)), "{transfer:?}");
    }
}

#[test]
fn wrong_roots_are_unsatisfiable() {
    let mut new_root = honest();
    new_root.new_root += Fr::one();
    assert!(!satisfied(new_root));
    let mut old_root = honest();
    old_root.old_root += Fr::one();
    assert!(!satisfied(old_root));
    let mut unchanged = honest();
    unchanged.new_root = unchanged.old_root;
    assert!(!satisfied(unchanged));
}

#[test]
fn accounts_that_differ_from_the_tree_are_unsatisfiable() {
    let richer = |change: fn(&mut RollupCircuit)| {
        let mut circuit = honest();
        change(&mut circuit);
        satisfied(circuit)
    };
    assert!(!richer(|circuit| circuit.steps[0].sender.balance += 1));
    assert!(!richer(|circuit| circuit.steps[0].sender.nonce += 1));
    assert!(!richer(|circuit| circuit.steps[0].receiver.balance += 1));
    assert!(!richer(|circuit| circuit.steps[0].receiver.nonce += 1));
    assert!(!richer(|circuit| circuit.steps[0].receiver.key = key(CAROL).public()));
}

#[test]
fn every_sibling_is_bound() {
    for level in 0..8 {
        let mut sender = honest();
        sender.steps[0].sender_path[level] += Fr::one();
        assert!(!satisfied(sender), "sender, level {level}");
        let mut receiver = honest();
        receiver.steps[0].receiver_path[level] += Fr::one();
        assert!(!satisfied(receiver), "receiver, level {level}");
    }
}

#[test]
fn unregistered_account_is_unsatisfiable() {
    // The leaf at the named position is empty; the step claims an account there.
    let ghost = AccountIndex::new(200);
    for (sender, receiver) in [(ghost, BOB), (ALICE, ghost)] {
        let transfer = Transfer::sign(&key(sender), ROLLUP, sender, receiver, 0, 5);
        let mut circuit = honest();
        circuit.steps[0].transfer = transfer;
        let mut accounts = accounts_of(&state());
        accounts.extend([account(ghost, 0, 5)]);
        let mut circuit = consistent(circuit, &accounts);
        assert!(satisfied(circuit.clone()), "registered, the same transfer is fine");
        let real = Tree::new(state().accounts().map(|(index, a)| (index.get(), a.leaf(ROLLUP))));
        circuit.old_root = real.root();
        circuit.steps[0].sender_path = real.path(sender.get());
        assert!(!satisfied(circuit));
    }
}

#[test]
fn constraint_counts_are_those_of_the_registry() {
    for kind in CircuitKind::ALL {
        let demo = Demo::new(1);
        let task = Task::new(demo.state(), &demo.batch(kind.batch_size(), 1)).unwrap();
        let cs = synthesise(task.circuit());
        assert_eq!(cs.num_constraints() as u64, kind.constraints(), "{kind}");
        assert_eq!(cs.num_instance_variables(), 1 + PUBLIC_INPUTS);
        assert_eq!(u64::from(kind.units()), kind.constraints().div_ceil(1024));
    }
}

#[test]
fn constraints_do_not_depend_on_the_batch() {
    let matrices = |seed| {
        let demo = Demo::new(seed);
        let task = Task::new(demo.state(), &demo.batch(1, seed)).unwrap();
        let cs = synthesise(task.circuit());
        cs.finalize();
        cs.to_matrices().unwrap()
    };
    assert!(matrices(1) == matrices(2));
    let cs = synthesise(honest());
    cs.finalize();
    assert!(matrices(1) == cs.to_matrices().unwrap());
}

/// Every witness variable must appear in some constraint: changing any one of them, alone, has to break the system. Sampled,
/// as there are thousands.
#[test]
fn no_witness_variable_is_free() {
    let cs = synthesise(honest());
    cs.finalize();
    let matrices = cs.to_matrices().unwrap();
    let instances = cs.num_instance_variables();
    let mut constrained = vec![false; cs.num_witness_variables()];
    for (_, column) in matrices.values().flatten().flatten().flatten() {
        if *column >= instances {
            constrained[*column - instances] = true;
        }
    }
    assert!(constrained.iter().all(|seen| *seen));

    let honest_values = cs.witness_assignment().unwrap().to_vec();
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    for position in (0..honest_values.len()).step_by(97) {
        let mut values = honest_values.clone();
        values[position] += Fr::rand(&mut rng);
        assert!(
            !holds(&matrices["R1CS"], &cs.instance_assignment().unwrap(), &values),
            "variable {position}"
        );
    }
    assert!(holds(&matrices["R1CS"], &cs.instance_assignment().unwrap(), &honest_values));
}

fn holds(matrices: &[Vec<Vec<(Fr, usize)>>], instance: &[Fr], witness: &[Fr]) -> bool {
    let value =
        |column: usize| instance.get(column).copied().unwrap_or_else(|| witness[column - instance.len()]);
    let dot = |row: &[(Fr, usize)]| row.iter().fold(Fr::ZERO, |sum, (c, column)| sum + *c * value(*column));
    let [a, b, c] = matrices else { panic!("R1CS has three matrices") };
    (0..a.len()).all(|row| dot(&a[row]) * dot(&b[row]) == dot(&c[row]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn native_execution_and_circuit_agree(
        balances in any::<[u64; 2]>(),
        amount in any::<u64>(),
        nonce in any::<u32>(),
        nonce_offset in 0u32..2,
        oneself in any::<bool>(),
        modest in any::<bool>(),
    ) {
        // Halved values make acceptance likely, raw ones reach every end of the ranges.
        let [a, b] = if modest { balances.map(|balance| balance / 2) } else { balances };
        let amount = if modest { amount % (a / 2 + 1) } else { amount };
        let accounts = BTreeMap::from([account(ALICE, a, nonce), account(BOB, b, 0)]);
        let receiver = if oneself { ALICE } else { BOB };
        let transfer =
            Transfer::sign(&key(ALICE), ROLLUP, ALICE, receiver, amount, nonce.wrapping_sub(nonce_offset));
        let mut native = State::new(ROLLUP, accounts.clone());
        let accepted = native.apply(&Batch { transfers: vec![transfer] }).is_ok();
        let mut circuit = honest();
        circuit.steps[0].transfer = transfer;
        let circuit = consistent(circuit, &accounts);
        if accepted {
            prop_assert_eq!(crate::word::to_word(&circuit.new_root), native.root());
        }
        prop_assert_eq!(satisfied(circuit), accepted);
    }

    #[test]
    fn demo_batches_satisfy(seed in any::<u64>()) {
        let demo = Demo::new(seed);
        let task = Task::new(demo.state(), &demo.batch(CircuitKind::Transfers2.batch_size(), seed)).unwrap();
        prop_assert!(satisfied(task.circuit()));
    }
}
