//! What the contract commits to: bids as words in a running hash, sealed bids and asks, assignments as leaves of a Merkle
//! tree.
//!
//! Pure, and the same bytes as `contracts/types/BidWord.sol`, `BidChain.sol`, `Sealed.sol` and
//! `clearing/AssignmentTree.sol`.

use crate::MarketId;
use alloy::primitives::{Address, B256, U256, keccak256};
use market_types::{AskIndex, BidIndex, CircuitId, OutOfRange, RoundNumber, TaskSize, UnitCost, UnitFee};

/// Binds a bid to its requester, its statement and the data published with it: 160 bits of a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket(U256);

impl Ticket {
    /// The low 160 bits of `hash`.
    #[must_use]
    pub fn truncated(hash: B256) -> Self {
        Self(U256::from_be_bytes(hash.0) & mask(160))
    }

    /// The ticket as a number below 2^160.
    #[must_use]
    pub const fn get(self) -> U256 {
        self.0
    }
}

/// The ticket of a bid for the statement (`circuit`, `public_inputs`) with `data` for the prover.
#[must_use]
pub fn ticket(requester: Address, circuit: CircuitId, public_inputs: &[U256], data: &[u8]) -> Ticket {
    ticket_of_hashes(requester, circuit, inputs_hash(public_inputs), keccak256(data))
}

/// [`ticket`] of contents that are known by their hashes: [`inputs_hash`], and keccak256 of the data.
#[must_use]
pub fn ticket_of_hashes(
    requester: Address,
    circuit: CircuitId,
    inputs_hash: B256,
    data_hash: B256,
) -> Ticket {
    let who: U256 = (U256::from_be_bytes(requester.into_word().0) << 64) | U256::from(circuit.get());
    Ticket::truncated(hash_words(&[who.into(), inputs_hash, data_hash]))
}

/// keccak256 of the public inputs, 32 bytes each.
#[must_use]
pub fn inputs_hash(public_inputs: &[U256]) -> B256 {
    let words: Vec<B256> = public_inputs.iter().map(|&input| input.into()).collect();
    hash_words(&words)
}

/// One bid as the settlement sees it: `unit fee (64) | task size (32) | ticket (160)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BidWord(B256);

impl BidWord {
    /// Packs a bid.
    #[must_use]
    pub fn new(fee: UnitFee, size: TaskSize, ticket: Ticket) -> Self {
        let word: U256 = (U256::from(fee.get()) << 192) | (U256::from(size.get()) << 160) | ticket.get();
        Self(word.into())
    }

    /// The bid's unit fee, in ticks per unit.
    #[must_use]
    pub fn fee(self) -> UnitFee {
        UnitFee::from_u64(low64(self.value() >> 192)).unwrap_or(UnitFee::MIN)
    }

    /// The size of its task, in units.
    #[must_use]
    pub fn size(self) -> TaskSize {
        TaskSize::from_u64(low64(self.value() >> 160) & u64::from(u32::MAX)).unwrap_or(TaskSize::MIN)
    }

    /// What binds it to its contents.
    #[must_use]
    pub fn ticket(self) -> Ticket {
        Ticket::truncated(self.0)
    }

    /// The word as on the wire.
    #[must_use]
    pub const fn get(self) -> B256 {
        self.0
    }

    const fn value(self) -> U256 {
        U256::from_be_bytes(self.0.0)
    }
}

impl TryFrom<B256> for BidWord {
    type Error = OutOfRange;

    /// A word read from elsewhere; one without fee or size is no bid.
    fn try_from(word: B256) -> Result<Self, Self::Error> {
        let parsed = Self(word);
        UnitFee::from_u64(low64(parsed.value() >> 192))?;
        TaskSize::from_u64(low64(parsed.value() >> 160) & u64::from(u32::MAX))?;
        Ok(parsed)
    }
}

impl From<BidWord> for B256 {
    fn from(word: BidWord) -> Self {
        word.0
    }
}

/// All bids of a round so far: `running hash (224) | number of bids (32)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BidChain(U256);

impl BidChain {
    /// The chain before its first bid.
    #[must_use]
    pub fn seed(chain_id: u64, contract: Address, market: MarketId, round: RoundNumber) -> Self {
        let hash = hash_words(&[
            U256::from(chain_id).into(),
            contract.into_word(),
            market.get(),
            U256::from(round.get()).into(),
        ]);
        Self(U256::from_be_bytes(hash.0) & !mask(32))
    }

    /// The chain of a whole round. The contract stores zero for a round without bids, and so is this.
    #[must_use]
    pub fn of(
        chain_id: u64,
        contract: Address,
        market: MarketId,
        round: RoundNumber,
        words: &[BidWord],
    ) -> Self {
        if words.is_empty() {
            return Self(U256::ZERO);
        }
        let mut chain = Self::seed(chain_id, contract, market, round);
        for word in words {
            chain.absorb(*word);
        }
        chain
    }

    /// Appends a bid. A chain holds less than 2^32 bids (the contract takes far fewer).
    pub fn absorb(&mut self, word: BidWord) {
        let count = (self.0 & mask(32)).wrapping_add(U256::ONE);
        let hash = hash_words(&[(self.0 & !mask(32)).into(), word.get()]);
        self.0 = (U256::from_be_bytes(hash.0) & !mask(32)) | count;
    }

    /// A chain as the contract stores it.
    #[must_use]
    pub const fn stored(value: U256) -> Self {
        Self(value)
    }

    /// The chain as the contract stores it.
    #[must_use]
    pub const fn value(self) -> U256 {
        self.0
    }

    /// Number of bids.
    #[must_use]
    pub fn count(self) -> u64 {
        low64(self.0 & mask(32))
    }
}

/// The commitment to a bid in the round of `seed`. The word holds its requester, so that nobody else can open a copy.
#[must_use]
pub fn bid_commitment(seed: BidChain, word: BidWord, salt: B256) -> B256 {
    hash_words(&[seed.value().into(), word.get(), salt])
}

/// The commitment of a prover's seat to a unit cost in the round of `seed`.
#[must_use]
pub fn ask_commitment(seed: BidChain, prover: Address, seat: AskIndex, cost: UnitCost, salt: B256) -> B256 {
    let who: U256 = (U256::from_be_bytes(prover.into_word().0) << 64) | U256::from(cost.get());
    hash_words(&[seed.value().into(), who.into(), U256::from(seat.get()).into(), salt])
}

/// Leaf of the assignment tree: the bid `word` at `index` is proved by `seat`.
#[must_use]
pub fn assignment_leaf(word: BidWord, index: BidIndex, seat: AskIndex) -> B256 {
    hash_words(&[word.get(), U256::from(index.get()).into(), U256::from(seat.get()).into()])
}

/// The Merkle tree over a round's assignments. Pairs are hashed in ascending order, an odd node moves up as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssignmentTree {
    /// From the leaves up; every level above has half as many nodes, and the last one the root.
    levels: Vec<Vec<B256>>,
}

impl AssignmentTree {
    /// A tree over `leaves` in order of submission of the winning bids.
    #[must_use]
    pub fn new(leaves: Vec<B256>) -> Self {
        let mut levels = vec![leaves];
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            let level = below.chunks(2).map(|pair| pair.iter().copied().reduce(node).unwrap_or_default());
            let level = level.collect();
            levels.push(level);
        }
        Self { levels }
    }

    /// The root; zero without leaves, as the contract stores it.
    #[must_use]
    pub fn root(&self) -> B256 {
        self.levels.last().and_then(|level| level.first()).copied().unwrap_or_default()
    }

    /// Number of leaves.
    #[must_use]
    pub fn len(&self) -> usize {
        self.levels.first().map_or(0, Vec::len)
    }

    /// Whether there is no leaf: a round without a trade.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The Merkle proof of leaf `position`, `None` if there is no such leaf.
    #[must_use]
    pub fn path(&self, position: usize) -> Option<Vec<B256>> {
        if position >= self.len() {
            return None;
        }
        let siblings = self.levels.iter().enumerate().map(|(height, level)| {
            let at = position.checked_shr(u32::try_from(height).ok()?)?;
            level.get(at ^ 1).copied()
        });
        // An odd node has no sibling and adds nothing to the proof; the root has none either.
        Some(siblings.flatten().collect())
    }
}

/// The node above two: they are hashed in ascending order.
pub(crate) fn node(a: B256, b: B256) -> B256 {
    if a < b { hash_words(&[a, b]) } else { hash_words(&[b, a]) }
}

fn hash_words(words: &[B256]) -> B256 {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.0).collect();
    keccak256(bytes)
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
    use alloy::primitives::{address, b256};
    use proptest::prelude::*;

    const WHO: Address = address!("0x00000000000000000000000000000000000000aa");

    fn word(fee: u64, size: u32) -> BidWord {
        let circuit = CircuitId::of(0, size);
        BidWord::new(UnitFee::new(fee).unwrap(), TaskSize::new(size).unwrap(), ticket(WHO, circuit, &[], &[]))
    }

    #[test]
    fn a_word_gives_back_what_was_packed_at_the_ends_of_every_range() {
        for (fee, size) in [(1, 1), (u64::MAX, u32::MAX), (1, u32::MAX), (u64::MAX, 1)] {
            let packed = word(fee, size);
            assert_eq!((packed.fee().get(), packed.size().get()), (fee, size));
            assert_eq!(BidWord::try_from(packed.get()), Ok(packed));
        }
    }

    #[test]
    fn a_word_without_fee_or_size_is_no_bid() {
        assert!(BidWord::try_from(B256::ZERO).is_err());
        assert!(BidWord::try_from(B256::from(U256::ONE << 192)).is_err());
        assert!(BidWord::try_from(B256::from(U256::ONE << 160)).is_err());
    }

    #[test]
    fn a_ticket_changes_with_each_of_its_parts() {
        let circuit = CircuitId::of(1, 5);
        let other = CircuitId::of(2, 5);
        let inputs = [U256::from(7)];
        let all = [
            ticket(WHO, circuit, &inputs, b"data"),
            ticket(Address::ZERO, circuit, &inputs, b"data"),
            ticket(WHO, other, &inputs, b"data"),
            ticket(WHO, circuit, &[], b"data"),
            ticket(WHO, circuit, &inputs, b""),
        ];
        for (i, a) in all.iter().enumerate() {
            assert!(all.iter().skip(i + 1).all(|b| a != b), "{i}");
        }
    }

    #[test]
    fn a_commitment_changes_with_each_of_its_parts() {
        let seed = |round| BidChain::seed(1, WHO, MarketId::from(B256::ZERO), RoundNumber::new(round));
        let salt = B256::repeat_byte;
        let bids = [
            bid_commitment(seed(0), word(5, 1), salt(1)),
            bid_commitment(seed(1), word(5, 1), salt(1)),
            bid_commitment(seed(0), word(6, 1), salt(1)),
            bid_commitment(seed(0), word(5, 1), salt(2)),
        ];
        let ask = |round, who, seat, cost, with| {
            ask_commitment(seed(round), who, AskIndex::new(seat), UnitCost::new(cost), salt(with))
        };
        let asks = [
            ask(0, WHO, 0, 5, 1),
            ask(1, WHO, 0, 5, 1),
            ask(0, Address::ZERO, 0, 5, 1),
            ask(0, WHO, 1, 5, 1),
            ask(0, WHO, 0, 6, 1),
            ask(0, WHO, 0, 5, 2),
        ];
        let all: Vec<B256> = bids.into_iter().chain(asks).collect();
        for (i, a) in all.iter().enumerate() {
            assert!(all.iter().skip(i + 1).all(|b| a != b), "{i}");
        }
    }

    #[test]
    fn the_seed_binds_chain_contract_market_and_round() {
        let market =
            MarketId::from(b256!("0x1111111111111111111111111111111100000000000000003c00000000000004"));
        let other = MarketId::from(B256::repeat_byte(2));
        let seed = |chain, contract, market, round| {
            BidChain::seed(chain, contract, market, RoundNumber::new(round)).value()
        };
        let all = [
            seed(1, WHO, market, 0),
            seed(2, WHO, market, 0),
            seed(1, Address::ZERO, market, 0),
            seed(1, WHO, other, 0),
            seed(1, WHO, market, 1),
        ];
        for (i, a) in all.iter().enumerate() {
            assert!(all.iter().skip(i + 1).all(|b| a != b), "{i}");
        }
        assert!(all.iter().all(|value| *value & U256::from(u32::MAX) == U256::ZERO));
    }

    #[test]
    fn a_round_without_bids_has_no_chain() {
        let chain = BidChain::of(1, WHO, MarketId::from(B256::ZERO), RoundNumber::new(0), &[]);
        assert_eq!(chain.value(), U256::ZERO);
    }

    #[test]
    fn the_chain_counts_and_depends_on_the_order() {
        let of =
            |words: &[BidWord]| BidChain::of(1, WHO, MarketId::from(B256::ZERO), RoundNumber::new(0), words);
        let (a, b) = (word(5, 1), word(6, 1));
        assert_eq!(of(&[a, b]).count(), 2);
        assert_ne!(of(&[a, b]), of(&[b, a]));
    }

    #[test]
    fn no_leaf_has_no_root_and_one_leaf_is_its_own() {
        assert_eq!(AssignmentTree::new(vec![]).root(), B256::ZERO);
        let leaf = B256::repeat_byte(3);
        let tree = AssignmentTree::new(vec![leaf]);
        assert_eq!((tree.root(), tree.path(0)), (leaf, Some(vec![])));
        assert_eq!(tree.path(1), None);
    }

    proptest! {
        /// The check of the contract (solady's `MerkleProofLib`): hash the path up and compare with the root.
        #[test]
        fn every_path_leads_to_the_root(seeds in prop::collection::vec(any::<u64>(), 1..70)) {
            let leaves: Vec<B256> = seeds.iter().enumerate()
                .map(|(i, seed)| hash_words(&[U256::from(*seed).into(), U256::from(i).into()]))
                .collect();
            let tree = AssignmentTree::new(leaves.clone());
            for (position, leaf) in leaves.iter().enumerate() {
                let path = tree.path(position).unwrap();
                prop_assert!(path.len() <= 7);
                prop_assert_eq!(path.into_iter().fold(*leaf, node), tree.root());
            }
        }
    }
}
