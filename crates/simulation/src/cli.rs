//! The command `proophi lab`.

use crate::experiments::Experiment;
use crate::progress::Progress;
use crate::report::{Finding, WriteError};
use crate::runner::{Lab, StartError};
use crate::throughput::{self, Throughput};
use clap::{Args, Subcommand, ValueEnum as _};
use serde::Serialize;
use std::path::PathBuf;
use std::time::Instant;
use thiserror::Error;

const EXAMPLES: &str = "\
Examples:
  proophi lab all                            every experiment, plots and tables in lab/
  proophi lab incentives --rounds 10000      one experiment, narrower intervals
  proophi lab cartels --seed 7 --out /tmp/x  other random numbers, another place
  proophi lab all --quick                    a first look in seconds, with wide intervals
  proophi lab throughput --json              how many bids this machine clears in a second

Results depend on the seed and the number of rounds, never on the number of threads. The plots are explained in
docs/mechanism-study.md.";

/// Play thousands of rounds against agents that try to gain
///
/// The laboratory draws requesters and provers from named distributions, lets some of them shade, snipe, split into
/// several names, misreport capacity, withhold, collude, trade outside the market or wash bids, clears every round with
/// the code that settles real ones, and writes what everybody gained as CSV, SVG and PNG.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct LabArgs {
    /// What to run
    #[command(subcommand)]
    pub experiment: Choice,
    /// Seed of all random numbers
    #[arg(long, global = true, default_value_t = 1)]
    pub seed: u64,
    /// Rounds per point of a plot; more rounds give narrower intervals [default: 2000, with --quick 100]
    #[arg(long, global = true, value_parser = clap::value_parser!(u64).range(10..=10_000_000))]
    pub rounds: Option<u64>,
    /// Threads; 0 takes one per core
    #[arg(long, global = true, default_value_t = 0)]
    pub threads: usize,
    /// Directory for tables and plots; made if it is not there
    #[arg(long, global = true, default_value = "lab")]
    pub out: PathBuf,
    /// A first look: 100 rounds per point unless --rounds says otherwise
    #[arg(long, global = true)]
    pub quick: bool,
}

/// Which experiment.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum Choice {
    /// Every experiment, one after another
    All,
    /// One experiment
    #[command(flatten)]
    One(Experiment),
    /// Bids cleared per second on one thread, the whole loop from drawing agents to their accounts
    Throughput,
}

/// What the laboratory did.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// Seed of all random numbers.
    pub seed: u64,
    /// Rounds per point of a plot.
    pub rounds: u64,
    /// One entry for each experiment.
    pub experiments: Vec<Ran>,
    /// Present after `throughput`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throughput: Option<Throughput>,
}

/// One experiment that ran.
#[derive(Debug, Clone, Serialize)]
pub struct Ran {
    /// Its name.
    pub name: String,
    /// How long it took.
    pub seconds: f64,
    /// What it wrote.
    pub files: Vec<PathBuf>,
    /// The numbers that matter most.
    pub findings: Vec<Finding>,
}

/// Why the laboratory stopped.
#[derive(Debug, Error)]
pub enum LabError {
    /// It could not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// It could not write.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Runs what `args` ask for, with a progress bar on stderr if `progress`.
///
/// # Errors
/// [`LabError`] if threads cannot be started or files not written.
pub fn run(args: &LabArgs, progress: bool) -> Result<Summary, LabError> {
    let rounds = args.rounds.unwrap_or(if args.quick { 100 } else { 2000 });
    let progress = if progress { Progress::bar() } else { Progress::hidden() };
    let lab = Lab::new(args.seed, rounds, args.threads, progress)?;
    let mut summary = Summary { seed: args.seed, rounds, experiments: Vec::new(), throughput: None };
    for experiment in args.experiment.experiments() {
        let started = Instant::now();
        let report = experiment.run(&lab);
        let files = report.write(&args.out)?;
        let seconds = started.elapsed().as_secs_f64();
        summary.experiments.push(Ran { name: experiment.name(), seconds, files, findings: report.findings });
    }
    if matches!(args.experiment, Choice::Throughput) {
        summary.throughput = Some(throughput::measure(args.seed, rounds));
    }
    lab.progress().finish();
    Ok(summary)
}

impl Choice {
    fn experiments(self) -> Vec<Experiment> {
        match self {
            Self::All => Experiment::value_variants().to_vec(),
            Self::One(experiment) => vec![experiment],
            Self::Throughput => Vec::new(),
        }
    }
}

impl Summary {
    /// The summary for people.
    #[must_use]
    pub fn for_people(&self) -> String {
        let mut lines = Vec::new();
        for ran in &self.experiments {
            lines.push(format!("{}: {} rounds per point, {:.1} s", ran.name, self.rounds, ran.seconds));
            for finding in &ran.findings {
                let margin = finding.margin.map_or_else(String::new, |margin| format!(" ± {margin:.1}"));
                lines.push(format!("  {}: {:.1}{margin} {}", finding.what, finding.value, finding.unit));
            }
            lines.extend(ran.files.iter().map(|file| format!("  wrote {}", file.display())));
        }
        lines.extend(self.throughput.map(Throughput::text));
        lines.join("\n")
    }
}
