//! Progress bars on stderr.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;

/// How far an experiment is.
#[derive(Debug, Clone)]
pub struct Progress(ProgressBar);

impl Progress {
    /// Shows nothing.
    #[must_use]
    pub fn hidden() -> Self {
        Self(ProgressBar::hidden())
    }

    /// A bar on stderr; nothing if that is no terminal.
    #[must_use]
    pub fn bar() -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
        let style =
            ProgressStyle::with_template("  {msg:<44} {bar:24} {percent:>3} %  {pos} rounds  {elapsed}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(bar)
    }

    /// A new experiment of `rounds` rounds.
    pub(crate) fn start(&self, name: &str, rounds: u64) {
        self.0.reset();
        self.0.set_length(rounds);
        self.0.set_message(name.to_owned());
    }

    /// One more round has been played.
    pub(crate) fn step(&self) {
        self.0.inc(1);
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
