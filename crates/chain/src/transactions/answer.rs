//! What a node means when it does not take a signed transaction. Pure.

use alloy::transports::{RpcError, TransportErrorKind};

/// What came of handing a signed transaction to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// It has the transaction.
    Taken,
    /// The nonce is used, by a transaction that was mined or that waits.
    NonceTaken,
    /// The answer was lost, so the node may or may not have it.
    Lost,
    /// It does not want it: it offers too little, or the account has too little.
    Unwanted,
}

impl Answer {
    pub(super) fn of<T>(answer: &Result<T, RpcError<TransportErrorKind>>) -> Self {
        let Err(error) = answer else { return Self::Taken };
        let Some(payload) = error.as_error_resp() else { return Self::Lost };
        let message = payload.message.to_lowercase();
        let says = |texts: &[&str]| texts.iter().any(|text| message.contains(text));
        if says(&["already known", "already imported", "alreadyknown", "known transaction"]) {
            Self::Taken
        } else if says(&["nonce too low", "nonce is too low", "replacement transaction underpriced"]) {
            Self::NonceTaken
        } else {
            Self::Unwanted
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(message: &str) -> Answer {
        let payload = serde_json::json!({ "code": -32000, "message": message }).to_string();
        Answer::of::<()>(&Err(RpcError::ErrorResp(serde_json::from_str(&payload).unwrap())))
    }

    #[test]
    fn answers_of_nodes_are_told_apart() {
        assert_eq!(Answer::of(&Ok(())), Answer::Taken);
        assert_eq!(answer("already known"), Answer::Taken);
        assert_eq!(answer("nonce too low: next nonce 5, tx nonce 4"), Answer::NonceTaken);
        assert_eq!(answer("replacement transaction underpriced"), Answer::NonceTaken);
        assert_eq!(answer("insufficient funds for gas * price + value"), Answer::Unwanted);
        assert_eq!(answer("max fee per gas less than block base fee"), Answer::Unwanted);
        let lost = RpcError::Transport(TransportErrorKind::BackendGone);
        assert_eq!(Answer::of::<()>(&Err(lost)), Answer::Lost);
    }
}
