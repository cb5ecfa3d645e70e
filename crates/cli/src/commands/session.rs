//! One run's connection: the settings, the chain, the key and the market that they name.

use crate::amount::{Currency, Denomination};
use crate::failure::{Code, Failure, OrFail, Outcome};
use crate::output::Output;
use crate::settings::Settings;
use alloy::primitives::{Address, U256};
use alloy::providers::Provider;
use alloy::rpc::types::{Filter, TransactionReceipt};
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::{SolCall, SolEvent};
use bindings::ProverMarket;
use chain::events::first;
use chain::{
    Client, ConnectOptions, FollowOptions, Follower, Market, MarketHistory, MarketId, Markets, Retention,
    SendError,
};

/// Blocks to ask for in one request for logs.
const LOG_SPAN: u64 = 10_000;

/// A connection with what it is for.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) output: Output,
    pub(crate) settings: Settings,
    pub(crate) client: Client,
}

/// A market together with the terms in which its money is shown.
#[derive(Debug, Clone)]
pub(crate) struct OpenMarket {
    pub(crate) market: Market,
    pub(crate) money: Denomination,
}

impl Session {
    /// Connects; a key is used if there is one.
    pub(crate) async fn open(settings: Settings, output: Output) -> Outcome<Self> {
        let key = service::load_key_if_any(settings.key_file.as_deref()).or_fail(Code::Input)?;
        Self::connect(settings, output, key).await
    }

    /// Connects to send transactions.
    pub(crate) async fn with_key(settings: Settings, output: Output) -> Outcome<Self> {
        let key = service::load_key(settings.key_file.as_deref()).or_fail(Code::Input)?;
        Self::connect(settings, output, Some(key)).await
    }

    /// Connects with `key`.
    pub(crate) async fn connect(
        settings: Settings,
        output: Output,
        key: Option<PrivateKeySigner>,
    ) -> Outcome<Self> {
        let contract = settings.contract.ok_or_else(|| {
            Failure::input(
                "no contract: give --contract, set PROOPHI_CONTRACT, or start a development chain with `proophi devnet`",
            )
        })?;
        let options =
            ConnectOptions::new(settings.rpc_url(), contract).chain_id(settings.chain_id).signer(key);
        let client = Client::connect(&options).await.or_fail(Code::Connection)?;
        Ok(Self { output, settings, client })
    }

    /// The account that sends.
    pub(crate) fn sender(&self) -> Outcome<Address> {
        self.client.sender().ok_or_else(|| {
            Failure::input("no private key: name a file with --key-file or set PROOPHI_PRIVATE_KEY")
        })
    }

    /// The sender's key, to sign what is not sent.
    pub(crate) fn key(&self) -> Outcome<PrivateKeySigner> {
        service::load_key(self.settings.key_file.as_deref()).or_fail(Code::Input)
    }

    /// Block time of the newest block (seconds).
    pub(crate) async fn now(&self) -> Outcome<u64> {
        self.client.now().await.or_fail(Code::Connection)
    }

    /// Sends one transaction and waits for its receipt, with a spinner that says `what`.
    pub(crate) async fn send<C: SolCall>(
        &self,
        what: &str,
        call: C,
        value: U256,
    ) -> Outcome<TransactionReceipt> {
        let spinner = self.output.spinner(what.to_owned());
        let sent = self.client.send(call, value, None).await;
        spinner.finish_and_clear();
        sent.map_err(|error| refused(what, error))
    }

    /// The market that the settings name; without a name the only one that there is.
    pub(crate) async fn market(&self) -> Outcome<OpenMarket> {
        let id = match self.settings.market.as_deref() {
            Some(text) => match text.parse() {
                Ok(id) => id,
                Err(_) => self.find(text).await?,
            },
            None => self.find("").await?,
        };
        self.load(id).await
    }

    /// The market with this id.
    pub(crate) async fn load(&self, id: MarketId) -> Outcome<OpenMarket> {
        let market = Market::load(&self.client, id).await.or_fail(Code::Input)?;
        let currency = currency_of(&self.client, market.params.currency).await?;
        let tick = U256::from(market.params.tick);
        Ok(OpenMarket { money: Denomination { currency, tick }, market })
    }

    /// Ids of all markets, in the order of their creation.
    pub(crate) async fn market_ids(&self) -> Outcome<Vec<MarketId>> {
        let newest = self.client.head().await.or_fail(Code::Connection)?.number;
        let filter = Filter::new()
            .address(self.client.contract())
            .event_signature(ProverMarket::MarketCreated::SIGNATURE_HASH);
        let (mut ids, mut from) = (Vec::new(), self.settings.from_block.unwrap_or(0));
        while from <= newest {
            let to = newest.min(from.saturating_add(LOG_SPAN - 1));
            let part = filter.clone().from_block(from).to_block(to);
            let logs = self.client.provider().get_logs(&part).await.or_fail(Code::Connection)?;
            ids.extend(logs.iter().filter_map(|log| log.topics().get(1)).map(|id| MarketId::from(*id)));
            from = to + 1;
        }
        Ok(ids)
    }

    /// What happened in a market, read from the chain, and as much of it as `retention` says.
    pub(crate) async fn follow(&self, open: &OpenMarket, retention: Retention) -> Outcome<Follower> {
        let from = self.settings.from_block.unwrap_or(0);
        let options = FollowOptions::new(Markets::Only(vec![open.market.id]), from).keeping(retention);
        let spinner = self.output.spinner("reading the market's events");
        let follower = Follower::start(self.client.clone(), options).await;
        spinner.finish_and_clear();
        follower.or_fail(Code::Connection)
    }

    /// The history of the market that a follower was started for.
    pub(crate) fn history<'a>(
        &self,
        follower: &'a Follower,
        open: &OpenMarket,
    ) -> Outcome<&'a MarketHistory> {
        follower.market(open.market.id).ok_or_else(|| {
            Failure::new(Code::Failed, eyre::eyre!("market {} is not followed", open.market.id))
        })
    }

    /// The event that a transaction is there for.
    pub(crate) fn event<E: SolEvent>(&self, receipt: &TransactionReceipt) -> Outcome<E> {
        first(receipt, self.client.contract())
            .ok_or_else(|| Failure::new(Code::Failed, eyre::eyre!("the receipt shows no {}", E::SIGNATURE)))
    }

    async fn find(&self, prefix: &str) -> Outcome<MarketId> {
        unique(&self.market_ids().await?, prefix)
    }
}

/// The one id that starts with `prefix` (hexadecimal digits, with or without 0x).
fn unique(ids: &[MarketId], prefix: &str) -> Outcome<MarketId> {
    let digits = prefix.strip_prefix("0x").unwrap_or(prefix).to_ascii_lowercase();
    let matching: Vec<&MarketId> =
        ids.iter().filter(|id| id.to_string().trim_start_matches("0x").starts_with(&digits)).collect();
    match matching.as_slice() {
        [id] => Ok(**id),
        [] if ids.is_empty() => {
            Err(Failure::input("the contract has no market; create one with `proophi market create`"))
        }
        [] => Err(Failure::input(format!(
            "no market's id starts with {prefix:?}; list them with `proophi market list`"
        ))),
        several => {
            let list: Vec<String> = several.iter().take(5).map(ToString::to_string).collect();
            let how =
                if digits.is_empty() { "name one with --market" } else { "write more digits of the id" };
            Err(Failure::input(format!("{} markets match; {how}: {}", several.len(), list.join(", "))))
        }
    }
}

/// What a failed transaction means for the caller: a refusal by the contract, or trouble with the chain.
pub(crate) fn refused(what: &str, error: SendError) -> Failure {
    let code = if error.revert().is_some() { Code::Refused } else { Code::Connection };
    Failure::new(code, eyre::Report::new(error).wrap_err(format!("{what} failed")))
}

/// How a market's currency is called and counted.
pub(crate) async fn currency_of(client: &Client, currency: chain::Currency) -> Outcome<Currency> {
    let address = match currency {
        chain::Currency::Native => return Ok(Currency::ether()),
        chain::Currency::Token(address) => address,
    };
    let token = client.token(address);
    let decimals = token.decimals().call().await.or_fail_with(Code::Input, || {
        format!("{address} does not say how many decimals it has; is it a token on this chain?")
    })?;
    // A token without a readable symbol is still money.
    let symbol = token.symbol().call().await.unwrap_or_else(|_| "tokens".to_owned());
    Ok(Currency { symbol, decimals, native: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::B256;

    fn ids() -> Vec<MarketId> {
        [0x11, 0x12, 0x22].map(|byte| MarketId::from(B256::repeat_byte(byte))).to_vec()
    }

    #[test]
    fn a_unique_prefix_names_its_market() {
        assert_eq!(unique(&ids(), "0x2").unwrap(), ids()[2]);
        assert_eq!(unique(&ids(), "12").unwrap(), ids()[1]);
        assert_eq!(unique(&ids()[..1], "").unwrap(), ids()[0]);
    }

    #[test]
    fn an_ambiguous_or_unknown_prefix_is_refused_with_advice() {
        let ambiguous = unique(&ids(), "0x1").unwrap_err().to_string();
        assert!(ambiguous.contains("2 markets match") && ambiguous.contains("more digits"), "{ambiguous}");
        assert!(unique(&ids(), "0x3").unwrap_err().to_string().contains("market list"));
        assert!(unique(&[], "").unwrap_err().to_string().contains("market create"));
        assert!(unique(&ids(), "").unwrap_err().to_string().contains("--market"));
    }
}
