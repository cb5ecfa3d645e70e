//! `proophi lab` without the rest of the command line.
use clap::Parser;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    lab: simulation::cli::LabArgs,
}

fn main() {
    match simulation::cli::run(&Cli::parse().lab, true) {
        Ok(summary) => println!("{}", summary.for_people()),
        Err(error) => eprintln!("error: {error}"),
    }
}
