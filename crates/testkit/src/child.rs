//! A process that ends with its test, also with one that fails.

use std::ops::{Deref, DerefMut};
use std::process::{Child, Command};

/// A child process; it is killed when this value is dropped. Give it no output of its own test: one that was left behind by a test that
/// was killed would hold that open, and whoever reads it would wait for ever.
#[derive(Debug)]
pub struct ChildProcess(Child);

impl ChildProcess {
    /// Starts it.
    ///
    /// # Errors
    /// Of the system, if it cannot be started.
    pub fn spawn(command: &mut Command) -> std::io::Result<Self> {
        command.spawn().map(Self)
    }
}

impl Deref for ChildProcess {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for ChildProcess {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
