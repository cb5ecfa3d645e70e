//! The words of the market as types: amounts of work, prices, indices, offers and a closed round.
//!
//! | module | what is in it |
//! |---|---|
//! | `number` | what all numbers share: checked constructors, errors, written form |
//! | `quantity` | work in units: [`Units`], [`TaskSize`], [`Capacity`], [`CapacityCap`]; in tasks: [`LotSize`] |
//! | `money` | amounts of money in ticks: [`Ticks`] |
//! | `price` | ticks per unit: [`UnitFee`], [`UnitCost`], [`ReservePrice`], [`UnitPrice`] |
//! | `index` | identity and order: [`RoundNumber`], [`BidIndex`], [`AskIndex`] |
//! | `circuit` | what a proof is about: [`CircuitId`] |
//! | `mechanism` | which auction a market runs: [`Mechanism`] |
//! | `round` | [`Bid`], [`Ask`], [`SeatedAsk`] and the closed [`Round`] |
//! | `format` | the JSON of rounds: [`RoundFile`], [`FormatError`] |
//!
//! Nothing here computes an auction; that is the crate `clearing`.

mod circuit;
mod format;
mod index;
mod mechanism;
mod money;
mod number;
mod price;
mod quantity;
mod round;

pub use circuit::CircuitId;
pub use format::{FormatError, RoundFile};
pub use index::{AskIndex, BidIndex, RoundNumber};
pub use mechanism::{Mechanism, UnknownMechanism};
pub use money::Ticks;
pub use number::{NumberError, OutOfRange};
pub use price::{ReservePrice, UnitCost, UnitFee, UnitPrice};
pub use quantity::{Capacity, CapacityCap, LotSize, TaskSize, Units};
pub use round::{Ask, Bid, Round, RoundError, SeatedAsk};
