//! Wanted proofs made into entries, and entries into transactions.

use crate::commands::statement::Wanted;
use crate::failure::{Code, OrFail, Outcome};
use alloy::primitives::Address;
use chain::{Lot, Statement};
use market_types::UnitFee;

/// Most bytes of entries and statements in one transaction; nodes take 128 KiB in all.
pub(crate) const MAX_BYTES: usize = 96 * 1024;
/// Most entries in one transaction.
const MAX_ENTRIES: usize = 100;
/// Bytes of an entry besides its statements: its word, and the call that publishes them.
const ENTRY_BYTES: usize = 10 * 32;

/// An entry to submit.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) lot: Lot,
    /// Where its statements stood in the list that was given.
    pub(crate) given: Vec<usize>,
}

/// Bytes that publishing a statement takes.
pub(crate) fn bytes_of(statement: &Statement) -> usize {
    32 * (statement.public_inputs.len() + 6) + statement.data.len().next_multiple_of(32)
}

/// The entries for what is wanted, in the order in which they were first asked for: statements of one size at one fee make one
/// entry, a lot, as far as they can be published in one transaction. Of a sealed market each bid is an entry of its own.
pub(crate) fn entries(requester: Address, wanted: Vec<Wanted>, sealed: bool) -> Outcome<Vec<Entry>> {
    let mut groups: Vec<Group> = Vec::new();
    for (position, wanted) in wanted.into_iter().enumerate() {
        let bytes = bytes_of(&wanted.statement);
        // The last one of its kind: those before it are full.
        let open = groups.iter_mut().rev().find(|group| group.is_of(&wanted));
        match open.filter(|group| !sealed && ENTRY_BYTES + group.bytes + bytes <= MAX_BYTES) {
            Some(group) => {
                group.bytes += bytes;
                group.given.push(position);
                group.statements.push(wanted.statement);
            }
            None => groups.push(Group {
                fee: wanted.fee,
                bytes,
                given: vec![position],
                statements: vec![wanted.statement],
            }),
        }
    }
    let entry = |group: Group| {
        let fee = UnitFee::new(group.fee).or_fail(Code::Input)?;
        let lot = Lot::new(requester, fee, group.statements).or_fail(Code::Input)?;
        Ok(Entry { lot, given: group.given })
    };
    groups.into_iter().map(entry).collect()
}

/// Statements that become an entry.
struct Group {
    fee: u64,
    bytes: usize,
    given: Vec<usize>,
    statements: Vec<Statement>,
}

impl Group {
    fn is_of(&self, wanted: &Wanted) -> bool {
        let units = self.statements.first().map(|first| first.circuit.units());
        self.fee == wanted.fee && units == Some(wanted.statement.circuit.units())
    }
}

/// Splits entries so that each part fits a transaction with its statements.
pub(crate) fn parts(entries: Vec<Entry>) -> Vec<Vec<Entry>> {
    let mut parts: Vec<Vec<Entry>> = Vec::new();
    let mut bytes = 0;
    for entry in entries {
        let size = ENTRY_BYTES + entry.lot.statements().iter().map(bytes_of).sum::<usize>();
        match parts.last_mut() {
            Some(part) if part.len() < MAX_ENTRIES && bytes + size <= MAX_BYTES => {
                bytes += size;
                part.push(entry);
            }
            _ => {
                bytes = size;
                parts.push(vec![entry]);
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use market_types::CircuitId;

    fn wanted(fee: u64, units: u32, bytes: usize) -> Wanted {
        let statement = Statement {
            circuit: CircuitId::of(1, units),
            public_inputs: Vec::new(),
            data: vec![0; bytes].into(),
        };
        Wanted { fee, statement }
    }

    fn of(wanted: Vec<Wanted>, sealed: bool) -> Vec<Entry> {
        entries(Address::ZERO, wanted, sealed).unwrap()
    }

    fn given(entries: &[Entry]) -> Vec<Vec<usize>> {
        entries.iter().map(|entry| entry.given.clone()).collect()
    }

    #[test]
    fn statements_of_one_size_at_one_fee_make_one_entry() {
        let list =
            || vec![wanted(9, 4, 0), wanted(9, 5, 0), wanted(9, 4, 1), wanted(8, 4, 0), wanted(9, 4, 2)];
        let entries = of(list(), false);
        assert_eq!(given(&entries), [vec![0, 2, 4], vec![1], vec![3]]);
        let lot = &entries[0].lot;
        let lengths: Vec<usize> = lot.statements().iter().map(|statement| statement.data.len()).collect();
        assert_eq!((lot.word().count().get(), lengths), (3, vec![0, 1, 2]));
        assert_eq!(given(&of(list(), true)), [[0], [1], [2], [3], [4]], "nobody knows yet what is alike");
    }

    #[test]
    fn a_lot_can_be_published_in_one_transaction() {
        let entries = of(vec![wanted(9, 4, 50_000), wanted(9, 4, 40_000), wanted(9, 4, 20_000)], false);
        assert_eq!(given(&entries), [vec![0, 1], vec![2]]);
    }

    #[test]
    fn parts_keep_every_entry_in_order_and_fit_a_transaction() {
        let sizes = (1..).zip([10, 50_000, 40_000, 20_000, 100, 90_000]);
        let parts = parts(of(sizes.map(|(fee, bytes)| wanted(fee, 4, bytes)).collect(), false));
        let lengths: Vec<Vec<Vec<usize>>> = parts.iter().map(|part| given(part)).collect();
        assert_eq!(lengths, [vec![vec![0], vec![1], vec![2]], vec![vec![3], vec![4]], vec![vec![5]]]);
    }

    #[test]
    fn parts_hold_at_most_a_hundred_entries() {
        let entries = of((1..=250).map(|fee| wanted(fee, 4, 1)).collect(), false);
        let lengths: Vec<usize> = parts(entries).iter().map(Vec::len).collect();
        assert_eq!(lengths, [100, 100, 50]);
    }
}
