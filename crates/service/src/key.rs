//! Private keys: from a file that only its owner can read, plain or encrypted, or from the environment, never from the command
//! line, which every user of the machine can see.

use alloy::primitives::hex;
use alloy::signers::local::PrivateKeySigner;
use chain::transactions::TransactionSigner;
use std::error::Error;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;

/// The variable that holds a private key (64 hexadecimal digits) if there is no key file.
pub const KEY_VARIABLE: &str = "PROOPHI_PRIVATE_KEY";

/// The variable that names the file with the password of an encrypted key file; its owner alone may read it.
pub const PASSWORD_FILE_VARIABLE: &str = "PROOPHI_KEY_PASSWORD_FILE";

/// The variable that holds the password itself, if no file does.
pub const PASSWORD_VARIABLE: &str = "PROOPHI_KEY_PASSWORD";

/// Why there is no key. No message ever contains any part of a key.
#[derive(Debug, Error)]
pub enum KeyError {
    /// Neither source was given.
    #[error("no private key: name a file with --key-file or set {KEY_VARIABLE}")]
    None,
    /// The file cannot be read.
    #[error("cannot read {}: {reason}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// Others may read the file.
    #[error("{} is open to others (mode {mode:o}); run: chmod 600 {}", file.display(), file.display())]
    OpenToOthers {
        /// The file.
        file: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// What is there is no key.
    #[error(
        "{0} holds no private key; it must be 64 hexadecimal digits, with or without 0x, or an encrypted key file as `cast wallet import` writes it"
    )]
    NotAKey(String),
    /// The file is encrypted.
    #[error(
        "the key file {} is encrypted; set {PASSWORD_FILE_VARIABLE} to a file (mode 600) with its password, or {PASSWORD_VARIABLE} to the password",
        .0.display()
    )]
    NoPassword(PathBuf),
    /// The password does not open the file, or the file is damaged.
    #[error("the key file {} cannot be decrypted: is the password right?", .0.display())]
    NotDecrypted(PathBuf),
    /// Two keys were named.
    #[error("both --key-file and --kms-key are given; keep the one of the key to use")]
    Two,
    /// AWS KMS does not give the key.
    #[error(
        "AWS KMS has no use of the key {key}: {reason:#?}; it must be one to sign with (ECC_SECG_P256K1), and this machine's role needs kms:GetPublicKey and kms:Sign"
    )]
    Kms {
        /// What it was named by.
        key: String,
        /// What KMS says.
        reason: Box<dyn Error + Send + Sync>,
    },
    /// This build cannot.
    #[error("this program was built without AWS KMS; build it with `--features kms`")]
    NoKms,
}

/// What signs transactions: the key in AWS KMS with that id, ARN or alias, or without one that of [`load_key`].
///
/// # Errors
/// [`KeyError`].
pub async fn load_signer(file: Option<&Path>, kms_key: Option<&str>) -> Result<TransactionSigner, KeyError> {
    match (file, kms_key) {
        (file, None) => Ok(Arc::new(load_key(file)?)),
        (Some(_), Some(_)) => Err(KeyError::Two),
        #[cfg(feature = "kms")]
        (None, Some(key)) => Ok(Arc::new(crate::kms::signer(key).await?)),
        #[cfg(not(feature = "kms"))]
        (None, Some(_)) => Err(KeyError::NoKms),
    }
}

/// The key from `file`, or without one from the variable [`KEY_VARIABLE`]. The file holds the key itself, or the JSON of an encrypted
/// key (Web3 Secret Storage, version 3); its password comes from [`PASSWORD_FILE_VARIABLE`] or [`PASSWORD_VARIABLE`].
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
    let text = read_private(file)?;
    if !text.trim_start().starts_with('{') {
        return parse(&text, format!("the key file {}", file.display()));
    }
    let password = password()?.ok_or_else(|| KeyError::NoPassword(file.to_owned()))?;
    decrypt(file, &password)
}

fn decrypt(file: &Path, password: &str) -> Result<PrivateKeySigner, KeyError> {
    crate::hide(password);
    let key = PrivateKeySigner::decrypt_keystore(file, password);
    let key = key.map_err(|_| KeyError::NotDecrypted(file.to_owned()))?;
    hidden(&key);
    Ok(key)
}

fn password() -> Result<Option<String>, KeyError> {
    if let Some(file) = std::env::var_os(PASSWORD_FILE_VARIABLE) {
        let text = read_private(Path::new(&file))?;
        return Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()));
    }
    Ok(std::env::var(PASSWORD_VARIABLE).ok())
}

/// What a file holds that nobody but its owner can read.
fn read_private(file: &Path) -> Result<String, KeyError> {
    let unreadable = |reason| KeyError::Unreadable { file: file.to_owned(), reason };
    require_private(file, &std::fs::metadata(file).map_err(unreadable)?)?;
    std::fs::read_to_string(file).map_err(unreadable)
}

/// Keeps the key out of whatever is logged.
fn hidden(key: &PrivateKeySigner) {
    crate::hide(&hex::encode(key.to_bytes()));
}

fn parse(text: &str, origin: String) -> Result<PrivateKeySigner, KeyError> {
    let key = text.trim().parse().map_err(|_| KeyError::NotAKey(origin))?;
    hidden(&key);
    Ok(key)
}

/// The variable in which systemd says where a service's credentials are.
const CREDENTIALS_VARIABLE: &str = "CREDENTIALS_DIRECTORY";

/// Whether a file is a credential that systemd has handed to this service. To give it to the service's user alone it uses an access
/// control list, which shows as a readable group (mode 440) though no group may read it.
fn is_credential(file: &Path, directory: Option<&OsStr>) -> bool {
    directory.is_some_and(|directory| !directory.is_empty() && file.parent() == Some(Path::new(directory)))
}

#[cfg(unix)]
fn require_private(file: &Path, metadata: &std::fs::Metadata) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = metadata.permissions().mode() & 0o777;
    let allowed =
        if is_credential(file, std::env::var_os(CREDENTIALS_VARIABLE).as_deref()) { 0o740 } else { 0o700 };
    if mode & !allowed != 0 {
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

    /// The test vector of Ethereum's Web3 Secret Storage Definition with PBKDF2; its password is "testpassword".
    const ENCRYPTED: &str = r#"{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"6087dab2f9fdbbfaddc31a909735c1e6"},
        "ciphertext":"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46","kdf":"pbkdf2",
        "kdfparams":{"c":262144,"dklen":32,"prf":"hmac-sha256",
            "salt":"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"},
        "mac":"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},
        "id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3}"#;

    #[test]
    fn credentials_of_systemd_are_those_in_its_directory() {
        let of =
            |file: &str, directory: Option<&str>| is_credential(Path::new(file), directory.map(OsStr::new));
        assert!(of("/run/credentials/relayer.service/key", Some("/run/credentials/relayer.service")));
        assert!(!of("/run/credentials/relayer.service/key", None));
        assert!(!of("/run/credentials/relayer.service/../key", Some("/run/credentials/relayer.service")));
        assert!(!of("/home/key", Some("/run/credentials/relayer.service")) && !of("key", Some("")));
    }

    #[test]
    fn an_encrypted_key_opens_with_its_password_and_no_other() {
        let (_dir, file) = key_file(ENCRYPTED, 0o600);
        let signer = decrypt(&file, "testpassword").unwrap();
        assert_eq!(signer.address().to_string(), "0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b");
        assert!(matches!(decrypt(&file, "testpasswor"), Err(KeyError::NotDecrypted(of)) if of == file));
        // Without a password it says what to do.
        let error = load_key(Some(&file)).unwrap_err();
        assert!(error.to_string().contains(PASSWORD_FILE_VARIABLE), "{error}");
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
