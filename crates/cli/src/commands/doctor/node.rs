//! The endpoints of the chain: who answers, which chain, how old its head is, whether logs can be read.

use super::findings::Findings;
use super::settings::{Found, without_secret};
use alloy::eips::BlockNumberOrTag;
use alloy::providers::Provider;
use alloy::rpc::types::Filter;
use chain::{Client, Connection, ConnectionOptions};
use std::time::{Duration, Instant, SystemTime};
use tokio::time::timeout;

/// An endpoint that takes longer is as good as none.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Answers that take longer deserve a look.
const SLOW: Duration = Duration::from_secs(1);
/// Blocks over which the chain's pace is measured.
const PACE_OVER: u64 = 20;
/// The head may be so old (seconds), and so many times the time between blocks.
const OLD: (u64, u64) = (60, 5);
/// If it is older than this, the node stands still.
const DEAD: (u64, u64) = (900, 20);
/// How far the chain's clock may be ahead of this machine's (seconds).
const AHEAD: u64 = 15;

/// Asks every endpoint. A connection to the first that is of use.
pub(super) async fn endpoints(settings: &Found, findings: &mut Findings) -> Option<Connection> {
    let (mut connected, urls) = (None, settings.urls());
    let several = urls.len() > 1;
    for url in urls {
        let (shown, started) = (without_secret(url), Instant::now());
        let options = ConnectionOptions::new(url);
        let answer = timeout(ANSWER_WITHIN, Connection::connect(&options)).await;
        let connection = match answer {
            Ok(Ok(connection)) => connection,
            other => {
                let why = match other {
                    Ok(Err(error)) => error.to_string().replace(url.trim_end_matches('/'), &shown),
                    _ => format!("no answer within {} s", ANSWER_WITHIN.as_secs()),
                };
                let advice = "start the node, or name another with --rpc-url";
                match several {
                    true => findings.warn("rpc", format!("{shown}: {why}"), advice),
                    false => findings.fail("rpc", format!("{shown}: {why}"), advice),
                }
                continue;
            }
        };
        let took = started.elapsed();
        let found = format!("{shown} answers in {} ms", took.as_millis());
        if took > SLOW {
            findings.warn("rpc", found, "use a node that is nearer or less busy: deadlines are short");
        } else {
            findings.ok("rpc", found);
        }
        if is_expected(&connection, settings.chain_id, &shown, findings) && connected.is_none() {
            connected = Some(connection);
        }
    }
    if connected.is_none() && several {
        findings.fail("rpc", "none of the endpoints is of use", "name one that is with --rpc-url");
    }
    connected
}

fn is_expected(connection: &Connection, expected: Option<u64>, shown: &str, findings: &mut Findings) -> bool {
    let chain = connection.chain_id();
    match expected {
        Some(expected) if expected != chain => {
            findings.fail(
                "chain",
                format!("{shown} is on chain {chain}, not on {expected}"),
                "check --rpc-url and --chain-id",
            );
            return false;
        }
        Some(_) => findings.ok("chain", format!("{chain}, as expected")),
        None => findings.warn(
            "chain",
            format!("{chain}, and any other would do"),
            format!("set chain_id = {chain}, so that a wrong endpoint is noticed"),
        ),
    }
    true
}

/// How old the head is, and how far this machine's clock is from the chain's.
pub(super) async fn head(connection: &Connection, findings: &mut Findings) {
    const CHECK: &str = "head";
    let head = match connection.head().await {
        Ok(head) => head,
        Err(error) => return findings.fail(CHECK, error.to_string(), "use another node"),
    };
    let before = BlockNumberOrTag::Number(head.number.saturating_sub(PACE_OVER));
    let earlier = connection.provider().get_block_by_number(before).await.ok().flatten();
    let pace = earlier.map_or(0, |block| {
        let blocks = head.number.saturating_sub(block.header.number).max(1);
        head.timestamp.saturating_sub(block.header.timestamp) / blocks
    });
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |now| now.as_secs());
    if head.timestamp > now.saturating_add(AHEAD) {
        let ahead = head.timestamp - now;
        findings.warn(
            "clock",
            format!("the chain is {ahead} s ahead of this machine"),
            "set this machine's clock (NTP); the market goes by block time, logs and alerts by this clock",
        );
        return findings.ok(CHECK, format!("block {}", head.number));
    }
    let age = now.saturating_sub(head.timestamp);
    let found = format!("block {}, {age} s old; about {pace} s between blocks", head.number);
    let limit = |(seconds, blocks): (u64, u64)| seconds.max(pace.saturating_mul(blocks));
    if age > limit(DEAD) {
        let advice = "the node stands still, or this machine's clock is ahead: let it catch up, set the clock, or use another node";
        findings.fail(CHECK, found, advice);
    } else if age > limit(OLD) {
        findings.warn(CHECK, found, "the node lags behind, or this machine's clock is ahead");
    } else {
        findings.ok(CHECK, found);
    }
}

/// Whether logs can be read: the newest span of blocks, and the first one that programs ask for.
pub(super) async fn logs(client: &Client, settings: &Found, findings: &mut Findings) {
    const CHECK: &str = "logs";
    let Ok(head) = client.head().await else { return };
    let (first, span) = (settings.from_block.unwrap_or(0), settings.span());
    if first > head.number {
        let found = format!("the first block to read is {first}, and the newest is {}", head.number);
        return findings.fail(CHECK, found, "set from_block to the block of the contract's deployment");
    }
    let newest = first.max(head.number.saturating_sub(span - 1));
    let oldest = head.number.min(first.saturating_add(span - 1));
    for (from, to, advice) in [
        (
            newest,
            head.number,
            "programs ask for fewer blocks then, which takes longer; set a smaller max_span",
        ),
        (
            first,
            oldest,
            "the node lacks old logs, or limits its answers; use one that keeps them, or a smaller max_span",
        ),
    ] {
        let filter = Filter::new().address(client.contract()).from_block(from).to_block(to);
        let started = Instant::now();
        match client.provider().get_logs(&filter).await {
            Ok(logs) => findings.ok(
                CHECK,
                format!("{} of blocks {from} to {to} in {} ms", logs.len(), started.elapsed().as_millis()),
            ),
            Err(error) => {
                let why = error
                    .as_error_resp()
                    .map_or_else(|| "no answer".to_owned(), |said| said.message.to_string());
                findings.warn(CHECK, format!("blocks {from} to {to}: {why}"), advice);
            }
        }
        if (newest, head.number) == (first, oldest) {
            return;
        }
    }
}
