//! How values are written that JSON has no type for: the components of the OpenAPI document that say so by patterns. Answers are written
//! so, and requests that are written so can be read, but for a unit fee of 20 digits that passes 2^64 - 1.

use crate::submission::MAX_SIGNATURE;
use std::borrow::Cow;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

macro_rules! forms {
    ($($name:ident: $what:literal, $pattern:literal, $longest:expr, $example:literal;)+) => {
        $(
            #[doc = $what]
            #[derive(Debug)]
            pub enum $name {}

            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    let text = ObjectBuilder::new().schema_type(Type::String).description(Some($what));
                    text.pattern(Some($pattern)).max_length($longest).examples([$example]).into()
                }
            }

            impl ToSchema for $name {
                fn name() -> Cow<'static, str> {
                    stringify!($name).into()
                }
            }
        )+
    };
}

forms! {
    Address: "An address: 20 bytes, hexadecimal.", "^0x[0-9a-fA-F]{40}$", None, "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";
    Bytes32: "An id, a hash or another word: 32 bytes, hexadecimal.", "^0x[0-9a-fA-F]{64}$", None,
        "0x5f2a7b8dd1c3e9f04a6b5c7d8e9fa0b10065a0e0800000f00000000700000040";
    Uint256: "A number below 2^256, hexadecimal.", "^0x[0-9a-fA-F]{1,64}$", None, "0x2a";
    Uint144: "A number below 2^144, hexadecimal.", "^0x[0-9a-fA-F]{1,36}$", None, "0x8c1d2e3f405162738495a6b7c8d9eafb0c1d";
    HexBytes: "Bytes, hexadecimal.", "^0x([0-9a-fA-F]{2})*$", None, "0x0001";
    Signature: "A signature, hexadecimal: 65 or 64 bytes of a key, or what a contract takes.", "^0x([0-9a-fA-F]{2})*$",
        Some(2 + 2 * MAX_SIGNATURE),
        "0x4f8c7546723b3a614ebd0ab95058887aa65a052d05bd99adae8bbba4a2b69d1f0b305d6e74fb8cfec66de087d10e74929829877267abb1276fa7f874814edc251b";
    UnitFee: "A whole number from 1 to 2^64 - 1, decimal.", "^[1-9][0-9]{0,19}$", None, "55";
    Decimal: "A whole number, decimal.", "^(0|[1-9][0-9]{0,77})$", None, "100";
}
