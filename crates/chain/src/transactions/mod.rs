//! Sends transactions and sees them through: simulated first, with an explicit gas limit, written down before any node has them, and looked
//! after until they are mined, whatever happens to nodes, answers, blocks or this process.
//!
//! | module | what is in it |
//! |---|---|
//! | `transact` | one transaction from simulation to receipt: [`Connection::transact`](crate::Connection::transact) |
//! | `owner` | the owner of a key's nonces |
//! | `drive`, `look` | looks after what is on its way |
//! | `step` | what to do about a transaction that is not mined (pure) |
//! | `fees` | [`FeeLimits`], and what is offered (pure) |
//! | `answer` | what nodes mean (pure) |
//! | `signing` | signed transactions and back (pure) |
//! | `journal` | [`Journal`], where transactions are written down, and one in memory |
//! | `options` | [`TransactionOptions`], [`Patience`], [`Worth`] |
//! | `slot` | one transaction and who waits for it |
//! | `error` | [`SendError`] |

mod answer;
mod drive;
mod error;
mod fees;
mod journal;
mod look;
mod options;
mod owner;
mod signing;
mod slot;
mod step;
mod transact;

pub(crate) use owner::Owner;

pub use error::{MAX_TRANSACTION_GAS, SendError};
pub use fees::{FeeLimits, GasPrice};
pub use journal::{Account, Answered, Form, Journal, JournalError, MemoryJournal, Record};
pub use options::{Patience, TransactionOptions, Worth};
pub use signing::{SignError, TransactionSigner};
pub use transact::Estimate;
