//! One of two kinds of database.

use sqlx::any::{AnyConnectOptions, AnyPoolOptions, install_default_drivers};
use sqlx::migrate::Migrator;
use sqlx::{AnyConnection, AnyPool, Connection, Executor};
use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;
use thiserror::Error;

/// Migrations of these tables only: other programs may have theirs in the same database.
const MIGRATIONS_TABLE: &str = "store_migrations";

/// A log that is written ahead, and every commit on disk before it counts.
const FILE_SETTINGS: &str =
    "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;";

/// How long to wait for a connection to the database.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// Why a database is of no use.
#[derive(Debug, Error)]
pub enum StoreError {
    /// It cannot be opened.
    #[error(
        "cannot use the database {place}: {reason}; name another, or mend its disk, permissions or server"
    )]
    Open {
        /// Which one; never with a password.
        place: String,
        /// What it says.
        reason: sqlx::Error,
    },
    /// Its tables cannot be brought up to date: it was written by a later version, or damaged.
    #[error(
        "cannot bring the tables of the database {place} up to date: {reason}; use the version that wrote it, or name another"
    )]
    Migrate {
        /// Which one.
        place: String,
        /// What is wrong.
        reason: sqlx::migrate::MigrateError,
    },
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
        if place.starts_with("postgres://") || place.starts_with("postgresql://") {
            Self::open_postgres(place).await
        } else {
            Self::open_file(Path::new(place.strip_prefix("sqlite:").unwrap_or(place))).await
        }
    }

    /// Opens the SQLite file, or makes it.
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
        Self::connect(options, &url, FILE_SETTINGS, place, sqlx::migrate!("migrations/sqlite")).await
    }

    async fn open_postgres(url: &str) -> Result<Self, StoreError> {
        // What comes before the host may be a password.
        let host = url.rsplit('@').next().unwrap_or_default().split('?').next().unwrap_or_default();
        let place = host.trim_start_matches("postgresql://").trim_start_matches("postgres://").to_owned();
        let options = AnyPoolOptions::new().max_connections(2);
        Self::connect(options, url, "SELECT 1", place, sqlx::migrate!("migrations/postgres")).await
    }

    async fn connect(
        options: AnyPoolOptions,
        url: &str,
        first: &'static str,
        place: String,
        mut migrations: Migrator,
    ) -> Result<Self, StoreError> {
        install_default_drivers();
        let failed = |reason| StoreError::Open { place: place.clone(), reason };
        let connect = AnyConnectOptions::from_str(url).map_err(failed)?;
        // A pool would try again for long what cannot work.
        let mut attempt = AnyConnection::connect_with(&connect).await.map_err(failed)?;
        attempt.execute(first).await.map_err(failed)?;
        attempt.close().await.map_err(failed)?;
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
