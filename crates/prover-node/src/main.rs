//! `prover-node`: proves tasks of one market for pay.

use clap::Parser;
use eyre::{Result, WrapErr};
use prover_node::{
    config::{Cli, Config},
    node,
};
use tokio::runtime::Runtime;

fn main() -> Result<()> {
    let runtime = Runtime::new().wrap_err("cannot start the async runtime")?;
    let result = runtime.block_on(run());
    // A key that is being made cannot be stopped; a stop must not wait for it.
    runtime.shutdown_background();
    result
}

async fn run() -> Result<()> {
    let cli = Cli::parse();
    let config = Config::load(&cli)?;
    service::init_tracing(config.json)?;
    let wish = config.wish(cli.command)?;
    let key = service::load_key(config.key_file.as_deref())?;
    let stop = async {
        if let Err(error) = service::shutdown().await {
            tracing::error!(%error, "cannot listen for signals, stopping");
        }
    };
    tokio::pin!(stop);
    let node = tokio::select! {
        () = &mut stop => return Ok(()),
        node = node::start(&config, key, wish) => node.wrap_err("cannot start")?,
    };
    node.run(stop).await.wrap_err("the node gave up")
}
