//! The endpoints of one program, which fail as its faults say.

use crate::dice::Dice;
use crate::fault::{Class, Fault, Kind};
use crate::program::Process;
use alloy::primitives::{Address, B256, hex, keccak256};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};
use testkit::{Behind, Proxy, Reply};
use tokio::sync::RwLock;

/// The endpoints of one program.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    urls: Vec<String>,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    troubles: Mutex<Vec<Trouble>>,
    /// Held while blocks are replaced, which endpoints do in one go.
    chain: Arc<RwLock<()>>,
    process: Process,
    sender: Address,
    /// When a call was disturbed last.
    disturbed: Mutex<Option<Instant>>,
    /// Blocks whose logs were left out once.
    hidden: Mutex<BTreeSet<String>>,
    /// Whether the program has one endpoint only.
    alone: bool,
}

/// A fault under way here.
#[derive(Debug, Clone, Copy)]
struct Trouble {
    number: usize,
    fault: Fault,
    /// The only endpoint that it is at; `None`: all of them.
    endpoint: Option<usize>,
    skip: u64,
    left: u64,
    effects: u64,
}

impl Gate {
    /// Endpoints before the chain at `behind`, of `process`, which sends from `sender`.
    pub(crate) fn new(
        behind: &str,
        endpoints: usize,
        chain: &Arc<RwLock<()>>,
        process: &Process,
        sender: Address,
    ) -> Self {
        let state = Arc::new(State {
            troubles: Mutex::default(),
            chain: Arc::clone(chain),
            process: process.clone(),
            sender,
            disturbed: Mutex::default(),
            hidden: Mutex::default(),
            alone: endpoints == 1,
        });
        let serve = |endpoint| {
            let (proxy, state) = (Proxy::to(behind), Arc::clone(&state));
            proxy.reply(move |request, behind| state.reply(endpoint, request, behind));
            proxy.url().to_owned()
        };
        Self { urls: (0..endpoints).map(serve).collect(), state }
    }

    /// Their addresses, with commas between.
    pub(crate) fn urls(&self) -> String {
        self.urls.join(",")
    }

    /// Begins a fault.
    pub(crate) fn begin(&self, number: usize, fault: Fault) {
        let endpoints = self.urls.len();
        // A lie is told by one of several; the others may fail all at once.
        let lies = matches!(fault.kind, Kind::WrongBlock | Kind::LogsMissing | Kind::Stale | Kind::Garbage);
        let one =
            endpoints > 1 && (lies || fault.chance.is_multiple_of(2)) && fault.kind.class() == Class::Answer;
        let some = usize::try_from(fault.chance >> 32).unwrap_or(0) % endpoints;
        let endpoint = one.then_some(some);
        // The wait is in calls; there are few with logs.
        let skip = if matches!(fault.kind, Kind::LogsMissing | Kind::LogsReordered) { 0 } else { fault.wait };
        let trouble = Trouble { number, fault, endpoint, skip, left: fault.length, effects: 0 };
        lock(&self.state.troubles).push(trouble);
    }

    /// Whether a fault has had all its effects.
    pub(crate) fn is_over(&self, number: usize) -> bool {
        lock(&self.state.troubles).iter().all(|trouble| trouble.number != number || trouble.left == 0)
    }

    /// Ends a fault; how many effects it had.
    pub(crate) fn end(&self, number: usize) -> u64 {
        let mut troubles = lock(&self.state.troubles);
        let effects =
            troubles.iter().filter(|trouble| trouble.number == number).map(|trouble| trouble.effects).sum();
        troubles.retain(|trouble| trouble.number != number);
        effects
    }

    /// When a call was disturbed last.
    pub(crate) fn disturbed(&self) -> Option<Instant> {
        *lock(&self.state.disturbed)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    fn reply(&self, endpoint: usize, request: &Value, behind: &Behind<'_>) -> Reply {
        let met = self.meet(endpoint, request);
        let pause =
            met.iter().filter(|fault| fault.kind == Kind::Delayed).map(|fault| 40 + fault.chance % 160).sum();
        sleep(Duration::from_millis(pause));
        let chain = self.chain.blocking_read();
        let reply = met.iter().find_map(|fault| self.disturb(fault, request, behind));
        let reply = reply.unwrap_or_else(|| {
            if request["method"] == "eth_getLogs" && self.has_trouble_with_logs() {
                self.logs_of(endpoint, request, behind.ask(request))
            } else {
                behind.pass()
            }
        });
        drop(chain);
        reply
    }

    fn has_trouble_with_logs(&self) -> bool {
        let of_logs =
            |trouble: &Trouble| matches!(trouble.fault.kind, Kind::LogsMissing | Kind::LogsReordered);
        lock(&self.troubles).iter().any(of_logs)
    }

    /// The faults that hit this call.
    fn meet(&self, endpoint: usize, request: &Value) -> Vec<Fault> {
        let mut met = Vec::new();
        for trouble in lock(&self.troubles).iter_mut() {
            let here = trouble.endpoint.is_none_or(|only| only == endpoint);
            if !here || !concerns(trouble.fault.kind, request) || trouble.left == 0 {
                continue;
            }
            if trouble.skip > 0 {
                trouble.skip -= 1;
                continue;
            }
            trouble.left -= 1;
            trouble.effects += 1;
            met.push(trouble.fault);
        }
        if !met.is_empty() {
            *lock(&self.disturbed) = Some(Instant::now());
        }
        met
    }

    /// What a fault makes of a call; `None` if its answer comes.
    fn disturb(&self, fault: &Fault, request: &Value, behind: &Behind<'_>) -> Option<Reply> {
        let (id, ask) = (&request["id"], |request: &Value| behind.ask(request));
        match fault.kind {
            Kind::Dropped | Kind::Outage => Some(Reply::Nothing),
            Kind::Unavailable => Some(Reply::Status(503, "busy".to_owned())),
            Kind::RateLimited if fault.chance.is_multiple_of(2) => {
                Some(Reply::Status(429, "too many".to_owned()))
            }
            Kind::RateLimited => {
                let error = json!({ "code": -32005, "message": "request limit exceeded" });
                Some(Reply::Json(json!({ "jsonrpc": "2.0", "id": id, "error": error })))
            }
            Kind::Half => Some(Reply::Half(ask(request))),
            Kind::Garbage => {
                let garbage = Dice::new(fault.chance).of(&["null", "\"0xzz\"", "[[]]", "{\"number\":7}"]);
                let garbage: Value = serde_json::from_str(garbage).expect("JSON");
                Some(Reply::Json(json!({ "jsonrpc": "2.0", "id": id, "result": garbage })))
            }
            Kind::Stale => Some(Reply::Json(stale(request, 1 + fault.chance % 3, &ask))),
            Kind::WrongBlock => Some(Reply::Json(with_another_hash(ask(request), fault.chance))),
            Kind::AnswerLost => {
                ask(request);
                Some(Reply::Nothing)
            }
            Kind::SentTwice => {
                ask(request);
                None
            }
            Kind::Swallowed => {
                let raw = hex::decode(request["params"][0].as_str()?).ok()?;
                Some(Reply::Json(json!({ "jsonrpc": "2.0", "id": id, "result": keccak256(raw) })))
            }
            Kind::NonceTaken => {
                let (from, gas) = (self.sender, "0x5208");
                // 300 gwei at most, 2 of them for whoever builds the block.
                let (most, tip) = ("0x45d964b800", "0x77359400");
                let transfer = json!([{ "from": from, "to": from, "gas": gas, "maxFeePerGas": most, "maxPriorityFeePerGas": tip }]);
                ask(&call("eth_sendTransaction", &transfer));
                None
            }
            Kind::KilledBeforeSend | Kind::KilledAtCall => {
                self.process.kill();
                Some(Reply::Nothing)
            }
            Kind::KilledAfterSend => {
                ask(request);
                self.process.kill();
                Some(Reply::Nothing)
            }
            _ => None,
        }
    }

    /// The answer, without its logs or with them in another order if it has any and there is such a fault.
    fn logs_of(&self, endpoint: usize, request: &Value, mut answer: Value) -> Reply {
        let block = request["params"][0]["blockHash"].as_str().filter(|_| request["method"] == "eth_getLogs");
        let logs = answer.get_mut("result").and_then(Value::as_array_mut).filter(|logs| !logs.is_empty());
        let (Some(block), Some(logs)) = (block, logs) else { return Reply::Json(answer) };
        for trouble in lock(&self.troubles).iter_mut() {
            let here = trouble.endpoint.is_none_or(|only| only == endpoint) && trouble.left > 0;
            // Nobody can tell what an endpoint by itself hides for good: asked again, that one says the truth.
            let hides = || !self.alone || lock(&self.hidden).insert(block.to_owned());
            match trouble.fault.kind {
                Kind::LogsMissing if here && hides() => logs.clear(),
                Kind::LogsReordered if here => {
                    logs.reverse();
                    logs.extend(logs.first().cloned());
                }
                _ => continue,
            }
            trouble.left -= 1;
            trouble.effects += 1;
            *lock(&self.disturbed) = Some(Instant::now());
        }
        Reply::Json(answer)
    }
}

/// Whether a fault of this kind has to do with such a call at all.
fn concerns(kind: Kind, request: &Value) -> bool {
    let method = request["method"].as_str().unwrap_or_default();
    match kind {
        // These are told by their answers.
        Kind::LogsMissing | Kind::LogsReordered => false,
        // Looks for a new block are many and all alike.
        Kind::KilledAtCall => method != "eth_getBlockByNumber" || request["params"][0] != "latest",
        Kind::WrongBlock => method == "eth_getBlockByNumber",
        Kind::Stale => method == "eth_blockNumber" || request["params"].to_string().contains("\"latest\""),
        Kind::KilledBeforeSend | Kind::KilledAfterSend => method == "eth_sendRawTransaction",
        _ => kind.class() != Class::Send || method == "eth_sendRawTransaction",
    }
}

fn call(method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
}

/// What was so some blocks before.
fn stale(request: &Value, blocks: u64, ask: &dyn Fn(&Value) -> Value) -> Value {
    let head = ask(&call("eth_blockNumber", &json!([])));
    let head =
        head["result"].as_str().and_then(|head| u64::from_str_radix(head.trim_start_matches("0x"), 16).ok());
    let before = format!("{:#x}", head.unwrap_or(0).saturating_sub(blocks));
    if request["method"] == "eth_blockNumber" {
        return json!({ "jsonrpc": "2.0", "id": request["id"], "result": before });
    }
    let mut earlier = request.clone();
    if let Some(params) = earlier["params"].as_array_mut() {
        params.iter_mut().filter(|param| **param == "latest").for_each(|param| *param = json!(before));
    }
    ask(&earlier)
}

/// A block that there is not.
fn with_another_hash(mut answer: Value, chance: u64) -> Value {
    if answer["result"]["hash"].is_string() {
        answer["result"]["hash"] = json!(B256::from(alloy::primitives::U256::from(chance)));
    }
    answer
}
