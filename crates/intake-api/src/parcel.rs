//! Signed bids with their statements, and the call that submits them.

use crate::{SignedEntry, Submission, SubmissionError};
use alloy::primitives::{Address, Bytes};
use alloy::sol_types::SolCall;
use bindings::ProverMarket;
use chain::lot::publish_call;
use chain::signed::submit_signed_call;
use chain::wallet::submit_wallet_call;
use chain::{Market, Statement};

/// A signed bid to submit, with what it asks proofs of, if that is published with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// Whose bid it is.
    pub requester: Address,
    /// The entry with its signature.
    pub entry: SignedEntry,
    /// Its statements.
    pub statements: Option<Vec<Statement>>,
}

impl TryFrom<&Submission> for Parcel {
    type Error = SubmissionError;

    fn try_from(submission: &Submission) -> Result<Self, SubmissionError> {
        let (statements, entry) = (submission.published()?, submission.signed()?);
        Ok(Self { requester: submission.requester, entry, statements })
    }
}

/// The data of the call that publishes and submits `parcels`. They are of one market and its open round, and all signed by keys or all by
/// contracts: each of the two calls has to accept something. What is published comes before the bids that it tells of.
#[must_use]
pub fn submit_call<'a>(market: &Market, parcels: impl IntoIterator<Item = &'a Parcel>) -> Bytes {
    let (mut data, mut keys, mut wallets) = (Vec::<Bytes>::new(), Vec::new(), Vec::new());
    for parcel in parcels {
        if let Some(statements) = &parcel.statements {
            data.push(publish_call(market, parcel.requester, statements).abi_encode().into());
        }
        match &parcel.entry {
            SignedEntry::Key(signed) => keys.push(*signed),
            SignedEntry::Wallet(signed) => wallets.push(signed.clone()),
        }
    }
    let submit: Bytes = match wallets.as_slice() {
        [] => submit_signed_call(market, &keys).abi_encode().into(),
        wallets => submit_wallet_call(market, wallets).abi_encode().into(),
    };
    if data.is_empty() {
        return submit;
    }
    data.push(submit);
    ProverMarket::multicallCall { data }.abi_encode().into()
}
