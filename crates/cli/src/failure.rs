//! What a command fails with: a message for people, a code for programs and an exit code for shells.

use serde_json::json;
use std::fmt;

/// Why a command failed, as far as a script may want to act on it. The number is the exit code of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    /// Something went wrong that is none of the others.
    Failed = 1,
    /// The command line does not make sense.
    Usage = 2,
    /// A file, an amount or a setting does not hold what it should, or a check before sending failed.
    Input = 3,
    /// The chain cannot be reached, or the contract is not there.
    Connection = 4,
    /// The contract refused the transaction.
    Refused = 5,
    /// The demo's audit found something that does not add up.
    Audit = 6,
    /// Stopped by a signal.
    Interrupted = 130,
}

/// Printed under `proophi --help`.
pub(crate) const EXIT_CODES: &str = "Exit codes:
  0    done
  1    failed for a reason that is none of the following
  2    the command line does not make sense
  3    a file, an amount or a setting is wrong, or a check before sending failed; nothing was sent
  4    the chain cannot be reached, or the contract is not there
  5    the contract refused the transaction
  6    the demo's audit found something that does not add up
  130  stopped by a signal";

impl Code {
    /// The word that stands for the code in JSON.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::Input => "input",
            Self::Connection => "connection",
            Self::Refused => "refused",
            Self::Audit => "audit",
            Self::Interrupted => "interrupted",
        }
    }

    /// The exit code.
    pub(crate) const fn exit(self) -> u8 {
        self as u8
    }
}

/// A failed command.
#[derive(Debug)]
pub(crate) struct Failure {
    code: Code,
    report: eyre::Report,
}

/// What a command returns.
pub(crate) type Outcome<T> = Result<T, Failure>;

impl Failure {
    pub(crate) fn new(code: Code, report: impl Into<eyre::Report>) -> Self {
        Self { code, report: report.into() }
    }

    /// Wrong input; nothing was sent.
    pub(crate) fn input(message: impl fmt::Display) -> Self {
        Self { code: Code::Input, report: eyre::eyre!("{message}") }
    }

    /// The same failure with a hint behind its message.
    pub(crate) fn and(self, hint: &str) -> Self {
        let message = self.to_string();
        Self { code: self.code, report: eyre::eyre!("{message}; {hint}") }
    }

    pub(crate) const fn code(&self) -> Code {
        self.code
    }

    /// The error object that `--json` writes to stderr.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        let causes: Vec<String> = self.report.chain().skip(1).map(ToString::to_string).collect();
        json!({ "error": {
            "code": self.code.word(),
            "exit_code": self.code.exit(),
            "message": self.report.to_string(),
            "causes": causes,
        }})
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.report.to_string();
        formatter.write_str(&said)?;
        for cause in self.report.chain().skip(1).map(ToString::to_string) {
            // Many errors repeat their source in their own words.
            if !said.contains(&cause) {
                write!(formatter, ": {cause}")?;
                said = cause;
            }
        }
        Ok(())
    }
}

/// Turns an error into a failure with a code, where the code does not follow from the error's type.
pub(crate) trait OrFail<T> {
    /// With `code`.
    fn or_fail(self, code: Code) -> Outcome<T>;
    /// With `code` and a sentence about what was being done.
    fn or_fail_with(self, code: Code, what: impl FnOnce() -> String) -> Outcome<T>;
}

impl<T, E: Into<eyre::Report>> OrFail<T> for Result<T, E> {
    fn or_fail(self, code: Code) -> Outcome<T> {
        self.map_err(|error| Failure { code, report: error.into() })
    }

    fn or_fail_with(self, code: Code, what: impl FnOnce() -> String) -> Outcome<T> {
        self.map_err(|error| Failure { code, report: error.into().wrap_err(what()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exit_code_is_documented() {
        for code in [
            Code::Failed,
            Code::Usage,
            Code::Input,
            Code::Connection,
            Code::Refused,
            Code::Audit,
            Code::Interrupted,
        ] {
            let line = format!("\n  {:<4} ", code.exit());
            assert!(EXIT_CODES.contains(&line), "{code:?}");
        }
    }

    #[test]
    fn json_names_code_and_causes() {
        let failure = Err::<(), _>(eyre::eyre!("inner")).or_fail_with(Code::Input, || "outer".into());
        let json = failure.unwrap_err().to_json();
        assert_eq!(json["error"]["code"], "input");
        assert_eq!(json["error"]["exit_code"], 3);
        assert_eq!(json["error"]["message"], "outer");
        assert_eq!(json["error"]["causes"][0], "inner");
    }

    #[test]
    fn repeated_causes_are_said_once() {
        let failure = Failure::new(Code::Failed, eyre::eyre!("inner").wrap_err("outer: inner"));
        assert_eq!(failure.to_string(), "outer: inner");
    }
}
