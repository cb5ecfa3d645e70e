//! The prover node: serves one market with one key.
//!
//! | module | what is in it |
//! |---|---|
//! | [`config`] | settings from flags, environment and file |
//! | [`node`] | the loop that looks at the chain and carries out what the plan says |
//! | [`plan`] | what to do next, as a pure function |
//! | [`work`] | reading and proving what was published, on threads of its own |

pub mod config;
pub mod node;
pub mod plan;
pub mod work;
