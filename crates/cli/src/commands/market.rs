//! `proophi market`: create, list and show markets.

use crate::commands::deploy::not_deployed;
use crate::commands::market_flags::MarketFlags;
use crate::commands::market_view::{MarketView, TermsView};
use crate::commands::session::{OpenMarket, Session, currency_of};
use crate::failure::{Code, Failure, OrFail, Outcome};
use crate::output::{Output, Report};
use crate::render::{Column, Palette, Table, clock};
use crate::settings::{self, Settings};
use alloy::primitives::U256;
use clap::{Args, Subcommand};
use market_types::{CapacityCap, ReservePrice, RoundNumber};
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
    Create(Box<MarketFlags>),
    /// List the markets of the contract
    List,
    /// Show the rules of a market, and capacity cap and reserve price of the round that takes bids
    Show,
}

/// Runs `proophi market`.
pub(crate) async fn run(args: MarketArgs, settings: Settings, output: Output) -> Outcome<()> {
    match args.command {
        MarketCommand::Create(flags) => {
            let session = Session::with_key(settings, output).await?;
            output.report(&create(&session, &flags).await?)
        }
        MarketCommand::List => {
            let session = Session::open(settings, output).await?;
            output.report(&list(&session).await?)
        }
        MarketCommand::Show => {
            let session = Session::open(settings, output).await?;
            let open = session.market().await?;
            let round = current_round(&session, &open).await?;
            let terms = terms_of(&session, &open, round).await?;
            output.report(&MarketView::of(&open.market, &open.money).with_terms(terms))
        }
    }
}

/// Creates a market with the session's key.
pub(crate) async fn create(session: &Session, flags: &MarketFlags) -> Outcome<MarketView> {
    let sender = session.sender()?;
    let verifier = flags.verifier.or(session.settings.verifier).ok_or_else(|| {
        Failure::input(
            "no verifier: give --verifier, or deploy one with `proophi deploy` and put it into the settings",
        )
    })?;
    let currency = flags.currency.map_or(chain::Currency::Native, chain::Currency::Token);
    let currency = currency_of(&session.client, currency).await?;
    let params = flags.params(&currency, verifier, sender, session.now().await?)?;
    let spinner = session.output.spinner("creating the market");
    let created = chain::deploy::create_market(&session.client, &params).await;
    spinner.finish_and_clear();
    let market = session.load(created.map_err(not_deployed)?.id).await?;
    Ok(MarketView::of(&market.market, &market.money))
}

/// The round that takes bids now; round 0 before the market opens.
pub(crate) async fn current_round(session: &Session, open: &OpenMarket) -> Outcome<RoundNumber> {
    Ok(open.market.id.round_at(session.now().await?).unwrap_or(RoundNumber::MIN))
}

/// Capacity cap and reserve price of a round that is not settled yet.
pub(crate) async fn terms_of(session: &Session, open: &OpenMarket, round: RoundNumber) -> Outcome<TermsView> {
    let market = session.client.market();
    let terms = market.termsOf(open.market.id.get(), U256::from(round.get())).call().await;
    let terms = terms.or_fail(Code::Connection)?;
    let cap: u64 = terms.capacityCap.saturating_to();
    Ok(TermsView {
        round,
        capacity_cap_units: CapacityCap::new(cap).or_fail(Code::Connection)?,
        reserve_price_ticks: ReservePrice::new(terms.reservePrice.saturating_to()),
    })
}

/// All markets.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct MarketList(Vec<MarketView>);

impl Report for MarketList {
    fn text(&self, palette: Palette, _width: usize) -> String {
        let mut table = Table::new([
            Column::Left("market"),
            Column::Left("mechanism"),
            Column::Left("bids"),
            Column::Left("currency"),
            Column::Right("cap (units)"),
            Column::Right("reserve (ticks)"),
            Column::Right("bidding (s)"),
            Column::Left("round 0 opened (UTC)"),
        ]);
        for market in &self.0 {
            table.row([
                market.id.clone(),
                market.mechanism.to_string(),
                if market.sealed { "sealed" } else { "open" }.to_owned(),
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
