//! Results as comma-separated values.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why a table was not written.
#[derive(Debug, Error)]
#[error("cannot write {path}: {reason}; check that the directory exists and has room")]
pub struct TableError {
    path: PathBuf,
    reason: std::io::Error,
}

/// Rows under a heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    heading: &'static [&'static str],
    text: String,
}

/// What a cell can hold.
#[derive(Debug, Clone, Copy)]
pub enum Cell<'a> {
    /// Words; a comma in them is written as a semicolon.
    Word(&'a str),
    /// A whole number.
    Whole(u64),
    /// A number, written with four digits behind the point.
    Number(f64),
}

impl Table {
    /// No rows yet.
    #[must_use]
    pub fn new(heading: &'static [&'static str]) -> Self {
        Self { heading, text: heading.join(",") + "\n" }
    }

    /// Adds a row; it must have as many cells as the heading.
    pub fn row(&mut self, cells: &[Cell<'_>]) {
        debug_assert_eq!(cells.len(), self.heading.len(), "{:?}", self.heading);
        for (number, cell) in cells.iter().enumerate() {
            if number > 0 {
                self.text.push(',');
            }
            // Writing into a string cannot fail.
            let _ = match cell {
                Cell::Word(word) => write!(self.text, "{}", word.replace(',', ";")),
                Cell::Whole(whole) => write!(self.text, "{whole}"),
                // Adding zero turns a negative zero into a positive one.
                Cell::Number(number) => write!(self.text, "{:.4}", number + 0.0),
            };
        }
        self.text.push('\n');
    }

    /// The table as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Writes `name.csv` into `directory` and says where.
    ///
    /// # Errors
    /// [`TableError`] if the file cannot be written.
    pub fn save(&self, directory: &Path, name: &str) -> Result<PathBuf, TableError> {
        let path = directory.join(format!("{name}.csv"));
        match std::fs::write(&path, &self.text) {
            Ok(()) => Ok(path),
            Err(reason) => Err(TableError { path, reason }),
        }
    }
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(word: &'a str) -> Self {
        Self::Word(word)
    }
}

impl From<u64> for Cell<'_> {
    fn from(whole: u64) -> Self {
        Self::Whole(whole)
    }
}

impl From<f64> for Cell<'_> {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}
