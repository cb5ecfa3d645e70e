//! Openings of sealed bids and asks, kept safe between commitment and reveal.
//!
//! | module | what is in it |
//! |---|---|
//! | `opening` | [`Opening`]: what opens one commitment, and [`OpeningKey`], which names it |
//! | `kept` | [`Kept`]: what is kept of a market, with what is wrong there; [`Asks`]: a prover's asks and their stakes |
//! | `status` | [`Status`]: where a commitment stands, as the chain tells it |
//! | `file` | files that only their owner can read, written so that a crash leaves the old one or the new one |
//!
//! Whoever loses an opening loses the bond, and whoever reads one early knows the offer. So every opening has a file of its
//! own, which is on disk before the commitment is sent and goes only once the round is over:
//!
//! ```text
//! <dir>/<chain>/<contract>/<market>/<round>-<account>-<commitment>.json
//! ```
//!
//! Programs may share a directory: each keeps openings of its own, and any of them may forget one whose round is over. What is
//! wrong with one file says nothing about the others, which can be opened all the same.

mod file;
mod kept;
mod opening;
mod status;

pub use kept::{Asks, Kept, KeptAsk};
pub use opening::{NoOpening, Opening, OpeningKey, Secret, Venue, random_salt};
pub use status::{Status, are_staked, is_over};

use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why an opening cannot be kept or found. No message shows what an opening holds.
#[derive(Debug, Error)]
pub enum OpeningsError {
    /// Neither a directory was named nor does the environment tell where the user's data is.
    #[error("no directory for openings: name one with --openings, or set HOME")]
    NoDirectory,
    /// The system refuses.
    #[error("cannot {doing} {}: {reason}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system says.
        #[source]
        reason: io::Error,
    },
    /// Others may read the file, so the offer may be known already.
    #[error(
        "{} is open to others (mode {mode:o}); whoever read it knows the offer. Run: chmod 600 {}",
        path.display(), path.display()
    )]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file holds no opening, or that of another commitment than its name says.
    #[error("{} holds no opening of its commitment; restore it from a copy, or move it away", .0.display())]
    NotAnOpening(PathBuf),
    /// The file opens a bid of another version.
    #[error(
        "{} opens a bid that was committed to with another version of Proophi, at that version's contract. Open it with that \
         version, or run its `proophi forfeit`, which brings back all but the bond; then move the file away",
        .0.display()
    )]
    OtherVersion(PathBuf),
}

impl OpeningsError {
    /// The file or directory that it is about.
    fn path(&self) -> Option<&Path> {
        match self {
            Self::NoDirectory => None,
            Self::Io { path, .. }
            | Self::OpenToOthers { path, .. }
            | Self::NotAnOpening(path)
            | Self::OtherVersion(path) => Some(path),
        }
    }
}

/// A directory of openings.
#[derive(Debug, Clone)]
pub struct OpeningStore {
    dir: PathBuf,
}

impl OpeningStore {
    /// The openings in `dir`, which is made when the first one is kept.
    #[must_use]
    pub fn at(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// The openings in `dir`, or without one in the user's data directory: `$XDG_DATA_HOME/proophi/openings`, else
    /// `~/.local/share/proophi/openings`.
    ///
    /// # Errors
    /// [`OpeningsError::NoDirectory`] if there is neither.
    pub fn at_or_default(dir: Option<&Path>) -> Result<Self, OpeningsError> {
        if let Some(dir) = dir {
            return Ok(Self::at(dir));
        }
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let data = set("XDG_DATA_HOME").or_else(|| Some(set("HOME")?.join(".local/share")));
        data.map(|data| Self::at(data.join("proophi/openings"))).ok_or(OpeningsError::NoDirectory)
    }

    /// Keeps an opening, and returns its file. When this returns, the opening survives a crash of the program and of the
    /// machine; only then send its commitment.
    ///
    /// # Errors
    /// [`OpeningsError::Io`]; do not send the commitment then.
    pub fn keep(&self, opening: &Opening) -> Result<PathBuf, OpeningsError> {
        let path = self.path_of(opening.key());
        let text = serde_json::to_vec(opening);
        let text = text.map_err(|error| OpeningsError::Io {
            doing: "write",
            path: path.clone(),
            reason: error.into(),
        })?;
        file::write_durably(&path, &text)?;
        Ok(path)
    }

    /// What is kept here of a market. A file that cannot be read, is open to others or holds nonsense is among the faults: a
    /// missing opening costs money, so tell of each of them, and open the others in time.
    #[must_use]
    pub fn of_market(&self, venue: &Venue) -> Kept {
        match file::list(&self.dir_of(venue)) {
            Ok(paths) => self.read(paths),
            Err(fault) => Kept { openings: Vec::new(), faults: vec![fault] },
        }
    }

    /// What these files hold. One that is gone by now was forgotten by another program.
    fn read(&self, paths: Vec<PathBuf>) -> Kept {
        let mut kept = Kept::default();
        for path in paths {
            match self.read_one(path) {
                Ok(opening) => kept.openings.extend(opening),
                Err(fault) => kept.faults.push(fault),
            }
        }
        kept.openings.sort_by_key(|opening| *opening.key());
        kept
    }

    fn read_one(&self, path: PathBuf) -> Result<Option<Opening>, OpeningsError> {
        let Some(text) = file::read_private(&path)? else { return Ok(None) };
        let written = serde_json::from_str(&text).map_err(|_| NoOpening::Malformed);
        match written.and_then(Opening::read) {
            Ok(opening) if self.path_of(opening.key()) == path => Ok(Some(opening)),
            Err(NoOpening::OtherVersion) => Err(OpeningsError::OtherVersion(path)),
            _ => Err(OpeningsError::NotAnOpening(path)),
        }
    }

    /// Forgets an opening. Its round must be over: without it nothing can be revealed.
    ///
    /// # Errors
    /// [`OpeningsError::Io`]. That it is gone already is none.
    pub fn forget(&self, key: &OpeningKey) -> Result<(), OpeningsError> {
        file::remove(&self.path_of(key))
    }

    /// The directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The file of an opening, whether or not it is there.
    #[must_use]
    pub fn path_of(&self, key: &OpeningKey) -> PathBuf {
        let name = format!("{}-{}-{}.json", key.round, key.account, key.commitment);
        self.dir_of(&key.venue).join(name)
    }

    fn dir_of(&self, venue: &Venue) -> PathBuf {
        let Venue { chain_id, contract, market } = venue;
        self.dir.join(chain_id.to_string()).join(contract.to_string()).join(market.to_string())
    }
}

#[cfg(test)]
mod tests;
