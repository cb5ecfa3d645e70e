//! Stories of rounds, from bids to the last wei. One program, so that they are told at the same time: each waits for its own chain more
//! than it computes.

mod average_fee;
mod bundle;
mod capacity;
mod command_line;
mod default_and_takeover;
mod demo;
mod deploy_script;
mod erc20;
mod expiry;
mod lots;
mod no_trade;
mod overlapping_rounds;
mod restart;
mod sealed;
mod signed_bids;
mod terms;
mod trade;
mod two_relayers;
mod void_round;
