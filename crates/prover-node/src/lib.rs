//! The prover node: serves one market with one key.
//!
//! | module | what is in it |
//! |---|---|
//! | [`plan`] | what to do next, as a pure function |

pub mod plan;
