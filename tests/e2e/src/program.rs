//! The programs of the market as child processes.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a program may take to stop when asked to.
const STOP_WITHIN: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);

/// A running program. It ends with this value, and what it said is shown if the story fails.
#[derive(Debug)]
pub struct Program {
    name: String,
    process: Child,
    log: PathBuf,
}

impl Program {
    /// Starts the binary `binary` in `dir`; what it says goes to `<name>.log` there.
    pub fn start(name: &str, binary: &str, arguments: &[impl AsRef<OsStr>], dir: &Path) -> Self {
        let log = dir.join(format!("{name}.log"));
        let writer = File::options().create(true).append(true).open(&log).expect("a log file");
        let process = command(binary, dir)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(writer.try_clone().expect("a second handle of the log"))
            .stderr(writer)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {binary}: {error}"));
        Self { name: name.to_owned(), process, log }
    }

    /// What it has said so far, in this run and those before it under the same name.
    #[must_use]
    pub fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Panics if it has ended by itself.
    pub fn require_running(&mut self) {
        if let Some(status) = self.process.try_wait().expect("the state of a child") {
            panic!("{} ended by itself: {status}", self.name);
        }
    }

    /// Ends it at once, as a power cut would (SIGKILL).
    pub fn kill(mut self) {
        self.require_running();
        self.process.kill().expect("a program to kill");
        self.process.wait().expect("the end of a killed program");
    }

    /// Asks it to stop (SIGTERM), and requires that it does so cleanly.
    pub fn stop(mut self) {
        self.require_running();
        let pid = self.process.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status().expect("the command kill");
        assert!(asked.success(), "cannot signal {}", self.name);
        let status = self.ended(STOP_WITHIN);
        assert!(status.success(), "{} did not stop cleanly: {status}", self.name);
    }

    /// Waits until it ends by itself, cleanly.
    pub fn finish(mut self, within: Duration) {
        let status = self.ended(within);
        assert!(status.success(), "{} failed: {status}", self.name);
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.process.try_wait().expect("the state of a child").is_some()
    }

    fn ended(&mut self, within: Duration) -> ExitStatus {
        let mut status = None;
        let process = &mut self.process;
        eventually(&format!("the end of {}", self.name), within, || {
            status = process.try_wait().expect("the state of a child");
            status.is_some()
        });
        status.expect("the status of a program that has ended")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("---- {} said:\n{}----", self.name, self.said());
        }
    }
}

/// A command that runs `binary` in `dir`, with no setting from this process's environment.
pub(crate) fn command(binary: &str, dir: &Path) -> Command {
    let mut command = Command::new(built(binary));
    command.current_dir(dir);
    for (variable, _) in std::env::vars_os() {
        if is_setting(&variable) {
            command.env_remove(variable);
        }
    }
    command
}

fn is_setting(variable: &OsString) -> bool {
    let name = variable.to_string_lossy();
    name != "PROOPHI_ANVIL"
        && ["PROOPHI_", "RELAYER_", "PROVER_NODE_", "RUST_LOG"].iter().any(|prefix| name.starts_with(prefix))
}

/// The binary in the target directory that this test was built into.
fn built(binary: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    // target/debug/deps/story-0123456789abcdef
    let target = test.ancestors().nth(2).expect("a target directory");
    let path = target.join(format!("{binary}{}", std::env::consts::EXE_SUFFIX));
    assert!(
        path.is_file(),
        "{} is missing; run `cargo build -p relayer -p prover-node -p proophi-cli --bins`",
        path.display()
    );
    path
}

/// Where all stories keep the proving keys, so that they are made once.
#[must_use]
pub fn key_store() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.proophi/keys")
}

/// Waits until `done`, and panics after `within`.
pub fn eventually(what: &str, within: Duration, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < within, "{what}: still waiting after {within:?}");
        sleep(POLL);
    }
}
