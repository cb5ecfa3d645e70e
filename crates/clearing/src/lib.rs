//! Clears a round of the proof market: a pure function from a closed round to prices, winners and assignment,
//! and the certificate by which the contract checks all of it without sorting.
//!
//! | module | what is in it |
//! |---|---|
//! | `ranking` | user order and prover order, and who wins given the line |
//! | `total` | what is added up about bids: their size, or their size and what they pay |
//! | `prefix` | the users taken up to a limit, and the first one left out |
//! | `demand` | how much is wanted at a price |
//! | `users` | finds both for the bids of a round, by sorting all of them or in linear time |
//! | `parts` | a round's bids on several cores at once |
//! | `assignment` | who proves what |
//! | `clear` | [`clear`], [`certificate`], [`clear_with_certificate`]; the mechanisms differ in `clear::core` and `clear::average_fee` |
//! | [`plain`] | the same by sorting and scanning: the tested reference of `clear`, and what its speed is measured against |
//! | `certificate` | what the contract is given: [`Certificate`], [`UserPivot`], [`ProverClaim`] |
//! | `verify` | the contract's checks in plain Rust, one pass and no sort: [`verify()`], [`verify_with_signal`], [`Rejection`]; likewise `verify::core` and `verify::average_fee` |
//! | `terms` | how a settled round moves the capacity cap and the reserve price: [`Controllers`], [`Terms`], [`Signal`] |
//! | `prices` | what winners pay and are paid: [`Prices`] |
//! | `outcome` | the result and its written form: [`Outcome`], [`ClearedRound`] |
//!
//! Everything is integers and deterministic; ties go to the lower index. No function here panics or returns a
//! number that overflowed: a total over one round is below 2^64 (less than 2^32 bids, at most 2^32 asks, each
//! below 2^32 units), a product of two totals is below 2^128, and so is a total of money (a total at less than
//! 2^64 ticks per unit). Saturating and wrapping operations are used for their lack of a panic; within these bounds they are
//! exact, but for a tally of payments, which is one modulo 2^64 and says so. Rounds of 131,072 bids and more start the threads of `rayon`; a system that refuses these ends the program.
#![deny(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::float_arithmetic
)]

mod assignment;
mod certificate;
mod clear;
mod demand;
mod outcome;
mod parts;
pub mod plain;
mod prefix;
mod prices;
mod ranking;
mod terms;
mod total;
mod users;
mod verify;

pub use crate::assignment::Share;
pub use crate::certificate::{BatchClaim, Certificate, ProverClaim, UserPivot};
pub use crate::clear::{certificate, clear, clear_with_certificate};
pub use crate::outcome::{ClearedRound, Outcome};
pub use crate::prices::Prices;
pub use crate::terms::{Bounds, Controllers, EmptyBounds, Signal, Terms};
pub use crate::verify::{PrefixRejection, Rejection, verify, verify_with_signal};
