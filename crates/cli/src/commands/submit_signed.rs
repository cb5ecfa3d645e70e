//! `proophi submit-signed`: submits bids that others have signed.

use crate::commands::session::{OpenMarket, Session, refused};
use crate::failure::{Code, Failure, OrFail, Outcome};
use crate::output::{Output, Report};
use crate::render::Palette;
use crate::settings::{self, Settings};
use alloy::primitives::{Address, B256, TxKind, U256};
use chain::inclusion::{Inclusion, inclusions, refusals};
use chain::{MarketId, Revert};
use clap::Args;
use intake_api::{Parcel, Signer, Submission, submit_call};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Submit bids that others have signed, at your own expense of gas
#[derive(Debug, Args)]
#[command(after_help = format!("Examples:
  proophi bid --fee 55 --generate 2 --sign-only > bid.json      the requester signs and sends nothing
  proophi submit-signed bid.json                                anybody submits it, in the same round
  proophi submit-signed bids/*.json

A file holds one signed bid or a list of them, as `proophi bid --sign-only` prints it and as relayers take it (`POST /v1/bids`, see
docs/intake.md). A bid is paid from its requester's balance, counts once, and only in the round that it was signed for. Statements
that come with it are published in the same transaction. What the contract refuses does not stop the others.

A requester that is a contract (ERC-1271) has \"signer\": \"wallet\" in its bid, and whatever the contract takes for its signature.

{}", settings::HELP))]
pub(crate) struct SubmitSignedArgs {
    /// Files with signed bids
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

/// A bid that went into its round.
#[derive(Debug, Serialize)]
struct Accepted {
    market: B256,
    round: u64,
    first_index: u32,
    requester: Address,
    entry: B256,
    transaction: B256,
}

/// A bid that did not.
#[derive(Debug, Serialize)]
struct Rejected {
    requester: Address,
    entry: B256,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<&'static str>,
}

#[derive(Debug, Default, Serialize)]
struct SubmittedSigned {
    accepted: Vec<Accepted>,
    refused: Vec<Rejected>,
}

impl Report for SubmittedSigned {
    fn text(&self, palette: Palette, _width: usize) -> String {
        let accepted = self.accepted.iter().map(|bid| {
            let (index, round, who) = (bid.first_index, bid.round, bid.requester);
            format!("{} as bid {index} of round {round}, for {who}\n", palette.good("submitted"))
        });
        let refused = self.refused.iter().map(|bid| {
            let advice = bid.advice.map_or_else(String::new, |advice| format!("; {advice}"));
            format!("{} the bid of {}: {}{advice}\n", palette.bad("refused"), bid.requester, bid.reason)
        });
        accepted.chain(refused).collect()
    }
}

/// Runs `proophi submit-signed`.
pub(crate) async fn run(args: &SubmitSignedArgs, settings: Settings, output: Output) -> Outcome<()> {
    let session = Session::with_key(settings, output).await?;
    let mut groups: BTreeMap<(MarketId, Signer), Vec<Parcel>> = BTreeMap::new();
    for file in &args.files {
        for submission in read(file)? {
            let at = || format!("{}: the bid of {}", file.display(), submission.requester);
            require_contract(&session, &submission).or_fail_with(Code::Input, at)?;
            let parcel = Parcel::try_from(&submission).or_fail_with(Code::Input, at)?;
            groups.entry((MarketId::from(submission.market), submission.signer)).or_default().push(parcel);
        }
    }
    let mut report = SubmittedSigned::default();
    for ((market, _), parcels) in groups {
        let open = session.load(market).await?;
        submit(&session, &open, &parcels, &mut report).await?;
    }
    output.report(&report)
}

fn read(file: &Path) -> Outcome<Vec<Submission>> {
    let text =
        fs::read(file).map_err(|error| Failure::input(format!("cannot read {}: {error}", file.display())))?;
    // Not as whichever of both it may be, as errors would not say what is wrong then.
    let is_list = text.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    let read = if is_list {
        serde_json::from_slice(&text)
    } else {
        serde_json::from_slice(&text).map(|bid| vec![bid])
    };
    read.or_fail_with(Code::Input, || format!("{} holds no signed bid", file.display()))
}

fn require_contract(session: &Session, bid: &Submission) -> eyre::Result<()> {
    let (chain_id, contract) = (session.client.chain_id(), session.client.contract());
    eyre::ensure!(
        (bid.chain_id, bid.contract) == (chain_id, contract),
        "it is for the contract {} on chain {}, not for {contract} on chain {chain_id}; check --contract and --rpc-url",
        bid.contract,
        bid.chain_id
    );
    Ok(())
}

/// Submits bids of one market that are signed in the same way.
async fn submit(
    session: &Session,
    open: &OpenMarket,
    parcels: &[Parcel],
    report: &mut SubmittedSigned,
) -> Outcome<()> {
    let (client, call) = (&session.client, submit_call(&open.market, parcels));
    let spinner = session.output.spinner("submitting signed bids");
    let sent = client.connection().transact(TxKind::Call(client.contract()), call, U256::ZERO, None).await;
    spinner.finish_and_clear();
    let receipt = sent.map_err(|error| refused("submitting signed bids", error))?;
    let found = receipt.inner.logs().iter().flat_map(inclusions);
    report.accepted.extend(found.map(|bid: Inclusion| Accepted {
        market: bid.market.get(),
        round: bid.round.get(),
        first_index: bid.first_index.get(),
        requester: bid.requester,
        entry: bid.entry,
        transaction: bid.transaction,
    }));
    for refusal in refusals(&receipt, client.contract()) {
        let Some(parcel) = parcels.get(refusal.position) else { continue };
        let bid = parcel.entry.bid();
        // In another round every signature is a stranger's.
        let (reason, advice) = if refusal.requester == parcel.requester && refusal.round == bid.round {
            let error = Revert::of_selector(refusal.reason);
            (error.name().to_owned(), error.advice())
        } else {
            (format!("signed for round {}, and round {} is open", bid.round, refusal.round), None)
        };
        report.refused.push(Rejected { requester: parcel.requester, entry: bid.entry.get(), reason, advice });
    }
    Ok(())
}
