//! What an experiment found, and the files it becomes.

use crate::plot::{Figure, PlotError, save};
use crate::table::{Table, TableError};
use serde::Serialize;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why results were not written.
#[derive(Debug, Error)]
pub enum WriteError {
    /// A figure.
    #[error(transparent)]
    Plot(#[from] PlotError),
    /// A table.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The directory.
    #[error("cannot make the directory {directory}: {reason}; choose another with --out")]
    Directory {
        /// Which one.
        directory: PathBuf,
        /// What the system says.
        reason: std::io::Error,
    },
}

/// Tables, figures and the few numbers that matter most.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Each with the name of its file.
    pub tables: Vec<(&'static str, Table)>,
    /// Each with the name of its files.
    pub figures: Vec<(&'static str, Figure)>,
    /// The numbers that matter most.
    pub findings: Vec<Finding>,
}

/// One number that matters.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// What was measured.
    pub what: String,
    /// The mean.
    pub value: f64,
    /// Half the width of its 95 % confidence interval; absent where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margin: Option<f64>,
    /// What it is measured in.
    pub unit: &'static str,
}

impl Report {
    /// Adds a finding with its interval.
    pub fn find(&mut self, what: impl Into<String>, mean: crate::stats::Mean, unit: &'static str) {
        self.findings.push(Finding { what: what.into(), value: mean.value, margin: Some(mean.margin), unit });
    }

    /// Writes every table and figure into `directory`, which is made if it is not there.
    ///
    /// # Errors
    /// [`WriteError`] if a file or the directory cannot be written.
    pub fn write(&self, directory: &Path) -> Result<Vec<PathBuf>, WriteError> {
        std::fs::create_dir_all(directory)
            .map_err(|reason| WriteError::Directory { directory: directory.to_owned(), reason })?;
        let mut files = Vec::new();
        for (name, table) in &self.tables {
            files.push(table.save(directory, name)?);
        }
        for (name, figure) in &self.figures {
            files.extend(save(figure, directory, name)?);
        }
        Ok(files)
    }
}
