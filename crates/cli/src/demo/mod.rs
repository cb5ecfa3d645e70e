//! `proophi demo`: one round from bids to the last wei, with real proofs, on a chain of its own.
//!
//! | module | what is in it |
//! |---|---|
//! | `cast` | who takes part, and with which figures |
//! | `stage` | the chain, the contracts, wallets, programs |
//! | `journal` | the contract's events, and waiting for them |
//! | `acts` | what happens, in order |
//! | `sealing` | commitments of the sealed demo, opened or lost |
//! | `figures` | the round as tables and curves |
//! | `exit` | everybody leaves with what is theirs |
//! | `statement` | every account replayed from events |
//! | `audit` | whether every wei adds up |
//! | `story` | how it is told |

mod acts;
mod audit;
mod cast;
mod exit;
mod figures;
mod journal;
mod sealing;
mod stage;
mod statement;
mod story;

use crate::failure::{Code, Failure, OrFail, Outcome};
use crate::local::RunDir;
use crate::output::Output;
use crate::settings::Settings;
use clap::Args;
use market_types::Mechanism;
use std::time::Instant;

/// Play one round with real proofs on a chain of its own, and account for every wei
///
/// Starts Anvil, deploys the contracts, creates a market; six requesters bid for 24 rollup proofs, five provers ask, a
/// relayer settles the round. One prover is killed before it delivers; another takes its tasks over. In the end everybody
/// withdraws. With --sealed everybody commits first and opens after the close, and the killed prover loses a bond. Exits with 0
/// only if everything added up to the wei.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  proophi demo
  proophi demo --mechanism average-fee --sealed
  proophi demo --json | jq .checks

The programs relayer and prover-node must lie beside proophi (`cargo build --workspace --bins`). Their logs stay in
.proophi/demo-*; Anvil is found by PROOPHI_ANVIL, else on PATH.")]
pub(crate) struct DemoArgs {
    /// How the round is cleared: core (one price for users, one for provers) or average-fee (users pay what they bid)
    #[arg(long, value_name = "MECHANISM", default_value_t = Mechanism::Core)]
    mechanism: Mechanism,
    /// Play it in a market with sealed bids and asks
    #[arg(long)]
    sealed: bool,
}

/// In what kind of market the demo is played.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mode {
    pub(crate) mechanism: Mechanism,
    pub(crate) sealed: bool,
}

/// Runs `proophi demo`.
pub(crate) async fn run(args: DemoArgs, settings: &Settings, output: Output) -> Outcome<()> {
    let (dir, began) = (RunDir::create("demo")?, Instant::now());
    let mode = Mode { mechanism: args.mechanism, sealed: args.sealed };
    let played = tokio::select! {
        played = acts::play(&dir, settings.key_store(), mode, output) => played,
        stopped = service::shutdown() => {
            stopped.or_fail(Code::Failed)?;
            Err(Failure::new(Code::Interrupted, eyre::eyre!("stopped before the end")))
        }
    };
    let place = format!("logs of every program are in {}", dir.path().display());
    let summary = played.map_err(|failure| failure.and(&place))?.took(began.elapsed(), dir.path());
    output.report(&summary)?;
    audit::require(&summary.checks).map_err(|failure| failure.and(&place))
}
