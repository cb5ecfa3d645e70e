//! The one macro behind every numeric type of up to 64 bits, and what all numbers share: the errors of checked
//! constructors and the written form.
//!
//! Written form: amounts that may pass 2^53 are decimal strings (JSON readers in other languages would round
//! them), counters and indices are numbers. Both forms are read back for every type.

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;
use thiserror::Error;

/// A number that lies outside what its type allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{what} is {given}; use a whole number from {min} to {max}")]
pub struct OutOfRange {
    /// Which quantity was refused, in words.
    pub what: &'static str,
    /// The value that was given.
    pub given: u64,
    /// The least value allowed.
    pub min: u64,
    /// The greatest value allowed.
    pub max: u64,
}

/// Why a text or a JSON value is not one of this crate's numbers.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NumberError {
    /// Not a whole decimal number that fits the width of the type.
    #[error("found {found}; write a whole number from 0 to 2^{bits} - 1 in decimal digits")]
    NotDecimal {
        /// What was found instead, in words.
        found: String,
        /// How wide the number may be.
        bits: u32,
    },
    /// A whole number, but not one that this quantity can take.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
}

/// The integers that numbers are read into.
pub(crate) trait Width: FromStr + From<u64> {
    const BITS: u32;
}

impl Width for u64 {
    const BITS: u32 = Self::BITS;
}

impl Width for u128 {
    const BITS: u32 = Self::BITS;
}

/// Reads decimal digits and nothing else: no sign, space, separator or exponent.
pub(crate) fn parse_decimal<T: Width>(text: &str) -> Result<T, NumberError> {
    let not_decimal = || NumberError::NotDecimal { found: format!("{:?}", shortened(text)), bits: T::BITS };
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(not_decimal());
    }
    text.parse().map_err(|_| not_decimal())
}

/// Keeps an error message readable when the offending text is a whole file.
pub(crate) fn shortened(text: &str) -> String {
    const LIMIT: usize = 40;
    if text.chars().count() <= LIMIT {
        return text.to_owned();
    }
    text.chars().take(LIMIT).chain("...".chars()).collect()
}

/// Any JSON value where a number is expected. A refusal is kept instead of raised, so that the reader who
/// knows the position of the value can name it.
pub(crate) struct RawNumber<T = u64>(pub(crate) Result<T, NumberError>);

impl<T: Width> RawNumber<T> {
    fn refused(found: impl Into<String>) -> Self {
        Self(Err(NumberError::NotDecimal { found: found.into(), bits: T::BITS }))
    }
}

impl<'de, T: Width> Deserialize<'de> for RawNumber<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawNumberVisitor(PhantomData))
    }
}

struct RawNumberVisitor<T>(PhantomData<T>);

impl<'de, T: Width> Visitor<'de> for RawNumberVisitor<T> {
    type Value = RawNumber<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a whole number or a decimal string")
    }

    fn visit_u64<E>(self, value: u64) -> Result<RawNumber<T>, E> {
        Ok(RawNumber(Ok(value.into())))
    }

    fn visit_i64<E>(self, value: i64) -> Result<RawNumber<T>, E> {
        Ok(u64::try_from(value)
            .map_or_else(|_| RawNumber::refused(value.to_string()), |value| RawNumber(Ok(value.into()))))
    }

    fn visit_f64<E>(self, value: f64) -> Result<RawNumber<T>, E> {
        Ok(RawNumber::refused(value.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<RawNumber<T>, E> {
        Ok(RawNumber(parse_decimal(text)))
    }

    fn visit_bool<E>(self, value: bool) -> Result<RawNumber<T>, E> {
        Ok(RawNumber::refused(value.to_string()))
    }

    fn visit_unit<E>(self) -> Result<RawNumber<T>, E> {
        Ok(RawNumber::refused("nothing"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<RawNumber<T>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(RawNumber::refused("a list"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawNumber<T>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(RawNumber::refused("an object"))
    }
}

/// Defines a number with a private field. `in min..=max` gives it a checked constructor, without it every
/// value of the integer is allowed. `as text` or `as number` chooses the written form.
macro_rules! number {
    ($(#[$meta:meta])* $name:ident($int:ty), $what:literal, as $form:ident) => {
        number!(@type $(#[$meta])* $name($int), $what, $form, 0, <$int>::MAX);

        impl $name {
            #[doc = concat!("A ", $what, " of `value`; every value is allowed.")]
            #[must_use]
            pub const fn new(value: $int) -> Self {
                Self(value)
            }
        }

        impl From<$int> for $name {
            fn from(value: $int) -> Self {
                Self(value)
            }
        }
    };
    ($(#[$meta:meta])* $name:ident($int:ty) in $min:literal ..= $max:expr, $what:literal, as $form:ident) => {
        number!(@type $(#[$meta])* $name($int), $what, $form, $min, $max);

        impl $name {
            #[doc = concat!("A ", $what, " of `value`.")]
            ///
            /// # Errors
            /// [`OutOfRange`](crate::OutOfRange) if `value` lies outside [`Self::MIN`] to [`Self::MAX`].
            pub const fn new(value: $int) -> Result<Self, crate::OutOfRange> {
                // Widening only: every number made by this macro is at most 64 bits wide.
                Self::from_u64(value as u64)
            }
        }

        impl TryFrom<$int> for $name {
            type Error = crate::OutOfRange;

            fn try_from(value: $int) -> Result<Self, Self::Error> {
                Self::new(value)
            }
        }
    };
    (@type $(#[$meta:meta])* $name:ident($int:ty), $what:literal, $form:ident, $min:expr, $max:expr) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($int);

        impl $name {
            /// The least value allowed.
            pub const MIN: Self = Self($min);
            /// The greatest value allowed.
            pub const MAX: Self = Self($max);

            /// The value as a plain integer.
            #[must_use]
            pub const fn get(self) -> $int {
                self.0
            }

            /// Checked constructor from the widest integer, for numbers that come from outside.
            ///
            /// # Errors
            /// [`OutOfRange`](crate::OutOfRange) if `value` lies outside [`Self::MIN`] to [`Self::MAX`].
            #[allow(
                clippy::cast_possible_truncation,
                clippy::unnecessary_cast,
                clippy::absurd_extreme_comparisons
            )]
            pub const fn from_u64(value: u64) -> Result<Self, crate::OutOfRange> {
                let (min, max) = (Self::MIN.0 as u64, Self::MAX.0 as u64);
                if value < min || value > max {
                    return Err(crate::OutOfRange { what: $what, given: value, min, max });
                }
                // Lossless: value <= MAX, and MAX is a value of the integer.
                Ok(Self(value as $int))
            }
        }

        impl From<$name> for $int {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&self.0, formatter)
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::NumberError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Ok(Self::from_u64(crate::number::parse_decimal(text)?)?)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                number!(@write $form, self, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let raw = <crate::number::RawNumber as serde::Deserialize>::deserialize(deserializer)?;
                let number = raw.0.and_then(|value| Ok(Self::from_u64(value)?));
                number.map_err(serde::de::Error::custom)
            }
        }
    };
    (@write text, $self:ident, $serializer:ident) => { $serializer.collect_str(&$self.0) };
    (@write number, $self:ident, $serializer:ident) => {
        serde::Serialize::serialize(&$self.0, $serializer)
    };
}

pub(crate) use number;
