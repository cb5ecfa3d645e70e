//! The cache of development keys on disk.
//!
//! One file per circuit: a line of text that marks it as insecure, the circuit's fingerprint, the SHA-256 of the key, and the key. A file
//! that is missing, damaged or of another circuit is made again. Files appear by rename, so a reader sees a whole file or
//! none, and a lock file lets one process at a time make keys while others wait and then read them.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use ark_bn254::Bn254;
use ark_groth16::ProvingKey;
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::{DevProvingKey, Fingerprint, SetupError};
use crate::registry::CircuitKind;

const HEADER: &[u8] = b"INSECURE DEVELOPMENT KEY of proophi, format 1: anybody can forge proofs for it\n";
const LOCK_FILE: &str = "lock";

/// Steps of [`KeyStore::load`], for whoever shows progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyEvent {
    /// Waiting for another process that makes keys in the same directory.
    Waiting(CircuitKind),
    /// The key was read from disk.
    Cached(CircuitKind),
    /// A key is being made, which takes seconds; says why the cache was not enough.
    Generating(CircuitKind, &'static str),
    /// The key was made and stored.
    Generated(CircuitKind),
}

/// A directory of **insecure** development keys.
#[derive(Clone, Debug)]
pub struct KeyStore {
    dir: PathBuf,
}

impl KeyStore {
    /// Where binaries keep keys unless told otherwise, relative to the working directory.
    pub const DEFAULT_DIR: &'static str = ".proophi/keys";

    /// Uses `dir`, which is created if missing.
    ///
    /// # Errors
    /// If the directory cannot be created.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, KeyStoreError> {
        let dir = dir.as_ref().to_path_buf();
        fs::create_dir_all(&dir).map_err(|source| KeyStoreError::Io { path: dir.clone(), source })?;
        Ok(Self { dir })
    }

    /// The key of a circuit, from disk or made now. `progress` hears of every step.
    ///
    /// # Errors
    /// If the directory cannot be used or the circuit cannot be synthesised.
    pub fn load(
        &self,
        kind: CircuitKind,
        progress: &mut dyn FnMut(KeyEvent),
    ) -> Result<DevProvingKey, KeyStoreError> {
        let fingerprint = Fingerprint::registered(kind);
        if let Ok(key) = self.read(kind, &fingerprint) {
            progress(KeyEvent::Cached(kind));
            return Ok(key);
        }
        let _lock = self.lock(kind, progress)?;
        // Another process may have made the key while this one waited for the lock.
        let reason = match self.read(kind, &fingerprint) {
            Ok(key) => {
                progress(KeyEvent::Cached(kind));
                return Ok(key);
            }
            Err(reason) => reason,
        };
        progress(KeyEvent::Generating(kind, reason));
        let key = DevProvingKey::generate(kind)?;
        self.write(&key, &fingerprint)?;
        progress(KeyEvent::Generated(kind));
        Ok(key)
    }

    /// The file that holds a circuit's key.
    #[must_use]
    pub fn path(&self, kind: CircuitKind) -> PathBuf {
        self.dir.join(format!("{}.insecure-dev.key", kind.name()))
    }

    fn lock(&self, kind: CircuitKind, progress: &mut dyn FnMut(KeyEvent)) -> Result<File, KeyStoreError> {
        let path = self.dir.join(LOCK_FILE);
        let at = |source| KeyStoreError::Io { path: path.clone(), source };
        let file = File::create(&path).map_err(at)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                progress(KeyEvent::Waiting(kind));
                file.lock().map_err(at)?;
            }
            Err(fs::TryLockError::Error(source)) => return Err(at(source)),
        }
        Ok(file)
    }

    /// The stored key, or why it is of no use.
    fn read(&self, kind: CircuitKind, fingerprint: &Fingerprint) -> Result<DevProvingKey, &'static str> {
        let bytes = fs::read(self.path(kind)).map_err(|_| "no readable key on disk")?;
        let rest = bytes.strip_prefix(HEADER).ok_or("the key on disk is of another format")?;
        let rest = rest.strip_prefix(fingerprint.as_bytes()).ok_or("the circuit has changed")?;
        let (digest, payload) = rest.split_first_chunk::<32>().ok_or("the key on disk is cut short")?;
        if Sha256::digest(payload).as_slice() != digest {
            return Err("the key on disk is damaged");
        }
        // The digest vouches for the points; checking each again would take longer than making the key.
        let key = ProvingKey::<Bn254>::deserialize_uncompressed_unchecked(payload)
            .map_err(|_| "the key on disk is damaged")?;
        Ok(DevProvingKey::from_parts(kind, key))
    }

    fn write(&self, key: &DevProvingKey, fingerprint: &Fingerprint) -> Result<(), KeyStoreError> {
        let mut payload = Vec::with_capacity(key.inner().uncompressed_size());
        key.inner().serialize_uncompressed(&mut payload).map_err(KeyStoreError::Serialize)?;
        let path = self.path(key.kind());
        let temporary = path.with_extension("tmp");
        let write = || -> io::Result<()> {
            let mut file = File::create(&temporary)?;
            file.write_all(HEADER)?;
            file.write_all(fingerprint.as_bytes())?;
            file.write_all(&Sha256::digest(&payload))?;
            file.write_all(&payload)?;
            file.sync_all()?;
            fs::rename(&temporary, &path)
        };
        write().map_err(|source| KeyStoreError::Io { path: path.clone(), source })
    }
}

/// Why a key could not be provided.
#[derive(Debug, Error)]
pub enum KeyStoreError {
    /// The directory or a file in it cannot be used.
    #[error("cannot use {path}: {source}; check permissions and free space, or choose another key directory", path = path.display())]
    Io {
        /// What was being opened or written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The key could not be serialised.
    #[error("cannot serialise the key: {0}")]
    Serialize(ark_serialize::SerializationError),
    /// The setup failed.
    #[error(transparent)]
    Setup(#[from] SetupError),
}
