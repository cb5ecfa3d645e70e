//! `proophi clear`: clears rounds from a file, without a chain.

use crate::failure::{Code, Failure, OrFail, Outcome};
use crate::output::Output;
use clap::{Args, ValueEnum};
use clearing::Outcome as Cleared;
use market_types::{Mechanism, Round, RoundFile};
use serde::Serialize;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Clear rounds offline and print their outcomes
///
/// FILE holds one round or a list of rounds in the format of tests/vectors/clearing.json; fields other than the five of
/// the example are ignored. The result is always JSON: a list with the outcomes of each round by mechanism, in the same
/// order. Bids and asks are named by their position.
#[derive(Debug, Args)]
#[command(after_help = "Example (the round that docs and tests work through):
  echo '{\"round\": 0, \"capacity_cap\": \"100\", \"reserve_price\": \"0\",
         \"bids\": [[\"9\", 4], [\"7\", 3], [\"7\", 2], [\"5\", 5], [\"2\", 6]],
         \"asks\": [[\"1\", \"5\"], [\"3\", \"4\"], [\"4\", \"6\"], [\"8\", \"9\"]]}' | proophi clear -

A bid is [unit fee, size], an ask [unit cost, capacity]; numbers may be written as strings.
Replay a round of the chain: proophi round show 7 --as-file | proophi clear - --mechanism core")]
pub(crate) struct ClearArgs {
    /// File with the rounds, or - for standard input
    file: PathBuf,
    /// Under which mechanism
    #[arg(long, value_enum, default_value_t = Which::All)]
    mechanism: Which,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    /// One price for users and one for provers
    Core,
    /// Users pay what they bid, provers get the average
    AverageFee,
    /// Both, to compare
    All,
}

/// The outcomes that were asked for, in the written form of the test vectors.
#[derive(Debug, Serialize)]
struct Outcomes {
    #[serde(skip_serializing_if = "Option::is_none")]
    core: Option<Cleared>,
    #[serde(skip_serializing_if = "Option::is_none")]
    average_fee: Option<Cleared>,
}

impl Outcomes {
    fn of(round: &Round, which: Which) -> Self {
        let cleared = |under, mechanism| {
            (which == Which::All || which == under).then(|| clearing::clear(mechanism, round))
        };
        Self {
            core: cleared(Which::Core, Mechanism::Core),
            average_fee: cleared(Which::AverageFee, Mechanism::AverageFee),
        }
    }
}

/// Runs `proophi clear`.
pub(crate) fn run(args: &ClearArgs, output: Output) -> Outcome<()> {
    let text = read(&args.file)?;
    let file: RoundFile = serde_json::from_str(&text)
        .or_fail_with(Code::Input, || format!("{} holds no rounds", args.file.display()))?;
    let mut lines = Vec::with_capacity(file.rounds().len());
    for round in file.rounds() {
        lines.push(serde_json::to_string(&Outcomes::of(round, args.mechanism)).or_fail(Code::Failed)?);
    }
    output.raw(&format!("[{}]", lines.join(",\n ")))
}

fn read(path: &Path) -> Outcome<String> {
    let text = if path == Path::new("-") {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(path)
    };
    text.map_err(|error| Failure::input(format!("cannot read {}: {error}", path.display())))
}
