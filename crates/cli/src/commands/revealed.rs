//! What `proophi reveal` tells.

use crate::failure::{Code, Failure, Outcome};
use crate::output::Report;
use crate::render::{Palette, span};
use serde::Serialize;
use std::collections::BTreeSet;

/// A commitment that could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Refused {
    pub(crate) commitment: String,
    pub(crate) reason: String,
}

/// What became of the openings at hand.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Revealed {
    pub(crate) market: String,
    /// The round that can be opened now, if there is one.
    pub(crate) round: Option<u64>,
    /// Commitments that were opened now.
    pub(crate) revealed: Vec<String>,
    /// Openings of this round that nothing waits for: opened by somebody else, or never committed to.
    pub(crate) already: usize,
    pub(crate) refused: Vec<Refused>,
    /// Files that could not be read or removed; the others are opened all the same.
    pub(crate) faults: Vec<String>,
    /// Openings of rounds that have not closed.
    pub(crate) early: usize,
    /// When the next of them can be opened.
    pub(crate) next_at: Option<u64>,
    /// Openings that came too late.
    pub(crate) late: usize,
    /// Openings of rounds that are over, which are forgotten.
    pub(crate) forgotten: usize,
    #[serde(skip)]
    pub(crate) now: u64,
}

impl Report for Revealed {
    fn text(&self, palette: Palette, _width: usize) -> String {
        let mut text = match self.round {
            Some(round) => {
                format!("{} {} commitments of round {round}\n", palette.good("opened"), self.revealed.len())
            }
            None => "nothing can be opened now\n".to_owned(),
        };
        if self.already > 0 {
            text += &format!("{} need nothing: opened before, or never committed to\n", self.already);
        }
        for Refused { commitment, reason } in &self.refused {
            text += &format!("{} {commitment}: {reason}\n", palette.bad("refused"));
        }
        for fault in &self.faults {
            text += &format!("{} {fault}\n", palette.bad("fault"));
        }
        if let Some(at) = self.next_at {
            text +=
                &format!("{} wait for their round to close, the first {}\n", self.early, span(self.now, at));
        }
        if self.late > 0 {
            text +=
                &format!("{} came too late; `proophi forfeit` brings back all but the bonds\n", self.late);
        }
        text
    }
}

impl Revealed {
    /// A failure if anything was not as it should be.
    pub(crate) fn verdict(&self) -> Outcome<()> {
        if let Some(Refused { commitment, reason }) = self.refused.first() {
            let count = self.refused.len();
            let said = eyre::eyre!("{count} openings were refused; {commitment}: {reason}");
            return Err(Failure::new(Code::Refused, said));
        }
        let Some(fault) = self.faults.first() else { return Ok(()) };
        Err(Failure::new(Code::Failed, eyre::eyre!("{} files are at fault; {fault}", self.faults.len())))
    }
}

/// What a watch has said already, and does not say again.
#[derive(Debug, Default)]
pub(crate) struct Said {
    refused: BTreeSet<Refused>,
    faults: BTreeSet<String>,
}

impl Said {
    /// What is new of `done`, if anything is.
    pub(crate) fn news(&mut self, mut done: Revealed) -> Option<Revealed> {
        done.refused.retain(|refused| self.refused.insert(refused.clone()));
        done.faults.retain(|fault| self.faults.insert(fault.clone()));
        (!done.revealed.is_empty() || !done.refused.is_empty() || !done.faults.is_empty()).then_some(done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watch_says_everything_once() {
        let refused = |reason: &str| Refused { commitment: "0x1".into(), reason: reason.into() };
        let done = |revealed: &[&str], reasons: &[&str], faults: &[&str]| Revealed {
            revealed: revealed.iter().map(ToString::to_string).collect(),
            refused: reasons.iter().map(|reason| refused(reason)).collect(),
            faults: faults.iter().map(ToString::to_string).collect(),
            ..Revealed::default()
        };
        let mut said = Said::default();
        let mut told = |done| said.news(done).map(|news| (news.revealed, news.refused, news.faults));
        assert_eq!(told(done(&[], &[], &[])), None);
        let first = told(done(&[], &["dear"], &["a is damaged"])).unwrap();
        assert_eq!(first, (vec![], vec![refused("dear")], vec!["a is damaged".to_owned()]));
        assert_eq!(told(done(&[], &["dear"], &["a is damaged"])), None);
        let second = told(done(&["0x2"], &["dear"], &["a is damaged", "b is damaged"])).unwrap();
        assert_eq!(second, (vec!["0x2".to_owned()], vec![], vec!["b is damaged".to_owned()]));
        let third = told(done(&[], &["late"], &["a is damaged"])).unwrap();
        assert_eq!(third, (vec![], vec![refused("late")], vec![]));
    }

    #[test]
    fn a_run_that_leaves_something_at_fault_fails() {
        let refused = vec![Refused { commitment: "0x1".into(), reason: "dear".into() }];
        let faults = vec!["a is damaged".to_owned()];
        let code = |done: Revealed| done.verdict().map_err(|failure| failure.code());
        assert_eq!(code(Revealed::default()), Ok(()));
        assert_eq!(code(Revealed { faults: faults.clone(), ..Revealed::default() }), Err(Code::Failed));
        assert_eq!(code(Revealed { faults, refused, ..Revealed::default() }), Err(Code::Refused));
    }
}
