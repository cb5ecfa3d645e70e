//! Keeps arkworks' tracing out of the way.

use tracing::subscriber::{NoSubscriber, with_default};

/// Runs `f` without a tracing subscriber on this thread.
///
/// arkworks opens a span for each field operation of a circuit and formats whole linear combinations into it. In a
/// program that logs, that turns a proof of a second into minutes, whatever its filter lets through in the end. Circuits
/// are synthesised on the calling thread, so it is enough to silence that one.
pub(crate) fn quietly<T>(f: impl FnOnce() -> T) -> T {
    with_default(NoSubscriber::default(), f)
}
