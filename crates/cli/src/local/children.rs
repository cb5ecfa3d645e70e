//! The other programs of the market as child processes.

use crate::failure::{Code, Failure, OrFail, Outcome};
use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A running program; it ends when this value is dropped.
#[derive(Debug)]
pub(crate) struct Program {
    name: String,
    process: Child,
    log: PathBuf,
}

impl Program {
    /// Starts the program `binary` that lies beside this one. What it writes goes to `log`.
    ///
    /// The child does not inherit a private key of this process: it is told its own key file.
    pub(crate) fn start(
        name: &str,
        binary: &str,
        arguments: &[impl AsRef<OsStr>],
        log: &Path,
    ) -> Outcome<Self> {
        let path = beside(binary)?;
        let writer =
            File::create(log).or_fail_with(Code::Failed, || format!("cannot write {}", log.display()))?;
        let process = Command::new(&path)
            .args(arguments)
            .env_remove(service::KEY_VARIABLE)
            .env_remove(service::PASSWORD_VARIABLE)
            .stdin(Stdio::null())
            .stdout(writer.try_clone().or_fail(Code::Failed)?)
            .stderr(writer)
            .spawn()
            .or_fail_with(Code::Failed, || format!("cannot start {}", path.display()))?;
        Ok(Self { name: name.to_owned(), process, log: log.to_owned() })
    }

    /// Fails if the program has ended.
    pub(crate) fn check(&mut self) -> Outcome<()> {
        match self.process.try_wait().or_fail(Code::Failed)? {
            None => Ok(()),
            Some(status) => Err(Failure::new(
                Code::Failed,
                eyre::eyre!("{} ended ({status}); see {}", self.name, self.log.display()),
            )),
        }
    }

    /// Ends the program at once, as a power cut would (SIGKILL).
    pub(crate) fn kill(mut self) -> Outcome<()> {
        self.process.kill().or_fail(Code::Failed)?;
        self.process.wait().or_fail(Code::Failed)?;
        Ok(())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn beside(binary: &str) -> Outcome<PathBuf> {
    let own = std::env::current_exe().or_fail(Code::Failed)?;
    let path = own.with_file_name(format!("{binary}{}", std::env::consts::EXE_SUFFIX));
    if path.is_file() {
        return Ok(path);
    }
    Err(Failure::input(format!("{} is missing; build it: cargo build -p {binary}", path.display())))
}
