//! What a bid asks a proof of.

use crate::commitments::{MerkleTree, inputs_hash, statement_leaf};
use alloy::primitives::{B256, Bytes, U256, keccak256};
use bindings::ProverMarket;
use market_types::CircuitId;
use serde::{Deserialize, Serialize};

/// A statement, with what a prover needs for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// The circuit whose proof is asked for. It states the size of the task.
    pub circuit: CircuitId,
    /// The statement, besides the circuit.
    pub public_inputs: Vec<U256>,
    /// What a prover needs to build the witness.
    pub data: Bytes,
}

impl Statement {
    /// Its leaf as that of bid number `position` of an entry.
    #[must_use]
    pub fn leaf(&self, position: u64) -> B256 {
        leaf(self.circuit, position, &self.public_inputs, &self.data)
    }

    /// The statement as the contract takes it.
    #[must_use]
    pub fn to_abi(&self) -> ProverMarket::Statement {
        ProverMarket::Statement {
            circuit: self.circuit.get(),
            publicInputs: self.public_inputs.clone(),
            data: self.data.clone(),
        }
    }
}

impl From<&ProverMarket::Statement> for Statement {
    fn from(statement: &ProverMarket::Statement) -> Self {
        Self {
            circuit: CircuitId::new(statement.circuit),
            public_inputs: statement.publicInputs.clone(),
            // Shared bytes would need a count of their owners, kept as long as they are.
            data: Bytes::copy_from_slice(&statement.data),
        }
    }
}

/// The tree over the statements of one entry, in order of its bids. Its root goes into the entry's ticket.
#[must_use]
pub fn statement_tree(statements: &[Statement]) -> MerkleTree {
    MerkleTree::new((0..).zip(statements).map(|(position, statement)| statement.leaf(position)).collect())
}

/// [`statement_tree`] of statements as they are published.
pub(crate) fn published_tree(statements: &[ProverMarket::Statement]) -> MerkleTree {
    let leaves = (0..).zip(statements).map(|(position, statement)| {
        leaf(CircuitId::new(statement.circuit), position, &statement.publicInputs, &statement.data)
    });
    MerkleTree::new(leaves.collect())
}

fn leaf(circuit: CircuitId, position: u64, public_inputs: &[U256], data: &[u8]) -> B256 {
    statement_leaf(circuit, position, inputs_hash(public_inputs), keccak256(data))
}
