//! Who and when: the identity of a round, a bid and an ask. Ties between equal offers go to the lower index.

use crate::number::number;

number! {
    /// The number of a round within its market. On chain it fits 32 bits.
    RoundNumber(u64), "round number", as number
}

number! {
    /// The position of a bid in its round's order of submission, from 0.
    ///
    /// `u32::MAX` is never the index of a bid: settlement uses it for the pivot "nobody was left out".
    BidIndex(u32) in 0..=4_294_967_294, "bid index", as number
}

number! {
    /// The identity of an ask in its round's ask book, ascending in ask-book order.
    ///
    /// On chain it is the number of the prover's seat; seats that do not take part in the round leave gaps.
    /// In files it is the position in the list of asks.
    AskIndex(u32), "ask index", as number
}
