//! One module per command.

pub(crate) mod clear;

use crate::args::{Cli, Command};
use crate::failure::Outcome;
use crate::output::Output;

/// Runs the command that was asked for.
pub(crate) fn run(cli: Cli, output: Output) -> Outcome<()> {
    match cli.command {
        Command::Clear(args) => clear::run(&args, output),
    }
}
