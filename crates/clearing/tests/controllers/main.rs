//! Tests of the terms that move: `docs/controllers.md` claims what is shown here.
//!
//! | module | what it shows |
//! |---|---|
//! | `rule` | the rule by hand, for every input, and against a transcription of its text |
//! | `signal` | what is read from a settled round |
//! | `market` | a market whose terms move |
//! | `convergence` | where the terms settle after a step in demand or supply, and in how many rounds |
//! | `limits` | where they do not settle as one would wish |
//! | `wash`, `manipulation` | what it costs to move them |
#![allow(clippy::unwrap_used, reason = "the helpers here are test code too, where a panic is the failure")]

mod convergence;
mod limits;
mod manipulation;
mod market;
mod rule;
mod signal;
mod wash;
