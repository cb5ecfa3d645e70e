//! How much to do, from the environment: a test does little by itself, and as much as it is told to.

use std::sync::atomic::{AtomicU64, Ordering};

/// The number in an environment variable, if it is set.
///
/// # Panics
/// If it is no number.
#[must_use]
pub fn setting(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is a number, not {value}")))
}

/// Calls `run` with 0, 1, 2 and so on, on every core, until it was told to stop or one of them panics.
pub fn on_every_core(run: impl Fn(u64) -> bool + Sync) {
    let next = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| while run(next.fetch_add(1, Ordering::Relaxed)) {});
        }
    });
}
