//! How the demo is told: numbered steps for people, one summary for programs.

use crate::failure::Outcome;
use crate::output::{Output, Report, terminal_width};
use crate::render::Palette;
use alloy::primitives::{Address, U256};
use indicatif::ProgressBar;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::audit::{AccountFigures, Check, check_table, statement_table, wallet_table};
use super::figures::RoundFigures;
use crate::amount::{as_text, grouped};

/// Tells what happens while it happens.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) output: Output,
    pub(crate) palette: Palette,
    step: u32,
}

impl Story {
    /// A story that has not begun.
    pub(crate) fn new(output: Output) -> Self {
        Self { output, palette: Palette::of_stdout(), step: 0 }
    }

    /// The next step.
    pub(crate) fn step(&mut self, title: &str) -> Outcome<()> {
        self.step += 1;
        self.output.say(&format!("\n{}", self.palette.strong(&format!("{}. {title}", self.step))))
    }

    /// Something that happened.
    pub(crate) fn line(&self, text: &str) -> Outcome<()> {
        self.output.say(&format!("   {text}"))
    }

    /// A table or a picture.
    pub(crate) fn block(&self, text: &str) -> Outcome<()> {
        self.output.say(&format!("\n{}", text.trim_end_matches('\n')))
    }

    /// A spinner for a wait.
    pub(crate) fn waiting(&self, message: &str) -> ProgressBar {
        self.output.spinner(message.to_owned())
    }

    /// Columns there are.
    pub(crate) fn width(&self) -> usize {
        terminal_width()
    }
}

/// The demo in figures.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    pub(crate) market: String,
    pub(crate) contract: Address,
    #[serde(serialize_with = "as_text")]
    pub(crate) tick_wei: U256,
    pub(crate) round: RoundFigures,
    /// The prover that was killed on purpose.
    pub(crate) killed: &'static str,
    pub(crate) accounts: Vec<AccountFigures>,
    /// What the sink got (wei).
    #[serde(serialize_with = "as_text")]
    pub(crate) sink_share_wei: U256,
    pub(crate) checks: Vec<Check>,
    pub(crate) passed: bool,
    pub(crate) seconds: u64,
    pub(crate) directory: PathBuf,
}

impl Summary {
    /// The same with how long it took and where the logs are.
    pub(crate) fn took(mut self, elapsed: Duration, directory: &Path) -> Self {
        self.seconds = elapsed.as_secs();
        self.directory = directory.to_owned();
        self.passed = self.checks.iter().all(|check| check.holds);
        self
    }
}

impl Report for Summary {
    /// What is left to tell after the story: where every wei went.
    fn text(&self, palette: Palette, _width: usize) -> String {
        let mut text = format!("\n{}\n", palette.strong("Where every wei went"));
        text += &format!("\n  in the market, in ticks of {} wei\n\n", grouped(self.tick_wei));
        text += &statement_table(&self.accounts, palette);
        text += "\n  in the wallets, in ETH\n\n";
        text += &wallet_table(&self.accounts, palette);
        text += &format!("\n{}\n\n{}", palette.strong("Audit"), check_table(&self.checks, palette));
        let verdict = if self.passed {
            palette.good("every wei is accounted for")
        } else {
            palette.bad("something does not add up")
        };
        text + &format!("\n{verdict}, after {} s; logs are in {}", self.seconds, self.directory.display())
    }
}
