//! One of two kinds of database.

use sqlx::any::{AnyConnectOptions, AnyPoolOptions, install_default_drivers};
use sqlx::migrate::Migrator;
use sqlx::{AnyConnection, AnyPool, Connection, Executor};
use std::fmt;
use std::io;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;
use thiserror::Error;

/// Migrations of these tables only: other programs may have theirs in the same database.
const MIGRATIONS_TABLE: &str = "store_migrations";

/// A log that is written ahead, and every commit on disk before it counts.
const FILE_SETTINGS: &str =
    "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;";

/// What SQLite says of a file that is whole.
const SOUND: &str = "ok";

/// How long to wait for a connection to the database.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// Why a database is of no use.
#[derive(Debug, Error)]
pub enum StoreError {
    /// It cannot be opened.
    #[error(
        "cannot use the database {place}: {reason}; name another, or mend its disk, permissions or server; --rebuild begins a new journal"
    )]
    Open {
        /// Which one; never with a password.
        place: String,
        /// What it says.
        reason: sqlx::Error,
    },
    /// Its tables cannot be brought up to date: it was written by a later version, or damaged.
    #[error(
        "cannot bring the tables of the database {place} up to date: {reason}; use the version that wrote it, or name another; --rebuild begins a new journal"
    )]
    Migrate {
        /// Which one.
        place: String,
        /// What is wrong.
        reason: sqlx::migrate::MigrateError,
    },
    /// The SQLite file is not whole.
    #[error(
        "the database {place} is damaged: {found}; put back a copy of it, or name another; --rebuild sets a damaged journal aside and begins a new one"
    )]
    Damaged {
        /// Which one.
        place: String,
        /// The first thing that is wrong.
        found: String,
    },
}

/// Where a database is.
enum Place<'a> {
    Server(&'a str),
    File(&'a Path),
}

impl<'a> Place<'a> {
    fn of(text: &'a str) -> Self {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            Self::Server(text)
        } else {
            Self::File(Path::new(text.strip_prefix("sqlite:").unwrap_or(text)))
        }
    }
}

/// An open database. Cheap to clone.
#[derive(Clone)]
pub struct Database {
    pub(crate) pool: AnyPool,
    place: String,
}

impl fmt::Debug for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Database").field(&self.place).finish()
    }
}

impl Database {
    /// Opens the PostgreSQL database at a URL that begins with `postgres://` or `postgresql://`, or else the SQLite file at that path,
    /// which is made if it is not there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open(place: &str) -> Result<Self, StoreError> {
        match Place::of(place) {
            Place::Server(url) => Self::open_postgres(url).await,
            Place::File(file) => Self::open_file(file).await,
        }
    }

    /// [`Self::open`]; but a SQLite file that is damaged is set aside first, under its name with `.damaged` behind it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open_or_replace(place: &str) -> Result<Self, StoreError> {
        let Place::File(file) = Place::of(place) else { return Self::open(place).await };
        match Self::open_file(file).await {
            Ok(database) => return Ok(database),
            Err(error) if !file.is_file() => return Err(error),
            Err(_) => {}
        }
        let failed =
            |reason: io::Error| StoreError::Open { place: file.display().to_string(), reason: reason.into() };
        set_aside(file).map_err(failed)?;
        Self::open_file(file).await
    }

    /// Opens the SQLite file, or makes it. It is read through first, as what is cut off somewhere may open, and fail when it is written.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open_file(file: &Path) -> Result<Self, StoreError> {
        let place = file.display().to_string();
        let encoded = place.replace('%', "%25").replace('?', "%3F").replace('#', "%23");
        // One connection: writes of one file take turns anyway.
        let options = AnyPoolOptions::new().max_connections(1).after_connect(|connection, _| {
            Box::pin(async move { connection.execute(FILE_SETTINGS).await.map(|_| ()) })
        });
        let url = format!("sqlite://{encoded}?mode=rwc");
        let check = async |connection: &mut AnyConnection| {
            connection.execute(FILE_SETTINGS).await?;
            sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(connection).await
        };
        Self::connect(options, &url, check, place, sqlx::migrate!("migrations/sqlite")).await
    }

    async fn open_postgres(url: &str) -> Result<Self, StoreError> {
        // What comes before the host may be a password.
        let host = url.rsplit('@').next().unwrap_or_default().split('?').next().unwrap_or_default();
        let place = host.trim_start_matches("postgresql://").trim_start_matches("postgres://").to_owned();
        let options = AnyPoolOptions::new().max_connections(2);
        let check = async |_: &mut AnyConnection| Ok(SOUND.to_owned());
        Self::connect(options, url, check, place, sqlx::migrate!("migrations/postgres")).await
    }

    async fn connect(
        options: AnyPoolOptions,
        url: &str,
        check: impl AsyncFn(&mut AnyConnection) -> Result<String, sqlx::Error>,
        place: String,
        mut migrations: Migrator,
    ) -> Result<Self, StoreError> {
        install_default_drivers();
        let failed = |reason| StoreError::Open { place: place.clone(), reason };
        let connect = AnyConnectOptions::from_str(url).map_err(failed)?;
        // A pool would try again for long what cannot work.
        let mut attempt = AnyConnection::connect_with(&connect).await.map_err(failed)?;
        let found = check(&mut attempt).await.map_err(failed)?;
        attempt.close().await.map_err(failed)?;
        if found != SOUND {
            return Err(StoreError::Damaged { place, found });
        }
        let pool = options.acquire_timeout(CONNECT_WITHIN).connect_with(connect).await.map_err(failed)?;
        migrations.dangerous_set_table_name(MIGRATIONS_TABLE);
        let migrated = migrations.run(&pool).await;
        migrated.map_err(|reason| StoreError::Migrate { place: place.clone(), reason })?;
        Ok(Self { pool, place })
    }

    /// Waits until everything is on disk and lets it go.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Gives a SQLite file another name, and with it what belongs to it.
fn set_aside(file: &Path) -> io::Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        let mut old = file.as_os_str().to_owned();
        old.push(suffix);
        let mut new = file.as_os_str().to_owned();
        new.push(".damaged");
        new.push(suffix);
        match std::fs::rename(old, new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_commit_to_a_file_is_synced() {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::open_file(&dir.path().join("a.db")).await.unwrap();
        let synchronous: i64 =
            sqlx::query_scalar("PRAGMA synchronous").fetch_one(&database.pool).await.unwrap();
        let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&database.pool).await.unwrap();
        assert_eq!((synchronous, mode.as_str()), (2, "wal"));
    }
}
