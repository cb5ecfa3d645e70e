//! The written form of rounds: the JSON of the test vectors and of `proophi clear FILE`.
//!
//! `{"round", "capacity_cap", "reserve_price", "bids": [[unit fee, size]...], "asks": [[unit cost,
//! capacity]...]}`. Other fields are ignored, numbers may be JSON numbers or decimal strings. A round from
//! the chain whose seats have gaps carries one field more, `ask_seats`, the seat of each ask; without it an
//! ask is identified by its position.

use crate::number::RawNumber;
use crate::{
    Ask, AskIndex, Bid, Capacity, CapacityCap, NumberError, OutOfRange, ReservePrice, Round, RoundError,
    RoundNumber, SeatedAsk, TaskSize, UnitCost, UnitFee,
};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use thiserror::Error;

/// Why a written round is refused; the message names the entry.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FormatError {
    /// A field of the round holds no number that it can take.
    #[error("{field}: {reason}")]
    Field {
        /// Name of the field.
        field: &'static str,
        /// What is wrong with its value.
        reason: NumberError,
    },
    /// A part of an entry holds no number that it can take.
    #[error("{list}[{position}], {part}: {reason}")]
    Part {
        /// `bids`, `asks` or `ask_seats`.
        list: &'static str,
        /// Position in the list, from 0.
        position: usize,
        /// Which part of the entry.
        part: &'static str,
        /// What is wrong with it.
        reason: NumberError,
    },
    /// An entry is no pair.
    #[error("{list}[{position}]: found {found}; write a list of two numbers, {expected}")]
    NotAPair {
        /// `bids` or `asks`.
        list: &'static str,
        /// Position in the list, from 0.
        position: usize,
        /// What was found.
        found: String,
        /// What the two numbers mean.
        expected: &'static str,
    },
    /// `ask_seats` does not match `asks`.
    #[error("ask_seats has {seats} entries for {asks} asks; give one seat per ask, or leave the field out")]
    SeatCount {
        /// Number of seats given.
        seats: usize,
        /// Number of asks given.
        asks: usize,
    },
    /// The parts are fine but do not make a round.
    #[error(transparent)]
    Round(#[from] RoundError),
}

/// The content of a file of rounds: one round or a list of rounds. Written as a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct RoundFile {
    rounds: Vec<Round>,
}

impl RoundFile {
    /// A file of these rounds.
    #[must_use]
    pub const fn new(rounds: Vec<Round>) -> Self {
        Self { rounds }
    }

    /// The rounds in the order of the file.
    #[must_use]
    pub fn rounds(&self) -> &[Round] {
        &self.rounds
    }

    /// The rounds in the order of the file, by value.
    #[must_use]
    pub fn into_rounds(self) -> Vec<Round> {
        self.rounds
    }
}

impl Serialize for Round {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let asks: Vec<Ask> = self.asks().iter().map(|entry| entry.ask).collect();
        let seats: Vec<AskIndex> = self.asks().iter().map(|entry| entry.seat).collect();
        // Seats strictly ascend, so they are the positions exactly if the last one is.
        let gaps =
            seats.last().is_some_and(|last| usize::try_from(last.get()) != Ok(seats.len().saturating_sub(1)));

        let mut round = serializer.serialize_struct("Round", if gaps { 6 } else { 5 })?;
        round.serialize_field("round", &self.number())?;
        round.serialize_field("capacity_cap", &self.cap())?;
        round.serialize_field("reserve_price", &self.reserve())?;
        round.serialize_field("bids", self.bids())?;
        round.serialize_field("asks", &asks)?;
        if gaps {
            round.serialize_field("ask_seats", &seats)?;
        }
        round.end()
    }
}

impl<'de> Deserialize<'de> for Round {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        RawRound::deserialize(deserializer)?.checked().map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for RoundFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RoundFileVisitor)
    }
}

struct RoundFileVisitor;

impl<'de> Visitor<'de> for RoundFileVisitor {
    type Value = RoundFile;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a round or a list of rounds")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RoundFile, A::Error> {
        Ok(RoundFile { rounds: vec![Round::deserialize(MapAccessDeserializer::new(map))?] })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<RoundFile, A::Error> {
        let mut rounds: Vec<Round> = Vec::new();
        while let Some(raw) = seq.next_element::<RawRound>()? {
            let position = rounds.len();
            rounds.push(
                raw.checked().map_err(|error| A::Error::custom(format!("rounds[{position}].{error}")))?,
            );
        }
        Ok(RoundFile { rounds })
    }
}

/// A round as written, before any number is checked.
#[derive(Deserialize)]
struct RawRound {
    round: RawNumber,
    capacity_cap: RawNumber,
    reserve_price: RawNumber,
    bids: Vec<RawPair>,
    asks: Vec<RawPair>,
    ask_seats: Option<Vec<RawNumber>>,
}

impl RawRound {
    fn checked(self) -> Result<Round, FormatError> {
        let number = field("round", self.round, RoundNumber::from_u64)?;
        let cap = field("capacity_cap", self.capacity_cap, CapacityCap::from_u64)?;
        let reserve = field("reserve_price", self.reserve_price, ReservePrice::from_u64)?;
        let bids = pairs(
            &BIDS,
            self.bids,
            |fee, size| (UnitFee::from_u64(fee), TaskSize::from_u64(size)),
            |fee, size| Bid { fee, size },
        )?;
        let asks = pairs(
            &ASKS,
            self.asks,
            |cost, capacity| (UnitCost::from_u64(cost), Capacity::from_u64(capacity)),
            |cost, capacity| Ask { cost, capacity },
        )?;
        let Some(seats) = self.ask_seats else {
            return Ok(Round::from_positions(number, cap, reserve, bids, asks)?);
        };
        Ok(Round::new(number, cap, reserve, bids, seated(seats, asks)?)?)
    }
}

/// How one of the two lists of pairs is called in errors.
struct PairNames {
    list: &'static str,
    first: &'static str,
    second: &'static str,
    both: &'static str,
}

const BIDS: PairNames =
    PairNames { list: "bids", first: "unit fee", second: "size", both: "[unit fee, size]" };
const ASKS: PairNames =
    PairNames { list: "asks", first: "unit cost", second: "capacity", both: "[unit cost, capacity]" };

fn field<T>(
    field: &'static str,
    raw: RawNumber,
    from_u64: impl Fn(u64) -> Result<T, OutOfRange>,
) -> Result<T, FormatError> {
    raw.0.and_then(|value| Ok(from_u64(value)?)).map_err(|reason| FormatError::Field { field, reason })
}

/// Checks every pair of a list; both parts of an entry are range-checked by `check` and put together by
/// `build`.
fn pairs<A, B, T>(
    names: &PairNames,
    raw: Vec<RawPair>,
    check: impl Fn(u64, u64) -> (Result<A, OutOfRange>, Result<B, OutOfRange>),
    build: impl Fn(A, B) -> T,
) -> Result<Vec<T>, FormatError> {
    let entry = |(position, pair): (usize, RawPair)| {
        let (first, second) = pair.0.map_err(|found| FormatError::NotAPair {
            list: names.list,
            position,
            found,
            expected: names.both,
        })?;
        let refuse = |part| move |reason| FormatError::Part { list: names.list, position, part, reason };
        let first = first.0.map_err(refuse(names.first))?;
        let second = second.0.map_err(refuse(names.second))?;
        let (first, second) = check(first, second);
        let first = first.map_err(|error| refuse(names.first)(error.into()))?;
        let second = second.map_err(|error| refuse(names.second)(error.into()))?;
        Ok(build(first, second))
    };
    raw.into_iter().enumerate().map(entry).collect()
}

fn seated(seats: Vec<RawNumber>, asks: Vec<Ask>) -> Result<Vec<SeatedAsk>, FormatError> {
    if seats.len() != asks.len() {
        return Err(FormatError::SeatCount { seats: seats.len(), asks: asks.len() });
    }
    let entry = |(position, (raw, ask)): (usize, (RawNumber, Ask))| {
        let seat = raw
            .0
            .and_then(|value| Ok(AskIndex::from_u64(value)?))
            .map_err(|reason| FormatError::Part { list: "ask_seats", position, part: "seat", reason })?;
        Ok(SeatedAsk { seat, ask })
    };
    seats.into_iter().zip(asks).enumerate().map(entry).collect()
}

/// Any JSON value where a pair is expected; a refusal is kept for the reader who knows its position.
struct RawPair(Result<(RawNumber, RawNumber), String>);

impl<'de> Deserialize<'de> for RawPair {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawPairVisitor)
    }
}

struct RawPairVisitor;

impl RawPairVisitor {
    fn refused<E>(found: impl fmt::Display) -> Result<RawPair, E> {
        Ok(RawPair(Err(found.to_string())))
    }
}

impl<'de> Visitor<'de> for RawPairVisitor {
    type Value = RawPair;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of two numbers")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<RawPair, A::Error> {
        let (first, second) = (seq.next_element::<RawNumber>()?, seq.next_element::<RawNumber>()?);
        let mut surplus: usize = 0;
        while seq.next_element::<IgnoredAny>()?.is_some() {
            surplus = surplus.saturating_add(1);
        }
        match (first, second) {
            (Some(first), Some(second)) if surplus == 0 => Ok(RawPair(Ok((first, second)))),
            (Some(_), Some(_)) => Self::refused(format_args!("a list of {}", surplus.saturating_add(2))),
            (Some(_), None) => Self::refused("a list of 1"),
            (None, _) => Self::refused("an empty list"),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawPair, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Self::refused("an object")
    }

    fn visit_u64<E>(self, value: u64) -> Result<RawPair, E> {
        Self::refused(value)
    }

    fn visit_i64<E>(self, value: i64) -> Result<RawPair, E> {
        Self::refused(value)
    }

    fn visit_f64<E>(self, value: f64) -> Result<RawPair, E> {
        Self::refused(value)
    }

    fn visit_str<E>(self, _text: &str) -> Result<RawPair, E> {
        Self::refused("a text")
    }

    fn visit_bool<E>(self, value: bool) -> Result<RawPair, E> {
        Self::refused(value)
    }

    fn visit_unit<E>(self) -> Result<RawPair, E> {
        Self::refused("nothing")
    }
}
