//! What the checks found.

use super::Role;
use crate::output::Report;
use crate::render::Palette;
use serde::Serialize;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Standing {
    /// As it should be.
    Ok,
    /// The program runs, and something deserves a look.
    Warn,
    /// The program does not run, or not as it should.
    Fail,
}

/// What one check found.
#[derive(Debug, Serialize)]
struct Finding {
    /// Stable name of the check.
    check: &'static str,
    result: Standing,
    found: String,
    /// What to do, unless all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

/// What all of them found.
#[derive(Debug, Serialize)]
pub(super) struct Findings {
    /// The program that is to run.
    program: String,
    checks: Vec<Finding>,
}

impl Findings {
    /// Nothing yet.
    pub(super) fn of(role: Option<Role>) -> Self {
        let program = role.map_or_else(|| "proophi".to_owned(), |role| role.to_string());
        Self { program, checks: Vec::new() }
    }

    pub(super) fn ok(&mut self, check: &'static str, found: impl Into<String>) {
        self.checks.push(Finding { check, result: Standing::Ok, found: found.into(), advice: None });
    }

    pub(super) fn warn(&mut self, check: &'static str, found: impl Into<String>, advice: impl Into<String>) {
        let advice = Some(advice.into());
        self.checks.push(Finding { check, result: Standing::Warn, found: found.into(), advice });
    }

    pub(super) fn fail(&mut self, check: &'static str, found: impl Into<String>, advice: impl Into<String>) {
        let advice = Some(advice.into());
        self.checks.push(Finding { check, result: Standing::Fail, found: found.into(), advice });
    }

    /// How many checks failed.
    pub(super) fn failed(&self) -> usize {
        self.count(Standing::Fail)
    }

    fn count(&self, result: Standing) -> usize {
        self.checks.iter().filter(|finding| finding.result == result).count()
    }
}

impl Report for Findings {
    fn text(&self, palette: Palette, _width: usize) -> String {
        let mut text = format!("{} {}\n", palette.strong("what is needed by"), self.program);
        for finding in &self.checks {
            let mark = match finding.result {
                Standing::Ok => palette.good("ok  "),
                Standing::Warn => palette.supply("warn"),
                Standing::Fail => palette.bad("fail"),
            };
            text += &format!("  {mark}  {:<14} {}\n", finding.check, finding.found);
            if let Some(advice) = &finding.advice {
                text += &format!("{:24}{}\n", "", palette.strong(advice));
            }
        }
        let [ok, warned, failed] = [Standing::Ok, Standing::Warn, Standing::Fail].map(|one| self.count(one));
        text + &format!("{ok} checks are well, {warned} deserve a look, {failed} failed\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_counted_and_shown_with_what_to_do() {
        let mut findings = Findings::of(Some(Role::Prover));
        findings.ok("chain", "31337");
        findings.warn("clock", "20 s behind", "set the clock");
        findings.fail("key", "open to others", "chmod 600 it");
        assert_eq!(findings.failed(), 1);
        let text = findings.text(Palette::PLAIN, 80);
        for part in
            ["prover-node", "fail  key", "chmod 600 it", "1 checks are well, 1 deserve a look, 1 failed"]
        {
            assert!(text.contains(part), "{part} is missing in\n{text}");
        }
        let json = serde_json::to_value(&findings).unwrap();
        assert_eq!(
            (&json["checks"][0]["result"], &json["checks"][2]["result"]),
            (&"ok".into(), &"fail".into())
        );
        assert!(json["checks"][0].get("advice").is_none());
    }
}
