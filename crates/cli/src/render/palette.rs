//! Colours for what carries a meaning, or none.

/// Paints text, if the reader can see colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Palette {
    colour: bool,
}

impl Palette {
    /// No colours.
    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self { colour: false };

    /// Colours if stdout is a terminal that wants them (`NO_COLOR` and `CLICOLOR` are respected).
    pub(crate) fn of_stdout() -> Self {
        Self { colour: console::colors_enabled() }
    }

    /// The same for stderr.
    pub(crate) fn of_stderr() -> Self {
        Self { colour: console::colors_enabled_stderr() }
    }

    /// A heading.
    pub(crate) fn strong(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// Something that matters less.
    pub(crate) fn faint(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// Something that is as it should be.
    pub(crate) fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// Something that is not.
    pub(crate) fn bad(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    /// What belongs to requesters.
    pub(crate) fn demand(self, text: &str) -> String {
        self.paint("36", text)
    }

    /// What belongs to provers.
    pub(crate) fn supply(self, text: &str) -> String {
        self.paint("33", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colour && !text.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}
