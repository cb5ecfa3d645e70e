//! Proving tasks and the bytes in which they are published with a bid.
//!
//! ```text
//! version    1 byte, 1
//! transfers  1 byte, the batch size of a circuit
//! rollup     8 bytes
//! accounts   1 byte, number of accounts that the batch touches
//! per account, ascending by index     index 1 | key 32 | balance 8 | nonce 4
//! per transfer, in order              sender 1 | receiver 1 | amount 8 | R 32 | S 32
//! siblings   32 bytes each, to the end: the multi-proof of the touched accounts under the old root
//! ```
//! Integers and siblings are big endian, points and `S` are in the curve's compressed little-endian form. Both roots
//! follow from these bytes, and so do the nonces of the transfers. Every task has exactly one encoding.

use std::collections::{BTreeMap, BTreeSet};

use ark_bn254::Fr;
use thiserror::Error;

use crate::{
    circuit::RollupCircuit,
    registry::{CircuitKind, PUBLIC_INPUTS},
    rollup::{
        Account, AccountIndex, Batch, BatchError, Ledger, PublicKey, RollupId, SIGNATURE_BYTES, Signature,
        State, Step, Transfer,
    },
    schnorr::POINT_BYTES,
    tree::Tree,
    word::{Word, from_word, to_word},
};

const VERSION: u8 = 1;
const ACCOUNT_BYTES: usize = 1 + POINT_BYTES + 8 + 4;
const TRANSFER_BYTES: usize = 1 + 1 + 8 + SIGNATURE_BYTES;

/// A batch with all data needed to prove it.
///
/// A value of this type is provable for its own [`public_inputs`](Task::public_inputs): every constructor executes the batch,
/// signatures included, and native execution accepts exactly what the circuit accepts.
#[derive(Clone, Debug)]
pub struct Task {
    kind: CircuitKind,
    rollup: RollupId,
    accounts: BTreeMap<AccountIndex, Account>,
    siblings: Vec<Fr>,
    steps: Vec<Step>,
    old_root: Fr,
    new_root: Fr,
}

impl Task {
    /// The task of proving that `batch` leads from `state` to its successor.
    ///
    /// # Errors
    /// If no circuit has the batch's size, or the batch cannot be executed.
    pub fn new(state: &State, batch: &Batch) -> Result<Self, TaskError> {
        let touched: BTreeSet<AccountIndex> =
            batch.transfers.iter().flat_map(|transfer| [transfer.sender, transfer.receiver]).collect();
        let accounts: BTreeMap<_, _> = touched
            .into_iter()
            .filter_map(|index| state.account(index).map(|account| (index, *account)))
            .collect();
        let siblings = state.siblings(accounts.keys().copied());
        Self::execute(state.rollup(), accounts, siblings, &batch.transfers)
    }

    /// Reads a task from published bytes and verifies all of it.
    ///
    /// # Errors
    /// If the bytes are no task, or the task cannot be proved. Never panics, whatever the bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, TaskError> {
        let mut reader = Reader(bytes);
        let version = reader.byte("version")?;
        if version != VERSION {
            return Err(TaskError::Version(version));
        }
        let size = usize::from(reader.byte("number of transfers")?);
        CircuitKind::from_batch_size(size).ok_or(TaskError::BatchSize(size))?;
        let rollup = RollupId::new(reader.u64("rollup")?);
        let count = usize::from(reader.byte("number of accounts")?);
        let accounts = read_accounts(&mut reader, count)?;
        let transfers = (0..size).map(|_| read_transfer(&mut reader)).collect::<Result<Vec<_>, _>>()?;
        let siblings = read_siblings(&mut reader)?;
        let transfers = with_nonces(transfers, &accounts)?;
        let task = Self::execute(rollup, accounts, siblings, &transfers)?;
        if task.encode() != bytes {
            return Err(TaskError::NotCanonical);
        }
        Ok(task)
    }

    /// The bytes to publish with the bid, 600 to 1,900 of them for the demo's states.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION, u8::try_from(self.steps.len()).unwrap_or(u8::MAX)];
        bytes.extend_from_slice(&self.rollup.get().to_be_bytes());
        bytes.push(u8::try_from(self.accounts.len()).unwrap_or(u8::MAX));
        for (index, account) in &self.accounts {
            bytes.push(index.get());
            bytes.extend_from_slice(&account.key.to_bytes());
            bytes.extend_from_slice(&account.balance.to_be_bytes());
            bytes.extend_from_slice(&account.nonce.to_be_bytes());
        }
        for Step { transfer, .. } in &self.steps {
            bytes.extend_from_slice(&[transfer.sender.get(), transfer.receiver.get()]);
            bytes.extend_from_slice(&transfer.amount.to_be_bytes());
            bytes.extend_from_slice(&transfer.signature.to_bytes());
        }
        for sibling in &self.siblings {
            bytes.extend_from_slice(&to_word(sibling));
        }
        bytes
    }

    /// The circuit that proves this task.
    #[must_use]
    pub fn kind(&self) -> CircuitKind {
        self.kind
    }

    /// The statement: old root, then new root.
    #[must_use]
    pub fn public_inputs(&self) -> [Word; PUBLIC_INPUTS] {
        [to_word(&self.old_root), to_word(&self.new_root)]
    }

    /// Checks that this is the task of the given statement, so that a proof of it will be accepted.
    ///
    /// # Errors
    /// [`TaskError::WrongCircuit`] or [`TaskError::WrongStatement`] with what was published.
    pub fn matches(&self, kind: CircuitKind, public_inputs: &[Word]) -> Result<(), TaskError> {
        if kind != self.kind {
            return Err(TaskError::WrongCircuit { wanted: kind, published: self.kind });
        }
        if public_inputs != self.public_inputs() {
            return Err(TaskError::WrongStatement);
        }
        Ok(())
    }

    pub(crate) fn circuit(&self) -> RollupCircuit {
        RollupCircuit {
            rollup: self.rollup,
            old_root: self.old_root,
            new_root: self.new_root,
            steps: self.steps.clone(),
        }
    }

    fn execute(
        rollup: RollupId,
        accounts: BTreeMap<AccountIndex, Account>,
        siblings: Vec<Fr>,
        transfers: &[Transfer],
    ) -> Result<Self, TaskError> {
        let size = transfers.len();
        let kind = CircuitKind::from_batch_size(size).ok_or(TaskError::BatchSize(size))?;
        let named: BTreeSet<_> = transfers.iter().flat_map(|t| [t.sender, t.receiver]).collect();
        if let Some(index) = accounts.keys().find(|index| !named.contains(index)) {
            return Err(TaskError::Untouched(*index));
        }
        let leaves: Vec<_> = accounts.iter().map(|(index, a)| (index.get(), a.leaf(rollup))).collect();
        let tree = Tree::from_siblings(&leaves, &siblings).ok_or(TaskError::SiblingCount(siblings.len()))?;
        let mut ledger = Ledger::new(rollup, accounts.clone(), tree);
        let old_root = ledger.root();
        let mut steps = Vec::with_capacity(size);
        for (position, transfer) in transfers.iter().enumerate() {
            steps.push(ledger.step(transfer).map_err(|source| BatchError { position, source })?);
        }
        let new_root = ledger.root();
        Ok(Self { kind, rollup, accounts, siblings, steps, old_root, new_root })
    }
}

fn read_accounts(reader: &mut Reader, count: usize) -> Result<BTreeMap<AccountIndex, Account>, TaskError> {
    let mut accounts = BTreeMap::new();
    for _ in 0..count {
        let mut record = Reader(reader.take(ACCOUNT_BYTES, "account")?);
        let index = AccountIndex::new(record.byte("account index")?);
        let key = PublicKey::from_bytes(&record.array("account key")?).ok_or(TaskError::InvalidKey(index))?;
        let (balance, nonce) = (record.u64("balance")?, u32::from_be_bytes(record.array("nonce")?));
        if accounts.insert(index, Account { key, balance, nonce }).is_some() {
            return Err(TaskError::NotCanonical);
        }
    }
    Ok(accounts)
}

/// A transfer whose nonce is still to be filled in.
fn read_transfer(reader: &mut Reader) -> Result<Transfer, TaskError> {
    let mut record = Reader(reader.take(TRANSFER_BYTES, "transfer")?);
    let sender = AccountIndex::new(record.byte("sender")?);
    let receiver = AccountIndex::new(record.byte("receiver")?);
    let amount = record.u64("amount")?;
    let signature =
        Signature::from_bytes(&record.array("signature")?).ok_or(TaskError::InvalidSignature(sender))?;
    Ok(Transfer { sender, receiver, amount, nonce: 0, signature })
}

fn read_siblings(reader: &mut Reader) -> Result<Vec<Fr>, TaskError> {
    let mut siblings = Vec::new();
    while !reader.0.is_empty() {
        let position = siblings.len();
        siblings.push(from_word(&reader.array("sibling")?).ok_or(TaskError::InvalidSibling(position))?);
    }
    Ok(siblings)
}

/// A transfer's nonce is the sender's own plus the number of its earlier transfers in the batch: any other is refused by the
/// statement, so publishing it would be paying for nothing.
fn with_nonces(
    transfers: Vec<Transfer>,
    accounts: &BTreeMap<AccountIndex, Account>,
) -> Result<Vec<Transfer>, TaskError> {
    let mut sent: BTreeMap<AccountIndex, u32> = BTreeMap::new();
    transfers
        .into_iter()
        .map(|transfer| {
            let account = accounts.get(&transfer.sender);
            let start = account.ok_or(TaskError::Missing(transfer.sender))?.nonce;
            let earlier = sent.entry(transfer.sender).or_default();
            // Saturating at the end of the range is safe: execution refuses an exhausted nonce.
            let nonce = start.saturating_add(*earlier);
            *earlier += 1;
            Ok(Transfer { nonce, ..transfer })
        })
        .collect()
}

/// Takes fields off the front of hostile bytes.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize, field: &'static str) -> Result<&'a [u8], TaskError> {
        let (head, tail) = self.0.split_at_checked(count).ok_or(TaskError::Truncated(field))?;
        self.0 = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], TaskError> {
        let (head, tail) = self.0.split_first_chunk().ok_or(TaskError::Truncated(field))?;
        self.0 = tail;
        Ok(*head)
    }

    fn byte(&mut self, field: &'static str) -> Result<u8, TaskError> {
        self.array::<1>(field).map(|[byte]| byte)
    }

    fn u64(&mut self, field: &'static str) -> Result<u64, TaskError> {
        self.array(field).map(u64::from_be_bytes)
    }
}

/// Why a task cannot be built, read or proved.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TaskError {
    /// The bytes end within a field.
    #[error("the task's bytes end within: {0}")]
    Truncated(&'static str),
    /// The bytes are of another format version.
    #[error("the task is in format {0}, this build reads format {VERSION}")]
    Version(u8),
    /// There is no circuit for so many transfers.
    #[error("no circuit proves a batch of {0} transfers")]
    BatchSize(usize),
    /// A key is not a point of the curve.
    #[error("the key of account {0} is not on the curve")]
    InvalidKey(AccountIndex),
    /// A signature's parts are out of range.
    #[error("the signature of account {0} is not a point and a scalar")]
    InvalidSignature(AccountIndex),
    /// A sibling is not a field element.
    #[error("sibling {0} is not below the field's modulus")]
    InvalidSibling(usize),
    /// The number of siblings does not fit the touched accounts.
    #[error("{0} siblings do not fit the accounts of the task")]
    SiblingCount(usize),
    /// An account is listed that no transfer names.
    #[error("account {0} is listed but no transfer names it")]
    Untouched(AccountIndex),
    /// A transfer names an account that is not listed.
    #[error("account {0} is named by a transfer but not listed")]
    Missing(AccountIndex),
    /// The same task has another encoding, which is the only one accepted.
    #[error("the task is not in its canonical encoding")]
    NotCanonical,
    /// The batch cannot be executed.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// The bid names another circuit than the published data is for.
    #[error("the bid asks for {wanted}, the published data is for {published}: unprovable")]
    WrongCircuit {
        /// The circuit of the bid.
        wanted: CircuitKind,
        /// The circuit of the published data.
        published: CircuitKind,
    },
    /// The published data proves another statement than the bid asks for.
    #[error("the published data leads to other roots than the bid's public inputs: unprovable")]
    WrongStatement,
}
