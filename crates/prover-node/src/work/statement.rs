//! What a bid published, and whether it can be proved.

use circuits::{
    CircuitId, CircuitKind, PUBLIC_INPUTS, Proof, ProveError, Task, TaskError, UnknownCircuit, Word,
};
use rand::rngs::OsRng;
use thiserror::Error;

use super::KeyRing;

/// What a bid put on chain about its task: everything that a prover gets to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The circuit.
    pub circuit: CircuitId,
    /// The public inputs.
    pub public_inputs: Vec<Word>,
    /// The data to build the witness from.
    pub data: Vec<u8>,
}

impl Published {
    /// Reads the task and executes it natively, which shows whether a proof of the bid's statement exists. Takes milliseconds,
    /// and never panics, whatever was published.
    ///
    /// # Errors
    /// If no proof can be made here, and why.
    pub fn examine(&self, keys: &KeyRing) -> Result<Task, Unprovable> {
        let kind = CircuitKind::from_id(self.circuit)?;
        if keys.pair(kind).is_none() {
            return Err(Unprovable::NoKey(kind));
        }
        let task = Task::decode(&self.data)?;
        task.matches(kind, &self.public_inputs)?;
        Ok(task)
    }
}

impl KeyRing {
    /// Proves a task on the threads of the current rayon pool, and verifies the proof before anybody pays gas for it.
    ///
    /// # Errors
    /// If the key is missing or the proof does not verify, neither of which happens to a task that was examined.
    pub fn prove(&self, task: &Task) -> Result<Proof, ProofError> {
        let kind = task.kind();
        let pair = self.pair(kind).ok_or(ProofError::NoKey(kind))?;
        let proof = circuits::prove(&pair.proving, task, &mut OsRng)?;
        if self.is_proof(task, &proof) { Ok(proof) } else { Err(ProofError::Invalid(kind)) }
    }

    /// Whether it proves the task.
    #[must_use]
    pub fn is_proof(&self, task: &Task, proof: &Proof) -> bool {
        let inputs: [Word; PUBLIC_INPUTS] = task.public_inputs();
        self.pair(task.kind()).is_some_and(|pair| circuits::verify(&pair.verifying, &inputs, proof))
    }
}

/// Why a task is not worth any work. A requester's mistake or malice, or a circuit that this node does not serve.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unprovable {
    /// This build has no such circuit.
    #[error(transparent)]
    UnknownCircuit(#[from] UnknownCircuit),
    /// The verifier's key of the circuit is another than this node's, or it has none.
    #[error("there is no key for {0} that the market's verifier accepts")]
    NoKey(CircuitKind),
    /// The data is no task, cannot be executed, or proves another statement.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// What was published for the bid's entry has nothing for this bid.
    #[error(
        "nothing was published for it that is of its size, nor ever can be: its bid is bound to what was published"
    )]
    NoStatement,
    /// The check itself failed.
    #[error("examining the published data panicked; report this as a bug")]
    Panicked,
}

/// Why proving failed.
#[derive(Debug, Error)]
pub enum ProofError {
    /// No key for the circuit.
    #[error("there is no key for {0}")]
    NoKey(CircuitKind),
    /// The prover failed.
    #[error(transparent)]
    Prove(#[from] ProveError),
    /// The proof came out wrong: the key or this machine is damaged.
    #[error("the proof for {0} does not verify; delete the key file and check the machine")]
    Invalid(CircuitKind),
    /// The machines that prove cannot be reached, or do not answer.
    #[cfg(feature = "queue")]
    #[error(transparent)]
    Queue(#[from] super::QueueError),
}

#[cfg(test)]
mod tests {
    use circuits::rollup::Demo;

    use super::*;
    use crate::work::OnChainCircuit;

    fn keys() -> KeyRing {
        let directory = tempfile::tempdir().unwrap();
        let circuit = OnChainCircuit { id: CircuitKind::Transfers1.id(), verifying_key: None };
        KeyRing::load(directory.path(), &[circuit]).unwrap()
    }

    fn published(transfers: usize) -> Published {
        let demo = Demo::new(1);
        let task = Task::new(demo.state(), &demo.batch(transfers, 2)).unwrap();
        let circuit = task.kind().id();
        Published { circuit, public_inputs: task.public_inputs().to_vec(), data: task.encode() }
    }

    #[test]
    fn what_is_published_with_a_bid_is_enough_to_prove_it() {
        let keys = keys();
        let task = published(1).examine(&keys).unwrap();
        assert!(keys.prove(&task).is_ok());
    }

    #[test]
    fn what_cannot_be_proved_is_refused_before_proving() {
        let keys = keys();
        let unknown = Published { circuit: CircuitId::of(99, 7), ..published(1) };
        assert_eq!(
            unknown.examine(&keys).unwrap_err(),
            Unprovable::UnknownCircuit(UnknownCircuit(CircuitId::of(99, 7)))
        );
        let no_key = published(2).examine(&keys).unwrap_err();
        assert_eq!(no_key, Unprovable::NoKey(CircuitKind::Transfers2));
        let mut garbage = published(1);
        garbage.data = vec![0xff; 64];
        assert!(matches!(garbage.examine(&keys), Err(Unprovable::Task(TaskError::Version(0xff)))));
        let mut false_statement = published(1);
        false_statement.public_inputs.swap(0, 1);
        assert_eq!(false_statement.examine(&keys).unwrap_err(), Unprovable::Task(TaskError::WrongStatement));
        let mut too_few = published(1);
        too_few.public_inputs.pop();
        assert!(too_few.examine(&keys).is_err());
    }
}
