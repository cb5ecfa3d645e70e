//! `proophi lab`: the laboratory of the mechanism, without a chain.

use crate::failure::{Code, OrFail, Outcome};
use crate::output::{Output, Report};
use crate::render::Palette;
use simulation::cli::{LabArgs, Summary};

/// Runs `proophi lab`.
pub(crate) fn run(args: &LabArgs, output: Output) -> Outcome<()> {
    let summary = simulation::cli::run(args, output.shows_progress()).or_fail(Code::Failed)?;
    output.report(&summary)
}

impl Report for Summary {
    fn text(&self, _: Palette, _: usize) -> String {
        self.for_people()
    }
}
