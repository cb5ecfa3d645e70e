//! Reproducible states and batches for demonstrations, tests and key generation.

use std::collections::BTreeMap;

use rand::{Rng, SeedableRng, seq::IteratorRandom};
use rand_chacha::ChaCha20Rng;

use super::{Account, AccountIndex, Batch, KeyPair, RollupId, State, Transfer};

const ACCOUNTS: usize = 24;

/// A state together with the keys of all its accounts. Equal seeds give equal states and equal batches.
///
/// The keys follow from the seed, so whoever knows the seed can spend: demonstrations only.
#[derive(Clone, Debug)]
pub struct Demo {
    state: State,
    keys: BTreeMap<AccountIndex, KeyPair>,
}

impl Demo {
    /// 24 accounts at scattered positions with balances between 1,000 and 1,000,000.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let indices = (0..=u8::MAX).choose_multiple(&mut rng, ACCOUNTS);
        let mut keys = BTreeMap::new();
        let mut accounts = BTreeMap::new();
        for index in indices.into_iter().map(AccountIndex::new) {
            let key = KeyPair::from_seed(&rng.r#gen());
            let balance = rng.gen_range(1_000..=1_000_000);
            accounts.insert(index, Account { key: key.public(), balance, nonce: rng.gen_range(0..1_000) });
            keys.insert(index, key);
        }
        Self { state: State::new(RollupId::new(seed), accounts), keys }
    }

    /// The state that batches start from.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The key of the account at `index`.
    #[must_use]
    pub fn key(&self, index: AccountIndex) -> Option<&KeyPair> {
        self.keys.get(&index)
    }

    /// `n` valid transfers between random accounts, another batch for another `seed`.
    #[must_use]
    pub fn batch(&self, n: usize, seed: u64) -> Batch {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let mut accounts: BTreeMap<AccountIndex, Account> =
            self.state.accounts().map(|(index, account)| (index, *account)).collect();
        let mut transfers = Vec::with_capacity(n);
        while transfers.len() < n {
            let pair = self.keys.iter().choose_multiple(&mut rng, 2);
            let [(sender, key), (receiver, _)] = pair.as_slice() else { break };
            let Some(from) = accounts.get_mut(sender) else { break };
            let amount = rng.gen_range(0..=from.balance);
            transfers.push(Transfer::sign(
                key,
                self.state.rollup(),
                **sender,
                **receiver,
                amount,
                from.nonce,
            ));
            // Balances sum to less than 2^25, nonces start below 1,000: neither can overflow.
            from.balance -= amount;
            from.nonce += 1;
            if let Some(to) = accounts.get_mut(*receiver) {
                to.balance += amount;
            }
        }
        Batch { transfers }
    }

    /// Executes a batch, so that the next one continues from the new state.
    ///
    /// # Errors
    /// The first transfer that cannot be executed, and why.
    pub fn apply(&mut self, batch: &Batch) -> Result<(), super::BatchError> {
        self.state.apply(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_give_equal_batches_that_apply() {
        let (mut one, other) = (Demo::new(3), Demo::new(3));
        let batch = one.batch(4, 8);
        assert_eq!(batch, other.batch(4, 8));
        assert_ne!(batch, other.batch(4, 9));
        assert_ne!(one.state().root(), Demo::new(4).state().root());
        let before = one.state().root();
        one.apply(&batch).unwrap();
        assert_ne!(one.state().root(), before);
    }
}
