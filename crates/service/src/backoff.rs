//! How long to wait after a failure.

use std::time::Duration;

/// Waiting times that double from failure to failure up to a limit, and start anew after a success.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    limit: Duration,
    next: Duration,
}

impl Backoff {
    /// Starts at `first` and never exceeds `limit`.
    #[must_use]
    pub const fn new(first: Duration, limit: Duration) -> Self {
        Self { first, limit, next: first }
    }

    /// How long to wait now. Call it once for each failure.
    pub fn delay(&mut self) -> Duration {
        let delay = self.next.min(self.limit);
        self.next = delay.saturating_mul(2).min(self.limit);
        delay
    }

    /// Forgets the failures so far.
    pub const fn reset(&mut self) {
        self.next = self.first;
    }
}

impl Default for Backoff {
    /// From half a second to half a minute.
    fn default() -> Self {
        Self::new(Duration::from_millis(500), Duration::from_secs(30))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_limit_and_start_anew_after_a_success() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(5));
        let seconds: Vec<u64> = (0..5).map(|_| backoff.delay().as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 5, 5]);
        backoff.reset();
        assert_eq!(backoff.delay().as_secs(), 1);
    }

    #[test]
    fn a_limit_below_the_first_delay_holds() {
        let mut backoff = Backoff::new(Duration::from_secs(10), Duration::from_secs(3));
        assert_eq!(backoff.delay().as_secs(), 3);
    }
}
