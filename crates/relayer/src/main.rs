//! `relayer`: settles closed rounds of proof markets.

use chain::{Client, ConnectError, ConnectOptions, FollowError, FollowOptions, Follower, MarketId, Markets};
use clap::Parser;
use relayer::config::{Cli, Config, SettingsError};
use relayer::intake::Intake;
use relayer::relay::{Lost, Relay, Tally};
use service::ops::{Ops, watch_wallet};
use service::{Exit, FAILED, NO_CONNECTION, Stop, WRONG_USAGE, exit, patiently};
use std::process::ExitCode;
use std::time::Duration;
use thiserror::Error;
use tracing::info;

#[tokio::main]
async fn main() -> ExitCode {
    Exit::report(run(&Cli::parse()).await, "relayer")
}

async fn run(cli: &Cli) -> Result<(), Exit> {
    let config = Config::load(cli).map_err(exit(WRONG_USAGE))?;
    service::init_tracing(config.json).map_err(exit(FAILED))?;
    service::hide_urls(&config.rpc_url);
    config.private_rpc_url.iter().for_each(|url| service::hide_urls(url));
    let key = service::load_signer(config.key_file.as_deref(), config.kms_key.as_deref()).await;
    let key = key.map_err(exit(WRONG_USAGE))?;
    let mut options =
        ConnectOptions::new(&config.rpc_url, config.contract).chain_id(config.chain_id).signer(Some(key));
    options.connection.patience = config.transactions().patience();
    let transactions = config.transactions().options(config.key_file.as_deref()).await;
    let mut transactions = transactions.map_err(exit(FAILED))?;
    let stop = Stop::on_signals(config.ops().stop_within);
    let ops = Ops::start("relayer", &config.ops()).await.map_err(exit(FAILED))?;
    transactions.journal = ops.health.watching(transactions.journal);
    options.connection.transactions = transactions;
    let follower = tokio::select! {
        () = stop.asked() => return Ok(()),
        follower = start(&config, &options) => follower.map_err(exit(NO_CONNECTION))?,
    };
    if ops.address().is_some() {
        tokio::spawn(watch_wallet(follower.client().clone()));
    }
    let intake = match config.intake() {
        Some(options) => Some(Intake::start(options, &follower).await.map_err(exit(FAILED))?),
        None => None,
    };
    let relay = Relay::new(follower, config.relay().map_err(exit(WRONG_USAGE))?);
    let mut relay = relay.stopping(stop.clone()).watched(ops.health.clone());
    let intake = match intake {
        Some((intake, feed)) => {
            relay = relay.feeding(feed);
            Some(intake)
        }
        None => None,
    };
    let tally = if config.once {
        tokio::select! {
            () = stop.asked() => return Ok(()),
            tally = relay.run_once() => tally.map_err(exit(NO_CONNECTION))?,
        }
    } else {
        work(relay, intake, &ops, &stop).await.map_err(exit(FAILED))?
    };
    info!(
        settled = tally.settled,
        pages = tally.pages,
        released = tally.released,
        unpaid = tally.unpaid,
        failed = tally.failed,
        "done"
    );
    if config.once && tally.failed > 0 {
        return Err(Exit::new(FAILED, format!("{} of the actions failed, see above", tally.failed)));
    }
    Ok(())
}

/// Works until it is asked to stop; then relay and intake finish at the same time what they are at.
async fn work(relay: Relay, intake: Option<Intake>, ops: &Ops, stop: &Stop) -> Result<Tally, Lost> {
    let relaying = relay.run(stop.asked());
    tokio::pin!(relaying);
    let early = tokio::select! {
        tally = &mut relaying => Some(tally),
        () = stop.asked() => None,
    };
    ops.health.stopping();
    let intake = async {
        let Some(intake) = intake else { return };
        tokio::select! {
            () = intake.stop() => {}
            () = stop.over() => {}
        }
    };
    match early {
        Some(tally) => {
            intake.await;
            tally
        }
        None => tokio::join!(relaying, intake).0,
    }
}

/// Connects and reads the chain up to its head. Unless it runs once, it waits for a node that does not answer yet.
async fn start(config: &Config, options: &ConnectOptions) -> Result<Follower, StartError> {
    let ids = config.market_ids()?;
    // What has been read of the chain stays when its node goes away.
    let mut begun = None;
    let attempt = async || {
        let mut follower = match begun.take() {
            Some(follower) => follower,
            None => begin(config, options, &ids).await?,
        };
        let read = follower.poll().await;
        match read {
            Ok(_) => Ok(follower),
            Err(error) => {
                begun = Some(follower);
                Err(StartError::from(error))
            }
        }
    };
    let follower = patiently(attempt, |error| !config.once && error.may_pass()).await?;
    let client = follower.client();
    info!(
        chain = client.chain_id(),
        contract = %client.contract(),
        sender = %client.sender().unwrap_or_default(),
        markets = follower.markets().count(),
        block = follower.head().number,
        "following the chain"
    );
    Ok(follower)
}

/// Why the relayer cannot start.
#[derive(Debug, Error)]
enum StartError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Follow(#[from] FollowError),
}

impl StartError {
    const fn may_pass(&self) -> bool {
        match self {
            Self::Settings(_) => false,
            Self::Connect(error) => error.may_pass(),
            Self::Follow(error) => error.may_pass(),
        }
    }
}

async fn begin(config: &Config, options: &ConnectOptions, ids: &[MarketId]) -> Result<Follower, StartError> {
    let client = Client::connect(options).await?;
    let markets = if ids.is_empty() { Markets::All } else { Markets::Only(ids.to_vec()) };
    let mut follow = FollowOptions::new(markets, config.from_block);
    follow.max_span = config.max_span;
    follow.poll = Duration::from_millis(config.poll_ms);
    Ok(Follower::at_origin(client, follow).await?)
}
