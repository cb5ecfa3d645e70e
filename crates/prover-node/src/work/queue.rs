//! Proving on several machines: tasks wait in a queue of NATS JetStream, from which any number of workers take them.
//!
//! A task is known by the hash of its content. Its proof stays in the queue for a day, so that a node that was restarted finds what it asked
//! for before. A worker that ends in the middle of a task does not keep it: without a sign of life it is given to another one. Whoever can
//! write to the queue can waste the workers' time, and no more: the node verifies each answer, and waits on if it is no proof.

use std::{future::Future, sync::Arc, time::Duration};

use alloy::primitives::keccak256;
use async_nats::{
    Client, ConnectError, HeaderMap,
    jetstream::{self, AckKind, consumer, stream},
};
use circuits::{PROOF_WORDS, Proof, Task, Word};
use futures_util::StreamExt;
use service::{CANNOT_QUEUE, NOT_A_TASK, PROVING_FAILED, trouble};
use thiserror::Error;
use tokio::{
    runtime::Handle,
    task::spawn_blocking,
    time::{MissedTickBehavior, interval, timeout},
};

use super::{KeyRing, ProofError};

/// How long a task and its proof are kept.
const KEPT: Duration = Duration::from_secs(24 * 3600);

/// A worker that is silent for so long has lost its task to another one.
const SILENCE: Duration = Duration::from_secs(15);

/// Workers that may try a task.
const TRIES: i64 = 3;

/// Most bytes that wait in a queue.
const MOST_BYTES: i64 = 1 << 30;

/// A queue of one market's tasks. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Queue {
    client: Client,
    context: jetstream::Context,
    name: String,
    jobs: stream::Stream,
    proofs: stream::Stream,
}

/// Why a queue is of no use.
#[derive(Debug, Error)]
pub enum QueueError {
    /// Nobody answers there.
    #[error("no connection to the queue: {0}; is the NATS server running, and the URL right?")]
    Connect(#[from] ConnectError),
    /// The server does not do what is asked.
    #[error(
        "the queue refuses: {0}; has the NATS server JetStream (`nats-server --jetstream`), and room on its disk?"
    )]
    Refused(Box<dyn std::error::Error + Send + Sync>),
    /// No worker answered.
    #[error("no proof came within {0:?}; is a worker running (`prover-node work`)?")]
    Silent(Duration),
}

impl QueueError {
    fn refused(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Refused(error.into())
    }
}

impl Queue {
    /// Connects to the NATS server at `url` and makes the queue with that `name` (letters, digits, `-` and `_`) if it is not there.
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn connect(url: &str, name: &str) -> Result<Self, QueueError> {
        let client = async_nats::connect(url).await?;
        let context = jetstream::new(client.clone());
        let common = |what: &str| stream::Config {
            name: format!("PROOPHI-{name}-{what}"),
            subjects: vec![format!("proophi.{name}.{what}.>")],
            max_age: KEPT,
            max_bytes: MOST_BYTES,
            max_messages_per_subject: 1,
            ..stream::Config::default()
        };
        let jobs = stream::Config { retention: stream::RetentionPolicy::WorkQueue, ..common("job") };
        let jobs = context.get_or_create_stream(jobs).await.map_err(QueueError::refused)?;
        let proofs = context.get_or_create_stream(common("proof")).await.map_err(QueueError::refused)?;
        Ok(Self { client, context, name: name.to_owned(), jobs, proofs })
    }

    fn subject(&self, what: &str, id: &str) -> String {
        format!("proophi.{}.{what}.{id}", self.name)
    }

    /// Lets a worker prove the task, and waits for a proof that `accepts` holds for. Asked again for the same task, it gives the same proof
    /// without any work.
    ///
    /// # Errors
    /// [`QueueError`], [`QueueError::Silent`] after `patience`.
    pub async fn prove(
        &self,
        task: &Task,
        patience: Duration,
        accepts: impl Fn(&Proof) -> bool,
    ) -> Result<Proof, QueueError> {
        let accepted = |payload: &[u8]| to_proof(payload).filter(|proof| accepts(proof));
        let content = task.encode();
        let id = alloy::hex::encode(keccak256(&content));
        let answers = self.client.subscribe(self.subject("proof", &id)).await;
        let mut answers = answers.map_err(QueueError::refused)?;
        // Made before this was asked, perhaps by a node that has ended since.
        if let Ok(made) = self.proofs.get_last_raw_message_by_subject(&self.subject("proof", &id)).await
            && let Some(proof) = accepted(&made.payload)
        {
            return Ok(proof);
        }
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Msg-Id", id.as_str());
        let sent = self.context.publish_with_headers(self.subject("job", &id), headers, content.into()).await;
        sent.map_err(QueueError::refused)?.await.map_err(QueueError::refused)?;
        let answer = async {
            loop {
                match answers.next().await {
                    Some(answer) => {
                        if let Some(proof) = accepted(&answer.payload) {
                            return Ok(proof);
                        }
                    }
                    None => return Err(QueueError::refused("the subscription has ended")),
                }
            }
        };
        timeout(patience, answer).await.map_err(|_| QueueError::Silent(patience))?
    }

    /// Takes tasks and proves them with `keys`, one after the other, until `stop` ends; the task that it is at is finished.
    ///
    /// # Errors
    /// [`QueueError`] if it cannot begin, or the server has forgotten the queue.
    pub async fn work(
        &self,
        keys: Arc<KeyRing>,
        threads: usize,
        stop: impl Future<Output = ()>,
    ) -> Result<(), QueueError> {
        let config = consumer::pull::Config {
            durable_name: Some("workers".to_owned()),
            ack_wait: SILENCE,
            max_deliver: TRIES,
            ..consumer::pull::Config::default()
        };
        let consumer =
            self.jobs.get_or_create_consumer("workers", config).await.map_err(QueueError::refused)?;
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.max(1)).build();
        let pool = Arc::new(pool.map_err(QueueError::refused)?);
        // One at a time: what a worker holds and does not work at, no other can work at.
        let messages = consumer.stream().max_messages_per_batch(1).messages();
        let mut messages = messages.await.map_err(QueueError::refused)?;
        tokio::pin!(stop);
        loop {
            let message = tokio::select! {
                () = &mut stop => return Ok(()),
                message = messages.next() => message,
            };
            match message {
                Some(Ok(message)) => self.serve(&message, &keys, &pool).await,
                Some(Err(error)) => trouble!(warn, CANNOT_QUEUE, %error, "the queue gives no tasks"),
                None => return Err(QueueError::refused("the queue's consumer has ended")),
            }
        }
    }

    /// Proves what a message asks for, and answers.
    async fn serve(&self, message: &jetstream::Message, keys: &Arc<KeyRing>, pool: &Arc<rayon::ThreadPool>) {
        let Ok(task) = Task::decode(&message.payload) else {
            trouble!(warn, NOT_A_TASK, subject = %message.subject, "the queue holds what is no task");
            return acknowledge(message, AckKind::Term).await;
        };
        let (keys, pool) = (Arc::clone(keys), Arc::clone(pool));
        let work = spawn_blocking(move || pool.install(|| keys.prove(&task)));
        tokio::pin!(work);
        let mut signs = interval(SILENCE / 3);
        signs.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let result = loop {
            tokio::select! {
                result = &mut work => break result,
                _ = signs.tick() => acknowledge(message, AckKind::Progress).await,
            }
        };
        let proof = match result {
            Ok(Ok(proof)) => proof,
            Ok(Err(error)) => {
                trouble!(error, PROVING_FAILED, %error, subject = %message.subject, "proving failed");
                return acknowledge(message, AckKind::Nak(Some(SILENCE))).await;
            }
            Err(_) => {
                trouble!(error, PROVING_FAILED, subject = %message.subject, "the worker panicked");
                return acknowledge(message, AckKind::Nak(Some(SILENCE))).await;
            }
        };
        let id = message.subject.rsplit('.').next().unwrap_or_default();
        let words = proof.to_words().concat();
        // The task is done once its proof is kept.
        match self.context.publish(self.subject("proof", id), words.into()).await {
            Ok(kept) => match kept.await {
                Ok(_) => acknowledge(message, AckKind::Ack).await,
                Err(error) => trouble!(warn, CANNOT_QUEUE, %error, "the queue does not keep a proof"),
            },
            Err(error) => trouble!(warn, CANNOT_QUEUE, %error, "the queue does not take a proof"),
        }
    }
}

/// Lost, the message comes again.
async fn acknowledge(message: &jetstream::Message, kind: AckKind) {
    if let Err(error) = message.ack_with(kind).await {
        trouble!(warn, CANNOT_QUEUE, %error, "the queue cannot be told what became of a task");
    }
}

fn to_proof(payload: &[u8]) -> Option<Proof> {
    let (words, []) = payload.as_chunks::<32>() else { return None };
    let words: &[Word; PROOF_WORDS] = words.try_into().ok()?;
    Proof::from_words(words)
}

/// Proves by a queue, from a thread that may block.
#[derive(Debug)]
pub struct Remote {
    /// The queue.
    pub queue: Queue,
    /// The runtime that talks to it.
    pub runtime: Handle,
    /// How long to wait for one proof.
    pub patience: Duration,
}

impl Remote {
    /// Lets a worker prove the task.
    ///
    /// # Errors
    /// [`ProofError`].
    pub fn prove(&self, keys: &KeyRing, task: &Task) -> Result<Proof, ProofError> {
        let accepts = |proof: &Proof| keys.is_proof(task, proof);
        Ok(self.runtime.block_on(self.queue.prove(task, self.patience, accepts))?)
    }
}
