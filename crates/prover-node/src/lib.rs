//! The prover node: serves one market with one key.
//!
//! | module | what is in it |
//! |---|---|
//! | [`config`] | settings from flags, environment and file |
//! | [`plan`] | what to do next, as a pure function |
//! | [`work`] | reading and proving what was published, on threads of its own |

pub mod config;
pub mod plan;
pub mod work;
