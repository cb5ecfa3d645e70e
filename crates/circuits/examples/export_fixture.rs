//! Writes `tests/vectors/groth16.json` and `tests/vectors/groth16-batch.json` of the workspace, against which the Solidity verifier
//! is tested.
//!
//! Run from the workspace root: `cargo run -p circuits --example export_fixture`. Keys, tasks and randomness are
//! deterministic, so unchanged circuits give unchanged files. Per circuit: verifying key words and for each proof its
//! public inputs and proof words, all in the encodings of `circuits::VerifyingKey::to_words` and `circuits::Proof::to_words`.
//! `rerandomised` proofs prove the statement of the first proof with other bytes. The second file holds proofs of as many
//! statements of the first circuit as are delivered together.

use std::{error::Error, fs, path::Path};

use circuits::{
    CircuitKind, PUBLIC_INPUTS, Proof, Task, Word,
    keys::{DevProvingKey, KeyEvent, KeyStore},
    prove,
    rollup::Demo,
    verify,
};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use serde_json::{Value, json};

/// Proofs of one circuit that are verified together.
const BATCH: u64 = 32;

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let keys = KeyStore::open(root.join(KeyStore::DEFAULT_DIR))?;
    let vectors = root.join("tests/vectors");
    let mut fixture = Vec::new();
    for kind in CircuitKind::ALL {
        let key = keys.load(kind, &mut |event: KeyEvent| eprintln!("{event:?}"))?;
        fixture.push(circuit(kind, &key)?);
    }
    fs::write(vectors.join("groth16.json"), serde_json::to_string_pretty(&fixture)? + "\n")?;
    let key = keys.load(CircuitKind::Transfers1, &mut |_| ())?;
    let batch = batch(&key)?;
    fs::write(vectors.join("groth16-batch.json"), serde_json::to_string_pretty(&batch)? + "\n")?;
    eprintln!("wrote {} circuits and a batch of {BATCH} proofs", fixture.len());
    Ok(())
}

/// Proofs of other statements than those of [`circuit`].
fn batch(key: &DevProvingKey) -> Result<Value, Box<dyn Error>> {
    let kind = key.kind();
    let mut rng = ChaCha20Rng::seed_from_u64(BATCH);
    let mut proofs = Vec::new();
    for seed in (1..=BATCH).map(|number| 1000 + number) {
        let demo = Demo::new(seed);
        let task = Task::new(demo.state(), &demo.batch(kind.batch_size(), seed))?;
        let (inputs, proof) = (task.public_inputs(), prove(key, &task, &mut rng)?);
        if !verify(&key.verifying_key(), &inputs, &proof) {
            return Err("a proof of the batch does not verify".into());
        }
        proofs.push(entry(&inputs, &proof, false));
    }
    Ok(json!({ "id": kind.id().get(), "proofs": proofs }))
}

fn circuit(kind: CircuitKind, key: &DevProvingKey) -> Result<Value, Box<dyn Error>> {
    let mut rng = ChaCha20Rng::seed_from_u64(kind.id().get());
    let verifying_key = key.verifying_key();
    let mut proofs = Vec::new();
    for seed in [1, 2] {
        let demo = Demo::new(seed);
        let task = Task::new(demo.state(), &demo.batch(kind.batch_size(), seed))?;
        let proof = prove(key, &task, &mut rng)?;
        proofs.push((task.public_inputs(), proof, false));
    }
    if kind == CircuitKind::Transfers1 {
        let (inputs, proof, _) = &proofs[0];
        proofs.push((*inputs, proof.rerandomised(&verifying_key, &mut rng), true));
    }
    if !proofs.iter().all(|(inputs, proof, _)| verify(&verifying_key, inputs, proof)) {
        return Err("a proof of the fixture does not verify".into());
    }
    Ok(json!({
        "name": kind.name(),
        "id": kind.id().get(),
        "batch_size": kind.batch_size(),
        "constraints": kind.constraints(),
        "units": kind.units(),
        "public_inputs": PUBLIC_INPUTS,
        "vk": hex_words(&verifying_key.to_words()),
        "proofs": proofs.iter().map(|(inputs, proof, rerandomised)| entry(inputs, proof, *rerandomised)).collect::<Vec<_>>(),
    }))
}

fn entry(inputs: &[Word; 2], proof: &Proof, rerandomised: bool) -> Value {
    json!({
        "public_inputs": hex_words(inputs),
        "proof": hex_words(&proof.to_words()),
        "rerandomised": rerandomised,
    })
}

fn hex_words(words: &[Word]) -> Vec<String> {
    words
        .iter()
        .map(|word| word.iter().fold("0x".to_owned(), |hex, byte| format!("{hex}{byte:02x}")))
        .collect()
}
