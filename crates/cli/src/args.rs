//! The command line.

use crate::commands::clear::ClearArgs;
use crate::failure::EXIT_CODES;
use clap::{Args, Parser, Subcommand};

/// A dual auction market for zero-knowledge proofs
///
/// Requesters bid for proofs, provers ask a price per unit of work, each round is cleared off chain and checked on chain.
#[derive(Debug, Parser)]
#[command(name = "proophi", version, after_long_help = EXIT_CODES, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command understands.
#[derive(Debug, Clone, Args)]
pub(crate) struct GlobalArgs {
    /// Print one JSON value on stdout and nothing else; errors as JSON on stderr
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Clear(ClearArgs),
}
