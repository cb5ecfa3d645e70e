//! The laboratory: thousands of rounds of the real `clearing` with agents that try to gain, and what they get.
//!
//! | module | what is in it |
//! |---|---|
//! | `distribution` | named distributions of demand and supply |
//! | `market` | a market, its participants in a round, and the best trade among them |
//! | `book` | what is said in a round, and who is behind it |
//! | `account` | clears a round and settles what it is worth to everybody, in whole ticks |
//! | `agents` | who does not say the truth |
//! | `random`, `runner` | the same rounds on any number of threads |
//! | `stats` | means and their intervals |
//! | `experiments` | the questions, one module each |
//! | `plot`, `table`, `report` | answers as SVG, PNG and CSV |
//! | `throughput` | how fast all of this is |
//! | `cli` | the command `proophi lab` |
//!
//! Money is whole ticks from bids to accounts; floating point begins where participants are drawn and where results are
//! averaged.

pub mod account;
pub mod agents;
pub mod book;
pub mod cli;
pub mod distribution;
pub mod experiments;
pub mod market;
pub mod plot;
mod progress;
mod random;
mod report;
mod runner;
pub mod stats;
mod table;
mod throughput;

pub use progress::Progress;
pub use random::Stream;
pub use report::{Finding, Report, WriteError};
pub use runner::{Lab, StartError};
pub use table::{Cell, Table, TableError};
pub use throughput::Throughput;
