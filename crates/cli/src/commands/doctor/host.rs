//! This machine: files, permissions, keys, space.

use super::Role;
use super::findings::Findings;
use super::settings::Found;
use alloy::primitives::Address;
use service::KEY_VARIABLE;
use service::openings::OpeningStore;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Less room than this is too little for what programs write down (bytes).
const LEAST_ROOM: u64 = 64 << 20;
/// Less than this deserves a look (bytes).
const GOOD_ROOM: u64 = 1 << 30;

/// The account of the key, if it can be used.
pub(super) fn key(role: Option<Role>, file: Option<&Path>, findings: &mut Findings) -> Option<Address> {
    const CHECK: &str = "key";
    match service::load_key_if_any(file) {
        Ok(Some(key)) => {
            let account = key.address();
            match file {
                Some(file) => findings.ok(CHECK, format!("of {account}, in {}", file.display())),
                None if role.is_some() => findings.warn(
                    CHECK,
                    format!("of {account}, from {KEY_VARIABLE}"),
                    "every process of this user can read that variable; keep the key in a file of mode 600 and name it with key_file",
                ),
                None => findings.ok(CHECK, format!("of {account}, from {KEY_VARIABLE}")),
            }
            Some(account)
        }
        Ok(None) => {
            let advice = format!("name a file with --key-file or set {KEY_VARIABLE}");
            match role {
                Some(_) => findings.fail(CHECK, "there is none", advice),
                None => findings.warn(CHECK, "there is none, so that nothing can be sent", advice),
            }
            None
        }
        Err(error) => {
            findings.fail(CHECK, error.to_string(), "the program does not start without its key");
            None
        }
    }
}

/// The directory of openings: for its owner only, and writable.
pub(super) fn openings(dir: Option<&Path>, findings: &mut Findings) {
    const CHECK: &str = "openings";
    let dir = match OpeningStore::at_or_default(dir) {
        Ok(store) => store.dir().to_owned(),
        Err(error) => {
            return findings.fail(CHECK, error.to_string(), "commitments cannot be kept safe without it");
        }
    };
    let shown = dir.display();
    if !dir.exists() {
        let above = existing(&dir);
        return match try_writing(&above) {
            Ok(()) => findings.ok(CHECK, format!("{shown} is made when the first opening is kept")),
            Err(error) => findings.fail(
                CHECK,
                format!("{shown} is not there and cannot be made: {error}"),
                format!("make it, for the program's user only: install -d -m 700 {shown}"),
            ),
        };
    }
    let mode = mode_of(&dir).unwrap_or_default();
    if let Err(error) = try_writing(&dir) {
        let advice = "commitments are not sent unless their openings are on disk; give the directory to the program's user";
        findings.fail(CHECK, format!("nothing can be written to {shown}: {error}"), advice);
    } else if mode & 0o077 != 0 {
        findings.fail(
            CHECK,
            format!("{shown} is open to others (mode {mode:o})"),
            format!("whoever reads an opening knows the offer; run: chmod 700 {shown}"),
        );
    } else {
        findings.ok(CHECK, format!("{shown}, mode {mode:o}"));
    }
}

/// Directories of databases: the journal of transactions, and the bids of a relayer.
pub(super) fn written(role: Option<Role>, settings: &Found, findings: &mut Findings) {
    for file in databases(role, settings) {
        let dir = dir_of(&file);
        match try_writing(&dir) {
            Ok(()) => findings.ok("database", format!("{} can be written", file.display())),
            Err(error) => findings.fail(
                "database",
                format!("{} cannot be written: {error}", file.display()),
                "give its directory to the program's user; journal and database name other places",
            ),
        }
    }
}

fn databases(role: Option<Role>, settings: &Found) -> Vec<PathBuf> {
    let Some(role) = role else { return Vec::new() };
    let journal = settings.journal.clone().unwrap_or_else(|| {
        let key = settings.key_file.clone().unwrap_or_else(|| "proophi".into());
        key.with_added_extension("transactions.db").display().to_string()
    });
    let takes_bids = role == Role::Relayer && settings.listen.is_some();
    let bids = takes_bids.then(|| settings.database.clone().unwrap_or_else(|| "relayer.db".to_owned()));
    // What is kept elsewhere, or not at all, needs no disk here.
    let is_file = |place: &String| place != "memory" && !place.contains("://");
    [Some(journal), bids].into_iter().flatten().filter(is_file).map(PathBuf::from).collect()
}

/// Room on the disks that are written to.
pub(super) fn space(role: Option<Role>, settings: &Found, findings: &mut Findings) {
    let mut dirs: BTreeSet<PathBuf> =
        databases(role, settings).iter().map(|file| existing(&dir_of(file))).collect();
    if role == Some(Role::Prover) {
        dirs.insert(existing(&settings.key_store()));
        if let Ok(store) = OpeningStore::at_or_default(settings.openings.as_deref()) {
            dirs.insert(existing(store.dir()));
        }
    }
    // One disk is spoken of once.
    let mut seen = BTreeSet::new();
    for dir in dirs {
        let Some(free) = free_bytes(&dir).filter(|free| seen.insert(*free)) else { continue };
        let found = format!("{} MiB are free at {}", free >> 20, dir.display());
        match free {
            free if free < LEAST_ROOM => {
                findings.fail("disk", found, "make room: what cannot be written down is not sent");
            }
            free if free < GOOD_ROOM => findings.warn("disk", found, "make room before it is full"),
            _ => findings.ok("disk", found),
        }
    }
}

#[cfg(unix)]
fn free_bytes(dir: &Path) -> Option<u64> {
    let of = rustix::fs::statvfs(dir).ok()?;
    of.f_bavail.checked_mul(of.f_frsize)
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}

fn dir_of(file: &Path) -> PathBuf {
    let dir = file.parent().filter(|dir| !dir.as_os_str().is_empty());
    dir.unwrap_or(Path::new(".")).to_owned()
}

/// The path, or the nearest directory above it that is there.
fn existing(path: &Path) -> PathBuf {
    let found = path.ancestors().find(|path| path.exists() && !path.as_os_str().is_empty());
    found.unwrap_or(Path::new(".")).to_owned()
}

/// Writes an empty file and takes it away again.
fn try_writing(dir: &Path) -> std::io::Result<()> {
    let file = dir.join(format!(".proophi-doctor-{}", std::process::id()));
    std::fs::OpenOptions::new().write(true).create_new(true).open(&file)?;
    std::fs::remove_file(&file)
}

/// Permission bits.
#[cfg(unix)]
pub(super) fn mode_of(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    Some(std::fs::metadata(path).ok()?.permissions().mode() & 0o777)
}

#[cfg(not(unix))]
pub(super) fn mode_of(_: &Path) -> Option<u32> {
    None
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn openings_have_to_be_their_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        for (mode, failed) in [(0o700, 0), (0o750, 1)] {
            std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(mode)).unwrap();
            let mut findings = Findings::of(None);
            openings(Some(dir.path()), &mut findings);
            assert_eq!(findings.failed(), failed, "{mode:o}");
        }
        let mut findings = Findings::of(None);
        openings(Some(&dir.path().join("a/b")), &mut findings);
        assert_eq!(findings.failed(), 0, "it is made when it is needed");
        assert!(!dir.path().join("a").exists(), "and not before");
    }

    #[test]
    fn what_is_written_down_follows_from_the_settings() {
        let found = |text: &str| -> Found { toml::from_str(text).unwrap() };
        let all = found("key_file = 'a/key'\nlisten = '127.0.0.1:1'");
        let names = |settings: &Found, role| -> Vec<String> {
            databases(role, settings).iter().map(|file| file.display().to_string()).collect()
        };
        assert_eq!(names(&all, Some(Role::Relayer)), ["a/key.transactions.db", "relayer.db"]);
        assert_eq!(names(&all, Some(Role::Prover)), ["a/key.transactions.db"]);
        assert!(names(&all, None).is_empty());
        let elsewhere = found("key_file = 'a/key'\njournal = 'postgres://db/x'");
        assert!(names(&elsewhere, Some(Role::Prover)).is_empty());
        let shared = found("journal = 'memory'\nlisten = '127.0.0.1:1'\ndatabase = 'postgres://db/x'");
        assert!(names(&shared, Some(Role::Relayer)).is_empty());
    }
}
