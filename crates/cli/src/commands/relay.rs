//! Signed bids handed in at a relayer, and followed until they are in their round.

use crate::failure::{Code, Failure, OrFail, Outcome};
use crate::output::{Output, Report};
use crate::render::{Palette, clock};
use intake_api::{BidStatus, Problem, Status, Submission};
use reqwest::{Client, Response, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use tokio::time::sleep;

/// An answer that takes longer counts as none.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// Pause between two looks at a bid.
const PAUSE: Duration = Duration::from_secs(1);
/// Looks in a row that may fail: a relayer may be restarted, and has the bid on disk.
const PATIENCE: u32 = 60;

/// A relayer that takes signed bids.
#[derive(Debug, Clone)]
pub(crate) struct Relayer {
    url: Url,
    http: Client,
}

/// What became of a bid that was handed in.
#[derive(Debug, Serialize)]
pub(crate) struct Relayed {
    relayer: String,
    bid: BidStatus,
}

impl Report for Relayed {
    fn text(&self, palette: Palette, _width: usize) -> String {
        let bid = &self.bid;
        let Some(receipt) = &bid.receipt else {
            let kept = palette.good("kept by the relayer");
            return format!(
                "{kept} as {}\nround {} closes at {} UTC",
                bid.id,
                bid.round,
                clock(bid.closes_at)
            );
        };
        let included = palette.good("included");
        let (round, first) = (receipt.round, receipt.first_index);
        let text =
            format!("{included} as bid {first} of round {round}\ntransaction  {}\n", receipt.transaction);
        text + &format!("block        {} ({})", receipt.block_number, receipt.block_hash)
    }
}

impl Relayer {
    /// The relayer at this address.
    pub(crate) fn at(url: &str) -> Outcome<Self> {
        let url: Url =
            url.parse().or_fail_with(Code::Input, || format!("{url:?} is no address of a relayer"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Failure::input(format!("{url} is no http(s) address of a relayer")));
        }
        let http = Client::builder().timeout(ANSWER_WITHIN).build().or_fail(Code::Failed)?;
        Ok(Self { url, http })
    }

    /// Hands a bid in. It is safe to do so again if the answer was lost.
    pub(crate) async fn hand_in(&self, bid: &Submission) -> Outcome<BidStatus> {
        let response = self.http.post(self.path("v1/bids")).json(bid).send().await;
        read(response.or_fail_with(Code::Connection, || format!("{} does not answer", self.url))?).await
    }

    /// Waits until a bid is in its round, with a spinner. That it is refused or missed is a failure.
    pub(crate) async fn follow(&self, bid: BidStatus, output: Output) -> Outcome<Relayed> {
        let spinner = output.spinner(format!("waiting for round {} to take the bid", bid.round));
        let followed = self.until_decided(bid).await;
        spinner.finish_and_clear();
        let bid = followed?;
        match bid.status {
            Status::Included | Status::Queued => Ok(self.report(bid)),
            Status::Refused => Err(Failure::new(
                Code::Refused,
                eyre::eyre!("the contract refused the bid: {}", reason(&bid)),
            )),
            Status::Missed => Err(Failure::new(
                Code::Failed,
                eyre::eyre!(
                    "round {} closed without the bid, which cost nothing: {}; bid again",
                    bid.round,
                    bid.trouble.as_deref().unwrap_or("the relayer did not come to post it")
                ),
            )),
        }
    }

    /// What is known of a bid now.
    pub(crate) fn report(&self, bid: BidStatus) -> Relayed {
        Relayed { relayer: self.url.to_string(), bid }
    }

    async fn until_decided(&self, mut bid: BidStatus) -> Outcome<BidStatus> {
        let path = self.path(&format!("v1/bids/{}", bid.id));
        let mut failures = 0;
        while bid.status == Status::Queued {
            sleep(PAUSE).await;
            let answer = self.http.get(path.clone()).send().await;
            let answer = answer.or_fail_with(Code::Connection, || format!("{} does not answer", self.url));
            let found = match answer {
                Ok(response) => read(response).await,
                Err(failure) => Err(failure),
            };
            match found {
                Ok(found) => (bid, failures) = (found, 0),
                Err(failure) if failures >= PATIENCE => {
                    return Err(
                        failure.and(&format!("the relayer has accepted bid {}, ask it again later", bid.id))
                    );
                }
                Err(_) => failures += 1,
            }
        }
        Ok(bid)
    }

    fn path(&self, path: &str) -> String {
        format!("{}/{path}", self.url.as_str().trim_end_matches('/'))
    }
}

fn reason(bid: &BidStatus) -> String {
    let Some(refusal) = &bid.refusal else { return "for a reason that it does not tell".to_owned() };
    match &refusal.advice {
        Some(advice) => format!("{}; {advice}", refusal.reason),
        None => refusal.reason.clone(),
    }
}

/// The value in an answer, or the problem.
async fn read<T: DeserializeOwned>(response: Response) -> Outcome<T> {
    let status = response.status();
    let body = response.bytes().await.or_fail(Code::Connection)?;
    if status.is_success() {
        return serde_json::from_slice(&body)
            .or_fail_with(Code::Connection, || "this is no answer of a relayer".into());
    }
    let problem: Problem = serde_json::from_slice(&body).or_fail_with(Code::Connection, || {
        format!("no relayer answers there, but something with {status}")
    })?;
    let code = if problem.code.may_pass() { Code::Connection } else { Code::Refused };
    Err(Failure::new(code, eyre::eyre!("the relayer does not take the bid: {problem}")))
}
