//! The experiments, one module each.
//!
//! | module | question |
//! |---|---|
//! | `incentives` | what does one participant gain by not saying the truth? |
//! | `agreements` | what does an agreement outside the market gain, by capacity cap? |
//! | `defences` | what do misreported capacity and several names gain, with and without defences? |
//! | `course` | (a market through time, for `controllers`) |
//! | `controllers` | how do moving terms answer to demand, and what does it cost to move them? |
//! | `cartels` | what do cartels cost requesters, open against sealed? |
//! | `welfare` | how much of the best trade is reached, and who gets it? |

mod agreements;
mod cartels;
mod common;
mod controllers;
mod course;
mod defences;
mod incentives;
mod welfare;

use crate::report::Report;
use crate::runner::Lab;
use clap::{Subcommand, ValueEnum};

/// An experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Subcommand)]
pub enum Experiment {
    /// What one participant gains by not saying the truth, both mechanisms, both sides
    Incentives,
    /// Welfare against the best trade, and who gets it, by thickness and demand over supply
    Welfare,
    /// What a requester-prover agreement outside the market gains, by capacity cap
    Agreements,
    /// What misreported capacity and several names gain, with and without each defence
    Defences,
    /// What prover cartels cost requesters, by size, open against sealed rounds
    Cartels,
    /// How moving cap and reserve price answer to demand, and what it costs to move them
    Controllers,
}

impl Experiment {
    /// Its name on the command line and in files.
    #[must_use]
    pub fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Runs it.
    #[must_use]
    pub fn run(self, lab: &Lab) -> Report {
        match self {
            Self::Incentives => incentives::run(lab),
            Self::Agreements => agreements::run(lab),
            Self::Cartels => cartels::run(lab),
            Self::Defences => defences::run(lab),
            Self::Controllers => controllers::run(lab),
            Self::Welfare => welfare::run(lab),
        }
    }
}
