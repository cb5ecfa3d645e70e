//! A program of the market as a process that is killed, started again and looked at.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A process that others may kill.
#[derive(Debug, Clone, Default)]
pub(crate) struct Process(Arc<Mutex<Option<Child>>>);

impl Process {
    /// Ends it at once (SIGKILL), if it runs; whether it did.
    pub(crate) fn kill(&self) -> bool {
        self.with(|child| child.take().is_some_and(|mut child| child.kill().is_ok() && child.wait().is_ok()))
    }

    fn with<T>(&self, act: impl FnOnce(&mut Option<Child>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A program with its settings.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) name: &'static str,
    binary: PathBuf,
    arguments: Vec<String>,
    process: Process,
    log: PathBuf,
    ops: String,
    /// When it was started last, and when it was ready after that.
    pub(crate) started: Instant,
    pub(crate) ready: Option<Instant>,
    pub(crate) starts: u64,
}

impl Program {
    /// `binary` beside this program, which logs to `<name>.log` in `dir`.
    pub(crate) fn new(
        name: &'static str,
        binary: &str,
        process: &Process,
        arguments: Vec<String>,
        dir: &Path,
    ) -> Self {
        let beside = std::env::current_exe().expect("the path of this program").with_file_name(binary);
        assert!(beside.is_file(), "{} is missing; run `make faults`", beside.display());
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let ops = free.expect("a free port").to_string();
        let log = dir.join(format!("{name}.log"));
        let started = Instant::now();
        Self {
            name,
            binary: beside,
            arguments,
            process: process.clone(),
            log,
            ops,
            started,
            ready: None,
            starts: 0,
        }
    }

    /// Starts it; with `blocks`, no file of it can be longer than so many blocks of 512 bytes.
    pub(crate) fn start(&mut self, blocks: Option<u64>) {
        let limit = blocks.map_or(String::new(), |blocks| format!("trap '' XFSZ; ulimit -f {blocks}; "));
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{limit}exec \"$0\" \"$@\"")]).arg(&self.binary).args(&self.arguments);
        command
            .args(["--ops-listen", &self.ops])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        for (variable, _) in std::env::vars_os() {
            let name = variable.to_string_lossy();
            if ["PROOPHI_", "RELAYER_", "PROVER_NODE_", "RUST_LOG"]
                .iter()
                .any(|prefix| name.starts_with(prefix))
            {
                command.env_remove(&variable);
            }
        }
        command.env("RUST_LOG", "info,chain=debug");
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {}: {error}", self.name));
        let mut log = OpenOptions::new().create(true).append(true).open(&self.log).expect("a log file");
        let said = BufReader::new(child.stderr.take().expect("a pipe"));
        self.starts += 1;
        let _ = writeln!(log, "---- start {} ----", self.starts);
        // Its log is written here, so that a full disk is that of the journal alone.
        std::thread::spawn(move || {
            for line in said.split(b'\n').map_while(Result::ok) {
                let _ = log.write_all(&[line.as_slice(), b"\n"].concat());
            }
        });
        self.process.with(|process| *process = Some(child));
        (self.started, self.ready) = (Instant::now(), None);
    }

    /// Whether it runs; how it ended, if it did so by itself just now.
    pub(crate) fn running(&self) -> Result<bool, ExitStatus> {
        self.process.with(|process| {
            let Some(child) = process else { return Ok(false) };
            match child.try_wait() {
                Ok(Some(status)) => {
                    *process = None;
                    Err(status)
                }
                _ => Ok(true),
            }
        })
    }

    pub(crate) fn kill(&self) -> bool {
        self.process.kill()
    }

    /// What it has logged.
    pub(crate) fn said(&self) -> String {
        let bytes = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Notes when it is ready.
    pub(crate) fn look(&mut self) {
        if self.ready.is_none()
            && self.get("/health/ready").is_some_and(|answer| answer.starts_with("HTTP/1.1 200"))
        {
            self.ready = Some(Instant::now());
        }
    }

    /// What a metric says, summed over its labels.
    pub(crate) fn metric(&self, name: &str) -> Option<f64> {
        let metrics = self.get("/metrics")?;
        let lines = metrics
            .lines()
            .filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{'])));
        let values: Vec<f64> = lines.filter_map(|line| line.rsplit_once(' ')?.1.parse().ok()).collect();
        (!values.is_empty()).then(|| values.iter().sum())
    }

    fn get(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(&self.ops).ok()?;
        stream.set_read_timeout(Some(Duration::from_millis(500))).ok()?;
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.ops).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}
