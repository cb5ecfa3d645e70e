//! All accounts of a rollup and the execution of transfers.

use std::collections::BTreeMap;

use ark_bn254::Fr;

use super::{Account, AccountIndex, Batch, BatchError, RollupId, Transfer, TransferError};
use crate::{
    tree::{Path, Tree},
    word::{Word, to_word},
};

/// Everything that one transfer reads, in the order in which the circuit reads it.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) transfer: Transfer,
    pub(crate) sender: Account,
    pub(crate) sender_path: Path,
    /// The receiver as it is after the sender was debited, which matters when both are one account.
    pub(crate) receiver: Account,
    pub(crate) receiver_path: Path,
}

/// Accounts with the tree over them. The tree of a task knows its touched accounts only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ledger {
    rollup: RollupId,
    accounts: BTreeMap<AccountIndex, Account>,
    tree: Tree,
}

impl Ledger {
    pub(crate) fn new(rollup: RollupId, accounts: BTreeMap<AccountIndex, Account>, tree: Tree) -> Self {
        Self { rollup, accounts, tree }
    }

    pub(crate) fn root(&self) -> Fr {
        self.tree.root()
    }

    /// Executes one transfer and reports what it read. Nothing changes on an error.
    pub(crate) fn step(&mut self, transfer: &Transfer) -> Result<Step, TransferError> {
        let (from, to) = (transfer.sender, transfer.receiver);
        let sender = self.account(from)?;
        let debited = self.debit(transfer, sender)?;
        let receiver = if to == from { debited } else { self.account(to)? };
        let balance =
            receiver.balance.checked_add(transfer.amount).ok_or(TransferError::BalanceOverflow(to))?;

        let sender_path = self.tree.path(from.get());
        self.set(from, debited);
        let receiver_path = self.tree.path(to.get());
        self.set(to, Account { balance, ..receiver });
        Ok(Step { transfer: *transfer, sender, sender_path, receiver, receiver_path })
    }

    fn debit(&self, transfer: &Transfer, sender: Account) -> Result<Account, TransferError> {
        let account = transfer.sender;
        if transfer.nonce != sender.nonce {
            return Err(TransferError::WrongNonce { account, expected: sender.nonce, given: transfer.nonce });
        }
        let nonce = sender.nonce.checked_add(1).ok_or(TransferError::NonceExhausted(account))?;
        let balance = sender.balance.checked_sub(transfer.amount).ok_or(TransferError::Overspend {
            account,
            balance: sender.balance,
            amount: transfer.amount,
        })?;
        let message = transfer.payment(self.rollup).message();
        if !sender.key.verify(message, &transfer.signature) {
            return Err(TransferError::BadSignature(account));
        }
        Ok(Account { key: sender.key, balance, nonce })
    }

    fn account(&self, index: AccountIndex) -> Result<Account, TransferError> {
        self.accounts.get(&index).copied().ok_or(TransferError::Unregistered(index))
    }

    fn set(&mut self, index: AccountIndex, account: Account) {
        self.tree.set(index.get(), account.leaf(self.rollup));
        self.accounts.insert(index, account);
    }
}

/// The complete state of a rollup: up to 256 registered accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    ledger: Ledger,
}

impl State {
    /// A state with the given accounts; every other leaf is unregistered.
    #[must_use]
    pub fn new(rollup: RollupId, accounts: BTreeMap<AccountIndex, Account>) -> Self {
        let tree = Tree::new(accounts.iter().map(|(index, account)| (index.get(), account.leaf(rollup))));
        Self { ledger: Ledger::new(rollup, accounts, tree) }
    }

    /// The rollup this is a state of.
    #[must_use]
    pub fn rollup(&self) -> RollupId {
        self.ledger.rollup
    }

    /// The state root as a contract sees it.
    #[must_use]
    pub fn root(&self) -> Word {
        to_word(&self.ledger.root())
    }

    /// The account at `index`, if one is registered there.
    #[must_use]
    pub fn account(&self, index: AccountIndex) -> Option<&Account> {
        self.ledger.accounts.get(&index)
    }

    /// Registered accounts in ascending order of their index.
    pub fn accounts(&self) -> impl Iterator<Item = (AccountIndex, &Account)> {
        self.ledger.accounts.iter().map(|(index, account)| (*index, account))
    }

    /// Executes a batch: all of it, or nothing.
    ///
    /// # Errors
    /// The first transfer that cannot be executed, and why.
    pub fn apply(&mut self, batch: &Batch) -> Result<(), BatchError> {
        let mut next = self.ledger.clone();
        for (position, transfer) in batch.transfers.iter().enumerate() {
            next.step(transfer).map_err(|source| BatchError { position, source })?;
        }
        self.ledger = next;
        Ok(())
    }

    pub(crate) fn siblings(&self, covered: impl IntoIterator<Item = AccountIndex>) -> Vec<Fr> {
        self.ledger.tree.siblings(covered.into_iter().map(AccountIndex::get))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollup::KeyPair;

    const ALICE: AccountIndex = AccountIndex::new(0);
    const BOB: AccountIndex = AccountIndex::new(200);
    const ROLLUP: RollupId = RollupId::new(9);

    fn key(index: AccountIndex) -> KeyPair {
        KeyPair::from_seed(&[index.get(); 32])
    }

    fn state() -> State {
        let account = |index, balance| (index, Account { key: key(index).public(), balance, nonce: 0 });
        State::new(ROLLUP, BTreeMap::from([account(ALICE, 100), account(BOB, u64::MAX - 10)]))
    }

    fn apply(transfers: &[Transfer]) -> Result<State, BatchError> {
        let mut state = state();
        state.apply(&Batch { transfers: transfers.to_vec() }).map(|()| state)
    }

    fn pay(amount: u64, nonce: u32) -> Transfer {
        Transfer::sign(&key(ALICE), ROLLUP, ALICE, BOB, amount, nonce)
    }

    #[test]
    fn transfer_moves_the_amount_and_consumes_the_nonce() {
        let state = apply(&[pay(10, 0)]).unwrap();
        assert_eq!(state.account(ALICE).map(|a| (a.balance, a.nonce)), Some((90, 1)));
        assert_eq!(state.account(BOB).map(|a| (a.balance, a.nonce)), Some((u64::MAX, 0)));
    }

    #[test]
    fn transfer_to_oneself_keeps_the_balance_and_consumes_the_nonce() {
        let state = apply(&[Transfer::sign(&key(ALICE), ROLLUP, ALICE, ALICE, 100, 0)]).unwrap();
        assert_eq!(state.account(ALICE).map(|a| (a.balance, a.nonce)), Some((100, 1)));
    }

    #[test]
    fn refused_batch_names_the_transfer_and_changes_nothing() {
        let mut changed = state();
        let batch = Batch { transfers: vec![pay(1, 0), pay(1, 0)] };
        let source = TransferError::WrongNonce { account: ALICE, expected: 1, given: 0 };
        assert_eq!(changed.apply(&batch), Err(BatchError { position: 1, source }));
        assert_eq!(changed, state());
    }

    #[test]
    fn each_way_to_cheat_is_refused() {
        let reason = |transfer: Transfer| apply(&[transfer]).map(|_| ()).map_err(|error| error.source);
        let overspend = TransferError::Overspend { account: ALICE, balance: 100, amount: 101 };
        assert_eq!(reason(pay(101, 0)), Err(overspend));
        assert_eq!(reason(pay(11, 0)), Err(TransferError::BalanceOverflow(BOB)));
        assert_eq!(reason(Transfer { amount: 9, ..pay(10, 0) }), Err(TransferError::BadSignature(ALICE)));
        let elsewhere = Transfer::sign(&key(ALICE), RollupId::new(10), ALICE, BOB, 1, 0);
        assert_eq!(reason(elsewhere), Err(TransferError::BadSignature(ALICE)));
        let nobody = AccountIndex::new(7);
        let to_nobody = Transfer::sign(&key(ALICE), ROLLUP, ALICE, nobody, 1, 0);
        assert_eq!(reason(to_nobody), Err(TransferError::Unregistered(nobody)));
    }
}
