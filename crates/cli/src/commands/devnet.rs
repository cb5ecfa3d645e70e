//! `proophi devnet`: a development chain with everything on it, until it is stopped.

use crate::commands::deploy::{deploy, settings_of};
use crate::commands::market::create;
use crate::commands::market_flags::MarketFlags;
use crate::commands::session::Session;
use crate::failure::{Code, Failure, OrFail, Outcome};
use crate::local::{ChainOptions, LocalChain, RunDir, circuit_keys, load_keys, write_key};
use crate::output::{Output, Report};
use crate::render::{Column, Palette, Table};
use crate::settings::{FILES, Settings};
use alloy::primitives::Address;
use chain::{Connection, ConnectionOptions};
use clap::Args;
use serde::Serialize;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Start a development chain with the contracts, a market and funded accounts
///
/// Runs until it is stopped (Ctrl-C). The settings it writes are picked up by every other command that is run in the
/// same directory, so that `proophi bid --fee 50 --generate 2 --top-up` works in a second terminal.
#[derive(Debug, Args)]
#[command(after_help = "Example, in three terminals:
  proophi devnet
  relayer --rpc-url http://127.0.0.1:8545 --contract 0xe7… --key-file .proophi/devnet-…/account-9.key --settle-at-a-loss
  proophi deposit 0.1eth && proophi bid --fee 50 --generate 1 && proophi round show

The chain's accounts are known to everybody; use them for nothing else.")]
pub(crate) struct DevnetArgs {
    /// Port of the chain's JSON-RPC interface
    #[arg(long, value_name = "PORT", default_value_t = 8545)]
    port: u16,
    /// Seconds between blocks
    #[arg(long, value_name = "SECONDS", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    block_time: u64,
    /// Accounts with ether, each with a key file
    #[arg(long, value_name = "NUMBER", default_value_t = 10, value_parser = clap::value_parser!(u8).range(1..))]
    accounts: u8,
    #[command(flatten)]
    market: MarketFlags,
}

#[derive(Debug, Serialize)]
struct Account {
    address: Address,
    key_file: PathBuf,
}

/// What runs, printed once everything is there.
#[derive(Debug, Serialize)]
struct Devnet {
    rpc_url: String,
    chain_id: u64,
    contract: Address,
    lens: Address,
    verifier: Address,
    market: String,
    accounts: Vec<Account>,
    settings_file: PathBuf,
    directory: PathBuf,
}

impl Report for Devnet {
    fn text(&self, palette: Palette, _width: usize) -> String {
        let mut text = format!("{} {} (chain {})\n", palette.good("running at"), self.rpc_url, self.chain_id);
        text += &format!("  contract  {}\n  lens      {}\n", self.contract, self.lens);
        text += &format!("  verifier  {}\n  market    {}\n", self.verifier, self.market);
        text += &format!("  settings  {}\n\n", self.settings_file.display());
        let mut table = Table::new([Column::Left("account"), Column::Left("key file")]);
        for account in &self.accounts {
            table.row([account.address.to_string(), account.key_file.display().to_string()]);
        }
        text += &table.draw(palette);
        text += &format!(
            "\nCommands use the first account; add --key-file for another. {}",
            palette.faint("Ctrl-C stops.")
        );
        text
    }
}

/// Runs `proophi devnet`.
pub(crate) async fn run(args: DevnetArgs, settings: Settings, output: Output) -> Outcome<()> {
    let directory = RunDir::create("devnet")?;
    let options = ChainOptions { port: args.port, block_time: args.block_time, accounts: args.accounts };
    let keys = load_keys(&settings.key_store(), output).await?;
    let mut chain = LocalChain::start(options, directory.path()).await?;
    let accounts = write_accounts(&chain, &directory)?;
    let first = chain.accounts().first().cloned();
    let key_file = accounts.first().map(|account| account.key_file.clone());

    let connection = ConnectionOptions::new(chain.url()).signer(first.clone());
    let connection = Connection::connect(&connection).await.or_fail(Code::Connection)?;
    let deployment = deploy(&connection, &circuit_keys(&keys)?, output).await?;
    let settings = Settings { rpc_url: Some(chain.url().to_owned()), key_file, ..settings };
    let settings = settings_of(&settings, &deployment, connection.chain_id());
    let session = Session::connect(settings, output, first).await?;
    let market = create(&session, &args.market).await?;

    let settings = Settings { market: Some(market.id.clone()), ..session.settings };
    let settings_file = Path::new(FILES[1]);
    fs::write(settings_file, settings.to_toml()?)
        .or_fail_with(Code::Failed, || format!("cannot write {}", settings_file.display()))?;
    output.report(&Devnet {
        rpc_url: chain.url().to_owned(),
        chain_id: connection.chain_id(),
        contract: deployment.market,
        lens: deployment.lens,
        verifier: deployment.verifier,
        market: market.id,
        accounts,
        settings_file: settings_file.to_owned(),
        directory: directory.path().to_owned(),
    })?;
    let stopped = tokio::select! {
        stopped = service::shutdown() => stopped.or_fail(Code::Failed),
        ended = watch(&mut chain) => Err(ended),
    };
    // Settings of a chain that is gone would only mislead the next command.
    fs::remove_file(settings_file).or_fail(Code::Failed)?;
    stopped
}

async fn watch(chain: &mut LocalChain) -> Failure {
    loop {
        if let Err(failure) = chain.check() {
            return failure;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

fn write_accounts(chain: &LocalChain, directory: &RunDir) -> Outcome<Vec<Account>> {
    let mut accounts = Vec::new();
    for (number, key) in chain.accounts().iter().enumerate() {
        let key_file = directory.file(&format!("account-{number}.key"));
        write_key(&key_file, key)?;
        accounts.push(Account { address: key.address(), key_file });
    }
    Ok(accounts)
}
