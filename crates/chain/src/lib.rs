//! The market on its chain, for programs that read it, act in it or serve it.
//!
//! | module | what is in it |
//! |---|---|
//! | `connection`, `client` | [`Connection`] to a chain, [`Client`] of the contract there |
//! | `transport` | JSON-RPC over HTTP, with a bound on what is read of an answer |
//! | `endpoints` | several endpoints of a chain as one, and which of them to trust |
//! | [`transactions`] | the owner of a key's nonces: one transaction from simulation to receipt, through restarts and reorganisations |
//! | `revert` | the contract's refusals in words: [`Revert`] |
//! | `market` | [`MarketId`], [`Market`] with deadlines, [`Phase`]s and money |
//! | `params`, `validation` | [`MarketParams`], and which of them make a market |
//! | `offer` | [`Offer`] of a seat, [`CapacityChange`] |
//! | `outcome` | [`Outcome`] of a settled round |
//! | [`sealed`] | what opens commitments: [`BidOpening`], [`AskOpening`] |
//! | `statement`, `lot` | what requesters ask proofs of: [`Statement`], and the entries they submit: [`Lot`] |
//! | [`signed`], [`wallet`] | bids that requesters sign for others to submit, with a key or as a contract |
//! | [`permit`] | deposits of tokens by a signature |
//! | [`inclusion`] | where signed bids went into rounds, or why not |
//! | [`commitments`] | what the contract hashes: entries as words, running hash, Merkle trees (pure) |
//! | [`events`] | logs as events |
//! | [`history`] | one market rebuilt from its events (pure) |
//! | `logs` | reads ranges of logs in pieces, from nodes that limit what they answer |
//! | [`follower`] | keeps histories at the head of the chain, through reorganisations |
//! | [`round`] | what a settlement needs |
//! | [`settlement`] | the calls that settle a round, whole or page by page (pure) |
//! | [`delivery`] | deliveries that share a transaction (pure) |
//! | [`deploy`] | deploys the contracts, creates markets |
//!
//! Time is block time throughout: no clock of this machine decides anything about the market.

mod client;
pub mod commitments;
mod connection;
pub mod delivery;
pub mod deploy;
mod endpoints;
mod error;
pub mod events;
pub mod follower;
pub mod history;
pub mod inclusion;
mod logs;
pub mod lot;
mod market;
mod offer;
mod outcome;
mod params;
pub mod permit;
mod revert;
pub mod round;
pub mod sealed;
pub mod settlement;
pub mod signed;
mod statement;
pub mod transactions;
mod transport;
mod validation;
pub mod wallet;

pub use clearing::Terms;
pub use client::{Client, ConnectOptions};
pub use commitments::{BidWord, Ticket};
pub use connection::{ConnectError, Connection, ConnectionOptions, Head};
pub use error::CallError;
pub use follower::{Change, FollowError, FollowOptions, Follower, Markets};
pub use history::{Assignment, BidRecord, EntryRecord, MarketHistory, Retention, RoundRecord};
pub use lot::{Lot, LotError};
pub use market::{InvalidMarketId, Market, MarketError, MarketId, NoRound, NotWholeTicks, Phase};
pub use market_types::CircuitId;
pub use offer::{CapacityChange, Offer};
pub use outcome::Outcome;
pub use params::{Currency, MarketParams};
pub use revert::{Revert, decode_revert, error_name};
pub use sealed::{AskOpening, BidOpening};
pub use statement::{Statement, statement_tree};
pub use transactions::{MAX_TRANSACTION_GAS, Patience, SendError, TransactionOptions, Worth};
pub use validation::InvalidParams;
