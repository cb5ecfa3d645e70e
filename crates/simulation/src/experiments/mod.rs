//! The experiments, one module each.
//!
//! | module | question |
//! |---|---|
//! | `incentives` | what does one participant gain by not saying the truth? |

mod common;
mod incentives;

use crate::report::Report;
use crate::runner::Lab;
use clap::ValueEnum;

/// An experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Experiment {
    /// What one participant gains by not saying the truth, both mechanisms, both sides
    Incentives,
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
        }
    }
}
