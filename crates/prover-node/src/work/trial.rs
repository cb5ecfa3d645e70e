//! A task of nobody's.

use circuits::{CircuitKind, Task, TaskError, rollup::Demo};
use rand::{RngCore, rngs::OsRng};

/// A task of this circuit that nobody pays for, another one each time: a queue keeps proofs, and answers at once for a task that it knows.
///
/// # Errors
/// [`TaskError`] on a bug of the circuit.
pub fn trial(kind: CircuitKind) -> Result<Task, TaskError> {
    let demo = Demo::new(OsRng.next_u64());
    Task::new(demo.state(), &demo.batch(kind.batch_size(), OsRng.next_u64()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_is_of_its_circuit_and_never_the_same() {
        for kind in CircuitKind::ALL {
            let (one, other) = (trial(kind).unwrap(), trial(kind).unwrap());
            assert_eq!((one.kind(), other.kind()), (kind, kind));
            assert_ne!(one.encode(), other.encode());
        }
    }
}
