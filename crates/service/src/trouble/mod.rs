//! What can go wrong while a program runs: each kind has a stable code, in the logs as `code`, counted as
//! `proophi_troubles_total`, and told of in `docs/operations/errors.md`.
//!
//! | module | what is in it |
//! |---|---|
//! | `table` | every [`Trouble`], with what happened and what to do |
//! | `document` | the page that says so |

mod document;
mod table;

pub use document::document;
pub use table::*;

use crate::ops::metric;
use std::fmt;

/// One kind of trouble. Its code stays as it is for as long as the kind exists, and is not given to another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trouble {
    code: &'static str,
    title: &'static str,
    happened: &'static str,
    advice: &'static str,
}

impl Trouble {
    /// The code, as in R-102.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// Counts that it has happened once more.
    pub fn count(&self) {
        metric::TROUBLES.add([("code", self.code.to_owned())], 1);
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code)
    }
}

/// Logs a [`Trouble`] at a level of `tracing` (`warn` or `error`), with its code before all other fields, and counts it:
///
/// ```
/// # let error = "no answer";
/// service::trouble!(warn, service::CANNOT_FOLLOW, %error, "cannot follow the chain");
/// ```
#[macro_export]
macro_rules! trouble {
    ($level:ident, $trouble:expr, $($rest:tt)+) => {{
        let trouble: $crate::Trouble = $trouble;
        trouble.count();
        ::tracing::$level!(code = trouble.code(), $($rest)+);
    }};
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    fn sources(dir: &Path, into: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, into);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                into.push(path);
            }
        }
    }

    #[test]
    fn codes_are_unique_and_sorted() {
        let codes: Vec<&str> = ALL.iter().map(Trouble::code).collect();
        let sorted: BTreeSet<&str> = codes.iter().copied().collect();
        assert_eq!(codes, sorted.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn every_warning_of_the_programs_has_a_code_and_every_code_a_place() {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let (mut files, mut text) = (Vec::new(), String::new());
        for program in ["relayer", "prover-node", "service"] {
            sources(&crates.join(program).join("src"), &mut files);
        }
        for file in files.iter().filter(|file| !file.ends_with("trouble/mod.rs")) {
            let source = std::fs::read_to_string(file).unwrap();
            for bare in [" warn!(", " error!(", "tracing::warn!(", "tracing::error!("] {
                assert!(!source.contains(bare), "{} logs{bare} without a code: use trouble!", file.display());
            }
            if !file.ends_with("trouble/table.rs") {
                text += &source;
            }
        }
        for (name, trouble) in NAMES.iter().zip(ALL) {
            assert!(text.contains(name), "{name} ({trouble}) happens nowhere");
        }
    }

    #[test]
    fn the_page_in_the_documents_is_this_table() {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operations/errors.md");
        let written = std::fs::read_to_string(page).unwrap();
        assert!(
            written == document(),
            "run: cargo run -p service --example errors > docs/operations/errors.md"
        );
    }
}
