//! Files that only their owner can read, and that are whole whatever happens.

use super::OpeningsError;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// How a file is called while it is written. What a crash leaves under such a name was never anybody's opening.
const UNFINISHED: &str = "unfinished";

/// Writes `content` to `path`: to a file beside it first, which then takes its place. Directories that are missing are made.
/// File, directories and names are on disk when this returns.
pub(super) fn write_durably(path: &Path, content: &[u8]) -> Result<(), OpeningsError> {
    let dir = path.parent().unwrap_or(Path::new(""));
    make_dirs(dir).map_err(failed("make the directory", dir))?;
    let unfinished = path.with_extension(format!("{}.{UNFINISHED}", std::process::id()));
    let written = write_new(&unfinished, content).and_then(|()| fs::rename(&unfinished, path));
    if written.is_err() {
        // Nothing may stay of it that another try would trip over; that this fails too tells nothing new.
        let _ = fs::remove_file(&unfinished);
    }
    written.map_err(failed("write", path))?;
    sync_dir(dir).map_err(failed("write", dir))
}

/// The files of a directory by name, none if it does not exist.
pub(super) fn list(dir: &Path) -> Result<Vec<PathBuf>, OpeningsError> {
    let entries = unless_gone(fs::read_dir(dir)).map_err(failed("read", dir))?;
    let Some(entries) = entries else { return Ok(Vec::new()) };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed("read", dir))?.path();
        if is_opening(&path) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Whether a file is called as openings are.
pub(super) fn is_opening(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "json")
}

/// What a file holds, if nobody but its owner can read or change it; `None` if it is gone.
pub(super) fn read_private(path: &Path) -> Result<Option<String>, OpeningsError> {
    let metadata = unless_gone(fs::metadata(path)).map_err(failed("read", path))?;
    let Some(mode) = metadata.map(|metadata| mode_of(&metadata)) else { return Ok(None) };
    if mode & 0o077 != 0 {
        return Err(OpeningsError::OpenToOthers { path: path.to_owned(), mode });
    }
    unless_gone(fs::read_to_string(path)).map_err(failed("read", path))
}

/// Removes a file that may be gone already.
pub(super) fn remove(path: &Path) -> Result<(), OpeningsError> {
    unless_gone(fs::remove_file(path)).map(|_| ()).map_err(failed("remove", path))
}

/// What was done, `None` if there is nothing to do it to.
fn unless_gone<T>(done: io::Result<T>) -> io::Result<Option<T>> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> OpeningsError {
    let path = path.to_owned();
    move |reason| OpeningsError::Io { doing, path, reason }
}

/// Makes a directory with those above it, each of them for its owner only and its name on disk.
fn make_dirs(dir: &Path) -> io::Result<()> {
    if dir.is_dir() || dir.as_os_str().is_empty() {
        return Ok(());
    }
    let above = dir.parent().unwrap_or(Path::new(""));
    make_dirs(above)?;
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(dir) {
        // Another program was faster.
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    sync_dir(above)
}

fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    // A file that a crash left under this name may have any mode, so it is not used again.
    let _ = fs::remove_file(path);
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Brings the names in a directory to disk.
#[cfg(unix)]
fn sync_dir(dir: &Path) -> io::Result<()> {
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    File::open(dir)?.sync_all()
}

#[cfg(not(unix))]
fn sync_dir(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn mode_of(metadata: &fs::Metadata) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777
}

#[cfg(not(unix))]
fn mode_of(_: &fs::Metadata) -> u32 {
    0
}
