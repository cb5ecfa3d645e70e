//! Makes one transaction of bids, sends it, and says what came of each of them.

use crate::intake::weight::weigh;
use crate::watch;
use alloy::primitives::{Address, B256, TxKind, U256};
use alloy::providers::Provider;
use alloy::rpc::types::{TransactionReceipt, TransactionRequest};
use chain::inclusion::refusals;
use chain::{CallError, Client, Market, SendError};
use intake_api::{Parcel, Signer, submit_call};
use store::bids::Group;

/// A bid that the contract refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) id: B256,
    pub(crate) requester: Address,
    pub(crate) reason: [u8; 4],
    /// Where it was; `None` if nothing was sent.
    pub(crate) transaction: Option<B256>,
}

/// What came of a transaction of bids.
#[derive(Debug)]
pub(crate) struct Posted {
    pub(crate) group: Group,
    pub(crate) bids: Vec<B256>,
    /// Whose bids were sent.
    pub(crate) requesters: Vec<Address>,
    pub(crate) result: Result<Outcome, SendError>,
}

/// What is known of it once it is mined, or proved not to be worth sending.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// The transaction and its block. Logs of that block tell which bids it included.
    pub(crate) mined: Option<(B256, u64)>,
    /// Of the bids that were sent.
    pub(crate) refused: Vec<Refused>,
    /// What was not sent, since the contract would have refused it.
    pub(crate) left_out: Vec<Refused>,
}

/// Posts those bids of one group that the contract would accept now. What it refuses all the same does not stop the others.
pub(crate) async fn post(
    client: Client,
    market: Market,
    group: Group,
    mut parcels: Vec<(B256, Parcel)>,
) -> Posted {
    let bids = parcels.iter().map(|(id, _)| *id).collect();
    // If that cannot be told, what is sent tells it.
    let left_out = sift(&client, &market, &parcels).await.unwrap_or_default();
    parcels.retain(|(id, _)| left_out.iter().all(|refused| refused.id != *id));
    if parcels.is_empty() {
        let result = Ok(Outcome { left_out, ..Outcome::default() });
        return Posted { group, bids, requesters: Vec::new(), result };
    }
    let requesters = parcels.iter().map(|(_, parcel)| parcel.requester).collect();
    // A contract may need more when it counts than it did when it was asked, and others are not to fail for want of that gas.
    let gas = (group.signer == Signer::Wallet).then(|| {
        parcels.iter().fold(0_u64, |sum, (_, parcel)| sum.saturating_add(weigh(&market, parcel).gas))
    });
    let call = submit_call(&market, parcels.iter().map(|(_, parcel)| parcel));
    let to = TxKind::Call(client.contract());
    let result = match client.connection().transact(to, call, U256::ZERO, gas).await {
        Ok(receipt) => Ok(outcome(&client, group, &parcels, &receipt)),
        // It has become so since it was asked.
        Err(SendError::Refused(revert)) if revert.stood_for().is_some() => {
            let refused = ask_each(&client, &market, &parcels).await.map_err(SendError::from);
            refused.map(|left_out| Outcome { left_out, ..Outcome::default() })
        }
        Err(error) => Err(error),
    };
    let with_those_before =
        |outcome: Outcome| Outcome { left_out: [left_out, outcome.left_out].concat(), ..outcome };
    Posted { group, bids, requesters, result: result.map(with_those_before) }
}

fn outcome(
    client: &Client,
    group: Group,
    parcels: &[(B256, Parcel)],
    receipt: &TransactionReceipt,
) -> Outcome {
    let transaction = receipt.transaction_hash;
    watch::posted(parcels.len(), receipt);
    let refused = refusals(receipt, client.contract()).into_iter().filter_map(|refusal| {
        let (id, parcel) = parcels.get(refusal.position)?;
        // In another round the signature is a stranger's, and what is refused is not this bid: it was too late.
        let is_this = refusal.round == group.round && refusal.requester == parcel.requester;
        is_this.then_some(Refused {
            id: *id,
            requester: parcel.requester,
            reason: refusal.reason,
            transaction: Some(transaction),
        })
    });
    Outcome {
        mined: Some((transaction, receipt.block_number.unwrap_or_default())),
        refused: refused.collect(),
        left_out: Vec::new(),
    }
}

/// Finds those of `parcels` that the contract would refuse now, and why: their statements are not paid for. One call tells if there are
/// none; else parts are asked about, until each of those is found.
async fn sift(
    client: &Client,
    market: &Market,
    parcels: &[(B256, Parcel)],
) -> Result<Vec<Refused>, CallError> {
    let (mut refused, mut parts) = (Vec::new(), vec![parcels]);
    while let Some(part) = parts.pop() {
        match accepted(client, market, part.iter().map(|(_, parcel)| parcel)).await? {
            Verdict::Accepted(count) if count >= part.len() => {}
            Verdict::Refused(reason) if part.len() <= 1 => {
                refused.extend(part.iter().map(|(id, parcel)| would_refuse(*id, parcel, reason)));
            }
            Verdict::Refused(_) => refused.extend(ask_each(client, market, part).await?),
            // One that is taken counts as one.
            Verdict::Accepted(_) if part.len() <= 1 => {}
            Verdict::Accepted(_) => {
                let (one, other) = part.split_at(part.len() / 2);
                parts.extend([other, one]);
            }
        }
    }
    Ok(refused)
}

const fn would_refuse(id: B256, parcel: &Parcel, reason: [u8; 4]) -> Refused {
    Refused { id, requester: parcel.requester, reason, transaction: None }
}

async fn ask_each(
    client: &Client,
    market: &Market,
    parcels: &[(B256, Parcel)],
) -> Result<Vec<Refused>, CallError> {
    let mut refused = Vec::new();
    for (id, parcel) in parcels {
        let reason = ask(client, market, parcel).await?;
        refused.extend(reason.map(|reason| would_refuse(*id, parcel, reason)));
    }
    Ok(refused)
}

/// Asks the contract whether it would accept a bid now; why not, if it would not.
///
/// # Errors
/// [`CallError`], also if the contract refuses the whole call.
pub(crate) async fn ask(
    client: &Client,
    market: &Market,
    parcel: &Parcel,
) -> Result<Option<[u8; 4]>, CallError> {
    Ok(match accepted(client, market, [parcel]).await? {
        Verdict::Accepted(_) => None,
        Verdict::Refused(reason) => Some(reason),
    })
}

/// What the contract would say of bids now.
enum Verdict {
    /// It would accept so many of them.
    Accepted(usize),
    /// None, the last one for this reason.
    Refused([u8; 4]),
}

async fn accepted<'a>(
    client: &Client,
    market: &Market,
    parcels: impl IntoIterator<Item = &'a Parcel>,
) -> Result<Verdict, CallError> {
    let request = TransactionRequest {
        from: client.sender(),
        to: Some(TxKind::Call(client.contract())),
        input: submit_call(market, parcels).into(),
        ..TransactionRequest::default()
    };
    match client.provider().call(request).await.map_err(CallError::from) {
        Ok(answer) => Ok(Verdict::Accepted(count_in(&answer))),
        Err(error) => match error.revert().and_then(chain::Revert::stood_for) {
            Some(reason) => Ok(Verdict::Refused(reason)),
            None => Err(error),
        },
    }
}

/// How many bids were accepted: the answer of the call that submits them, which is the last of those that publish and submit.
fn count_in(answer: &[u8]) -> usize {
    let words = answer.len() / 32;
    let count = answer.chunks_exact(32).nth(words.saturating_sub(1)).map(U256::from_be_slice);
    count.unwrap_or_default().saturating_to()
}
