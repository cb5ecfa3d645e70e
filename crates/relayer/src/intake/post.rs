//! Makes one transaction of bids, sends it, and says what came of each of them.

use crate::watch;
use alloy::primitives::{B256, TxKind, U256};
use alloy::providers::Provider;
use alloy::rpc::types::{TransactionReceipt, TransactionRequest};
use chain::inclusion::refusals;
use chain::{CallError, Client, Market, SendError};
use intake_api::{Parcel, submit_call};
use store::bids::Group;

/// A bid that the contract refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) id: B256,
    pub(crate) reason: [u8; 4],
    /// Where it was; `None` if nothing was sent.
    pub(crate) transaction: Option<B256>,
}

/// What came of a transaction of bids.
#[derive(Debug)]
pub(crate) struct Posted {
    pub(crate) group: Group,
    pub(crate) bids: Vec<B256>,
    pub(crate) result: Result<Outcome, SendError>,
}

/// What is known of it once it is mined, or proved not to be worth sending.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// The transaction and its block. Logs of that block tell which bids it included.
    pub(crate) mined: Option<(B256, u64)>,
    pub(crate) refused: Vec<Refused>,
}

/// Posts bids of one group. What the contract refuses does not stop the others; if it would refuse all of them, it is asked for the
/// reason of each and nothing is sent.
pub(crate) async fn post(
    client: Client,
    market: Market,
    group: Group,
    parcels: Vec<(B256, Parcel)>,
) -> Posted {
    let bids = parcels.iter().map(|(id, _)| *id).collect();
    let call = submit_call(&market, parcels.iter().map(|(_, parcel)| parcel));
    let to = TxKind::Call(client.contract());
    let result = match client.connection().transact(to, call, U256::ZERO, None).await {
        Ok(receipt) => Ok(outcome(&client, group, &parcels, &receipt)),
        Err(SendError::Refused(revert)) if revert.stood_for().is_some() => {
            ask_each(&client, &market, &parcels).await
        }
        Err(error) => Err(error),
    };
    Posted { group, bids, result }
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
        is_this.then_some(Refused { id: *id, reason: refusal.reason, transaction: Some(transaction) })
    });
    Outcome {
        mined: Some((transaction, receipt.block_number.unwrap_or_default())),
        refused: refused.collect(),
    }
}

async fn ask_each(
    client: &Client,
    market: &Market,
    parcels: &[(B256, Parcel)],
) -> Result<Outcome, SendError> {
    let mut refused = Vec::new();
    for (id, parcel) in parcels {
        match ask(client, market, parcel).await {
            Ok(None) => {}
            Ok(Some(reason)) => refused.push(Refused { id: *id, reason, transaction: None }),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Outcome { mined: None, refused })
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
    let request = TransactionRequest {
        from: client.sender(),
        to: Some(TxKind::Call(client.contract())),
        input: submit_call(market, [parcel]).into(),
        ..TransactionRequest::default()
    };
    match client.provider().call(request).await.map_err(CallError::from) {
        Ok(_) => Ok(None),
        Err(error) => match error.revert().and_then(chain::Revert::stood_for) {
            Some(reason) => Ok(Some(reason)),
            None => Err(error),
        },
    }
}
