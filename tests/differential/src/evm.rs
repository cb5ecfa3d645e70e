//! The contracts' bytecode on an EVM inside the process: thousands of rounds a minute, with the rules of a real chain.

use alloy::{
    primitives::{Address, Bytes, U256},
    sol_types::{SolCall, SolConstructor, SolInterface},
};
use bindings::ProverMarket::ProverMarketErrors;
use bindings::{MarketExtension, ProverMarket, RoundAuditor};
use revm::{
    Context, ExecuteCommitEvm, ExecuteEvm, MainBuilder, MainContext,
    context::{
        TxEnv,
        result::{ExecutionResult, Output},
    },
    database::{CacheDB, EmptyDB},
    primitives::{Log, TxKind, hardfork::SpecId},
    state::AccountInfo,
};

type Inner = revm::MainnetEvm<revm::handler::MainnetContext<CacheDB<EmptyDB>>>;

/// Most gas a transaction may use: as on a chain, so that a round that fits no transaction fails.
const GAS_LIMIT: u64 = chain::MAX_TRANSACTION_GAS;

/// A chain of one process.
pub struct Evm {
    inner: Inner,
}

/// Where the contracts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Market {
    /// The market.
    pub market: Address,
    /// What checks its rounds.
    pub auditor: Address,
}

/// A call that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// With one of the market's errors.
    Market(Box<ProverMarketErrors>),
    /// With other bytes, or none.
    Other(Bytes),
    /// By the machine: out of gas and the like.
    Halt(String),
    /// Not at all, but pages are missing.
    Unfinished,
}

/// What a call that succeeded did.
#[derive(Debug, Clone)]
pub struct Done {
    /// What it returned.
    pub output: Bytes,
    /// What it logged.
    pub logs: Vec<Log>,
    /// Gas that it needed, before any refund.
    pub gas: u64,
}

impl Refused {
    /// Name of the market's error; where it stands for many refusals, as `Name(Reason)`. `None` if it is none of its errors.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        let Self::Market(error) = self else { return None };
        let revert = chain::decode_revert(&error.abi_encode());
        let reason = revert.stood_for().and_then(chain::error_name);
        Some(reason.map_or_else(|| revert.name().to_owned(), |reason| format!("{}({reason})", revert.name())))
    }
}

impl Evm {
    /// An empty chain whose clock stands at `time` (seconds).
    #[must_use]
    pub fn new(time: u64) -> Self {
        let mut inner = Context::mainnet()
            .with_db(CacheDB::new(EmptyDB::default()))
            .modify_cfg_chained(|cfg| {
                cfg.spec = SpecId::PRAGUE;
                cfg.disable_nonce_check = true;
            })
            .modify_block_chained(|block| block.gas_limit = u64::MAX)
            .build_mainnet();
        inner.ctx.block.timestamp = U256::from(time);
        Self { inner }
    }

    /// Sets the clock (seconds).
    pub fn set_time(&mut self, time: u64) {
        self.inner.ctx.block.timestamp = U256::from(time);
    }

    /// Sets the balance of an account (wei).
    pub fn fund(&mut self, account: Address, balance: U256) {
        let info = AccountInfo { balance, ..Default::default() };
        self.inner.ctx.journaled_state.database.insert_account_info(account, info);
    }

    /// What an account has (wei).
    ///
    /// # Panics
    /// Never: the database is in memory.
    pub fn balance(&mut self, account: Address) -> U256 {
        let database = &mut self.inner.ctx.journaled_state.database;
        database.load_account(account).expect("an account").info.balance
    }

    /// Deploys a contract.
    ///
    /// # Panics
    /// If its constructor reverts.
    pub fn deploy(&mut self, code: Bytes) -> Address {
        let tx = TxEnv::builder().kind(TxKind::Create).data(code).gas_limit(GAS_LIMIT).build_fill();
        match self.inner.transact_commit(tx).expect("a valid transaction") {
            ExecutionResult::Success { output: Output::Create(_, Some(address)), .. } => address,
            other => panic!("deployment failed: {other:?}"),
        }
    }

    /// Deploys the market's contract with its auditor and extension.
    pub fn deploy_market(&mut self) -> Market {
        let auditor = self.deploy(RoundAuditor::BYTECODE.clone());
        let extension = self.deploy(MarketExtension::BYTECODE.clone());
        let arguments =
            ProverMarket::constructorCall { auditor_: auditor, extension_: extension }.abi_encode();
        let market = self.deploy([ProverMarket::BYTECODE.as_ref(), &arguments].concat().into());
        Market { market, auditor }
    }

    /// A transaction that must succeed.
    ///
    /// # Panics
    /// If it is refused.
    pub fn send<C: SolCall>(
        &mut self,
        from: Address,
        to: Address,
        value: U256,
        call: &C,
    ) -> (C::Return, Done) {
        self.try_send(from, to, value, call)
            .unwrap_or_else(|refused| panic!("{} was refused: {refused:?}", C::SIGNATURE))
    }

    /// A transaction that may be refused; it then has no effect.
    ///
    /// # Errors
    /// If it is refused.
    ///
    /// # Panics
    /// If the node would not even run it.
    pub fn try_send<C: SolCall>(
        &mut self,
        from: Address,
        to: Address,
        value: U256,
        call: &C,
    ) -> Result<(C::Return, Done), Refused> {
        let tx = transaction(from, to, value, call);
        let done = read(self.inner.transact_commit(tx).expect("a valid transaction"))?;
        Ok((C::abi_decode_returns(&done.output).expect("the declared return type"), done))
    }

    /// A transaction whose effects are dropped.
    ///
    /// # Errors
    /// If it is refused.
    ///
    /// # Panics
    /// If the node would not even run it.
    pub fn call<C: SolCall>(&mut self, from: Address, to: Address, call: &C) -> Result<C::Return, Refused> {
        let tx = transaction(from, to, U256::ZERO, call);
        let result = self.inner.transact(tx).expect("a valid transaction").result;
        read(result).map(|done| C::abi_decode_returns(&done.output).expect("the declared return type"))
    }
}

fn transaction<C: SolCall>(from: Address, to: Address, value: U256, call: &C) -> TxEnv {
    TxEnv::builder()
        .caller(from)
        .kind(TxKind::Call(to))
        .value(value)
        .data(call.abi_encode().into())
        .gas_limit(GAS_LIMIT)
        .build_fill()
}

fn read(result: ExecutionResult) -> Result<Done, Refused> {
    match result {
        ExecutionResult::Success { output, logs, gas, .. } => {
            Ok(Done { output: output.into_data(), logs, gas: gas.total_gas_spent() })
        }
        ExecutionResult::Revert { output, .. } => Err(ProverMarketErrors::abi_decode(&output)
            .map_or_else(|_| Refused::Other(output), |error| Refused::Market(Box::new(error)))),
        ExecutionResult::Halt { reason, .. } => Err(Refused::Halt(format!("{reason:?}"))),
    }
}
