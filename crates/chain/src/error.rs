//! What can go wrong when the chain is asked something.

use crate::Revert;
use alloy::transports::{RpcError, TransportErrorKind};
use thiserror::Error;

/// The chain was asked and gave no usable answer.
#[derive(Debug, Error)]
pub enum CallError {
    /// The contract refused.
    #[error("{0}")]
    Reverted(Revert),
    /// The node did not answer, or with an error of its own. Trying again later may help.
    #[error("the chain does not answer: {0}")]
    Rpc(#[source] RpcError<TransportErrorKind>),
    /// What came back is not what this contract answers.
    #[error("unexpected answer of the contract: {0}; check that address and chain are the market's")]
    Unexpected(String),
}

impl CallError {
    /// The contract's refusal, if this is one.
    #[must_use]
    pub const fn revert(&self) -> Option<&Revert> {
        match self {
            Self::Reverted(revert) => Some(revert),
            Self::Rpc(_) | Self::Unexpected(_) => None,
        }
    }

    /// Whether trying again later may help.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Rpc(_))
    }
}

impl From<RpcError<TransportErrorKind>> for CallError {
    fn from(error: RpcError<TransportErrorKind>) -> Self {
        Revert::of_rpc(&error).map_or(Self::Rpc(error), Self::Reverted)
    }
}

impl From<alloy::contract::Error> for CallError {
    fn from(error: alloy::contract::Error) -> Self {
        match error {
            alloy::contract::Error::TransportError(error) => error.into(),
            other => Self::Unexpected(other.to_string()),
        }
    }
}
