//! A PostgreSQL server for tests: the one that `PROOPHI_TEST_POSTGRES` names, or one of our own.

use sqlx::Connection;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// URL of a server whose user may make databases, without a database: `postgres://user@host:5432`.
const VARIABLE: &str = "PROOPHI_TEST_POSTGRES";

/// A server.
#[derive(Debug)]
pub struct Postgres {
    url: String,
    process: Option<(Child, tempfile::TempDir)>,
}

impl Postgres {
    /// The server; `None`, with a word on stderr, if there is none.
    #[must_use]
    pub fn start() -> Option<Self> {
        if let Ok(url) = std::env::var(VARIABLE) {
            return Some(Self { url: url.trim_end_matches('/').to_owned(), process: None });
        }
        let own = binaries().and_then(|binaries| Self::own(&binaries));
        if own.is_none() {
            eprintln!(
                "\n!!! SKIPPED: nothing was tested with PostgreSQL. Install it (as a user other than root), or set {VARIABLE} \
                 to a server's URL.\n"
            );
        }
        own
    }

    fn own(binaries: &Path) -> Option<Self> {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let data = dir.path().join("data");
        let as_user = |program: &str| as_ordinary_user(&binaries.join(program), dir.path());
        let arguments =
            ["--auth=trust", "--username=proophi", "--no-sync", "--encoding=UTF8", "--no-locale", "-D"];
        let made = as_user("initdb").args(arguments).arg(&data).output().ok()?;
        if !made.status.success() {
            eprintln!("initdb: {}", String::from_utf8_lossy(&made.stderr));
            return None;
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
        let process = as_user("postgres")
            .args(["-c", "listen_addresses=127.0.0.1", "-p", &port.to_string(), "-k"])
            .arg(dir.path())
            .arg("-D")
            .arg(&data)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        Some(Self { url: format!("postgres://proophi@127.0.0.1:{port}"), process: Some((process, dir)) })
    }

    /// URL of a database without tables.
    pub async fn database(&self, name: &str) -> String {
        sqlx::any::install_default_drivers();
        let admin = format!("{}/postgres?sslmode=disable", self.url);
        let mut connection = loop {
            match sqlx::AnyConnection::connect(&admin).await {
                Ok(connection) => break connection,
                // It has just been started.
                Err(_) if self.process.is_some() => tokio::time::sleep(Duration::from_millis(50)).await,
                Err(error) => panic!("{VARIABLE}: {error}"),
            }
        };
        let name = format!("proophi_test_{name}_{}", std::process::id());
        for statement in [format!("DROP DATABASE IF EXISTS {name}"), format!("CREATE DATABASE {name}")] {
            sqlx::query(sqlx::AssertSqlSafe(statement))
                .execute(&mut connection)
                .await
                .expect("a database is made");
        }
        format!("{}/{name}?sslmode=disable", self.url)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some((process, _)) = &mut self.process {
            // It ends its own processes at once, without tidying up.
            let _ = Command::new("kill").args(["-QUIT", &process.id().to_string()]).status();
            let _ = process.wait();
        }
    }
}

/// Where PostgreSQL's programs are.
fn binaries() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(Result::ok);
    let packaged = versions.map(|version| version.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = packaged.chain(std::env::split_paths(&path)).collect::<Vec<_>>().into_iter();
    places.find(|place| place.join("initdb").is_file() && place.join("postgres").is_file())
}

/// PostgreSQL does not run as root: then it runs as the user that its package makes.
fn as_ordinary_user(program: &Path, dir: &Path) -> Command {
    let id = Command::new("id").arg("-u").output().map(|output| output.stdout).unwrap_or_default();
    if id.trim_ascii() != b"0" {
        return Command::new(program);
    }
    let _ = Command::new("chown").arg("postgres").arg(dir).status();
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
    command
}
