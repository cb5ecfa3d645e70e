//! The fault suite: real programs against a real chain, behind endpoints that fail, lie and kill.
//!
//! | module | what is in it |
//! |---|---|
//! | `fault` | every kind of fault, and what goes wrong in the schedule of a seed |
//! | `world` | a chain with a market, the programs that serve it, and somebody who bids |
//! | `program` | a program as a process that is killed, started again and looked at |
//! | `gate` | the endpoints of a program, which fail as its faults say |
//! | `blocks` | the chain: blocks, reorganisations, the price of gas |
//! | `disk` | what happens to a journal's files |
//! | `run` | one schedule, from bids to deliveries |
//! | `properties` | what holds after every schedule |
//! | `report` | what happened how often |
//! | `dice` | chance that a seed decides alone |

mod blocks;
mod dice;
mod disk;
mod fault;
mod gate;
mod program;
mod properties;
mod report;
mod run;
mod world;

use clap::Parser;
use fault::Schedule;
use futures_util::FutureExt;
use indicatif::{ProgressBar, ProgressStyle};
use properties::{PROPERTIES, Violation};
use report::Report;
use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;
use world::World;

/// Schedules in one world; then another one is made, so that chains stay short.
const IN_A_WORLD: usize = 60;

/// Worlds of a lane that could not be made, after which nothing more is tried.
const WORLDLESS: usize = 3;

/// Tries the programs against faults of every kind
#[derive(Debug, Parser)]
#[command(name = "faults")]
struct Cli {
    /// Run this schedule alone, in a world of its own, and keep what the programs said
    #[arg(long)]
    seed: Option<u64>,
    /// How many schedules to run
    #[arg(long, default_value_t = 500)]
    schedules: u64,
    /// Besides, end each program at so many of its calls of one settlement and of one delivery, one after the other
    #[arg(long, default_value_t = 0)]
    every_call: u64,
    /// Seed of the first one
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Worlds at once
    #[arg(long, default_value_t = 4)]
    lanes: usize,
    /// Where logs of failures are kept
    #[arg(long, default_value = "cache/faults")]
    logs: PathBuf,
    /// Print every kind of fault and every property, and run nothing
    #[arg(long)]
    list: bool,
}

#[derive(Debug)]
struct Shared {
    /// Schedules that are left, by the endpoints that they want.
    left: Mutex<[VecDeque<Schedule>; 2]>,
    report: Mutex<Report>,
    progress: ProgressBar,
    logs: PathBuf,
    /// Whether what programs said is kept in any case.
    alone: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if cli.list {
        fault::Kind::ALL.iter().for_each(|kind| println!("{:<20} {}", kind.name(), kind.what()));
        PROPERTIES.iter().for_each(|(name, what)| println!("{name:<20} {what}"));
        return ExitCode::SUCCESS;
    }
    let seeds = cli.seed.map_or(cli.from..cli.from + cli.schedules, |seed| seed..seed + 1);
    let every_call = (0..2 * cli.every_call).map(|number| fault::EVERY_CALL + number);
    let (began, alone) = (Instant::now(), cli.seed.is_some());
    let mut left = <[VecDeque<Schedule>; 2]>::default();
    for schedule in seeds.chain(every_call).map(Schedule::of) {
        if alone {
            println!("{} endpoints, {} further bids", schedule.endpoints, schedule.losers);
            schedule.faults.iter().for_each(|fault| println!("{fault}"));
        }
        left[usize::from(schedule.endpoints > 1)].push_back(schedule);
    }
    let count = left.iter().map(VecDeque::len).sum::<usize>();
    let progress = ProgressBar::new(u64::try_from(count).unwrap_or(u64::MAX));
    let style =
        ProgressStyle::with_template("{bar:40} {pos}/{len} schedules, {msg} failed, {elapsed}, {eta} left");
    progress.set_style(style.expect("a template"));
    progress.set_message("0");
    let shared = Arc::new(Shared {
        left: Mutex::new(left),
        report: Mutex::default(),
        progress,
        logs: cli.logs,
        alone,
    });
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let lanes = (0..cli.lanes.min(count)).map(|lane| {
        let (handle, shared) = (runtime.handle().clone(), Arc::clone(&shared));
        std::thread::spawn(move || handle.block_on(lane_of(&shared, lane)))
    });
    // All of them end before this program does, and their chains with them.
    let ended: Vec<_> = lanes.collect::<Vec<_>>().into_iter().map(JoinHandle::join).collect();
    shared.progress.finish_and_clear();
    let broken = ended.iter().filter(|lane| lane.is_err()).count();
    if broken > 0 {
        println!("FAILED: {broken} lanes broke off");
    }
    let report = shared.report.lock().unwrap_or_else(PoisonError::into_inner);
    println!("{}", report.table());
    let idle = if alone || count < 100 { Vec::new() } else { report.idle() };
    for kind in &idle {
        println!("FAILED: {kind} never had an effect");
    }
    let planted = is_planted("true");
    if planted {
        println!("FAILED: planted failure");
    }
    let failed = report.failed.len() + idle.len() + broken + usize::from(planted);
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    println!(
        "test result: {verdict}. {} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out; finished in {:.2?}",
        report.passed,
        began.elapsed()
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether this failure is asked for, to see that it shows.
fn is_planted(failure: &str) -> bool {
    std::env::var_os("PROOPHI_CANARY").is_some_and(|planted| planted == failure)
}

/// Runs schedules until none is left, those first that want as many endpoints as the world has.
async fn lane_of(shared: &Shared, lane: usize) {
    let mut world = None;
    let (mut runs, mut failures) = (0, 0);
    loop {
        let endpoints = world.as_ref().map_or(if lane == 0 { 3 } else { 1 }, |world: &World| world.endpoints);
        let Some(schedule) = shared.next(endpoints) else { return };
        if runs >= IN_A_WORLD || world.as_ref().is_some_and(|world| world.endpoints != schedule.endpoints) {
            world = None;
        }
        if world.is_none() {
            runs = 0;
            match to_its_end(World::new(schedule.endpoints)).await {
                Ok(new) => world = Some(new),
                Err(broken) => {
                    shared.report(&schedule, &broken.into(), None);
                    failures += 1;
                }
            }
        }
        if failures >= WORLDLESS {
            // Each try takes seconds, and there may be hundreds.
            shared.give_up();
        }
        let Some(here) = world.as_mut() else { continue };
        let schedule_run = async {
            assert!(!(is_planted("schedule") && schedule.seed == 0), "planted failure");
            run::run(here, &schedule).await
        };
        let outcome = to_its_end(schedule_run).await.unwrap_or_else(Into::into);
        runs += 1;
        shared.report(&schedule, &outcome, Some(here.dir.path()));
        if !outcome.violations.is_empty() {
            // What went wrong must not show in the next schedule as well.
            world = None;
        }
    }
}

/// What comes of it, or where this program panicked: the other schedules go on.
async fn to_its_end<T>(what: impl Future<Output = T>) -> Result<T, Violation> {
    // Whatever was in the middle of a change is given up.
    AssertUnwindSafe(what).catch_unwind().await.map_err(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without words");
        Violation { property: "carried-out", what: said.to_owned() }
    })
}

impl Shared {
    fn next(&self, endpoints: usize) -> Option<Schedule> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let [one, several] = &mut *left;
        let (first, second) = if endpoints > 1 { (several, one) } else { (one, several) };
        first.pop_front().or_else(|| second.pop_front())
    }

    /// Reports what is left as not carried out.
    fn give_up(&self) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let given_up: Vec<_> = left.iter_mut().flat_map(std::mem::take).collect();
        drop(left);
        let mut report = self.report.lock().unwrap_or_else(PoisonError::into_inner);
        let what = "no world could be made for schedules before it".to_owned();
        let outcome = run::Outcome::from(Violation { property: "carried-out", what });
        given_up.iter().for_each(|schedule| report.add(schedule.seed, &outcome));
        if !given_up.is_empty() {
            println!("FAILED: {} more schedules, as no world could be made", given_up.len());
        }
    }

    fn report(&self, schedule: &Schedule, outcome: &run::Outcome, logs: Option<&Path>) {
        let mut report = self.report.lock().unwrap_or_else(PoisonError::into_inner);
        report.add(schedule.seed, outcome);
        self.progress.set_message(report.failed.len().to_string());
        self.progress.inc(1);
        drop(report);
        let done = self.progress.position();
        if self.progress.is_hidden() && done.is_multiple_of(50) {
            println!("{done} of {} schedules", self.progress.length().unwrap_or_default());
        }
        if outcome.violations.is_empty() && !self.alone {
            return;
        }
        let kept = self.logs.join(format!("seed-{}", schedule.seed));
        let kept = if logs.is_some_and(|logs| keep(logs, &kept).is_ok()) { kept } else { PathBuf::new() };
        if outcome.violations.is_empty() {
            println!("logs: {}", kept.display());
            return;
        }
        self.progress.suspend(|| {
            println!("FAILED: seed {} with {} endpoints", schedule.seed, schedule.endpoints);
            schedule.faults.iter().for_each(|fault| println!("    {fault}"));
            for Violation { property, what } in &outcome.violations {
                println!("    {property}: {what}");
            }
            let logs = if kept.as_os_str().is_empty() { "none".into() } else { kept.display().to_string() };
            println!("    replay: make faults SEED={}    logs: {logs}", schedule.seed);
        });
    }
}

fn keep(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "log" || end == "db")
            && let Some(name) = path.file_name()
        {
            std::fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}
