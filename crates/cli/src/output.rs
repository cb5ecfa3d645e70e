//! Where a command's result goes: one JSON value or text for people on stdout, progress on stderr.

use crate::failure::{Code, Failure, OrFail, Outcome};
use crate::render::Palette;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use std::io::{self, Write};
use std::time::Duration;

/// How a result reaches the caller.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
    progress: bool,
}

/// The result of a command.
pub(crate) trait Report: Serialize {
    /// The result as text for people, `width` columns wide where that matters.
    fn text(&self, palette: Palette, width: usize) -> String;
}

impl Output {
    /// JSON if `json`, else text.
    pub(crate) const fn new(json: bool) -> Self {
        Self { json, progress: !json }
    }

    /// The same without progress bars.
    pub(crate) const fn silent(self) -> Self {
        Self { progress: false, ..self }
    }

    /// Whether people may be shown how far a command is.
    pub(crate) const fn shows_progress(self) -> bool {
        self.progress
    }

    /// Writes the result of a command to stdout.
    pub(crate) fn report(self, report: &impl Report) -> Outcome<()> {
        let text = if self.json {
            serde_json::to_string_pretty(report).or_fail(Code::Failed)?
        } else {
            report.text(Palette::of_stdout(), terminal_width())
        };
        self.raw(&text)
    }

    /// A line that tells what is going on, for people only.
    pub(crate) fn say(self, line: &str) -> Outcome<()> {
        if self.json { Ok(()) } else { self.raw(line) }
    }

    /// Writes `text` and a line end to stdout, whatever the format.
    pub(crate) fn raw(self, text: &str) -> Outcome<()> {
        let mut stdout = io::stdout().lock();
        let written = writeln!(stdout, "{}", text.trim_end_matches('\n')).and_then(|()| stdout.flush());
        match written {
            // A reader such as `head` that has seen enough is no failure.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other.or_fail(Code::Failed),
        }
    }

    /// Writes a failure to stderr.
    pub(crate) fn failure(self, failure: &Failure) {
        if self.json {
            eprintln!("{}", failure.to_json());
        } else {
            eprintln!("{} {failure}", Palette::of_stderr().bad("error:"));
        }
    }

    /// Writes to stderr that something does not work for now.
    pub(crate) fn warn(self, message: &str) {
        if self.json {
            eprintln!("{}", serde_json::json!({ "warning": message }));
        } else {
            eprintln!("{} {message}", Palette::of_stderr().bad("warning:"));
        }
    }

    /// A bar of `length` steps on stderr; invisible without a terminal and with `--json`.
    pub(crate) fn bar(self, length: u64, message: impl Into<String>) -> ProgressBar {
        let style = ProgressStyle::with_template("  {msg:<44} {bar:24} {pos}/{len}  {elapsed}");
        self.progress(Some(length), message, style.ok())
    }

    /// A spinner on stderr for a wait of unknown length; invisible without a terminal and with `--json`.
    pub(crate) fn spinner(self, message: impl Into<String>) -> ProgressBar {
        let style = ProgressStyle::with_template("  {spinner} {msg}  {elapsed}");
        self.progress(None, message, style.ok())
    }

    fn progress(
        self,
        length: Option<u64>,
        message: impl Into<String>,
        style: Option<ProgressStyle>,
    ) -> ProgressBar {
        // Indicatif itself draws nothing if stderr is no terminal.
        let target = if self.progress { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(length, target);
        if let Some(style) = style {
            bar.set_style(style);
        }
        bar.set_message(message.into());
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    }
}

/// Columns of the terminal, or 100 where there is none.
pub(crate) fn terminal_width() -> usize {
    console::Term::stdout().size_checked().map_or(100, |(_, columns)| usize::from(columns))
}
