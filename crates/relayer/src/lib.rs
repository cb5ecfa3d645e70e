//! The relayer: clears the closed rounds of any number of markets and submits the outcomes.
//!
//! It can take signed bids as well, and post them.
//!
//! It is trusted with nothing. A wrong outcome is refused by the contract, any number of relayers may run, and everything
//! one knows is read from the chain, so that it can be stopped and started at any time.
//!
//! | module | what is in it |
//! |---|---|
//! | [`config`] | settings from flags, environment and file |
//! | [`plan`](mod@plan) | what to do next, as a pure function of a market's state and the time |
//! | [`act`] | does one thing: settles a round or releases a bundle |
//! | [`intake`] | takes signed bids over HTTP, and posts them before their round closes |
//! | `watch` | what is counted and told of it, in one place |
//! | [`relay`] | the service: follows the chain, asks the plan, acts |

pub mod act;
pub mod config;
pub mod intake;
pub mod plan;
pub mod relay;
mod watch;
