//! The market on its chain, for programs that read it, act in it or serve it.
//!
//! | module | what is in it |
//! |---|---|
//! | `connection`, `client` | [`Connection`] to a chain, [`Client`] of the contract there |
//! | `send` | one transaction from simulation to receipt: [`Connection::transact`], [`SendError`] |
//! | `revert` | the contract's refusals in words: [`Revert`] |
//! | `market`, `params` | [`MarketId`], [`Market`] with deadlines and money, [`MarketParams`] |
//! | `offer` | [`Offer`] of a seat |
//! | [`commitments`] | what the contract hashes: bid words, running hash, assignment tree (pure) |
//! | [`events`] | logs as events |
//! | [`history`] | one market rebuilt from its events (pure) |
//! | [`follower`] | keeps histories at the head of the chain, through reorganisations |
//! | [`round`] | what a settlement needs |
//! | [`deploy`] | deploys the contracts, creates markets |
//!
//! Time is block time throughout: no clock of this machine decides anything about the market.

mod client;
pub mod commitments;
mod connection;
pub mod deploy;
mod error;
pub mod events;
pub mod follower;
pub mod history;
mod market;
mod offer;
mod params;
mod revert;
pub mod round;
mod send;

pub use client::{Client, ConnectOptions};
pub use commitments::{BidWord, Ticket};
pub use connection::{ConnectError, Connection, ConnectionOptions, Head, Patience};
pub use error::CallError;
pub use follower::{Change, FollowError, FollowOptions, Follower, Markets};
pub use history::{Assignment, BidRecord, MarketHistory, RoundRecord};
pub use market::{InvalidMarketId, Market, MarketError, MarketId, NoRound, NotWholeTicks};
pub use market_types::CircuitId;
pub use offer::Offer;
pub use params::{Currency, MarketParams};
pub use revert::{Revert, decode_revert};
pub use send::{MAX_TRANSACTION_GAS, SendError};
