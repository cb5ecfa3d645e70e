//! What the stories in `tests/` are told with: a chain of their own, the programs of the market as processes, and accounts
//! that must add up to the wei.
//!
//! | module | what is in it |
//! |---|---|
//! | `cast` | who takes part: [`Person`] |
//! | `program` | the binaries as child processes: [`Program`] |
//! | `scene` | one market on a chain of its own: [`Scene`]; what people do there, and waiting for what programs do |
//! | `sealed` | commitments of a sealed market, and their openings |
//! | `exit` | everybody leaves, and every wei is where it belongs: [`Scene::everybody_leaves`] |
//! | `batch` | bids for real rollup batches: [`rollup_bid`], [`post_six_bids`] |
//! | `proophi` | the command line, run in a directory of its own: [`Proophi`] |
//! | `token` | an ERC-20 on the chain: [`Token`] |
//!
//! Nothing waits for a clock: stories wait for events of the chain, with a generous limit, and move its time on when
//! nothing is left to wait for. Everything here panics when something goes wrong, with what went wrong.

mod batch;
mod cast;
mod exit;
mod program;
mod proophi;
mod scene;
mod sealed;
mod token;

pub use batch::{post_six_bids, rollup_bid, rollup_bids};
pub use cast::{Person, people};
pub use program::{Program, eventually, key_store};
pub use proophi::{Proophi, Refusal, Running};
pub use scene::Scene;
pub use token::Token;
