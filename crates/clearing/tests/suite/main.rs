//! Tests of the crate `clearing` through its public interface.
//!
//! | module | what it shows |
//! |---|---|
//! | `reference` | a slow transcription of the mechanism's text, made without the crate |
//! | `markets` | random rounds of many shapes |
//! | `vectors` | the vectors of `tests/vectors/clearing.json`, and the written form |
//! | `core_examples`, `average_fee_examples` | rounds that can be checked by hand, and the ends of the ranges |
//! | `agreement` | crate and reference agree |
//! | `properties` | rationality, budget, cap, load, order |
//! | `truthfulness` | which participants gain by another offer, and which do not |
//! | `certificates` | exactly one certificate passes |
#![allow(clippy::unwrap_used, reason = "the helpers here are test code too, where a panic is the failure")]

mod agreement;
mod average_fee_examples;
mod certificates;
mod core_examples;
mod markets;
mod properties;
mod reference;
mod truthfulness;
mod vectors;
