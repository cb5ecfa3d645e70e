//! `proophi market`: create, list and show markets.

use crate::amount::{Amount, Currency, Denomination};
use crate::commands::deploy::not_deployed;
use crate::commands::session::{Session, currency_of};
use crate::failure::{Code, Failure, OrFail, Outcome};
use crate::output::{Output, Report};
use crate::render::{Column, Palette, Table, clock};
use crate::settings::{self, Settings};
use alloy::primitives::{Address, U256};
use bindings::ProverMarket::MarketParams;
use chain::Market;
use clap::{Args, Subcommand};
use serde::Serialize;

/// Create, list and show markets
#[derive(Debug, Args)]
#[command(after_help = settings::HELP)]
pub(crate) struct MarketArgs {
    #[command(subcommand)]
    command: MarketCommand,
}

#[derive(Debug, Subcommand)]
enum MarketCommand {
    Create(Box<Terms>),
    /// List the markets of the contract
    List,
    /// Show the rules of a market
    Show,
}

/// Create a market; its rules never change
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example: rounds of one minute, prices in gwei, at least 3 gwei per unit
  proophi market create --tick 1gwei --capacity-cap 4000 --max-task-size 53 --reserve 3 --bidding 60 --settlement 30
Prices without a unit are ticks per unit.")]
pub(crate) struct Terms {
    /// ERC-20 token to pay in [default: the chain's own currency]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) currency: Option<Address>,
    /// Value of one tick; every amount in the market is a whole number of them
    #[arg(long, value_name = "AMOUNT", default_value = "1gwei")]
    pub(crate) tick: Amount,
    /// Most units that one round may prove
    #[arg(long, value_name = "UNITS", default_value_t = 4_096)]
    pub(crate) capacity_cap: u64,
    /// Largest size of a task
    #[arg(long, value_name = "UNITS", default_value_t = 64)]
    pub(crate) max_task_size: u32,
    /// Lowest price per unit at which a bid can win
    #[arg(long, value_name = "PRICE", default_value = "0")]
    pub(crate) reserve: Amount,
    /// Length of a round's bidding
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) bidding: u32,
    /// Time to settle a round, at most the length of the bidding
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) settlement: u32,
    /// Time to prove after that
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub(crate) proving: u32,
    /// Time that each takeover has
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    pub(crate) takeover: u32,
    /// How often a task may be taken over, 1 to 16
    #[arg(long, value_name = "NUMBER", default_value_t = 2)]
    pub(crate) max_takeovers: u8,
    /// Most provers, 1 to 128
    #[arg(long, value_name = "NUMBER", default_value_t = 32)]
    pub(crate) max_seats: u8,
    /// Proof verifier [default: the setting]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) verifier: Option<Address>,
    /// Most gas that verifying one proof may take
    #[arg(long, value_name = "GAS", default_value_t = 500_000)]
    pub(crate) verifier_gas: u32,
    /// Part of slashed collateral for the prover that steps in (1/100 of a percent)
    #[arg(long, value_name = "BPS", default_value_t = 5_000)]
    pub(crate) bounty_bps: u16,
    /// Part of slashed collateral for the requester (1/100 of a percent)
    #[arg(long, value_name = "BPS", default_value_t = 3_000)]
    pub(crate) compensation_bps: u16,
    /// What requester and prover each lose on a task that nobody proves (1/100 of a percent)
    #[arg(long, value_name = "BPS", default_value_t = 1_000)]
    pub(crate) penalty_bps: u16,
    /// Who receives the surplus [default: whoever creates the market]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) sink: Option<Address>,
    /// Collateral behind each unit of capacity
    #[arg(long, value_name = "PRICE", default_value = "100")]
    pub(crate) collateral: Amount,
    /// What every bid pays towards settlement
    #[arg(long, value_name = "AMOUNT", default_value = "1000ticks")]
    pub(crate) settlement_fee: Amount,
    /// When round 0 opens, in seconds since the epoch [default: now]
    #[arg(long, value_name = "TIME")]
    pub(crate) genesis: Option<u64>,
}

impl Terms {
    /// The parameters as the contract takes them.
    pub(crate) fn params(
        &self,
        currency: &Currency,
        verifier: Address,
        sink: Address,
        now: u64,
    ) -> Outcome<MarketParams> {
        // The tick itself is given in the currency; in ticks it would be one.
        let raw = Denomination { currency: currency.clone(), tick: U256::ONE };
        let tick = raw.wei(&self.tick).or_fail(Code::Input)?;
        let money = Denomination { currency: currency.clone(), tick };
        if tick.is_zero() {
            return Err(Failure::input("--tick must be at least 1 wei"));
        }
        Ok(MarketParams {
            currency: self.currency.unwrap_or_default(),
            tick: fitted("--tick", fitted::<u128, _>("--tick", tick)?)?,
            capacityCap: self.capacity_cap,
            reservePrice: money.price(&self.reserve).or_fail(Code::Input)?,
            settlementPeriod: fitted("--settlement", self.settlement)?,
            provingPeriod: self.proving,
            takeoverPeriod: self.takeover,
            maxTakeovers: self.max_takeovers,
            maxSeats: self.max_seats,
            mechanism: 0,
            verifier,
            verifierGas: self.verifier_gas,
            bountyBps: self.bounty_bps,
            compensationBps: self.compensation_bps,
            penaltyBps: self.penalty_bps,
            sink: self.sink.unwrap_or(sink),
            collateralPerUnit: money.price(&self.collateral).or_fail(Code::Input)?,
            genesis: fitted("--genesis", self.genesis.unwrap_or(now))?,
            biddingPeriod: fitted("--bidding", self.bidding)?,
            settlementFee: fitted(
                "--settlement-fee",
                money.ticks(&self.settlement_fee).or_fail(Code::Input)?,
            )?,
            maxTaskSize: self.max_task_size,
        })
    }
}

/// `value` as the contract's narrower integer.
fn fitted<T, V: TryInto<T> + std::fmt::Display + Copy>(flag: &str, value: V) -> Outcome<T> {
    value.try_into().map_err(|_| Failure::input(format!("{flag}: {value} is too large for the contract")))
}

/// Runs `proophi market`.
pub(crate) async fn run(args: MarketArgs, settings: Settings, output: Output) -> Outcome<()> {
    match args.command {
        MarketCommand::Create(terms) => {
            let session = Session::with_key(settings, output).await?;
            output.report(&create(&session, &terms).await?)
        }
        MarketCommand::List => {
            let session = Session::open(settings, output).await?;
            output.report(&list(&session).await?)
        }
        MarketCommand::Show => {
            let session = Session::open(settings, output).await?;
            let market = session.market().await?;
            output.report(&MarketView::of(&market.market, &market.money))
        }
    }
}

/// Creates a market with the session's key.
pub(crate) async fn create(session: &Session, terms: &Terms) -> Outcome<MarketView> {
    let sender = session.sender()?;
    let verifier = terms.verifier.or(session.settings.verifier).ok_or_else(|| {
        Failure::input(
            "no verifier: give --verifier, or deploy one with `proophi deploy` and put it into the settings",
        )
    })?;
    let currency = terms.currency.map_or(chain::Currency::Native, chain::Currency::Token);
    let currency = currency_of(&session.client, currency).await?;
    let now = session.now().await?;
    let params = terms.params(&currency, verifier, sender, now)?;
    let params = chain::MarketParams::try_from(&params).or_fail(Code::Input)?;
    let spinner = session.output.spinner("creating the market");
    let created = chain::deploy::create_market(&session.client, &params).await;
    spinner.finish_and_clear();
    let market = session.load(created.map_err(not_deployed)?.id).await?;
    Ok(MarketView::of(&market.market, &market.money))
}

/// A market's rules.
#[derive(Debug, Serialize)]
pub(crate) struct MarketView {
    pub(crate) id: String,
    currency: Currency,
    currency_address: Option<Address>,
    tick_wei: String,
    capacity_cap_units: u64,
    max_task_size_units: u32,
    reserve_price_ticks: u64,
    settlement_fee_ticks: u64,
    collateral_per_unit_ticks: u64,
    genesis: u64,
    bidding_seconds: u64,
    settlement_seconds: u64,
    proving_seconds: u64,
    takeover_seconds: u64,
    max_takeovers: u8,
    max_seats: u8,
    bounty_bps: u16,
    compensation_bps: u16,
    penalty_bps: u16,
    verifier: Address,
    verifier_gas: u64,
    sink: Address,
    #[serde(skip)]
    prices: [String; 3],
}

impl MarketView {
    /// What there is to say about a market.
    pub(crate) fn of(market: &Market, money: &Denomination) -> Self {
        let p = &market.params;
        Self {
            id: market.id.to_string(),
            currency: money.currency.clone(),
            currency_address: match p.currency {
                chain::Currency::Native => None,
                chain::Currency::Token(token) => Some(token),
            },
            tick_wei: p.tick.to_string(),
            capacity_cap_units: p.capacity_cap.get(),
            max_task_size_units: p.max_task_size.get(),
            reserve_price_ticks: p.reserve_price.get(),
            settlement_fee_ticks: p.settlement_fee,
            collateral_per_unit_ticks: p.collateral_per_unit,
            genesis: p.genesis,
            bidding_seconds: p.bidding_period,
            settlement_seconds: p.settlement_period,
            proving_seconds: p.proving_period,
            takeover_seconds: p.takeover_period,
            max_takeovers: p.max_takeovers,
            max_seats: p.max_seats,
            bounty_bps: p.bounty_bps,
            compensation_bps: p.compensation_bps,
            penalty_bps: p.penalty_bps,
            verifier: p.verifier,
            verifier_gas: p.verifier_gas,
            sink: p.sink,
            prices: [
                money.price_text(p.reserve_price.get()),
                money.price_text(p.collateral_per_unit),
                money.money(U256::from(p.settlement_fee)).to_string(),
            ],
        }
    }
}

impl Report for MarketView {
    fn text(&self, palette: Palette, _width: usize) -> String {
        let [reserve, collateral, fee] = &self.prices;
        let currency = match self.currency_address {
            Some(address) => format!("{} at {address}", self.currency.symbol),
            None => self.currency.symbol.clone(),
        };
        let lines = [
            ("pays in", format!("{currency}, one tick is {} wei", self.tick_wei)),
            ("capacity cap", format!("{} units a round", self.capacity_cap_units)),
            ("largest task", format!("{} units", self.max_task_size_units)),
            ("reserve price", reserve.clone()),
            ("settlement fee", format!("{fee} a bid")),
            ("collateral", collateral.clone()),
            ("seats", format!("at most {}", self.max_seats)),
            ("round 0 opens", format!("{} UTC", clock(self.genesis))),
            (
                "a round",
                format!(
                    "bids {} s, settled within {} s, proved within {} s, taken over {} times for {} s",
                    self.bidding_seconds,
                    self.settlement_seconds,
                    self.proving_seconds,
                    self.max_takeovers,
                    self.takeover_seconds
                ),
            ),
            (
                "a slash",
                format!(
                    "{} to the prover that steps in, {} to the requester, the rest to the sink",
                    percent(self.bounty_bps),
                    percent(self.compensation_bps)
                ),
            ),
            ("no proof at all", format!("requester and prover lose {} each", percent(self.penalty_bps))),
            ("verifier", format!("{}, at most {} gas a proof", self.verifier, self.verifier_gas)),
            ("sink", self.sink.to_string()),
        ];
        let mut text = format!("{} {}\n", palette.strong("market"), self.id);
        for (name, value) in lines {
            text += &format!("  {name:<16} {value}\n");
        }
        text
    }
}

/// Basis points as percent: 3050 is `30.5 %`.
fn percent(bps: u16) -> String {
    format!("{} %", crate::amount::decimal(U256::from(bps), 2))
}

/// All markets.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct MarketList(Vec<MarketView>);

impl Report for MarketList {
    fn text(&self, palette: Palette, _width: usize) -> String {
        let mut table = Table::new([
            Column::Left("market"),
            Column::Left("currency"),
            Column::Right("cap (units)"),
            Column::Right("reserve (ticks)"),
            Column::Right("bidding (s)"),
            Column::Left("round 0 opened (UTC)"),
        ]);
        for market in &self.0 {
            table.row([
                market.id.clone(),
                market.currency.symbol.clone(),
                market.capacity_cap_units.to_string(),
                market.reserve_price_ticks.to_string(),
                market.bidding_seconds.to_string(),
                clock(market.genesis),
            ]);
        }
        if table.is_empty() { "no markets".into() } else { table.draw(palette) }
    }
}

async fn list(session: &Session) -> Outcome<MarketList> {
    let (ids, mut views) = (session.market_ids().await?, Vec::new());
    let bar = session.output.bar(ids.len() as u64, "reading the markets");
    for id in ids {
        let open = session.load(id).await?;
        views.push(MarketView::of(&open.market, &open.money));
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(MarketList(views))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        terms: Terms,
    }

    fn params(flags: &[&str]) -> Outcome<MarketParams> {
        let terms = Command::try_parse_from([&["x"], flags].concat()).unwrap().terms;
        terms.params(&Currency::ether(), Address::repeat_byte(1), Address::repeat_byte(2), 77)
    }

    #[test]
    fn prices_are_converted_with_the_market_s_own_tick() {
        let params = params(&[
            "--tick",
            "1gwei",
            "--reserve",
            "3gwei",
            "--collateral",
            "50",
            "--settlement-fee",
            "9gwei",
        ])
        .unwrap();
        assert_eq!(params.reservePrice, 3);
        assert_eq!(params.collateralPerUnit, 50);
        assert_eq!(params.settlementFee, 9);
        assert_eq!(params.sink, Address::repeat_byte(2));
        assert_eq!(params.genesis.to::<u64>(), 77);
    }

    #[test]
    fn values_beyond_the_contract_s_integers_are_refused_by_flag() {
        let failure = params(&["--bidding", "16777216"]).unwrap_err();
        assert!(failure.to_string().contains("--bidding"), "{failure}");
        assert!(params(&["--tick", "0"]).unwrap_err().to_string().contains("--tick"));
    }

    #[test]
    fn basis_points_are_shown_as_percent() {
        assert_eq!(percent(3_050), "30.5 %");
        assert_eq!(percent(5), "0.05 %");
        assert_eq!(percent(10_000), "100 %");
    }
}
