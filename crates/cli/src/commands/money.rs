//! `proophi deposit` and `proophi withdraw`.

use crate::amount::{Amount, Money};
use crate::commands::bundles::release_all;
use crate::commands::permit;
use crate::commands::session::{OpenMarket, Session, refused};
use crate::failure::{Code, Failure, OrFail, Outcome};
use crate::output::{Output, Report};
use crate::render::Palette;
use crate::settings::{self, Settings};
use alloy::primitives::{Address, B256, U256};
use alloy::rpc::types::TransactionReceipt;
use bindings::ProverMarket;
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;

/// Put money into a market, for yourself or for someone else
#[derive(Debug, Args)]
#[command(after_help = format!("Examples:
  proophi deposit 0.5eth
  proophi deposit 1500ticks --account 0x7099…79C8
  proophi deposit 25tokens --permit                             one transaction in place of approval and deposit
  proophi deposit 25tokens --permit2 --sign-only > deposit.json signed by the owner,
  proophi deposit --signed deposit.json                         and sent by anybody

In a market that pays in a token, its smallest unit is meant without a unit, and 1.5tokens counts whole ones; the
contract is first allowed to take the amount.

Without that: --permit signs for the allowance (EIP-2612), which many tokens take, and deposits in the same transaction. --permit2
does it for every token whose owner has once approved Uniswap's Permit2, and what is signed names the market, so that anybody can
send it (--sign-only, --signed): who holds only tokens needs nobody's trust to get them into a market, and bids by --relay.

{}", settings::HELP))]
pub(crate) struct DepositArgs {
    /// How much: 0.5eth, 12gwei, 150ticks, or a whole number of wei
    #[arg(required_unless_present = "signed")]
    amount: Option<Amount>,
    /// Whose balance grows [default: the sender's]
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["permit", "permit2", "signed"])]
    account: Option<Address>,
    /// Sign for the token's allowance in place of sending an approval (EIP-2612)
    #[arg(long, conflicts_with_all = ["permit2", "signed"])]
    permit: bool,
    /// Sign a transfer by Permit2 for this market
    #[arg(long, conflicts_with = "signed")]
    permit2: bool,
    /// With --permit2: print the signed deposit as JSON and send nothing
    #[arg(long, requires = "permit2")]
    sign_only: bool,
    /// Seconds for which the signature counts
    #[arg(long, value_name = "SECONDS", default_value_t = 3_600)]
    valid_for: u64,
    /// Send the deposit that somebody has signed into this file
    #[arg(long, value_name = "FILE", conflicts_with = "amount")]
    signed: Option<PathBuf>,
}

/// Take money out of a market, after releasing the results of bids that were submitted together
#[derive(Debug, Args)]
#[command(after_help = format!("Examples:
  proophi withdraw all
  proophi withdraw 0.1eth --to 0x7099…79C8

{}", settings::HELP))]
pub(crate) struct WithdrawArgs {
    /// How much: all, 0.5eth, 12gwei, 150ticks, or a whole number of wei
    amount: AmountOrAll,
    /// Who receives it [default: the sender]
    #[arg(long, value_name = "ADDRESS")]
    to: Option<Address>,
}

#[derive(Debug, Clone)]
enum AmountOrAll {
    All,
    Amount(Amount),
}

impl std::str::FromStr for AmountOrAll {
    type Err = crate::amount::AmountError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "all" { Ok(Self::All) } else { text.parse().map(Self::Amount) }
    }
}

/// What a deposit did.
#[derive(Debug, Serialize)]
struct Deposited {
    market: String,
    account: Address,
    amount: Money,
    available: Money,
    transaction: B256,
}

impl Report for Deposited {
    fn text(&self, palette: Palette, _width: usize) -> String {
        format!(
            "{} {} for {}\navailable  {}",
            palette.good("deposited"),
            self.amount,
            self.account,
            self.available
        )
    }
}

/// What a withdrawal did.
#[derive(Debug, Serialize)]
struct Withdrawn {
    market: String,
    account: Address,
    to: Address,
    released_bundles: usize,
    amount: Money,
    available: Money,
    transaction: B256,
}

impl Report for Withdrawn {
    fn text(&self, palette: Palette, _width: usize) -> String {
        let mut text = String::new();
        if self.released_bundles > 0 {
            text += &format!("{} bundles of bids released first\n", self.released_bundles);
        }
        text += &format!("{} {} to {}\n", palette.good("withdrawn"), self.amount, self.to);
        text + &format!("available  {}", self.available)
    }
}

/// Runs `proophi deposit`.
pub(crate) async fn deposit(args: &DepositArgs, settings: Settings, output: Output) -> Outcome<()> {
    let session = Session::with_key(settings, output).await?;
    if let Some(file) = &args.signed {
        let signed = permit::from_file(&session, file)?;
        let (open, receipt) = (session.load(signed.market).await?, permit::send(&session, &signed).await?);
        return deposited(&session, &open, signed.owner, signed.amount, &receipt).await;
    }
    let open = session.market().await?;
    let account = args.account.unwrap_or(session.sender()?);
    let Some(amount) = &args.amount else { return Err(Failure::input("give an amount, or --signed")) };
    let amount = open.money.money(open.money.ticks(amount).or_fail(Code::Input)?);
    let receipt = if args.permit2 {
        let signed = permit::sign(&session, &open, amount.wei, args.valid_for).await?;
        if args.sign_only {
            return output.raw(&permit::to_json(&session, &signed)?);
        }
        permit::send(&session, &signed).await?
    } else if args.permit {
        require(&session, &open, amount.wei).await?;
        permit::with_permit(&session, &open, amount.wei, args.valid_for).await?
    } else {
        let value = prepare(&session, &open, amount.wei).await?;
        let call = ProverMarket::depositCall { id: open.market.id.get(), account, amount: amount.wei };
        session.send("depositing", call, value).await?
    };
    deposited(&session, &open, account, amount.wei, &receipt).await
}

async fn deposited(
    session: &Session,
    open: &OpenMarket,
    account: Address,
    wei: U256,
    receipt: &TransactionReceipt,
) -> Outcome<()> {
    let ticks = open.market.wei_to_ticks(wei).or_fail(Code::Input)?;
    session.output.report(&Deposited {
        market: open.market.id.to_string(),
        account,
        amount: open.money.money(ticks),
        available: open.money.money(available(session, open, account).await?),
        transaction: receipt.transaction_hash,
    })
}

/// Runs `proophi withdraw`.
pub(crate) async fn withdraw(args: &WithdrawArgs, settings: Settings, output: Output) -> Outcome<()> {
    let session = Session::with_key(settings, output).await?;
    let open = session.market().await?;
    let account = session.sender()?;
    let to = args.to.unwrap_or(account);
    let released_bundles = release_all(&session, &open, account).await?;
    let held = available(&session, &open, account).await?;
    let ticks = match &args.amount {
        AmountOrAll::All => held,
        AmountOrAll::Amount(amount) => open.money.ticks(amount).or_fail(Code::Input)?,
    };
    if ticks > held {
        return Err(Failure::input(format!(
            "only {} can be withdrawn now; what open bids and seats hold comes free later (`proophi account show`)",
            open.money.money(held)
        )));
    }
    // A bid that is resolved between now and the transaction would add to "all".
    let amount = if matches!(args.amount, AmountOrAll::All) { U256::MAX } else { ticks };
    let call = ProverMarket::withdrawCall { id: open.market.id.get(), amount, to };
    let receipt = session.send("withdrawing", call, U256::ZERO).await?;
    let paid: ProverMarket::Withdrawn = session.event(&receipt)?;
    output.report(&Withdrawn {
        market: open.market.id.to_string(),
        account,
        to,
        released_bundles,
        amount: open.money.money(paid.amount),
        available: open.money.money(available(&session, &open, account).await?),
        transaction: receipt.transaction_hash,
    })
}

/// Ticks that `account` could withdraw now.
pub(crate) async fn available(session: &Session, open: &OpenMarket, account: Address) -> Outcome<U256> {
    let market = session.client.market();
    market.availableOf(open.market.id.get(), account).call().await.or_fail(Code::Connection)
}

/// Makes sure that the sender has `wei`, and in a market of a token that the contract may take them.
/// Returns the native currency to attach.
pub(crate) async fn prepare(session: &Session, open: &OpenMarket, wei: U256) -> Outcome<U256> {
    let currency = open.market.params.currency;
    require(session, open, wei).await?;
    let spinner = session.output.spinner("preparing the deposit");
    let prepared = session.client.prepare_deposit(currency, wei).await;
    spinner.finish_and_clear();
    prepared.map_err(|error| refused("allowing the contract to take the tokens", error))
}

/// Makes sure that the sender has `wei` outside of the market.
async fn require(session: &Session, open: &OpenMarket, wei: U256) -> Outcome<()> {
    let (sender, currency) = (session.sender()?, open.market.params.currency);
    let held = session.client.wallet(currency, sender).await.or_fail(Code::Connection)?;
    if held < wei {
        let show = |amount| open.money.currency.show(amount);
        return Err(Failure::input(format!("{sender} has {} of the {} needed", show(held), show(wei))));
    }
    Ok(())
}
