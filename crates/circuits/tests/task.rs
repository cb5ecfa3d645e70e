//! Published bytes: what a prover reads back, and what it refuses.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use circuits::{
    CircuitKind, Task, TaskError,
    rollup::{AccountIndex, Batch, BatchError, Demo, Transfer, TransferError},
};
use proptest::prelude::*;

fn task(kind: CircuitKind, seed: u64) -> Task {
    let demo = Demo::new(seed);
    Task::new(demo.state(), &demo.batch(kind.batch_size(), seed)).unwrap()
}

fn decode_error(bytes: &[u8]) -> TaskError {
    Task::decode(bytes).map(|_| ()).unwrap_err()
}

#[test]
fn bytes_alone_give_the_statement_back() {
    for kind in CircuitKind::ALL {
        let original = task(kind, 5);
        let decoded = Task::decode(&original.encode()).unwrap();
        assert_eq!(decoded.kind(), kind);
        assert_eq!(decoded.public_inputs(), original.public_inputs());
        assert_eq!(decoded.encode(), original.encode());
        assert_eq!(decoded.matches(kind, &original.public_inputs()), Ok(()));
    }
}

#[test]
fn public_inputs_are_the_roots_before_and_after() {
    let mut demo = Demo::new(6);
    let batch = demo.batch(2, 1);
    let task = Task::new(demo.state(), &batch).unwrap();
    let before = demo.state().root();
    demo.apply(&batch).unwrap();
    assert_eq!(task.public_inputs(), [before, demo.state().root()]);
}

#[test]
fn one_sender_may_pay_several_times_in_a_batch() {
    let demo = Demo::new(7);
    let mut accounts = demo.state().accounts();
    let (from, sender) = accounts.next().unwrap();
    let (to, _) = accounts.next().unwrap();
    let pay = |offset| {
        let key = demo.key(from).unwrap();
        Transfer::sign(key, demo.state().rollup(), from, to, 1, sender.nonce + offset)
    };
    let task = Task::new(demo.state(), &Batch { transfers: vec![pay(0), pay(1)] }).unwrap();
    assert_eq!(Task::decode(&task.encode()).unwrap().public_inputs(), task.public_inputs());
}

#[test]
fn encoding_stays_compact() {
    for (kind, limit) in CircuitKind::ALL.into_iter().zip([700, 1_200, 2_000]) {
        let longest = (0..20).map(|seed| task(kind, seed).encode().len()).max().unwrap();
        assert!(longest <= limit, "{kind}: {longest} bytes");
    }
}

#[test]
fn another_statement_or_circuit_is_unprovable() {
    let task = task(CircuitKind::Transfers1, 5);
    let mut inputs = task.public_inputs();
    inputs[1][31] ^= 1;
    assert_eq!(task.matches(CircuitKind::Transfers1, &inputs), Err(TaskError::WrongStatement));
    assert_eq!(task.matches(CircuitKind::Transfers1, &inputs[..1]), Err(TaskError::WrongStatement));
    let wrong =
        TaskError::WrongCircuit { wanted: CircuitKind::Transfers2, published: CircuitKind::Transfers1 };
    assert_eq!(task.matches(CircuitKind::Transfers2, &task.public_inputs()), Err(wrong));
}

#[test]
fn batches_that_cannot_be_executed_give_no_task() {
    let demo = Demo::new(8);
    let honest = demo.batch(2, 1);
    let mut forged = honest.clone();
    forged.transfers[1].signature = forged.transfers[0].signature;
    let source = TransferError::BadSignature(forged.transfers[1].sender);
    let refused = Task::new(demo.state(), &forged).map(|_| ());
    assert_eq!(refused, Err(TaskError::Batch(BatchError { position: 1, source })));

    let mut replayed = honest.clone();
    replayed.transfers[1] = replayed.transfers[0];
    let refused = Task::new(demo.state(), &replayed).map(|_| ());
    assert!(matches!(
        refused,
        Err(TaskError::Batch(BatchError { position: 1, source: TransferError::WrongNonce { .. } }))
    ));

    let nobody =
        (0..=255).map(AccountIndex::new).find(|index| demo.state().account(*index).is_none()).unwrap();
    let mut unregistered = honest.clone();
    let first = unregistered.transfers[0];
    let key = demo.key(first.sender).unwrap();
    unregistered.transfers[0] =
        Transfer::sign(key, demo.state().rollup(), first.sender, nobody, first.amount, first.nonce);
    let source = TransferError::Unregistered(nobody);
    let refused = Task::new(demo.state(), &unregistered).map(|_| ());
    assert_eq!(refused, Err(TaskError::Batch(BatchError { position: 0, source })));
}

#[test]
fn batch_of_a_size_without_circuit_gives_no_task() {
    let demo = Demo::new(8);
    for size in [0, 3, 5] {
        let refused = Task::new(demo.state(), &demo.batch(size, 1)).map(|_| ());
        assert_eq!(refused, Err(TaskError::BatchSize(size)));
    }
}

#[test]
fn every_truncation_is_refused() {
    let bytes = task(CircuitKind::Transfers2, 5).encode();
    for length in 0..bytes.len() {
        assert!(Task::decode(&bytes[..length]).is_err(), "{length} bytes");
    }
    assert_eq!(decode_error(&[]), TaskError::Truncated("version"));
    assert_eq!(decode_error(&[2]), TaskError::Version(2));
    assert_eq!(decode_error(&[1, 3]), TaskError::BatchSize(3));
}

#[test]
fn surplus_siblings_are_refused() {
    let mut bytes = task(CircuitKind::Transfers1, 5).encode();
    bytes.extend_from_slice(&[0; 32]);
    assert!(matches!(decode_error(&bytes), TaskError::SiblingCount(_)));
}

#[test]
fn accounts_out_of_order_are_refused() {
    let mut bytes = task(CircuitKind::Transfers1, 5).encode();
    let (first, second) = (11, 11 + 45);
    let record = bytes[first..second].to_vec();
    bytes.copy_within(second..second + 45, first);
    bytes[second..second + 45].copy_from_slice(&record);
    assert_eq!(decode_error(&bytes), TaskError::NotCanonical);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..1_500)) {
        prop_assert!(Task::decode(&bytes).is_err());
    }

    #[test]
    fn plausible_headers_never_panic(
        size in prop::sample::select(vec![1u8, 2, 4]),
        accounts in 0u8..9,
        tail in prop::collection::vec(any::<u8>(), 0..1_500),
    ) {
        let mut bytes = vec![1, size, 0, 0, 0, 0, 0, 0, 0, 0, accounts];
        bytes.extend_from_slice(&tail);
        prop_assert!(Task::decode(&bytes).is_err());
    }

    /// One changed byte is refused, or it gives a task with another old root (a sibling, or a bystander's balance).
    #[test]
    fn changed_byte_never_passes_for_the_same_statement(position in any::<prop::sample::Index>(), change in 1u8..) {
        let original = task(CircuitKind::Transfers1, 5);
        let mut bytes = original.encode();
        let position = position.index(bytes.len());
        bytes[position] ^= change;
        if let Ok(changed) = Task::decode(&bytes) {
            prop_assert_ne!(changed.public_inputs(), original.public_inputs());
        }
    }
}
