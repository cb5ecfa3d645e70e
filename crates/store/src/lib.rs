//! Where services keep what must outlive them: a SQLite file by default, or PostgreSQL by its URL.
//!
//! | module | what is in it |
//! |---|---|
//! | `database` | [`Database`]: opens either, and brings its tables up to date |
//! | `journal` | a key's transactions in it: [`chain::transactions::Journal`] |
//! | [`bids`] | the signed bids that relayers have accepted: [`bids::Bids`] |
//! | `settings` | [`TransactionFlags`], [`TransactionSettings`]: how programs are told where it is, and what gas may cost |
//!
//! Every commit is synced before it counts: SQLite with a write-ahead log and `synchronous = FULL`, PostgreSQL by its default. Statements
//! are the same for both, and the tables' migrations are kept apart from those of other programs, so that one database can serve several.

pub mod bids;
mod database;
mod journal;
mod settings;

pub use database::{Database, StoreError};
pub use settings::{TransactionFlags, TransactionSettings};
