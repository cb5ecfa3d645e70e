//! `proophi doctor`: checks what a program needs, before it runs or when it does not.
//!
//! | module | what is in it |
//! |---|---|
//! | `findings` | what the checks found, as text and as JSON |
//! | `settings` | the settings of any of the programs, as far as checks need them |
//! | `host` | this machine: files, permissions, keys, space |
//! | `node` | the endpoints of the chain: who answers, chain, age of the head, logs |
//! | `venue` | contract, market, money, and the prover's seat |
//!
//! Nothing is sent and nothing is made. What cannot be checked, since what it needs has failed, is left out.

mod findings;
mod host;
mod node;
mod settings;
mod venue;

use crate::commands::session::Session;
use crate::failure::{Code, Failure, Outcome};
use crate::output::Output;
use crate::settings::{HELP, SettingFlags, Settings};
use alloy::primitives::Address;
use clap::{Args, ValueEnum};
use findings::Findings;
use settings::Found;
use std::fmt;

/// Check what a program needs: settings, keys, files, funds, clocks, the node and the market
#[derive(Debug, Args)]
#[command(after_help = format!("Examples:
  proophi doctor                                         what these commands need
  proophi doctor --for relayer --config relayer.toml     before the relayer is started, or when it does not do its work
  proophi doctor --for prover --config prover-node.toml --json

With --for it reads the file and the variables of that program (RELAYER_*, PROVER_NODE_*) in place of its own. Nothing is sent and
nothing is made. Each check ends with ok, warn or fail, and the last two with what to do; what needs something that has failed is
left out. Exit code 1 if something fails, 0 otherwise.

{HELP}"))]
pub(crate) struct DoctorArgs {
    /// Which program is to run with these settings [default: proophi itself]
    #[arg(long = "for", value_name = "PROGRAM", value_enum)]
    program: Option<Role>,
    /// Whose seats a prover node serves [default: what its settings say, else the key's own account]
    #[arg(long, value_name = "ADDRESS")]
    prover: Option<Address>,
    /// Warn if the wallet pays for fewer transactions than this, at the present price of gas
    #[arg(long, value_name = "N", default_value_t = 100)]
    transactions: u32,
}

/// A program that runs for long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Role {
    /// relayer
    Relayer,
    /// prover-node
    Prover,
}

impl Role {
    /// Prefix of its own variables.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Relayer => "RELAYER_",
            Self::Prover => "PROVER_NODE_",
        }
    }

    /// Gas of the transaction that it sends most often: a settlement of about a thousand bids, a delivery.
    const fn gas(role: Option<Self>) -> u64 {
        match role {
            Some(Self::Relayer) => 1_500_000,
            Some(Self::Prover) => 400_000,
            None => 100_000,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Relayer => "relayer",
            Self::Prover => "prover-node",
        })
    }
}

/// Runs `proophi doctor`.
pub(crate) async fn run(args: DoctorArgs, flags: &SettingFlags, output: Output) -> Outcome<()> {
    let mut findings = Findings::of(args.program);
    examine(&args, flags, output, &mut findings).await;
    output.report(&findings)?;
    match findings.failed() {
        0 => Ok(()),
        count => Err(Failure::new(Code::Failed, eyre::eyre!("{count} of the checks failed, see above"))),
    }
}

async fn examine(args: &DoctorArgs, flags: &SettingFlags, output: Output, findings: &mut Findings) {
    let role = args.program;
    let Some(mut settings) = settings::check(role, flags, findings) else { return };
    settings.prover = args.prover.or(settings.prover);
    let key = host::key(role, settings.key_file.as_deref(), findings);
    if role == Some(Role::Prover) || settings.openings.is_some() {
        host::openings(settings.openings.as_deref(), findings);
    }
    host::written(role, &settings, findings);
    host::space(role, &settings, findings);
    let Some(connection) = node::endpoints(&settings, findings).await else { return };
    node::head(&connection, findings).await;
    let Some(client) = venue::contract(&connection, &settings, findings).await else { return };
    node::logs(&client, &settings, findings).await;
    if let Some(key) = key {
        venue::wallet(&client, key, role, args.transactions, findings).await;
    }
    let session = Session { output: output.silent(), settings: of_commands(&settings), client };
    let Some(market) = venue::market(&session, &settings, role, findings).await else { return };
    let Some(key) = key else { return };
    venue::balance(&session, &market, settings.prover.unwrap_or(key), findings).await;
    if role == Some(Role::Prover) {
        venue::proving_keys(&session, &market, &settings.key_store(), findings).await;
        venue::seat(&session, &market, &settings, key, findings).await;
    }
}

/// The settings as commands have them.
fn of_commands(found: &Found) -> Settings {
    Settings { from_block: found.from_block, market: found.market.clone(), ..Settings::default() }
}
