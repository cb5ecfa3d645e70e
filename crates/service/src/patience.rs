//! A start that waits for a node that does not answer yet.

use crate::{Backoff, CANNOT_START, trouble};
use std::error::Error;
use tokio::time::sleep;

/// Tries until it succeeds. A failure that may pass by itself is said, and waited out for longer each time.
///
/// # Errors
/// The first that `may_pass` says of that waiting does not help.
pub async fn patiently<T, E: Error>(
    mut attempt: impl AsyncFnMut() -> Result<T, E>,
    may_pass: impl Fn(&E) -> bool,
) -> Result<T, E> {
    let mut backoff = Backoff::default();
    loop {
        match attempt().await {
            Err(error) if may_pass(&error) => {
                let delay = backoff.delay();
                trouble!(warn, CANNOT_START, %error, "cannot start, trying again in {delay:?}");
                sleep(delay).await;
            }
            ended => return ended,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt;

    #[tokio::test]
    async fn what_passes_is_waited_out_and_what_does_not_ends_it() {
        let mut attempts = 0;
        let attempt = async || {
            attempts += 1;
            if attempts < 2 { Err(fmt::Error) } else { Ok(attempts) }
        };
        assert_eq!(patiently(attempt, |_| true).await, Ok(2));
        assert_eq!(patiently(async || Err::<(), _>(fmt::Error), |_| false).await, Err(fmt::Error));
    }
}
