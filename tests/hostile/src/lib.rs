//! Damage: bytes that were good, with some of them changed, left out, doubled or put in.
//!
//! Each test gives damaged bytes to one of the places that read what others wrote, and asks that it answers, whatever the answer: a panic is
//! the failure. What is still understood must be understood the same once it is written again.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// One change, at a place that is chosen when the length is known.
#[derive(Debug, Clone)]
pub enum Edit {
    /// Another byte.
    Change(Index, u8),
    /// One more byte.
    Insert(Index, u8),
    /// Nothing after this place.
    Cut(Index),
    /// A piece left out.
    Remove(Index, Index),
    /// A piece twice.
    Repeat(Index, Index),
}

/// Changes to make, one after the other.
pub fn edits() -> impl Strategy<Value = Vec<Edit>> {
    // Digits, signs, quotes and brackets are what parsers look at.
    let byte = prop_oneof![any::<u8>(), prop::sample::select(b"0123456789-+.eE\"'{}[],:= \n\\ux".to_vec())];
    let edit = prop_oneof![
        4 => (any::<Index>(), byte.clone()).prop_map(|(at, byte)| Edit::Change(at, byte)),
        2 => (any::<Index>(), byte).prop_map(|(at, byte)| Edit::Insert(at, byte)),
        1 => any::<Index>().prop_map(Edit::Cut),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Edit::Remove(from, to)),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Edit::Repeat(from, to)),
    ];
    vec(edit, 1..6)
}

/// The bytes after the changes.
#[must_use]
pub fn damaged(good: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for edit in edits {
        let place = |index: &Index| index.index(bytes.len() + 1);
        let piece = |from: &Index, to: &Index| place(from).min(place(to))..place(from).max(place(to));
        match edit {
            Edit::Change(at, byte) => {
                let at = place(at);
                if let Some(old) = bytes.get_mut(at) {
                    *old = *byte;
                }
            }
            Edit::Insert(at, byte) => {
                let at = place(at);
                bytes.insert(at, *byte);
            }
            Edit::Cut(at) => {
                let at = place(at);
                bytes.truncate(at);
            }
            Edit::Remove(from, to) => {
                let piece = piece(from, to);
                bytes.drain(piece);
            }
            Edit::Repeat(from, to) => {
                let piece = piece(from, to);
                let copy = bytes[piece.clone()].to_vec();
                bytes.splice(piece.end..piece.end, copy);
            }
        }
    }
    bytes
}
