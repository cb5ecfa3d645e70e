//! Looks at all endpoints and compares what they say.

use super::health::{Verdict, compare, order};
use super::{Endpoints, LOOK_EVERY};
use alloy::eips::BlockNumberOrTag;
use alloy::primitives::{B256, BloomInput};
use alloy::providers::{DynProvider, Provider};
use alloy::rpc::types::{Filter, Header};
use futures_util::future::join_all;
use std::future::IntoFuture;
use std::time::Duration;
use tokio::time::{Instant, timeout};
use tracing::{debug, error, warn};

/// An endpoint that takes longer to say where it is counts as silent.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Blocks below the newest that all have, in which honest endpoints hardly ever differ.
const CONFIRMED: u64 = 2;

/// Looks in a row after which the chain is believed to have become shorter.
const PATIENCE: u32 = 30;

/// Whether endpoints say the same about a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Agreement {
    /// Another one has it too, or there is no other that answers.
    Undisputed,
    /// Another one has another block there.
    Disputed,
}

impl Endpoints {
    /// Looks at all of them, unless that was done a moment ago.
    pub(super) async fn look_if_due(&self) {
        let due = |endpoints: &Self| {
            let state = endpoints.state();
            let fresh = state.looked_at.is_some_and(|at| at.elapsed() < LOOK_EVERY);
            !fresh || order(&state.healths, state.floor).is_empty()
        };
        if due(self) {
            let looking = self.0.looking.lock().await;
            // Somebody else may have done it meanwhile.
            if due(self) {
                self.look_now().await;
            }
            drop(looking);
        }
    }

    /// Looks at all of them.
    pub(super) async fn look(&self) {
        let looking = self.0.looking.lock().await;
        self.look_now().await;
        drop(looking);
    }

    async fn look_now(&self) {
        self.pardon();
        let asked = self.0.endpoints.iter().map(|endpoint| async {
            let start = Instant::now();
            let latest = endpoint.provider.get_block_by_number(BlockNumberOrTag::Latest).into_future();
            let block = timeout(ANSWER_WITHIN, latest).await.ok().and_then(Result::ok).flatten();
            (block.map(|block| block.header.number), start.elapsed())
        });
        let heads = join_all(asked).await;
        {
            let mut state = self.state();
            for (health, (head, took)) in state.healths.iter_mut().zip(&heads) {
                health.head = *head;
                match head {
                    Some(_) => health.answered(u64::try_from(took.as_micros()).unwrap_or(u64::MAX)),
                    None => health.failed(),
                }
            }
            state.looked_at = Some(Instant::now());
        }
        self.identify().await;
        self.compare_blocks().await;
        self.lower_the_floor();
    }

    /// Asks those that are new which chain they are on.
    async fn identify(&self) {
        for (number, endpoint) in self.0.endpoints.iter().enumerate() {
            if self
                .state()
                .healths
                .get(number)
                .is_none_or(|health| health.identified || health.head.is_none())
            {
                continue;
            }
            let chain = timeout(ANSWER_WITHIN, endpoint.provider.get_chain_id().into_future()).await;
            let first = endpoint.provider.get_block_by_number(BlockNumberOrTag::Earliest).into_future();
            let first = timeout(ANSWER_WITHIN, first).await;
            let (Ok(Ok(chain)), Ok(Ok(Some(first)))) = (chain, first) else { continue };
            let found = (chain, first.header.hash);
            let expected = {
                let mut state = self.state();
                let right_chain = self.0.expected.is_none_or(|expected| expected == chain);
                if right_chain { Some(*state.identity.get_or_insert(found)) } else { None }
            };
            if let Some(health) = self.state().healths.get_mut(number) {
                health.identified = true;
            }
            if expected != Some(found) {
                self.distrust(number, "is on another chain");
            }
        }
    }

    /// Compares the newest block that all can be expected to have.
    async fn compare_blocks(&self) {
        let height = {
            let state = self.state();
            let counting = state.healths.iter().filter(|health| health.identified && !health.distrusted);
            let lowest = counting.filter_map(|health| health.head).min().unwrap_or(0);
            let height = lowest.saturating_sub(CONFIRMED);
            if height <= state.compared {
                return;
            }
            height
        };
        self.judge_block(height).await;
        let mut state = self.state();
        state.compared = state.compared.max(height);
    }

    /// Compares block `number` as all tell it, and finds out who is wrong if they differ.
    async fn judge_block(&self, number: u64) -> Agreement {
        let of = |number: u64| {
            move |provider: DynProvider| async move {
                let block = provider.get_block_by_number(number.into()).await.ok().flatten();
                block.map(|block| block.header)
            }
        };
        let headers: Vec<(usize, Header)> = self.ask_all(of(number)).await;
        let hashes: Vec<(usize, B256)> = headers.iter().map(|(who, header)| (*who, header.hash)).collect();
        if compare(&hashes) == Verdict::Agreed {
            return Agreement::Undisputed;
        }
        // Whose block is not what its hash says, or not what the next one of theirs says, has made it up.
        let next: Vec<(usize, Header)> = self.ask_all(of(number.saturating_add(1))).await;
        for (who, header) in &headers {
            let parent = next.iter().find(|(other, _)| other == who).map(|(_, next)| next.parent_hash);
            if parent.is_some_and(|parent| parent != header.hash) || header.inner.hash_slow() != header.hash {
                self.distrust(*who, "tells blocks that contradict each other");
            }
        }
        let trusted = |who: &usize| self.state().healths.get(*who).is_some_and(|health| !health.distrusted);
        let left: Vec<(usize, B256)> = hashes.into_iter().filter(|(who, _)| trusted(who)).collect();
        if self.judge(&left, "has a block that the others do not have").await == Verdict::Tie {
            error!(
                number,
                "endpoints have different blocks, and it cannot be told which is right: nothing is done meanwhile"
            );
            return Agreement::Disputed;
        }
        Agreement::Undisputed
    }

    /// Whether nobody has another block in place of this one.
    pub(crate) async fn agree_on(&self, number: u64, hash: B256) -> Agreement {
        let hashes = self
            .ask_all(|provider| async move {
                let block = provider.get_block_by_number(number.into()).await.ok().flatten();
                block.map(|block| block.header.hash)
            })
            .await;
        if hashes.iter().all(|(_, other)| *other == hash) {
            return Agreement::Undisputed;
        }
        debug!(number, %hash, ?hashes, "endpoints have different blocks");
        // Who is wrong is asked no more. What was read may be from there, so that it is read again in any case.
        self.judge_block(number).await;
        Agreement::Disputed
    }

    /// Compares the logs of a block, of which one endpoint gave some that `header` contradicts, as all tell them.
    pub(crate) async fn judge_logs(&self, header: &Header, filter: &Filter) {
        let answers = self
            .ask_all(|provider| {
                let filter = filter.clone();
                async move {
                    let mut logs = provider.get_logs(&filter).await.ok()?;
                    logs.sort_by_key(|log| log.log_index);
                    Some(logs.into_iter().map(|log| (log.log_index, log.inner)).collect::<Vec<_>>())
                }
            })
            .await;
        let counts: Vec<(usize, String)> =
            answers.iter().map(|(who, logs)| (*who, format!("{logs:?}"))).collect();
        if self.judge(&counts, "gives other logs of a block than the others").await != Verdict::Tie {
            return;
        }
        let bloom = header.logs_bloom;
        for (who, logs) in &answers {
            let known = |log: &alloy::primitives::Log| {
                let topics = log.topics().iter().all(|topic| bloom.contains_input(BloomInput::Raw(&topic.0)));
                topics && bloom.contains_input(BloomInput::Raw(log.address.as_slice()))
            };
            // The others have some, and their block says that there may be some.
            if logs.is_empty() || !logs.iter().all(|(_, log)| known(log)) {
                self.distrust(*who, "gives logs that their block contradicts");
            }
        }
    }

    /// Distrusts those whose answer is not that of most.
    pub(super) async fn judge<T: Ord>(&self, answers: &[(usize, T)], reason: &str) -> Verdict {
        let verdict = compare(answers);
        if let Verdict::Minority(others) = &verdict {
            others.iter().for_each(|who| self.distrust(*who, reason));
        }
        verdict
    }

    /// What those that are trusted and answer in time say.
    pub(super) async fn ask_all<T, F>(&self, ask: impl Fn(DynProvider) -> F) -> Vec<(usize, T)>
    where
        F: Future<Output = Option<T>>,
    {
        let trusted: Vec<usize> = {
            let state = self.state();
            let counts = |number: &usize| {
                state.healths.get(*number).is_some_and(|health| health.identified && !health.distrusted)
            };
            (0..self.0.endpoints.len()).filter(counts).collect()
        };
        let asked = trusted.into_iter().filter_map(|number| {
            let provider = self.0.endpoints.get(number)?.provider.clone();
            let answer = ask(provider);
            Some(async move { Some((number, timeout(ANSWER_WITHIN, answer).await.ok().flatten()?)) })
        });
        join_all(asked).await.into_iter().flatten().collect()
    }

    /// A chain hardly ever becomes shorter. If everybody says so for long, it has.
    fn lower_the_floor(&self) {
        let mut state = self.state();
        if !order(&state.healths, state.floor).is_empty() {
            state.below = 0;
            return;
        }
        let best = order(&state.healths, 0).first().copied();
        let Some(head) = best.and_then(|best| state.healths.get(best)?.head) else { return };
        state.below = state.below.saturating_add(1);
        if state.below >= PATIENCE {
            warn!(before = state.floor, now = head, "the chain has become shorter, as every endpoint says");
            (state.floor, state.compared, state.below) = (head, 0, 0);
        }
    }
}
