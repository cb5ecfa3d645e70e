//! What the demo plays on: a chain, the contracts, a market, everybody's wallet and programs.

use crate::commands::deploy::{deploy, not_deployed, settings_of};
use crate::commands::session::{OpenMarket, Session};
use crate::failure::{Code, Failure, OrFail, Outcome};
use crate::local::{ChainOptions, LocalChain, Program, RunDir, circuit_keys, load_keys, write_key};
use crate::output::Output;
use crate::settings::Settings;
use alloy::primitives::Address;
use alloy::signers::local::PrivateKeySigner;
use chain::{Connection, ConnectionOptions, Currency, MarketParams};
use market_types::{CapacityCap, Mechanism, ReservePrice, TaskSize};
use std::path::PathBuf;

use super::Mode;
use super::cast::{self, PROVERS, Prover, REQUESTERS, Requester};

/// A wallet with a part in the demo.
#[derive(Debug, Clone)]
pub(crate) struct Actor {
    pub(crate) name: &'static str,
    pub(crate) role: &'static str,
    pub(crate) session: Session,
    pub(crate) address: Address,
    key_file: PathBuf,
}

/// Everything that the demo runs.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) market: OpenMarket,
    pub(crate) requesters: Vec<(Requester, Actor)>,
    pub(crate) provers: Vec<(Prover, Actor)>,
    pub(crate) relayer: Actor,
    pub(crate) sink: Address,
    pub(crate) mode: Mode,
    chain: LocalChain,
    dir: PathBuf,
    key_store: PathBuf,
    programs: Vec<(&'static str, Program)>,
}

impl Stage {
    /// Sets everything up; nothing is running yet but the chain.
    pub(crate) async fn set(dir: &RunDir, key_store: PathBuf, mode: Mode, output: Output) -> Outcome<Self> {
        let people = REQUESTERS.len() + PROVERS.len() + 3;
        let accounts = u8::try_from(people).or_fail(Code::Failed)?;
        let options = ChainOptions { port: 0, block_time: 1, accounts };
        let chain = LocalChain::start(options, dir.path()).await?;
        let keys = load_keys(&key_store, output).await?;

        let mut wallets = chain.accounts().iter().cloned();
        let mut wallet =
            || wallets.next().ok_or_else(|| Failure::new(Code::Failed, eyre::eyre!("too few accounts")));
        let (deployer, sink) = (wallet()?, wallet()?.address());
        let options = ConnectionOptions::new(chain.url()).signer(Some(deployer.clone()));
        let connection = Connection::connect(&options).await.or_fail(Code::Connection)?;
        let deployment = deploy(&connection, &circuit_keys(&keys)?, output).await?;
        let settings = Settings {
            rpc_url: Some(chain.url().to_owned()),
            openings: Some(dir.file("openings")),
            ..Settings::default()
        };
        let settings = settings_of(&settings, &deployment, connection.chain_id());
        let session = Session::connect(settings.clone(), output, Some(deployer)).await?;
        let market = market(&session, deployment.verifier, sink, mode).await?;

        let act = Backstage { dir, settings, output };
        let relayer = act.actor("Relayer", "relayer", wallet()?).await?;
        let mut requesters = Vec::new();
        for requester in REQUESTERS {
            requesters.push((requester, act.actor(requester.name, "requester", wallet()?).await?));
        }
        let mut provers = Vec::new();
        for prover in cast::provers(mode.mechanism) {
            provers.push((prover, act.actor(prover.name, "prover", wallet()?).await?));
        }
        let dir = dir.path().to_owned();
        Ok(Self {
            market,
            requesters,
            provers,
            relayer,
            sink,
            mode,
            chain,
            dir,
            key_store,
            programs: Vec::new(),
        })
    }

    /// Starts the relayer and one node per prover, each a process of its own with its own key.
    pub(crate) fn start_programs(&mut self) -> Outcome<()> {
        let (contract, market) = (self.contract().to_string(), self.market.market.id.to_string());
        let common = |key_file: &PathBuf| -> Vec<String> {
            let key_file = key_file.display().to_string();
            let flags = [
                ("rpc-url", self.chain.url()),
                ("contract", &contract),
                ("market", &market),
                ("key-file", &key_file),
            ];
            flags.iter().map(|(name, value)| format!("--{name}={value}")).collect()
        };
        let mut programs = Vec::new();
        let mut start = |name, binary, arguments: Vec<String>| -> Outcome<()> {
            let log = self.dir.join(format!("{}.log", str::to_lowercase(name)));
            programs.push((name, Program::start(name, binary, &arguments, &log)?));
            Ok(())
        };
        let mut relaying = common(&self.relayer.key_file);
        // The round of the demo pays much less than its gas would cost.
        relaying.push("--settle-at-a-loss".to_owned());
        start("Relayer", "relayer", relaying)?;
        for (prover, actor) in &self.provers {
            let mut arguments = common(&actor.key_file);
            arguments.push(format!("--key-store={}", self.key_store.display()));
            arguments.push(format!("--openings={}", self.dir.join("openings").display()));
            arguments.push(format!("--capacity={}", prover.capacity));
            arguments.push(format!("--cost={}", prover.cost));
            // Five nodes share this machine; each proof takes one processor.
            arguments.push("--threads=1".to_owned());
            // Nor is there time to measure how fast that is: what each of them offers is part of the story.
            arguments.push("--margin=0".to_owned());
            start(prover.name, "prover-node", arguments)?;
        }
        self.programs = programs;
        Ok(())
    }

    /// Fails if something that should run has ended.
    pub(crate) fn check(&mut self) -> Outcome<()> {
        self.chain.check()?;
        self.programs.iter_mut().try_for_each(|(_, program)| program.check())
    }

    /// Kills one program, as a power cut would.
    pub(crate) fn kill(&mut self, name: &str) -> Outcome<()> {
        let at = self.programs.iter().position(|(other, _)| *other == name);
        let at = at.ok_or_else(|| Failure::new(Code::Failed, eyre::eyre!("{name} is not running")))?;
        self.programs.remove(at).1.kill()
    }

    /// Stops every program; the chain goes on.
    pub(crate) fn stop_programs(&mut self) {
        self.programs.clear();
    }

    /// The market's contract.
    pub(crate) fn contract(&self) -> Address {
        self.relayer.session.client.contract()
    }

    /// Everybody with a wallet that sends transactions: requesters, provers, the relayer.
    pub(crate) fn actors(&self) -> impl Iterator<Item = &Actor> {
        let requesters = self.requesters.iter().map(|(_, actor)| actor);
        requesters.chain(self.provers.iter().map(|(_, actor)| actor)).chain([&self.relayer])
    }
}

/// What every actor is made from.
struct Backstage<'a> {
    dir: &'a RunDir,
    settings: Settings,
    output: Output,
}

impl Backstage<'_> {
    async fn actor(&self, name: &'static str, role: &'static str, key: PrivateKeySigner) -> Outcome<Actor> {
        let key_file = self.dir.file(&format!("{}.key", name.to_lowercase()));
        write_key(&key_file, &key)?;
        let address = key.address();
        // Many send at once here; spinners of their own would only flicker.
        let session = Session::connect(self.settings.clone(), self.output.silent(), Some(key)).await?;
        Ok(Actor { name, role, session, address, key_file })
    }
}

/// Creates the demo's market, whose round 0 opens with the newest block.
async fn market(session: &Session, verifier: Address, sink: Address, mode: Mode) -> Outcome<OpenMarket> {
    let cap = CapacityCap::new(cast::CAPACITY_CAP).or_fail(Code::Failed)?;
    let reserve = ReservePrice::new(cast::RESERVE);
    // A sealed round has to leave time for commitments, and to open them, on a machine with other work.
    let (bidding_period, reveal_period) = if mode.sealed { (18, 10) } else { (10, 0) };
    let params = MarketParams {
        currency: Currency::Native,
        tick: cast::TICK.into(),
        mechanism: mode.mechanism,
        capacity_cap: cap,
        cap_min: cap,
        cap_max: cap,
        reserve_price: reserve,
        reserve_min: reserve,
        reserve_max: reserve,
        genesis: session.now().await?,
        bidding_period,
        reveal_period,
        settlement_period: 8,
        // The dead prover's tasks wait for the end of this; two idle processors need half of it for all proofs, of which there
        // are more under average fees.
        proving_period: if mode.mechanism == Mechanism::Core { 16 } else { 24 },
        // Nobody waits for the end of this, and no node takes over what it has measured that it cannot prove in time: a
        // machine with other work needs room.
        takeover_period: 60,
        max_takeovers: 2,
        max_seats: 16,
        capacity_delay: 1,
        min_seat_capacity: 2 * cast::max_task_size() - 1,
        seat_fee: cast::SEAT_FEE,
        verifier,
        verifier_gas: 500_000,
        bounty_bps: 5_000,
        compensation_bps: 3_000,
        penalty_bps: 1_000,
        bond_bps: if mode.sealed { cast::BOND_BPS } else { 0 },
        sink,
        collateral_per_unit: cast::COLLATERAL,
        settlement_fee: cast::SETTLEMENT_FEE,
        max_task_size: TaskSize::new(cast::max_task_size()).or_fail(Code::Failed)?,
    };
    let market = chain::deploy::create_market(&session.client, &params).await.map_err(not_deployed)?;
    session.load(market.id).await
}
