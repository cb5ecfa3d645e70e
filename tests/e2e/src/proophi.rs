//! The command line, run in a directory of its own.

use crate::key_store;
use crate::program::command;
use serde_json::Value;
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

/// A directory in which `proophi` is run, always with `--json`.
#[derive(Debug)]
pub struct Proophi {
    dir: TempDir,
}

/// What a command that failed said.
#[derive(Debug)]
pub struct Refusal {
    /// Exit code of the process.
    pub exit_code: i32,
    /// The word for it.
    pub code: String,
    /// What went wrong, with its causes.
    pub message: String,
}

impl Proophi {
    /// An empty directory.
    #[must_use]
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a directory for the commands") }
    }

    /// Where the commands run.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Runs a command that must succeed, and returns the one JSON value that it prints.
    pub fn run(&self, arguments: &[&str]) -> Value {
        let output = self.output(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "proophi {arguments:?} failed ({}): {stderr}", output.status);
        assert!(stderr.is_empty(), "proophi {arguments:?} said besides its result: {stderr}");
        one_value(arguments, &output.stdout)
    }

    /// Runs a command with `input` on its standard input; otherwise as [`Proophi::run`].
    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Value {
        let mut process = self.command(arguments).stdin(Stdio::piped()).spawn().expect("proophi");
        let mut stdin = process.stdin.take().expect("a pipe");
        stdin.write_all(input.as_bytes()).expect("the input is read");
        drop(stdin);
        let output = process.wait_with_output().expect("the end of proophi");
        assert!(output.status.success(), "proophi {arguments:?} failed: {}", text(&output.stderr));
        one_value(arguments, &output.stdout)
    }

    /// Runs a command that must fail, without a word on stdout.
    pub fn refused(&self, arguments: &[&str]) -> Refusal {
        let output = self.output(arguments);
        assert!(!output.status.success(), "proophi {arguments:?} succeeded: {}", text(&output.stdout));
        assert!(
            output.stdout.is_empty(),
            "proophi {arguments:?} failed and printed {}",
            text(&output.stdout)
        );
        let error = &one_value(arguments, &output.stderr)["error"];
        let exit_code = output.status.code().expect("an exit code");
        assert_eq!(error["exit_code"], exit_code);
        let causes = error["causes"].as_array().expect("causes");
        let parts = std::iter::once(&error["message"]).chain(causes);
        let message: Vec<&str> = parts.map(|part| part.as_str().expect("a text")).collect();
        let code = error["code"].as_str().expect("a word").to_owned();
        Refusal { exit_code, code, message: message.join(": ") }
    }

    /// Starts a command that goes on running, and returns the first JSON value that it prints.
    pub fn start(&self, arguments: &[&str]) -> (Running, Value) {
        let mut process = self.command(arguments).stdin(Stdio::null()).spawn().expect("proophi");
        let stdout = process.stdout.take().expect("a pipe");
        let mut values = serde_json::Deserializer::from_reader(stdout).into_iter::<Value>();
        let first = values.next().unwrap_or_else(|| panic!("proophi {arguments:?} ended without a word"));
        (Running(process), first.unwrap_or_else(|error| panic!("proophi {arguments:?}: {error}")))
    }

    fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments).stdin(Stdio::null()).output().expect("proophi")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command("proophi", self.dir.path());
        command
            .args(arguments.iter().map(OsStr::new))
            .arg("--json")
            .env("PROOPHI_KEY_STORE", key_store())
            .env("PROOPHI_ANVIL", anvil())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

impl Default for Proophi {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Proophi {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.dir.disable_cleanup(true);
            eprintln!("---- what the commands wrote is in {} ----", self.dir.path().display());
        }
    }
}

/// A command that goes on running; it is told to stop when this value is dropped.
#[derive(Debug)]
pub struct Running(Child);

impl Running {
    /// Asks it to stop (SIGTERM), and requires that it does so cleanly.
    pub fn stop(mut self) {
        let asked = self.signal();
        assert!(asked, "cannot signal proophi");
        let status = self.0.wait().expect("the end of proophi");
        assert!(status.success(), "proophi did not stop cleanly: {status}");
    }

    fn signal(&self) -> bool {
        let sent = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status();
        sent.is_ok_and(|status| status.success())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A kill would leave its own children behind.
        if matches!(self.0.try_wait(), Ok(None)) && self.signal() {
            let _ = self.0.wait();
        }
    }
}

/// The Anvil that is named, or that of this repository.
fn anvil() -> OsString {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../script/tools/anvil");
    std::env::var_os("PROOPHI_ANVIL").unwrap_or_else(|| own.into())
}

fn one_value(arguments: &[&str], bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes)
        .unwrap_or_else(|error| panic!("proophi {arguments:?} printed no JSON ({error}): {}", text(bytes)))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
