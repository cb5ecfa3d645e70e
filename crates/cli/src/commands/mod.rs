//! One module per command, and what they share.
//!
//! | module | what is in it |
//! |---|---|
//! | `session` | the connection, the key and the market of one run |
//! | `doctor` | what programs need, checked |
//! | `clear` | rounds from a file, offline |
//! | `lab` | the laboratory, offline |
//! | `deploy`, `devnet` | contracts and chains |
//! | `market`, `market_flags`, `market_view` | markets, their rules as flags and as shown |
//! | `money`, `permit`, `bundles` | deposits, also by signature, withdrawals, results of bids submitted together |
//! | `bid`, `quote`, `lots`, `statement` | bids, what they cost, the entries that they become, and what they ask a proof for |
//! | `signed`, `relay`, `submit_signed` | bids that are signed, handed in at a relayer, or submitted for others |
//! | `publish` | statements of bids that were sent without them |
//! | `sealed`, `reveal`, `revealed`, `forfeit` | commitments of sealed markets, from opening kept to bond returned or lost |
//! | `prover`, `seats` | provers' seats |
//! | `round`, `round_view`, `bid_view`, `account` | what there is to see |

pub(crate) mod account;
pub(crate) mod bid;
mod bid_view;
pub(crate) mod bundles;
pub(crate) mod clear;
pub(crate) mod deploy;
pub(crate) mod devnet;
pub(crate) mod doctor;
pub(crate) mod forfeit;
pub(crate) mod lab;
pub(crate) mod lots;
pub(crate) mod market;
pub(crate) mod market_flags;
mod market_view;
pub(crate) mod money;
pub(crate) mod permit;
pub(crate) mod prover;
pub(crate) mod publish;
mod quote;
mod relay;
pub(crate) mod reveal;
mod revealed;
pub(crate) mod round;
mod round_view;
pub(crate) mod sealed;
pub(crate) mod seats;
pub(crate) mod session;
mod signed;
pub(crate) mod statement;
pub(crate) mod submit_signed;

use crate::args::{Cli, Command};
use crate::demo;
use crate::failure::{Code, OrFail, Outcome};
use crate::output::Output;
use crate::settings::Settings;

/// Runs the command that was asked for.
pub(crate) fn run(cli: Cli, output: Output) -> Outcome<()> {
    match &cli.command {
        Command::Clear(args) => return clear::run(args, output),
        Command::Lab(args) => return lab::run(args, output),
        _ => {}
    }
    let flags = cli.global.settings.clone();
    let settings = match &cli.command {
        // It looks at the settings itself, which may be another program's.
        Command::Doctor(_) => Settings::default(),
        _ => Settings::load(&flags)?,
    };
    let runtime = tokio::runtime::Runtime::new().or_fail(Code::Failed)?;
    runtime.block_on(async {
        match cli.command {
            Command::Demo(args) => demo::run(args, &settings, output).await,
            Command::Devnet(args) => devnet::run(*args, settings, output).await,
            Command::Deploy(args) => deploy::run(&args, settings, output).await,
            Command::Market(args) => market::run(args, settings, output).await,
            Command::Deposit(args) => money::deposit(&args, settings, output).await,
            Command::Withdraw(args) => money::withdraw(&args, settings, output).await,
            Command::Bid(args) => bid::run(args, settings, output).await,
            Command::SubmitSigned(args) => submit_signed::run(&args, settings, output).await,
            Command::Publish(args) => publish::run(args, settings, output).await,
            Command::Reveal(args) => reveal::run(args, settings, output).await,
            Command::Forfeit(args) => forfeit::run(args, settings, output).await,
            Command::Prover(args) => prover::run(args, settings, output).await,
            Command::Round(args) => round::run(args, settings, output).await,
            Command::Account(args) => account::run(args, settings, output).await,
            Command::Doctor(args) => doctor::run(args, &flags, output).await,
            Command::Clear(args) => clear::run(&args, output),
            Command::Lab(args) => lab::run(&args, output),
        }
    })
}
