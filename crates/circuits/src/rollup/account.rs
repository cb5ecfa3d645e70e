//! Accounts and the leaves they hash to.

use ark_bn254::Fr;

use super::power_of_two;
use crate::{poseidon, schnorr::PublicKey};

/// Bit positions of the packed part of a leaf; the balance is at 0. Shared with the circuit.
pub(crate) mod leaf_offset {
    pub(crate) const NONCE: u32 = 64;
    pub(crate) const ROLLUP: u32 = 96;
}

/// Position of an account in the tree, 0 to 255.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountIndex(u8);

impl AccountIndex {
    /// The account at leaf `index`; every value is a leaf of the tree.
    #[must_use]
    pub const fn new(index: u8) -> Self {
        Self(index)
    }

    /// The leaf's position.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl std::fmt::Display for AccountIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// Names a rollup. It is part of every leaf and of every signed message, so a signature made for one rollup is void in
/// another, even if key, index and nonce are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RollupId(u64);

impl RollupId {
    /// The rollup with number `id`.
    #[must_use]
    pub const fn new(id: u64) -> Self {
        Self(id)
    }

    /// The rollup's number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// One account of the rollup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Who may spend.
    pub key: PublicKey,
    /// Balance in the rollup's smallest denomination.
    pub balance: u64,
    /// Number of transfers sent so far; an account may send 2^32 - 1 of them.
    pub nonce: u32,
}

impl Account {
    /// `Poseidon(key.x, key.y, balance + 2^64 * nonce + 2^96 * rollup)`. All three parts are range-checked wherever a leaf is
    /// opened, so the packing is one to one.
    pub(crate) fn leaf(&self, rollup: RollupId) -> Fr {
        let low = u128::from(self.balance) | (u128::from(self.nonce) << leaf_offset::NONCE);
        let packed = Fr::from(low) + Fr::from(rollup.get()) * power_of_two(leaf_offset::ROLLUP);
        let key = self.key.point();
        poseidon::hash([key.x, key.y, packed])
    }
}
