//! Why the contract refused, in words.

use alloy::dyn_abi::{DynSolValue, JsonAbiExt};
use alloy::json_abi::Error as ErrorAbi;
use alloy::primitives::{B256, Bytes, Selector, hex};
use alloy::sol_types::{Panic, Revert as RevertString, SolError};
use alloy::transports::{RpcError, TransportErrorKind};
use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

/// A refusal of a contract, decoded: `RoundSettledAlready(round: 3)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revert {
    name: String,
    args: Vec<(String, String)>,
    data: Bytes,
}

impl Revert {
    /// Whether this is the custom error `E`.
    #[must_use]
    pub fn is<E: SolError>(&self) -> bool {
        self.data.starts_with(&E::SELECTOR)
    }

    /// Whether everything of a call with many parts was refused, the last of it with the custom error `E`: `NothingDelivered`,
    /// `NothingSubmitted` and `NothingRevealed` hold its selector.
    #[must_use]
    pub fn stands_for<E: SolError>(&self) -> bool {
        let [(name, _)] = self.args.as_slice() else { return false };
        name == "reason" && self.data.get(4..8) == Some(&E::SELECTOR[..])
    }

    /// The selector of the error that everything was refused for, if this is such a refusal; see [`Revert::stands_for`].
    #[must_use]
    pub fn stood_for(&self) -> Option<[u8; 4]> {
        let [(name, _)] = self.args.as_slice() else { return None };
        let reason = self.data.get(4..8)?.try_into().ok()?;
        (name == "reason").then_some(reason)
    }

    /// The contracts' error with this selector, without its arguments: a log tells no more of why something was refused.
    #[must_use]
    pub fn of_selector(selector: [u8; 4]) -> Self {
        let name = error_name(selector).map_or_else(|| unknown(&selector), str::to_owned);
        Self { name, args: Vec::new(), data: Bytes::copy_from_slice(&selector) }
    }

    /// Its name, as in `BidInRoundAlready`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The revert in an answer of a node, if it is one.
    #[must_use]
    pub fn of_rpc(error: &RpcError<TransportErrorKind>) -> Option<Self> {
        let payload = error.as_error_resp()?;
        match payload.as_revert_data() {
            Some(data) => Some(decode_revert(&data)),
            None if payload.message.contains("revert") => Some(decode_revert(&[])),
            None => None,
        }
    }
}

impl fmt::Display for Revert {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.name)?;
        if self.args.is_empty() && !self.name.contains(' ') {
            write!(formatter, "()")?;
        }
        for (position, (name, value)) in self.args.iter().enumerate() {
            write!(formatter, "{}{name}: {value}", if position == 0 { "(" } else { ", " })?;
        }
        if !self.args.is_empty() {
            write!(formatter, ")")?;
        }
        self.advice().map_or(Ok(()), |advice| write!(formatter, "; {advice}"))
    }
}

impl Revert {
    /// What to do about it, where that does not follow from the refusal itself.
    #[must_use]
    pub fn advice(&self) -> Option<&'static str> {
        Some(match self.name.as_str() {
            "NotAContract" => "deploy the auditor and the extension first, and give their addresses",
            "NotTheMarket" => "call the market's address, not its extension's",
            "MarketOver" => "create another market",
            "LotTooLarge" => "make several entries of it, in a sealed market one of each bid",
            "WrongProgress" => "read what the settler's last page left in its `PageSettled`, or begin anew",
            "WrongStatement" => {
                "deliver what was published for this bid, with the path of its place in the entry"
            }
            "MarketIsSealed" => "commit to the bid or ask, and open it after the close",
            "BidInRoundAlready" => {
                "a requester has one signed bid in a round, and none beside a bid of its own; sign for the next round"
            }
            "WrongSignature" => {
                "sign the entry for this round of this market, for the contract on its chain; a contract's signature goes another way"
            }
            "NotPublishedHere" => {
                "publish what the entry asks proofs of before it in the same transaction (multicall)"
            }
            "NothingSubmitted" => "no bid was accepted; the reason is that of the last one",
            "MarketIsOpen" => "this market takes bids and asks in the open",
            "DepositTooSmall" => "lock at least the bond, and what the bid may cost with the settlement fee",
            "CommitmentExists" => "take another salt",
            "UnknownCommitment" => {
                "it was opened or forfeited already, or account, round, salt or contents are others than those committed to"
            }
            "RevealClosed" => {
                "it is too late to open it; get back what is left of the deposit by forfeiting it"
            }
            "RevealOpen" => "open the commitment instead, or wait until then",
            "AskRevealedAlready" => {
                "a seat has one ask a round; forfeit the other commitment after the reveal"
            }
            "CapacityOutOfRange" => "choose a capacity within the range; 0 leaves the market",
            "CapacityChangePending" => {
                "wait until the round before is settled or void, and release what leaves; then change it again"
            }
            "NothingToRelease" => "reduce the capacity first",
            "CapacityStillOffered" => "wait until the round before is settled or void",
            "SeatHasOpenTasks" => "deliver the seat's tasks first, or wait until they have ended",
            "InvalidCost" => "in a sealed market register without a cost, elsewhere give one below 2^64 - 1",
            _ => return None,
        })
    }
}

/// Every custom error of the contracts and of the libraries they use.
static ERRORS: LazyLock<HashMap<Selector, ErrorAbi>> = LazyLock::new(|| {
    [
        bindings::ProverMarket::abi::errors(),
        bindings::Groth16Verifier::abi::errors(),
        bindings::Libraries::abi::errors(),
    ]
    .into_iter()
    .flat_map(std::collections::BTreeMap::into_values)
    .flatten()
    .map(|error| (error.selector(), error))
    .collect()
});

/// The name of the contracts' error with this selector, as in `BidNotRevealed`.
#[must_use]
pub fn error_name(selector: [u8; 4]) -> Option<&'static str> {
    ERRORS.get(&Selector::from(selector)).map(|error| error.name.as_str())
}

/// Decodes what a reverted call returned. Anything can be decoded, if only to its bytes.
#[must_use]
pub fn decode_revert(data: &[u8]) -> Revert {
    let (name, args) = named(data).or_else(|| standard(data)).unwrap_or_else(|| (unknown(data), Vec::new()));
    Revert { name, args, data: Bytes::copy_from_slice(data) }
}

type Named = (String, Vec<(String, String)>);

fn named(data: &[u8]) -> Option<Named> {
    let (selector, rest) = data.split_first_chunk::<4>()?;
    let error = ERRORS.get(&Selector::from(*selector))?;
    let values = error.abi_decode_input(rest).ok()?;
    let args = error.inputs.iter().zip(&values).map(|(input, value)| (input.name.clone(), shown(value)));
    Some((error.name.clone(), args.collect()))
}

fn standard(data: &[u8]) -> Option<Named> {
    if let Ok(RevertString { reason }) = RevertString::abi_decode(data) {
        return Some((format!("refused: {reason}"), Vec::new()));
    }
    let panic = Panic::abi_decode(data).ok()?;
    Some(("Panic".to_owned(), vec![("code".to_owned(), panic.code.to_string())]))
}

fn unknown(data: &[u8]) -> String {
    if data.is_empty() {
        return "refused without a reason".to_owned();
    }
    format!("unknown error {}", hex::encode_prefixed(data.get(..4).unwrap_or(data)))
}

fn shown(value: &DynSolValue) -> String {
    match value {
        DynSolValue::Uint(number, _) => number.to_string(),
        DynSolValue::Int(number, _) => number.to_string(),
        DynSolValue::Address(address) => address.to_string(),
        DynSolValue::Bool(flag) => flag.to_string(),
        DynSolValue::FixedBytes(word, 4) => {
            let selector = word.0.first_chunk::<4>().copied().unwrap_or_default();
            error_name(selector).map_or_else(|| hex::encode_prefixed(selector), str::to_owned)
        }
        DynSolValue::FixedBytes(word, 32) => text_in(*word).unwrap_or_else(|| word.to_string()),
        other => format!("{other:?}"),
    }
}

/// The text in a word that holds one (a parameter's name in `InvalidParameter`), padded with zeros.
fn text_in(word: B256) -> Option<String> {
    let end = word.iter().position(|byte| *byte == 0)?;
    let (text, padding) = word.split_at(end);
    let is_text = end > 0 && text.iter().all(u8::is_ascii_graphic) && padding.iter().all(|byte| *byte == 0);
    is_text.then(|| String::from_utf8_lossy(text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::U256;
    use bindings::{Libraries, ProverMarket};

    #[test]
    fn an_error_is_shown_with_the_names_and_values_of_its_arguments() {
        let error = ProverMarket::RoundSettledAlready { round: U256::from(3) };
        let revert = decode_revert(&error.abi_encode());
        assert_eq!(revert.to_string(), "RoundSettledAlready(round: 3)");
        assert!(revert.is::<ProverMarket::RoundSettledAlready>());
        assert!(!revert.is::<ProverMarket::RoundVoid>());

        let error = ProverMarket::InsufficientBalance { available: U256::from(1), needed: U256::MAX };
        let shown = decode_revert(&error.abi_encode()).to_string();
        assert_eq!(shown, format!("InsufficientBalance(available: 1, needed: {})", U256::MAX));
    }

    #[test]
    fn a_name_in_a_word_is_shown_as_text() {
        let error = ProverMarket::InvalidParameter { name: B256::right_padding_from(b"maxTaskSize") };
        assert_eq!(decode_revert(&error.abi_encode()).to_string(), "InvalidParameter(name: maxTaskSize)");
    }

    #[test]
    fn a_refusal_that_stands_for_another_names_it_and_advice_follows() {
        let reason = ProverMarket::DepositTooSmall::SELECTOR.into();
        let revert = decode_revert(&ProverMarket::NothingRevealed { reason }.abi_encode());
        assert_eq!(revert.to_string(), "NothingRevealed(reason: DepositTooSmall)");
        assert!(revert.stands_for::<ProverMarket::DepositTooSmall>());
        assert!(!revert.stands_for::<ProverMarket::CommitmentExists>());
        let itself = ProverMarket::DepositTooSmall { deposit: U256::ZERO, needed: U256::ZERO };
        assert!(!decode_revert(&itself.abi_encode()).stands_for::<ProverMarket::DepositTooSmall>());
        assert_eq!(revert.stood_for(), Some(ProverMarket::DepositTooSmall::SELECTOR));
        assert_eq!(decode_revert(&itself.abi_encode()).stood_for(), None);
        let shown = decode_revert(&ProverMarket::CommitmentExists {}.abi_encode()).to_string();
        assert_eq!(shown, "CommitmentExists(); take another salt");
        assert_eq!(error_name([1, 2, 3, 4]), None);
        let told = Revert::of_selector(ProverMarket::CommitmentExists::SELECTOR);
        assert_eq!((told.name(), told.advice()), ("CommitmentExists", Some("take another salt")));
        assert_eq!(Revert::of_selector([1, 2, 3, 4]).name(), "unknown error 0x01020304");
    }

    #[test]
    fn advice_is_about_errors_that_there_are() {
        let source = include_str!("revert.rs");
        let advised = source.lines().filter_map(|line| line.trim().strip_prefix('"')?.split_once("\" =>"));
        let known: Vec<&str> = ERRORS.values().map(|error| error.name.as_str()).collect();
        let advised: Vec<&str> = advised.map(|(name, _)| name).collect();
        assert!(advised.len() > 10 && advised.iter().all(|name| known.contains(name)), "{advised:?}");
    }

    #[test]
    fn errors_of_libraries_and_of_the_language_are_shown() {
        let shown = |data: Vec<u8>| decode_revert(&data).to_string();
        assert_eq!(shown(Libraries::TransferFromFailed {}.abi_encode()), "TransferFromFailed()");
        assert_eq!(shown(RevertString { reason: "no".into() }.abi_encode()), "refused: no");
        assert_eq!(shown(Panic { code: U256::from(0x11) }.abi_encode()), "Panic(code: 17)");
    }

    #[test]
    fn anything_can_be_decoded() {
        assert_eq!(decode_revert(&[]).to_string(), "refused without a reason");
        assert_eq!(decode_revert(&[1, 2]).to_string(), "unknown error 0x0102");
        assert_eq!(decode_revert(&[1, 2, 3, 4, 5]).to_string(), "unknown error 0x01020304");
        // A known selector whose arguments are cut off.
        let cut = &ProverMarket::RoundVoid { round: U256::ONE, settleBy: U256::ONE }.abi_encode()[..20];
        assert!(decode_revert(cut).to_string().starts_with("unknown error 0x"));
    }

    #[test]
    fn every_error_of_the_contracts_is_known() {
        let market = ProverMarket::ProverMarketErrors::SELECTORS;
        assert!(market.len() > 40);
        assert!(market.iter().all(|selector| ERRORS.contains_key(&Selector::from(*selector))));
    }
}
