//! Threads that each take one job at a time.
//!
//! A job computes for seconds on several cores, so it never runs on the threads of the async runtime. It cannot be stopped;
//! whoever gave it looks at the time when its result comes back.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use thiserror::Error;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// A fixed number of workers that turn jobs `J` into results `R`.
///
/// Dropping the pool ends each worker after the job it is at; nobody waits for that.
#[derive(Debug)]
pub struct Pool<J, R> {
    jobs: mpsc::Sender<J>,
    finished: UnboundedReceiver<Finished<J, R>>,
    workers: usize,
    running: usize,
}

/// A job that has ended.
#[derive(Debug)]
pub struct Finished<J, R> {
    /// The job.
    pub job: J,
    /// What came of it.
    pub result: Result<R, Panicked>,
    /// How long it took.
    pub took: Duration,
}

/// The job panicked; the worker goes on with the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the job panicked")]
pub struct Panicked;

/// Why a pool cannot be started.
#[derive(Debug, Error)]
pub enum PoolError {
    /// The system gives no more threads.
    #[error("cannot start {0} threads; use fewer workers")]
    Threads(usize),
}

impl<J: Send + Sync + 'static, R: Send + 'static> Pool<J, R> {
    /// Starts `workers` workers (at least 1) with `threads` threads each (at least 1) for `work` to use through rayon.
    ///
    /// # Errors
    /// If the threads cannot be started.
    pub fn start<F>(workers: usize, threads: usize, work: F) -> Result<Self, PoolError>
    where
        F: Fn(&J) -> R + Send + Sync + 'static,
    {
        let (workers, threads) = (workers.max(1), threads.max(1));
        let failed = || PoolError::Threads(workers.saturating_mul(threads));
        let (jobs, queue) = mpsc::channel();
        let (done, finished) = unbounded_channel();
        let (queue, work) = (Arc::new(Mutex::new(queue)), Arc::new(work));
        for number in 0..workers {
            let inner = rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(|_| failed())?;
            let (queue, work, done) = (Arc::clone(&queue), Arc::clone(&work), done.clone());
            thread::Builder::new()
                .name(format!("prover-{number}"))
                .spawn(move || serve(&queue, &inner, work.as_ref(), &done))
                .map_err(|_| failed())?;
        }
        Ok(Self { jobs, finished, workers, running: 0 })
    }

    /// Gives a job to an idle worker, or lets it wait for one.
    pub fn submit(&mut self, job: J) {
        // The workers hold the other end for as long as the pool lives.
        if self.jobs.send(job).is_ok() {
            self.running += 1;
        }
    }

    /// The next job that ends; waits for ever while there is none.
    ///
    /// Cancel safe: a dropped call loses no result.
    pub async fn finished(&mut self) -> Finished<J, R> {
        match self.finished.recv().await {
            Some(finished) => {
                self.running = self.running.saturating_sub(1);
                finished
            }
            None => std::future::pending().await,
        }
    }

    /// Number of workers.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.workers
    }

    /// Jobs that were submitted and whose end has not been seen.
    #[must_use]
    pub fn running(&self) -> usize {
        self.running
    }
}

fn serve<J: Send + Sync, R: Send>(
    queue: &Mutex<mpsc::Receiver<J>>,
    inner: &rayon::ThreadPool,
    work: &(impl Fn(&J) -> R + Sync),
    done: &UnboundedSender<Finished<J, R>>,
) {
    loop {
        // A poisoned lock still guards a sound queue: taking from it does not panic half-way.
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        let start = Instant::now();
        // What a panicking job leaves half-done is its own: it borrows nothing that others see.
        let result = catch_unwind(AssertUnwindSafe(|| inner.install(|| work(&job)))).map_err(|_| Panicked);
        if done.send(Finished { job, result, took: start.elapsed() }).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Barrier, mpsc};

    use super::*;

    #[tokio::test]
    async fn every_job_comes_back_with_its_result() {
        let mut pool = Pool::start(2, 1, |job: &u32| job * 2).unwrap();
        (0..10).for_each(|job| pool.submit(job));
        assert_eq!(pool.running(), 10);
        let mut results = Vec::new();
        for _ in 0..10 {
            let finished = pool.finished().await;
            results.push((finished.job, finished.result.unwrap()));
        }
        results.sort_unstable();
        assert_eq!(results, (0..10).map(|job| (job, job * 2)).collect::<Vec<_>>());
        assert_eq!(pool.running(), 0);
    }

    #[tokio::test]
    async fn workers_work_at_the_same_time() {
        let meeting = Arc::new(Barrier::new(2));
        let mut pool = Pool::start(2, 1, move |_: &u32| meeting.wait().is_leader()).unwrap();
        pool.submit(0);
        pool.submit(1);
        let leaders = [pool.finished().await, pool.finished().await];
        assert_eq!(leaders.iter().filter(|finished| finished.result == Ok(true)).count(), 1);
    }

    #[tokio::test]
    async fn a_panic_costs_its_own_job_only() {
        let mut pool = Pool::start(1, 1, |job: &u32| 10u32.checked_div(*job).expect("planted")).unwrap();
        pool.submit(0);
        pool.submit(5);
        assert_eq!(pool.finished().await.result, Err(Panicked));
        assert_eq!(pool.finished().await.result, Ok(2));
    }

    #[tokio::test]
    async fn a_job_uses_the_threads_of_its_worker() {
        let mut pool = Pool::start(1, 3, |()| rayon::current_num_threads()).unwrap();
        pool.submit(());
        assert_eq!(pool.finished().await.result, Ok(3));
    }

    #[test]
    fn dropping_the_pool_does_not_wait_for_its_jobs() {
        let (release, blocked) = mpsc::channel::<()>();
        let blocked = Mutex::new(blocked);
        let (ended, end) = mpsc::channel();
        let mut pool = Pool::start(1, 1, move |()| {
            let _ = blocked.lock().unwrap().recv();
            let _ = ended.send(());
        })
        .unwrap();
        pool.submit(());
        drop(pool);
        assert_eq!(end.try_recv(), Err(mpsc::TryRecvError::Empty));
        release.send(()).unwrap();
        assert_eq!(end.recv_timeout(Duration::from_secs(10)), Ok(()));
    }
}
