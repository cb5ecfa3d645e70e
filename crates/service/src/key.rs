//! Private keys: from a file that only its owner can read or from the environment, never from the command line, which
//! every user of the machine can see.

use alloy::signers::local::PrivateKeySigner;
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// The variable that holds a private key (64 hexadecimal digits) if there is no key file.
pub const KEY_VARIABLE: &str = "PROOPHI_PRIVATE_KEY";

/// Why there is no key. No message ever contains any part of a key.
#[derive(Debug, Error)]
pub enum KeyError {
    /// Neither source was given.
    #[error("no private key: name a file with --key-file or set {KEY_VARIABLE}")]
    None,
    /// The file cannot be read.
    #[error("cannot read the key file {}: {reason}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// Others may read the file.
    #[error("the key file {} is open to others (mode {mode:o}); run: chmod 600 {}", file.display(), file.display())]
    OpenToOthers {
        /// The file.
        file: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// What is there is no key.
    #[error("{0} holds no private key; it must be 64 hexadecimal digits, with or without 0x")]
    NotAKey(String),
}

/// The key from `file`, or without one from the variable [`KEY_VARIABLE`].
///
/// # Errors
/// [`KeyError`], [`KeyError::None`] if there is neither.
pub fn load_key(file: Option<&Path>) -> Result<PrivateKeySigner, KeyError> {
    load_key_if_any(file)?.ok_or(KeyError::None)
}

/// [`load_key`] for programs that can do something useful without a key.
///
/// # Errors
/// [`KeyError`] if a source was given and holds no key.
pub fn load_key_if_any(file: Option<&Path>) -> Result<Option<PrivateKeySigner>, KeyError> {
    if let Some(file) = file {
        return read_file(file).map(Some);
    }
    match std::env::var(KEY_VARIABLE) {
        Ok(text) => parse(&text, KEY_VARIABLE.to_owned()).map(Some),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(KeyError::NotAKey(KEY_VARIABLE.to_owned())),
    }
}

fn read_file(file: &Path) -> Result<PrivateKeySigner, KeyError> {
    let unreadable = |reason| KeyError::Unreadable { file: file.to_owned(), reason };
    require_private(file, &std::fs::metadata(file).map_err(unreadable)?)?;
    let text = std::fs::read_to_string(file).map_err(unreadable)?;
    parse(&text, format!("the key file {}", file.display()))
}

fn parse(text: &str, origin: String) -> Result<PrivateKeySigner, KeyError> {
    text.trim().parse().map_err(|_| KeyError::NotAKey(origin))
}

#[cfg(unix)]
fn require_private(file: &Path, metadata: &std::fs::Metadata) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyError::OpenToOthers { file: file.to_owned(), mode });
    }
    Ok(())
}

#[cfg(not(unix))]
fn require_private(_: &Path, _: &std::fs::Metadata) -> Result<(), KeyError> {
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    // The first test key of every development chain.
    const KEY: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

    fn key_file(content: &str, mode: u32) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("key");
        std::fs::write(&file, content).unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        (dir, file)
    }

    #[test]
    fn a_private_key_file_gives_its_key() {
        let (_dir, file) = key_file(&format!("{KEY}\n"), 0o600);
        let signer = load_key(Some(&file)).unwrap();
        assert_eq!(signer.address().to_string(), "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
    }

    #[test]
    fn a_key_file_that_others_can_read_is_refused() {
        for mode in [0o644, 0o640, 0o604, 0o620] {
            let (_dir, file) = key_file(KEY, mode);
            let error = load_key(Some(&file)).unwrap_err();
            assert!(matches!(error, KeyError::OpenToOthers { mode: found, .. } if found == mode));
        }
    }

    #[test]
    fn no_message_shows_what_the_file_holds() {
        let secret = &KEY[..60];
        let (_dir, file) = key_file(secret, 0o600);
        let error = load_key(Some(&file)).unwrap_err();
        assert!(matches!(error, KeyError::NotAKey(_)));
        assert!(!format!("{error} {error:?}").contains(&secret[10..20]));
    }

    #[test]
    fn a_missing_key_file_is_named() {
        let error = load_key(Some(Path::new("nowhere/key"))).unwrap_err();
        assert!(error.to_string().contains("nowhere/key"), "{error}");
    }
}
