//! Why a service ends, and the exit code that says so.

use crate::without_secrets;
use std::error::Error;
use std::process::ExitCode;

/// Something went wrong that is none of the others.
pub const FAILED: u8 = 1;
/// The command line or a setting does not make sense. Trying again does not help.
pub const WRONG_USAGE: u8 = 2;
/// The chain cannot be reached, or is not the one expected.
pub const NO_CONNECTION: u8 = 3;

/// A failed run.
#[derive(Debug)]
pub struct Exit {
    code: u8,
    error: Box<dyn Error + Send + Sync>,
}

impl Exit {
    /// Ends with `code` because of `error`.
    #[must_use]
    pub fn new(code: u8, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { code, error: error.into() }
    }

    /// What the process of `program` ends with. Says why on stderr, as logs may not have started yet.
    #[must_use]
    pub fn report(result: Result<(), Self>, program: &str) -> ExitCode {
        match result {
            Ok(()) => ExitCode::SUCCESS,
            Err(Self { code, error }) => {
                eprintln!("{program}: {}", without_secrets(&error.to_string()));
                code.into()
            }
        }
    }
}

/// For `map_err`: ends with `code` because of the error.
pub fn exit<E: Into<Box<dyn Error + Send + Sync>>>(code: u8) -> impl Fn(E) -> Exit {
    move |error| Exit::new(code, error)
}
