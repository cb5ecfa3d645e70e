//! What the contract commits to: entries as words in a running hash, their statements, sealed bids and asks, and assignments as
//! leaves of a Merkle tree.
//!
//! | module | what is in it | contract |
//! |---|---|---|
//! | `word` | [`BidWord`] of an entry, and its [`Ticket`] | `types/BidWord.sol` |
//! | `running_hash` | [`BidChain`] | `types/BidChain.sol` |
//! | `tree` | [`MerkleTree`], [`assignment_leaf`] | `clearing/AssignmentTree.sol`, `types/Task.sol` |
//! | this one | [`statement_leaf`], [`bid_commitment`], [`ask_commitment`] | `types/Statement.sol`, `types/Sealed.sol` |
//!
//! Pure, and the same bytes as in the contract.

mod running_hash;
mod tree;
mod word;

pub use running_hash::BidChain;
pub use tree::{MerkleTree, assignment_leaf};
pub use word::{BidWord, Ticket};

use alloy::primitives::{Address, B256, Keccak256, U256};
use market_types::{AskIndex, CircuitId, UnitCost};

/// Leaf of an entry's statement tree: what its bid number `position` asks a proof of. `inputs` is the [`inputs_hash`] and `data` the
/// keccak256 of what is published for the prover.
#[must_use]
pub fn statement_leaf(circuit: CircuitId, position: u64, inputs: B256, data: B256) -> B256 {
    let what: U256 = (U256::from(position) << 64) | U256::from(circuit.get());
    hash_words(&[what.into(), inputs, data])
}

/// keccak256 of the public inputs, 32 bytes each.
#[must_use]
pub fn inputs_hash(public_inputs: &[U256]) -> B256 {
    let words: Vec<B256> = public_inputs.iter().map(|&input| input.into()).collect();
    hash_words(&words)
}

/// The commitment of `requester` to a bid in the round of `seed`.
#[must_use]
pub fn bid_commitment(seed: BidChain, requester: Address, word: BidWord, salt: B256) -> B256 {
    hash_words(&[seed.value().into(), requester.into_word(), word.get(), salt])
}

/// The commitment of a prover's seat to a unit cost in the round of `seed`.
#[must_use]
pub fn ask_commitment(seed: BidChain, prover: Address, seat: AskIndex, cost: UnitCost, salt: B256) -> B256 {
    let who: U256 = (U256::from_be_bytes(prover.into_word().0) << 64) | U256::from(cost.get());
    hash_words(&[seed.value().into(), who.into(), U256::from(seat.get()).into(), salt])
}

fn hash_words(words: &[B256]) -> B256 {
    let mut hasher = Keccak256::new();
    for word in words {
        hasher.update(word);
    }
    hasher.finalize()
}

fn mask(bits: usize) -> U256 {
    (U256::ONE << bits).wrapping_sub(U256::ONE)
}

fn low64(value: U256) -> u64 {
    value.as_limbs()[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MarketId;
    use alloy::primitives::keccak256;
    use market_types::{LotSize, RoundNumber, TaskSize, UnitFee};

    const WHO: Address = Address::repeat_byte(0xaa);

    fn all_differ(all: &[B256]) {
        for (i, a) in all.iter().enumerate() {
            assert!(all.iter().skip(i + 1).all(|b| a != b), "{i}");
        }
    }

    #[test]
    fn a_statement_changes_with_each_of_its_parts_and_its_position() {
        let (circuit, inputs, data) =
            (CircuitId::of(1, 5), inputs_hash(&[U256::from(7)]), keccak256(b"data"));
        all_differ(&[
            statement_leaf(circuit, 0, inputs, data),
            statement_leaf(CircuitId::of(2, 5), 0, inputs, data),
            statement_leaf(circuit, 1, inputs, data),
            statement_leaf(circuit, 0, inputs_hash(&[]), data),
            statement_leaf(circuit, 0, inputs, keccak256(b"")),
        ]);
        let what: U256 = (U256::from(3) << 64) | U256::from(circuit.get());
        let words = [what.into(), inputs, data];
        assert_eq!(statement_leaf(circuit, 3, inputs, data), keccak256(words.concat()));
    }

    #[test]
    fn a_commitment_changes_with_each_of_its_parts() {
        let seed = |round| BidChain::seed(1, WHO, MarketId::from(B256::ZERO), RoundNumber::new(round));
        let salt = B256::repeat_byte;
        let word = |fee| {
            let ticket = Ticket::new(WHO, B256::ZERO);
            BidWord::new(UnitFee::new(fee).unwrap(), TaskSize::MIN, LotSize::MIN, ticket)
        };
        let ask = |round, who, seat, cost, with| {
            ask_commitment(seed(round), who, AskIndex::new(seat), UnitCost::new(cost), salt(with))
        };
        all_differ(&[
            bid_commitment(seed(0), WHO, word(5), salt(1)),
            bid_commitment(seed(1), WHO, word(5), salt(1)),
            bid_commitment(seed(0), Address::ZERO, word(5), salt(1)),
            bid_commitment(seed(0), WHO, word(6), salt(1)),
            bid_commitment(seed(0), WHO, word(5), salt(2)),
            ask(0, WHO, 0, 5, 1),
            ask(1, WHO, 0, 5, 1),
            ask(0, Address::ZERO, 0, 5, 1),
            ask(0, WHO, 1, 5, 1),
            ask(0, WHO, 0, 6, 1),
            ask(0, WHO, 0, 5, 2),
        ]);
    }
}
