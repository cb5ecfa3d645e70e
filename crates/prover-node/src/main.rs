//! `prover-node`: proves tasks of one market for pay.

use std::process::ExitCode;

use clap::Parser;
use prover_node::{
    config::{Cli, Command, Config},
    node::{self, StartError},
};
use service::{
    Exit, FAILED, NO_CONNECTION, PROOFS_CUT_OFF, Stop, WRONG_USAGE, exit,
    ops::{Ops, watch_wallet},
    trouble,
};
use tokio::runtime::Runtime;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return Exit::report(Err(Exit::new(FAILED, error)), "prover-node"),
    };
    let result = runtime.block_on(run(&cli));
    // A key that is being made cannot be stopped; a stop must not wait for it.
    runtime.shutdown_background();
    Exit::report(result, "prover-node")
}

async fn run(cli: &Cli) -> Result<(), Exit> {
    let config = Config::load(cli).map_err(exit(WRONG_USAGE))?;
    service::init_tracing(config.json).map_err(exit(FAILED))?;
    service::hide_urls(&config.rpc_url);
    config.queue.iter().for_each(|url| service::hide_urls(url));
    config.private_rpc_url.iter().for_each(|url| service::hide_urls(url));
    let stop = Stop::on_signals(config.ops().stop_within);
    if cli.command == Some(Command::Work) {
        return node::work(&config, stop.asked()).await.map_err(not_started);
    }
    let wish = config.wish(cli.command).map_err(exit(WRONG_USAGE))?;
    let key = service::load_signer(config.key_file.as_deref(), config.kms_key.as_deref()).await;
    let key = key.map_err(exit(WRONG_USAGE))?;
    let ops = Ops::start("prover-node", &config.ops()).await.map_err(exit(FAILED))?;
    let node = tokio::select! {
        () = stop.asked() => return Ok(()),
        node = node::start(&config, key, wish, ops.health.clone()) => node.map_err(not_started)?,
    };
    if ops.address().is_some() {
        tokio::spawn(watch_wallet(node.client()));
    }
    let node = node.stopping(stop.clone());
    tokio::select! {
        ended = node.run(stop.asked()) => ended.map_err(exit(FAILED)),
        () = stop.cut_off() => {
            trouble!(warn, PROOFS_CUT_OFF, "stopping while the chain does not answer; the next start goes on");
            Ok(())
        }
    }
}

fn not_started(error: StartError) -> Exit {
    let code = match error {
        StartError::Connect(_) | StartError::Market(_) | StartError::Verifier(_) | StartError::Follow(_) => {
            NO_CONNECTION
        }
        StartError::NotOperator { .. } | StartError::NoQueue => WRONG_USAGE,
        #[cfg(feature = "queue")]
        StartError::Queue(_) => NO_CONNECTION,
        StartError::Keys(_)
        | StartError::Openings(_)
        | StartError::Journal(_)
        | StartError::Pool(_)
        | StartError::Broken(_) => FAILED,
    };
    Exit::new(code, error)
}
