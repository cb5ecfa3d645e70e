//! A clean stop, in two steps: the first signal asks to finish what is under way, the second one ends that.

use crate::{NO_SIGNALS, trouble};
use std::io;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

/// What looks at a stop takes less to end.
const MOMENT: Duration = Duration::from_secs(1);

/// Signals so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Asked {
    Never,
    Once,
    Again,
}

/// When a program is to stop, and until when it may finish what is under way. Cheap to clone; clones tell of the same signals.
#[derive(Debug, Clone)]
pub struct Stop {
    asked: watch::Receiver<Asked>,
    grace: Duration,
}

impl Stop {
    /// Listens for signals from now on, for as long as the process lives. A program that cannot listen is asked to stop at once.
    #[must_use]
    pub fn on_signals(grace: Duration) -> Self {
        let (tell, asked) = watch::channel(Asked::Never);
        tokio::spawn(async move {
            if let Err(error) = pass_on(&tell).await {
                trouble!(error, NO_SIGNALS, %error, "cannot listen for signals, stopping");
                tell.send_replace(Asked::Once);
            }
        });
        Self { asked, grace }
    }

    /// Asked by nobody, for programs that are stopped otherwise: only the time to finish counts.
    #[must_use]
    pub fn within(grace: Duration) -> Self {
        Self { asked: watch::channel(Asked::Never).1, grace }
    }

    /// Resolves when the program is to begin nothing new.
    pub async fn asked(&self) {
        self.at(Asked::Once).await;
    }

    /// Resolves when it is to stop at once: on the second signal, or `grace` after this was called.
    pub async fn over(&self) {
        tokio::select! {
            () = self.at(Asked::Again) => {}
            () = sleep(self.grace) => {}
        }
    }

    /// Resolves a moment after a stop that was asked for is over, to cut off what does not look at it, such as a node's answer that does
    /// not come.
    pub async fn cut_off(&self) {
        self.asked().await;
        self.over().await;
        sleep(MOMENT).await;
    }

    /// Most time for a stop.
    #[must_use]
    pub const fn grace(&self) -> Duration {
        self.grace
    }

    async fn at(&self, step: Asked) {
        if self.asked.clone().wait_for(|asked| *asked >= step).await.is_err() {
            // Nobody is left who could ask.
            std::future::pending::<()>().await;
        }
    }
}

/// Tells of the first two signals.
async fn pass_on(tell: &watch::Sender<Asked>) -> io::Result<()> {
    let mut signals = Signals::listen()?;
    for step in [Asked::Once, Asked::Again] {
        signals.next().await;
        tell.send_replace(step);
    }
    Ok(())
}

/// Signals that ask for a stop: SIGINT (Ctrl-C) and, on Unix, SIGTERM.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Each signal is told of once, none between two calls is lost.
    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}

/// [`shutdown`] for programs that stop as well if they cannot listen for signals.
pub async fn stop() {
    if let Err(error) = shutdown().await {
        trouble!(error, NO_SIGNALS, %error, "cannot listen for signals, stopping");
    }
}

/// Resolves when the process is asked to stop: SIGINT (Ctrl-C) or, on Unix, SIGTERM.
///
/// # Errors
/// The system's, if signals cannot be listened for.
pub async fn shutdown() -> io::Result<()> {
    Signals::listen()?.next().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::{Instant, timeout};

    #[tokio::test]
    async fn without_signals_only_the_time_counts() {
        let stop = Stop::within(Duration::from_millis(50));
        assert!(timeout(Duration::from_millis(100), stop.asked()).await.is_err());
        let began = Instant::now();
        stop.over().await;
        assert!(began.elapsed() >= Duration::from_millis(50));
    }

    #[tokio::test]
    async fn the_first_signal_asks_and_the_second_one_ends() {
        let (tell, asked) = watch::channel(Asked::Never);
        let stop = Stop { asked, grace: Duration::from_secs(600) };
        tell.send_replace(Asked::Once);
        stop.asked().await;
        assert!(timeout(Duration::from_millis(50), stop.over()).await.is_err());
        tell.send_replace(Asked::Again);
        stop.over().await;
    }
}
