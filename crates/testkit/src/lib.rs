//! A real chain for tests: an Anvil process of its own for each test, with the contracts deployed.
//!
//! | module | what is in it |
//! |---|---|
//! | `anvil` | [`Anvil`]: the process, its accounts, its clock, snapshots and reorganisations |
//! | `child` | [`ChildProcess`]: a process that ends with its test |
//! | `testbed` | [`Testbed`]: contracts and markets on it, and what people do there |
//! | `recorded` | [`RecordedChain`]: a recording of bids behind an endpoint with a provider's limits, without Anvil |
//! | `postgres` | [`Postgres`]: a PostgreSQL server, if there is one to be had |
//! | `proxy` | [`Proxy`]: an endpoint before another one, whose answers a test can lose, cut or change |
//! | `fixtures` | real circuits with real proofs that were made once: [`Circuit`], [`circuits`] |
//!
//! Everything here panics when something goes wrong, with what went wrong: it is for tests only.

mod anvil;
mod child;
mod fixtures;
mod mock;
mod postgres;
mod proxy;
mod recorded;
mod testbed;

pub use anvil::{Anvil, AnvilOptions};
pub use child::ChildProcess;
pub use fixtures::{Circuit, ProvedStatement, circuits};
pub use mock::{creation_code, deploy_mock};
pub use postgres::Postgres;
pub use proxy::{Behind, Proxy, Reply};
pub use recorded::{Asked, Limits, RecordedChain, Recording};
pub use testbed::{Bid, Testbed, average_fee, controlled, default_params, lot, sealed, with_reserve};
