//! Keys and proofs: every size proves and verifies, the cache heals itself.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::{
    fs,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use circuits::{
    CircuitKind, Proof, ProveError, Task, Word,
    keys::{DevProvingKey, KeyEvent, KeyStore},
    prove,
    rollup::Demo,
    verify,
};
use rand::{SeedableRng, rngs::OsRng};
use rand_chacha::ChaCha20Rng;
use serde_json::Value;
use tracing::{Event, Metadata, Subscriber, span};

const SMALLEST: CircuitKind = CircuitKind::Transfers1;

fn task(kind: CircuitKind, seed: u64) -> Task {
    let demo = Demo::new(seed);
    Task::decode(&Task::new(demo.state(), &demo.batch(kind.batch_size(), seed)).unwrap().encode()).unwrap()
}

/// Keys are made once per run of this file.
fn generate(kind: CircuitKind) -> &'static DevProvingKey {
    static KEYS: [OnceLock<DevProvingKey>; 3] = [const { OnceLock::new() }; 3];
    let made = || DevProvingKey::generate(kind).unwrap();
    KEYS[kind.index() as usize].get_or_init(made)
}

fn load(store: &KeyStore) -> (DevProvingKey, Vec<KeyEvent>) {
    let mut events = Vec::new();
    let key = store.load(SMALLEST, &mut |event| events.push(event)).unwrap();
    (key, events)
}

fn fixture() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/groth16.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn words(list: &Value) -> Vec<Word> {
    let word = |text: &str| {
        let digits = text.strip_prefix("0x").unwrap();
        std::array::from_fn(|i| u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).unwrap())
    };
    list.as_array().unwrap().iter().map(|text| word(text.as_str().unwrap())).collect()
}

#[test]
fn every_size_proves_and_verifies_from_bytes_alone() {
    for kind in CircuitKind::ALL {
        let key = generate(kind);
        let vk = key.verifying_key();
        let (first, second) = (task(kind, 1), task(kind, 2));
        let proof = prove(key, &first, &mut OsRng).unwrap();
        assert!(verify(&vk, &first.public_inputs(), &proof), "{kind}");
        assert!(!verify(&vk, &second.public_inputs(), &proof), "{kind}");
        assert_eq!(Proof::from_words(&proof.to_words()), Some(proof), "{kind}");
    }
}

#[test]
fn proof_of_other_roots_or_another_circuit_is_refused() {
    let key = generate(SMALLEST);
    let (vk, task) = (key.verifying_key(), task(SMALLEST, 1));
    let proof = prove(key, &task, &mut OsRng).unwrap();
    let [old, new] = task.public_inputs();
    assert!(!verify(&vk, &[new, old], &proof));
    assert!(!verify(&vk, &[old, old], &proof));
    assert!(!verify(&vk, &[[0xff; 32], new], &proof), "an input above the modulus");

    let mut words = proof.to_words();
    words[0][31] ^= 1;
    assert_eq!(Proof::from_words(&words), None, "a point off the curve");
    let mut swapped = proof.to_words();
    swapped.swap(2, 3);
    assert_eq!(Proof::from_words(&swapped), None, "coefficients of Fq2 in the wrong order");
}

#[test]
fn public_input_plus_modulus_does_not_verify() {
    let key = generate(SMALLEST);
    let task = task(SMALLEST, 1);
    let proof = prove(key, &task, &mut OsRng).unwrap();
    let modulus: [u64; 4] = [0x30644e72e131a029, 0xb85045b68181585d, 0x2833e84879b97091, 0x43e1f593f0000001];
    let mut inputs = task.public_inputs();
    let mut carry = false;
    for (limb, part) in modulus.iter().enumerate().rev() {
        let bytes = &mut inputs[0][8 * limb..8 * limb + 8];
        let value = u64::from_be_bytes(bytes.try_into().unwrap());
        let (sum, over) = value.overflowing_add(*part);
        let (sum, over_again) = sum.overflowing_add(u64::from(carry));
        bytes.copy_from_slice(&sum.to_be_bytes());
        carry = over || over_again;
    }
    assert!(!carry, "the alias fits a word, so only the range check can refuse it");
    assert!(!verify(&key.verifying_key(), &inputs, &proof));
}

#[test]
fn rerandomised_proof_has_other_bytes_and_verifies() {
    let key = generate(SMALLEST);
    let (vk, task) = (key.verifying_key(), task(SMALLEST, 1));
    let proof = prove(key, &task, &mut OsRng).unwrap();
    let other = proof.rerandomised(&vk, &mut OsRng);
    assert_ne!(proof.to_words(), other.to_words());
    assert!(verify(&vk, &task.public_inputs(), &other));
}

#[test]
fn key_of_another_circuit_is_refused() {
    let error = prove(generate(SMALLEST), &task(CircuitKind::Transfers2, 1), &mut OsRng).unwrap_err();
    assert!(matches!(error, ProveError::WrongKey { key: SMALLEST, task: CircuitKind::Transfers2 }));
}

#[test]
fn second_load_comes_from_disk_and_is_the_same_key() {
    let dir = tempfile::tempdir().unwrap();
    let store = KeyStore::open(dir.path().join("made/on/demand")).unwrap();
    let (made, events) = load(&store);
    let expected = [KeyEvent::Generating(SMALLEST, "no readable key on disk"), KeyEvent::Generated(SMALLEST)];
    assert_eq!(events, expected);
    let (read, events) = load(&store);
    assert_eq!(events, [KeyEvent::Cached(SMALLEST)]);
    assert_eq!(read.verifying_key(), made.verifying_key());
    let task = task(SMALLEST, 3);
    let proof = prove(&read, &task, &mut OsRng).unwrap();
    assert!(verify(&made.verifying_key(), &task.public_inputs(), &proof));
    assert!(fs::read(store.path(SMALLEST)).unwrap().starts_with(b"INSECURE DEVELOPMENT KEY"));
}

#[test]
fn damaged_key_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = KeyStore::open(dir.path()).unwrap();
    let (made, _) = load(&store);
    let path = store.path(SMALLEST);
    let good = fs::read(&path).unwrap();
    let header = good.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let flipped = |position: usize| {
        let mut bytes = good.clone();
        bytes[position] ^= 1;
        bytes
    };
    let cases = [
        (flipped(good.len() / 2), "the key on disk is damaged"),
        (good[..good.len() - 1].to_vec(), "the key on disk is damaged"),
        (good[..header + 40].to_vec(), "the key on disk is cut short"),
        (flipped(header), "the circuit has changed"),
        (flipped(0), "the key on disk is of another format"),
        (Vec::new(), "the key on disk is of another format"),
    ];
    for (bytes, reason) in cases {
        fs::write(&path, bytes).unwrap();
        let (healed, events) = load(&store);
        assert_eq!(events, [KeyEvent::Generating(SMALLEST, reason), KeyEvent::Generated(SMALLEST)]);
        assert_eq!(healed.verifying_key(), made.verifying_key());
        assert_eq!(fs::read(&path).unwrap(), good);
    }
}

#[test]
fn two_loads_at_once_make_the_key_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = KeyStore::open(dir.path()).unwrap();
    let handles: Vec<_> = (0..2)
        .map(|_| {
            let store = store.clone();
            thread::spawn(move || load(&store).1)
        })
        .collect();
    let events: Vec<_> = handles.into_iter().flat_map(|handle| handle.join().unwrap()).collect();
    assert_eq!(events.iter().filter(|event| **event == KeyEvent::Generated(SMALLEST)).count(), 1);
    assert_eq!(events.iter().filter(|event| **event == KeyEvent::Cached(SMALLEST)).count(), 1);
}

#[test]
fn verifying_keys_and_proofs_are_those_of_the_committed_fixture() {
    let fixture = fixture();
    let circuits = fixture.as_array().unwrap();
    assert_eq!(circuits.len(), CircuitKind::ALL.len());
    for (kind, entry) in CircuitKind::ALL.into_iter().zip(circuits) {
        let vk = generate(kind).verifying_key();
        assert_eq!(words(&entry["vk"]), vk.to_words(), "{kind}: run the example export_fixture again");
        assert_eq!(entry["id"].as_u64(), Some(kind.id().get()));
        assert_eq!(entry["constraints"].as_u64(), Some(kind.constraints()));
        let proofs = entry["proofs"].as_array().unwrap();
        assert!(proofs.len() >= 2);
        for proof in proofs {
            let inputs: [Word; 2] = words(&proof["public_inputs"]).try_into().unwrap();
            let proof = Proof::from_words(&words(&proof["proof"]).try_into().unwrap()).unwrap();
            assert!(verify(&vk, &inputs, &proof), "{kind}");
        }
    }
}

/// Counts what a log would get to hear.
#[derive(Clone, Default)]
struct Listener(Arc<AtomicUsize>);

impl Listener {
    fn heard(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Subscriber for Listener {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        self.0.fetch_add(1, Ordering::SeqCst);
        span::Id::from_u64(1)
    }

    fn event(&self, _: &Event<'_>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// Formatting what arkworks tells a log would take many times longer than the proof.
#[test]
fn a_log_hears_nothing_of_keys_and_proofs_on_any_thread() {
    let listener = Listener::default();
    tracing::subscriber::set_global_default(listener.clone()).unwrap();
    tracing::info!("listening");
    let key = DevProvingKey::generate(SMALLEST).unwrap();
    let task = task(SMALLEST, 4);
    let proof = prove(&key, &task, &mut OsRng).unwrap();
    assert!(verify(&key.verifying_key(), &task.public_inputs(), &proof));
    assert_eq!(listener.heard(), 1);
}

#[test]
fn equal_randomness_gives_equal_proofs() {
    let (key, task) = (generate(SMALLEST), task(SMALLEST, 1));
    let proof = || prove(key, &task, &mut ChaCha20Rng::seed_from_u64(1)).unwrap();
    assert_eq!(proof(), proof());
}
