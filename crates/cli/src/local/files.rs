//! Directories of a run and files with keys.

use crate::failure::{Code, OrFail, Outcome};
use alloy::primitives::hex;
use alloy::signers::local::PrivateKeySigner;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// A directory that holds the logs, keys and settings of one run. It stays, so that a failure can be looked into.
#[derive(Debug)]
pub(crate) struct RunDir(PathBuf);

impl RunDir {
    /// A new directory under `.proophi/`, named after `kind` and the time.
    pub(crate) fn create(kind: &str) -> Outcome<Self> {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let dir = Path::new(".proophi").join(format!("{kind}-{seconds}-{}", std::process::id()));
        fs::create_dir_all(&dir)
            .or_fail_with(Code::Failed, || format!("cannot create the directory {}", dir.display()))?;
        Ok(Self(dir))
    }

    /// The directory.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// A file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

/// Writes a private key to a file that only its owner can read.
pub(crate) fn write_key(file: &Path, key: &PrivateKeySigner) -> Outcome<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let text = format!("0x{}\n", hex::encode(key.to_bytes()));
    options
        .open(file)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .or_fail_with(Code::Failed, || format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_keys_are_accepted_back() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("key");
        let key = PrivateKeySigner::random();
        write_key(&file, &key).unwrap();
        assert_eq!(service::load_key(Some(&file)).unwrap().address(), key.address());
    }
}
