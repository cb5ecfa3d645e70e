//! What a node means by an answer that is no logs. Pure.

use crate::transport::TooLarge;
use alloy::transports::{RpcError, TransportErrorKind};

/// Why a node gave no logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Too many blocks or too many logs: to be asked for fewer.
    TooMuch,
    /// It answered with another error. Some say so little that it may be the same.
    Unclear,
    /// It did not answer, or has no time: to be asked again later.
    Busy,
}

/// How providers say that they were asked for too much, in lower case.
const TOO_MUCH: [&str; 16] = [
    "query returned more than",
    "more than 10000",
    "too many results",
    "too many logs",
    "too many blocks",
    "block range",
    "range is too",
    "range too",
    "range exceed",
    "range limit",
    "response size",
    "response is too",
    "too large",
    "limited to",
    "max results",
    "query timeout",
];

/// How they say that they were asked too often.
const BUSY: [&str; 5] = ["rate limit", "too many requests", "request limit", "credits", "try again later"];

impl Refusal {
    pub(super) fn of(error: &RpcError<TransportErrorKind>) -> Self {
        let says = |words: &[&str], text: &str| {
            let text = text.to_ascii_lowercase();
            words.iter().any(|word| text.contains(word))
        };
        match error {
            RpcError::ErrorResp(answer) if says(&BUSY, &answer.message) || answer.code == 429 => Self::Busy,
            RpcError::ErrorResp(answer) if says(&TOO_MUCH, &answer.message) => Self::TooMuch,
            RpcError::ErrorResp(_) => Self::Unclear,
            error if TooLarge::is(error) => Self::TooMuch,
            RpcError::Transport(kind) => match kind.as_http_error() {
                Some(http) if http.status == 413 || says(&TOO_MUCH, &http.body) => Self::TooMuch,
                _ => Self::Busy,
            },
            _ => Self::Busy,
        }
    }
}

/// How many blocks from `from` on the node offers to answer for, if it says so in the form "[0x1a, 0x2b]".
pub(super) fn suggested(error: &RpcError<TransportErrorKind>, from: u64) -> Option<u64> {
    let text = match error {
        RpcError::ErrorResp(answer) => answer.message.as_ref(),
        RpcError::Transport(kind) => &kind.as_http_error()?.body,
        _ => return None,
    };
    text.split('[').skip(1).find_map(|rest| {
        let (first, last) = rest.split_once(']')?.0.split_once(',')?;
        if hex(first)? != from {
            return None;
        }
        hex(last)?.checked_sub(from)?.checked_add(1)
    })
}

fn hex(text: &str) -> Option<u64> {
    u64::from_str_radix(text.trim().trim_matches('"').strip_prefix("0x")?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    fn answer(code: i64, message: &str) -> RpcError<TransportErrorKind> {
        RpcError::ErrorResp(from_value(json!({ "code": code, "message": message })).unwrap())
    }

    #[test]
    fn what_providers_say_is_understood() {
        for message in [
            "query returned more than 10000 results",
            "Query returned more than 10000 results. Try with this block range [0x12, 0x34].",
            "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range",
            "eth_getLogs is limited to a 10,000 range",
            "exceed maximum block range: 50000",
            "block range is too wide",
            "query exceeds max results 20000, retry with the range 1-2",
            "query exceeds max block range 100000",
            "eth_getLogs and eth_newFilter are limited to a 10,000 blocks range",
        ] {
            assert_eq!(Refusal::of(&answer(-32005, message)), Refusal::TooMuch, "{message}");
            let error = TransportErrorKind::http_error(400, message.to_owned());
            assert_eq!(Refusal::of(&error), Refusal::TooMuch, "{message}");
        }
        assert_eq!(Refusal::of(&answer(429, "slow down")), Refusal::Busy);
        assert_eq!(Refusal::of(&answer(-32005, "daily request limit reached")), Refusal::Busy);
        assert_eq!(Refusal::of(&answer(-32012, "credits limited to 6000/sec")), Refusal::Busy);
        assert_eq!(Refusal::of(&answer(-32000, "header not found")), Refusal::Unclear);
        assert_eq!(Refusal::of(&TransportErrorKind::http_error(413, String::new())), Refusal::TooMuch);
        assert_eq!(Refusal::of(&TransportErrorKind::http_error(502, "bad".to_owned())), Refusal::Busy);
        assert_eq!(Refusal::of(&RpcError::NullResp), Refusal::Busy);
    }

    #[test]
    fn a_suggested_range_counts_if_it_begins_where_was_asked() {
        let says = |text: &str, from| suggested(&answer(-32602, text), from);
        let alchemy = "Based on your parameters, this block range should work: [0x10, 0x1f]";
        assert_eq!((says(alchemy, 16), says(alchemy, 17)), (Some(16), None));
        assert_eq!(says("try [a, b] or [0x5,0x5]", 5), Some(1));
        for nothing in ["", "[", "[0x5", "[0x5]", "[0x5, ]", "[0x5, 0x4]", "[0x5, 0xfffffffffffffffff]"] {
            assert_eq!(says(nothing, 5), None, "{nothing}");
        }
        assert_eq!(says("[0x0, 0xffffffffffffffff]", 0), None);
    }
}
