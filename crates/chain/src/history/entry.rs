//! Entries of a round and the bids that they stand for.

use crate::commitments::{BidWord, MerkleTree, Ticket};
use crate::events::Origin;
use crate::statement::{Statement, published_tree, statement_tree};
use alloy::primitives::{Address, B256};
use bindings::ProverMarket::StatementsPublished;
use market_types::{BidIndex, LotSize, TaskSize, UnitFee};
use std::ops::Deref;
use std::sync::Arc;

/// What an entry asks proofs of, as somebody published it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// Who is compensated or refunded if a task is not delivered in time: the requester that the entry's ticket binds.
    pub requester: Address,
    statements: Box<[Statement]>,
    /// Over the statements, if there are several. Most entries are one bid, and a tree of one leaf would be a fifth of what is kept of it.
    tree: Option<Box<MerkleTree>>,
}

impl Publication {
    /// The statements in order of the entry's bids.
    #[must_use]
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// Root over the statements.
    #[must_use]
    pub fn root(&self) -> B256 {
        self.tree.as_ref().map_or_else(|| statement_tree(&self.statements).root(), |tree| tree.root())
    }

    /// The Merkle proof of statement `position` under the root, `None` if there is no such statement.
    #[must_use]
    pub fn path(&self, position: u16) -> Option<Vec<B256>> {
        match &self.tree {
            Some(tree) => tree.path(position.into()),
            None => (usize::from(position) < self.statements.len()).then(Vec::new),
        }
    }
}

/// What was published, before it is known whether any entry asks for it.
pub(super) struct Published<'a> {
    event: &'a StatementsPublished,
    tree: MerkleTree,
}

impl<'a> Published<'a> {
    pub(super) fn new(event: &'a StatementsPublished) -> Self {
        Self { event, tree: published_tree(&event.statements) }
    }

    /// The ticket of the entries that it is about.
    pub(super) fn ticket(&self) -> Ticket {
        Ticket::new(self.event.requester, self.tree.root())
    }

    pub(super) fn into_publication(self) -> Arc<Publication> {
        let statements: Box<[Statement]> = self.event.statements.iter().map(Statement::from).collect();
        let tree = (statements.len() > 1).then(|| Box::new(self.tree));
        Arc::new(Publication { requester: self.event.requester, statements, tree })
    }
}

/// An entry: one bid, or many with consecutive indices that differ in their statements only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryRecord {
    /// Index of its first bid in the round.
    pub first_index: BidIndex,
    /// Who posted it, and is credited what its bids get back.
    pub requester: Address,
    /// Unit fee of each bid (ticks per unit).
    pub fee: UnitFee,
    /// The entry as the settlement sees it.
    pub word: BidWord,
    /// Where it was posted.
    pub origin: Origin,
    pub(super) publication: Option<Arc<Publication>>,
}

impl EntryRecord {
    /// How many bids it stands for.
    #[must_use]
    pub fn count(&self) -> LotSize {
        self.word.count()
    }

    /// Size of each of its tasks (units).
    #[must_use]
    pub fn size(&self) -> TaskSize {
        self.word.size()
    }

    /// Index after that of its last bid.
    pub(super) fn end(&self) -> u32 {
        self.first_index.get().saturating_add(self.count().get().into())
    }

    /// Units of all its tasks.
    pub(super) fn units(&self) -> u64 {
        u64::from(self.size().get()).saturating_mul(self.count().get().into())
    }

    /// What it asks proofs of, once that has been published. Entries of the same requester and statements share it.
    #[must_use]
    pub fn publication(&self) -> Option<&Publication> {
        self.publication.as_deref()
    }

    /// Its bids in order.
    pub fn bids(&self) -> impl ExactSizeIterator<Item = BidRecord<'_>> + DoubleEndedIterator {
        (0..self.count().get()).map(|position| BidRecord { position, entry: self })
    }
}

/// A bid: one of those of its entry, to which it refers for all that they share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BidRecord<'a> {
    /// Its number in its entry, from 0.
    pub position: u16,
    entry: &'a EntryRecord,
}

impl<'a> BidRecord<'a> {
    /// Its index in the round.
    #[must_use]
    pub fn index(&self) -> BidIndex {
        let index = u64::from(self.entry.first_index.get()).saturating_add(self.position.into());
        BidIndex::from_u64(index).unwrap_or(BidIndex::MAX)
    }

    /// Its entry.
    #[must_use]
    pub const fn entry(&self) -> &'a EntryRecord {
        self.entry
    }

    /// What it asks a proof of; `None` if nothing was published that a delivery could prove: no statement for this bid, or one of
    /// another size than the task's.
    #[must_use]
    pub fn statement(&self) -> Option<&'a Statement> {
        let statement = self.entry.publication()?.statements.get(usize::from(self.position))?;
        (statement.circuit.units() == self.entry.size().get()).then_some(statement)
    }

    pub(super) const fn of(entry: &'a EntryRecord, position: u16) -> Self {
        Self { position, entry }
    }
}

impl Deref for BidRecord<'_> {
    type Target = EntryRecord;

    fn deref(&self) -> &EntryRecord {
        self.entry
    }
}
