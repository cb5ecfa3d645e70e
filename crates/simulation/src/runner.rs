//! Plays rounds on every core, always with the same result.

use crate::progress::Progress;
use crate::random::{Stream, stream};
use rayon::prelude::*;
use thiserror::Error;

/// Why the laboratory cannot start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The threads could not be made.
    #[error("cannot start {threads} threads ({reason}); try --threads 1")]
    Threads {
        /// How many were asked for.
        threads: usize,
        /// What the system says.
        reason: rayon::ThreadPoolBuildError,
    },
}

/// Seed, number of rounds, threads and progress of an experiment.
#[derive(Debug)]
pub struct Lab {
    seed: u64,
    rounds: u64,
    pool: rayon::ThreadPool,
    progress: Progress,
}

impl Lab {
    /// A laboratory of `threads` threads (0: one per core) that plays `rounds` rounds for each point of a plot.
    ///
    /// # Errors
    /// [`StartError`] if the threads cannot be started.
    pub fn new(seed: u64, rounds: u64, threads: usize, progress: Progress) -> Result<Self, StartError> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .map_err(|reason| StartError::Threads { threads, reason })?;
        Ok(Self { seed, rounds, pool, progress })
    }

    /// How many rounds are played for each point of a plot.
    #[must_use]
    pub const fn rounds(&self) -> u64 {
        self.rounds
    }

    /// How many threads there are.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// Where to tell how far an experiment is.
    #[must_use]
    pub const fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Plays every round of a series; the results come in the order of the rounds.
    ///
    /// Series with one label meet the same participants.
    pub fn series<T: Send>(&self, label: &str, play: impl Fn(&mut Stream, u64) -> T + Sync) -> Vec<T> {
        self.some_rounds(label, self.rounds, play)
    }

    /// [`Self::series`] of another length.
    pub fn some_rounds<T: Send>(
        &self,
        label: &str,
        rounds: u64,
        play: impl Fn(&mut Stream, u64) -> T + Sync,
    ) -> Vec<T> {
        let one = |round| {
            let result = play(&mut stream(self.seed, label, round), round);
            self.progress.step();
            result
        };
        self.pool.install(|| (0..rounds).into_par_iter().map(one).collect())
    }
}
