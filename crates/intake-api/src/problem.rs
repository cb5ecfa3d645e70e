//! Why a request was not granted, for people and for programs.

use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;

/// Why a request was not granted. Codes are stable: programs act on them, and texts may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The body is no JSON of the documented form.
    Malformed,
    /// The body, or the transaction that the bid would need, is too large.
    TooLarge,
    /// The bid is for another chain or contract than the relayer's.
    OtherContract,
    /// The relayer does not serve the market.
    UnknownMarket,
    /// The market takes commitments instead.
    SealedMarket,
    /// The bid is for a round that is not open.
    WrongRound,
    /// The round closes too soon for the bid to be posted safely.
    RoundClosing,
    /// The contract takes no such entry.
    InvalidBid,
    /// The statements are not those of the entry.
    OtherStatements,
    /// The signature is not the requester's for this bid.
    WrongSignature,
    /// The requester's balance in the market does not cover the bid.
    InsufficientBalance,
    /// The requester has a bid in the round already.
    BidInRound,
    /// The relayer holds another bid of the requester for the round.
    AlreadyQueued,
    /// The contract refuses the bid for another reason.
    Refused,
    /// The relayer knows no such bid, or has forgotten it.
    UnknownBid,
    /// There is no such resource.
    NotFound,
    /// The resource has no such method.
    MethodNotAllowed,
    /// The client sends too many requests.
    TooManyRequests,
    /// The relayer holds as many bids as it can, or answers as many requests.
    Busy,
    /// The request took too long.
    Timeout,
    /// The relayer's node does not answer.
    ChainUnavailable,
    /// The relayer cannot keep the bid safely.
    StorageUnavailable,
}

impl Code {
    /// The status of the answer.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::UnknownMarket | Self::UnknownBid | Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Timeout => 408,
            Self::WrongRound | Self::RoundClosing | Self::BidInRound | Self::AlreadyQueued => 409,
            Self::TooLarge => 413,
            Self::OtherContract
            | Self::SealedMarket
            | Self::InvalidBid
            | Self::OtherStatements
            | Self::WrongSignature
            | Self::InsufficientBalance
            | Self::Refused => 422,
            Self::TooManyRequests => 429,
            Self::Busy | Self::ChainUnavailable | Self::StorageUnavailable => 503,
        }
    }

    /// Whether the same request may be granted a moment later.
    #[must_use]
    pub const fn may_pass(self) -> bool {
        matches!(self.status(), 408 | 429 | 503)
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Malformed => "The request is not of the documented form",
            Self::TooLarge => "Too large",
            Self::OtherContract => "The bid is for another contract",
            Self::UnknownMarket => "Market not served",
            Self::SealedMarket => "The market is sealed",
            Self::WrongRound => "The round is not open",
            Self::RoundClosing => "The round is about to close",
            Self::InvalidBid => "No entry of this market",
            Self::OtherStatements => "The statements are not those of the bid",
            Self::WrongSignature => "The signature is not the requester's",
            Self::InsufficientBalance => "The balance does not cover the bid",
            Self::BidInRound => "The requester has a bid in the round",
            Self::AlreadyQueued => "Another bid is queued",
            Self::Refused => "The contract would refuse the bid",
            Self::UnknownBid => "No such bid",
            Self::NotFound => "No such resource",
            Self::MethodNotAllowed => "No such method here",
            Self::TooManyRequests => "Too many requests",
            Self::Busy => "The relayer is busy",
            Self::Timeout => "The request took too long",
            Self::ChainUnavailable => "The chain cannot be reached",
            Self::StorageUnavailable => "The bid cannot be kept",
        }
    }
}

/// Problem details (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Names the kind of problem: `urn:proophi:problem:` and the code.
    #[serde(rename = "type")]
    #[schema(example = "urn:proophi:problem:wrong_round")]
    pub kind: String,
    /// The kind of problem in words.
    pub title: String,
    /// The HTTP status.
    #[schema(example = 409)]
    pub status: u16,
    /// What is wrong with this request, and what to do next.
    pub detail: String,
    /// What programs act on.
    pub code: Code,
}

impl Problem {
    /// A problem of this kind; `detail` says what to do next.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let kind = format!("urn:proophi:problem:{code}");
        Self { kind, title: code.title().to_owned(), status: code.status(), detail: detail.into(), code }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.title, self.detail)
    }
}

impl fmt::Display for Code {
    /// As in JSON.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(formatter)
    }
}
