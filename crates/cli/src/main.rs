//! `proophi`: the command line of the proof market.
//!
//! | module | what is in it |
//! |---|---|
//! | `args` | the command line |
//! | `settings` | where chain, market and key are: flags, environment, file |
//! | `commands` | one module per command |
//! | `demo` | one round from bids to the last wei |
//! | `local` | Anvil, other programs, key files on this machine |
//! | `render` | tables, curves and times for terminals |
//! | `output` | JSON or text on stdout, progress on stderr |
//! | `amount` | amounts of money as people write them |
//! | `failure` | error messages and exit codes |

mod amount;
mod args;
mod commands;
mod demo;
mod failure;
mod local;
mod output;
mod render;
mod settings;

use crate::args::Cli;
use crate::failure::{Code, Failure};
use crate::output::Output;
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let output = Output::new(cli.global.json);
    match commands::run(cli, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            ExitCode::from(failure.code().exit())
        }
    }
}

/// Help and version go where clap puts them; a refused command line follows `--json` even though it was not understood.
fn usage(error: &clap::Error) -> ExitCode {
    let asked_for_json = std::env::args_os().any(|argument| argument == "--json");
    if error.use_stderr() && asked_for_json {
        let text = error.to_string();
        let message = text.trim_start_matches("error: ").trim_end().to_owned();
        Output::new(true).failure(&Failure::new(Code::Usage, eyre::eyre!(message)));
        return ExitCode::from(Code::Usage.exit());
    }
    match error.print() {
        Ok(()) if !error.use_stderr() => ExitCode::SUCCESS,
        _ => ExitCode::from(Code::Usage.exit()),
    }
}
