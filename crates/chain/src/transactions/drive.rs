//! The task that looks after an owner's transactions until each has ended.

use super::look::Activity;
use super::owner::{Book, Owner};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;
use tracing::debug;

/// Time between two looks at what waits: first, and at most.
const LOOKS: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

impl Owner {
    /// Makes sure that somebody looks after the book, soon.
    pub(super) fn drive(self: &Arc<Self>, book: &mut Book) {
        if !book.driven {
            book.driven = true;
            tokio::spawn(drive(Arc::downgrade(self), Arc::clone(&self.wake)));
        }
        self.wake.notify_one();
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.wake.notify_one();
    }
}

/// Looks until the last connection that uses the key is dropped.
async fn drive(owner: Weak<Owner>, wake: Arc<Notify>) {
    let (first, most) = LOOKS;
    let mut pause = first;
    loop {
        let Some(owner) = owner.upgrade() else { return };
        let activity = owner.look().await;
        drop(owner);
        let woken = match activity {
            Ok(Activity::Nothing) => {
                wake.notified().await;
                true
            }
            Ok(Activity::Watching) => timeout(most, wake.notified()).await.is_ok(),
            Ok(Activity::Waiting) => timeout(pause, wake.notified()).await.is_ok(),
            Err(error) => {
                debug!(%error, "cannot look after transactions, trying again");
                timeout(pause, wake.notified()).await.is_ok()
            }
        };
        pause = if woken { first } else { pause.saturating_mul(3).div_f32(2.0).min(most) };
    }
}
