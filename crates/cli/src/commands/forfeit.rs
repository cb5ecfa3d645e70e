//! `proophi forfeit`: ends commitments that were not opened in time.

use crate::amount::Money;
use crate::commands::sealed::venue;
use crate::commands::session::{OpenMarket, Session};
use crate::failure::{Code, Failure, OrFail, Outcome};
use crate::output::{Output, Report};
use crate::render::Palette;
use crate::settings::{self, Settings};
use alloy::eips::BlockId;
use alloy::primitives::{Address, B256, U256};
use bindings::ProverMarket;
use chain::history::CommitmentRecord;
use chain::{MarketHistory, Retention};
use clap::Args;
use market_types::RoundNumber;
use serde::Serialize;
use service::openings::{OpeningKey, Status, are_staked};

/// End commitments that were not opened in time: the bond goes to the sink, the rest comes back
#[derive(Debug, Args)]
#[command(after_help = format!("Examples:
  proophi forfeit                             those of the key's account
  proophi forfeit --account 0x7099…79C8 --round 7
  proophi forfeit --all                       everybody's; anyone may do it

{}", settings::HELP))]
pub(crate) struct ForfeitArgs {
    /// Whose commitments [default: the sender's]
    #[arg(long, value_name = "ADDRESS", conflicts_with = "all")]
    account: Option<Address>,
    /// Of which round [default: every round]
    #[arg(long, value_name = "NUMBER")]
    round: Option<u64>,
    /// Everybody's commitments
    #[arg(long)]
    all: bool,
}

/// A commitment that was ended.
#[derive(Debug, Serialize)]
struct Ended {
    round: u64,
    account: Address,
    commitment: B256,
    returned: Money,
    bond: Money,
    transaction: B256,
}

#[derive(Debug, Serialize)]
struct EndedAll {
    market: String,
    forfeited: Vec<Ended>,
}

impl Report for EndedAll {
    fn text(&self, palette: Palette, _width: usize) -> String {
        if self.forfeited.is_empty() {
            return "every commitment was opened, or still can be".to_owned();
        }
        let line = |one: &Ended| {
            let done = palette.bad("forfeited");
            format!(
                "{done} a commitment of round {}: {} lost, {} returned\n",
                one.round, one.bond, one.returned
            )
        };
        self.forfeited.iter().map(line).collect()
    }
}

/// A commitment with where it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    pub(crate) record: CommitmentRecord,
    pub(crate) status: Status,
}

/// The commitments of a market that `wanted` picks, each with where it stands, by round.
pub(crate) async fn standings(
    session: &Session,
    open: &OpenMarket,
    history: &MarketHistory,
    wanted: impl Fn(&CommitmentRecord) -> bool,
) -> Outcome<Vec<Standing>> {
    let head = session.client.head().await.or_fail(Code::Connection)?;
    let newest = open.market.id.round_at(head.timestamp).map_or(0, RoundNumber::get);
    let all = (0..=newest).flat_map(|round| history.commitments(RoundNumber::new(round)));
    let records: Vec<CommitmentRecord> = all.filter(|record| wanted(record)).copied().collect();
    let venue = venue(session, open);
    let key = |record: &CommitmentRecord| OpeningKey {
        venue,
        round: record.round,
        account: record.account,
        commitment: record.commitment,
    };
    let keys: Vec<OpeningKey> = records.iter().map(key).collect();
    let block = BlockId::hash(head.hash);
    let staked = are_staked(&session.client, &keys, block).await.or_fail(Code::Connection)?;
    let standing = |(record, staked): (CommitmentRecord, bool)| Standing {
        status: Status::of(&open.market, record.round, Some(&record), staked, head.timestamp),
        record,
    };
    Ok(records.into_iter().zip(staked).map(standing).collect())
}

/// Runs `proophi forfeit`.
pub(crate) async fn run(args: ForfeitArgs, settings: Settings, output: Output) -> Outcome<()> {
    let session = Session::with_key(settings, output).await?;
    let open = session.market().await?;
    if !open.market.id.is_sealed() {
        return Err(Failure::input("bids and asks of this market are open: there is nothing to forfeit"));
    }
    let account = args.account.unwrap_or(session.sender()?);
    let follower = session.follow(&open, Retention::Everything).await?;
    let wanted = |record: &CommitmentRecord| {
        (args.all || record.account == account) && args.round.is_none_or(|round| round == record.round.get())
    };
    let standings = standings(&session, &open, session.history(&follower, &open)?, wanted).await?;
    let mut forfeited = Vec::new();
    for standing in standings.iter().filter(|standing| standing.status == Status::Late) {
        forfeited.push(forfeit(&session, &open, &standing.record).await?);
    }
    output.report(&EndedAll { market: open.market.id.to_string(), forfeited })
}

async fn forfeit(session: &Session, open: &OpenMarket, record: &CommitmentRecord) -> Outcome<Ended> {
    let CommitmentRecord { account, commitment, .. } = *record;
    let (id, round) = (open.market.id.get(), U256::from(record.round.get()));
    let call = ProverMarket::forfeitCall { id, account, round, commitment };
    let receipt = session.send("forfeiting", call, U256::ZERO).await?;
    let event = receipt.logs().iter().find_map(|log| log.log_decode::<ProverMarket::Forfeited>().ok());
    let event =
        event.ok_or_else(|| Failure::new(Code::Failed, eyre::eyre!("the receipt shows no forfeit")))?;
    Ok(Ended {
        round: record.round.get(),
        account,
        commitment,
        returned: open.money.money(event.inner.returned),
        bond: open.money.money(event.inner.bond),
        transaction: receipt.transaction_hash,
    })
}
