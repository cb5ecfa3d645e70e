//! The command line.

use crate::commands::account::AccountArgs;
use crate::commands::bid::BidArgs;
use crate::commands::clear::ClearArgs;
use crate::commands::deploy::DeployArgs;
use crate::commands::devnet::DevnetArgs;
use crate::commands::doctor::DoctorArgs;
use crate::commands::forfeit::ForfeitArgs;
use crate::commands::market::MarketArgs;
use crate::commands::money::{DepositArgs, WithdrawArgs};
use crate::commands::prover::ProverArgs;
use crate::commands::publish::PublishArgs;
use crate::commands::reveal::RevealArgs;
use crate::commands::round::RoundArgs;
use crate::commands::submit_signed::SubmitSignedArgs;
use crate::demo::DemoArgs;
use crate::failure::EXIT_CODES;
use crate::settings::SettingFlags;
use clap::{Args, Parser, Subcommand};
use simulation::cli::LabArgs;

/// A dual auction market for zero-knowledge proofs
///
/// Requesters bid for proofs, provers ask a price per unit of work, each round is cleared off chain and checked on chain.
/// Start with `proophi demo`, which plays one round with real proofs on a chain of its own.
#[derive(Debug, Parser)]
#[command(name = "proophi", version, after_help = EXIT_CODES, arg_required_else_help = true)]
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
    #[command(flatten)]
    pub(crate) settings: SettingFlags,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(DemoArgs),
    Devnet(Box<DevnetArgs>),
    Deploy(DeployArgs),
    Market(MarketArgs),
    Deposit(DepositArgs),
    Withdraw(WithdrawArgs),
    Bid(BidArgs),
    SubmitSigned(SubmitSignedArgs),
    Publish(PublishArgs),
    Reveal(RevealArgs),
    Forfeit(ForfeitArgs),
    Prover(ProverArgs),
    Round(RoundArgs),
    Account(AccountArgs),
    Clear(ClearArgs),
    Lab(LabArgs),
    Doctor(DoctorArgs),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_teaches_with_an_example() {
        let mut teaching = 0;
        for command in Cli::command().get_subcommands() {
            let help = command.clone().render_long_help().to_string();
            let groups =
                command.has_subcommands() || help.contains("Example") || help.contains("A seat's life");
            assert!(groups, "{}", command.get_name());
            teaching += 1;
        }
        assert_eq!(teaching, 17);
    }
}
