//! What happens to the disk of a journal.

use sqlx::{AnyConnection, Connection, Executor};
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

/// The write lock of a journal, held by this process.
#[derive(Debug)]
pub(crate) struct Lock(AnyConnection);

impl Lock {
    /// Takes it, unless the journal is busy.
    pub(crate) async fn take(journal: &Path) -> Option<Self> {
        sqlx::any::install_default_drivers();
        let url = format!("sqlite://{}", journal.display());
        let mut connection = AnyConnection::connect(&url).await.ok()?;
        connection.execute("PRAGMA busy_timeout = 1000; BEGIN IMMEDIATE").await.ok()?;
        Some(Self(connection))
    }

    /// Gives it back; 1, as it was held.
    pub(crate) async fn release(self) -> u64 {
        let Self(mut connection) = self;
        let released = connection.execute("ROLLBACK").await.is_ok();
        let closed = connection.close().await.is_ok();
        u64::from(released && closed)
    }
}

/// Cuts the database or its log off anywhere; 1 if there was something to cut off.
pub(crate) fn truncate(journal: &Path, chance: u64) -> u64 {
    let files: Vec<PathBuf> = files(journal).into_iter().take(2).filter(|file| file.is_file()).collect();
    let count = u64::try_from(files.len()).expect("few files");
    let Some(file) = count.checked_sub(1).map(|_| &files[usize::try_from(chance % count).unwrap_or(0)])
    else {
        return 0;
    };
    let file = OpenOptions::new().write(true).open(file).expect("the journal's file");
    let length = file.metadata().expect("its length").len();
    file.set_len((chance >> 8) % (length + 1)).expect("a shorter file");
    u64::from(length > 0)
}

/// Whether a program has refused to work with its journal, and has said what to do.
pub(crate) fn is_refused(said: &str) -> bool {
    let last = said.rsplit("---- start").next().unwrap_or_default();
    ["journal", "database"].iter().any(|word| last.lines().last().is_some_and(|line| line.contains(word)))
}

/// The remedy that it names.
pub(crate) fn remove(journal: &Path) {
    files(journal).iter().for_each(|file| drop(std::fs::remove_file(file)));
}

fn files(journal: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|end| PathBuf::from(format!("{}{end}", journal.display())))
}
