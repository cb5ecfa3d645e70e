//! `proophi deploy`: the contracts on a chain that is there.

use crate::commands::session::refused;
use crate::failure::{Code, Failure, OrFail, Outcome};
use crate::local::{circuit_keys, load_keys};
use crate::output::{Output, Report};
use crate::render::Palette;
use crate::settings::{self, Settings};
use alloy::primitives::Address;
use chain::deploy::{CircuitKey, DeployError, Deployment};
use chain::{Connection, ConnectionOptions};
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;

/// Deploy the verifier with the circuits' keys, the market contract and its lens
#[derive(Debug, Args)]
#[command(after_help = format!("Example:
  proophi deploy --rpc-url http://127.0.0.1:8545 --key-file deployer.key --write proophi.toml

The keys are made for development and cached in the key store; anybody can forge proofs for them.

{}", settings::HELP))]
pub(crate) struct DeployArgs {
    /// Write the addresses to this file of settings, which must not exist
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

/// Where the contracts are.
#[derive(Debug, Serialize)]
struct Deployed {
    chain_id: u64,
    contract: Address,
    lens: Address,
    verifier: Address,
    block: u64,
    settings_file: Option<PathBuf>,
}

impl Report for Deployed {
    fn text(&self, palette: Palette, _width: usize) -> String {
        let mut text = format!("{} on chain {}\n", palette.good("deployed"), self.chain_id);
        for (name, address) in [("contract", self.contract), ("lens", self.lens), ("verifier", self.verifier)]
        {
            text += &format!("  {name:<9} {address}\n");
        }
        if let Some(file) = &self.settings_file {
            text += &format!("  settings  {}\n", file.display());
        }
        text
    }
}

/// Runs `proophi deploy`.
pub(crate) async fn run(args: &DeployArgs, settings: Settings, output: Output) -> Outcome<()> {
    if let Some(file) = args.write.as_ref().filter(|file| file.exists()) {
        return Err(Failure::input(format!("{} is there already; name another file", file.display())));
    }
    let key = service::load_key(settings.key_file.as_deref()).or_fail(Code::Input)?;
    let options = ConnectionOptions::new(settings.rpc_url()).chain_id(settings.chain_id).signer(Some(key));
    let connection = Connection::connect(&options).await.or_fail(Code::Connection)?;
    let keys = load_keys(&settings.key_store(), output).await?;
    let deployment = deploy(&connection, &circuit_keys(&keys)?, output).await?;
    if let Some(file) = &args.write {
        let text = settings_of(&settings, &deployment, connection.chain_id()).to_toml()?;
        std::fs::write(file, text)
            .or_fail_with(Code::Failed, || format!("cannot write {}", file.display()))?;
    }
    output.report(&Deployed {
        chain_id: connection.chain_id(),
        contract: deployment.market,
        lens: deployment.lens,
        verifier: deployment.verifier,
        block: deployment.block,
        settings_file: args.write.clone(),
    })
}

/// Deploys everything, with a spinner.
pub(crate) async fn deploy(
    connection: &Connection,
    keys: &[CircuitKey],
    output: Output,
) -> Outcome<Deployment> {
    let spinner = output.spinner("deploying verifier, market and lens");
    let deployed = chain::deploy::deploy(connection, keys).await;
    spinner.finish_and_clear();
    deployed.map_err(not_deployed)
}

/// What a failed deployment means for the caller.
pub(crate) fn not_deployed(error: DeployError) -> Failure {
    match error {
        DeployError::Send { what, reason } => refused(&format!("creating {what}"), reason),
        other => Failure::new(Code::Connection, other),
    }
}

/// `settings` with the addresses of a deployment.
pub(crate) fn settings_of(settings: &Settings, deployment: &Deployment, chain_id: u64) -> Settings {
    Settings {
        rpc_url: Some(settings.rpc_url().to_owned()),
        chain_id: Some(chain_id),
        contract: Some(deployment.market),
        lens: Some(deployment.lens),
        verifier: Some(deployment.verifier),
        from_block: Some(deployment.block),
        ..settings.clone()
    }
}
