//! A chain that exists only as a record of bids, behind a JSON-RPC endpoint that limits what it answers as providers do.

use alloy::primitives::{Address, B256, Bloom, Bytes, LogData, U256, address};
use alloy::rpc::types::{Block, Filter, FilterBlockOption, Log};
use alloy::sol_types::{SolCall, SolError, SolEvent};
use bindings::ProverMarket;
use chain::{Lot, Market, Statement};
use market_types::{BidIndex, CircuitId, RoundNumber, UnitFee};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

const CHAIN_ID: u64 = 31_337;
const CONTRACT: Address = address!("0x00000000000000000000000000000000000c0de5");

/// Bids in the blocks of a chain, the same ones for the same numbers.
#[derive(Debug, Clone)]
pub struct Recording {
    /// The market that all bids are for. Block 0 is mined as it opens, and one each second after it.
    pub market: Market,
    /// Number of the newest block.
    pub head: u64,
    /// Blocks that hold bids: from the first up to the one before the second.
    pub busy: (u64, u64),
    /// Bids in each of them.
    pub bids: u64,
    /// Size of what is published with each bid (bytes).
    pub data: usize,
    /// Size of each task (units).
    pub units: u32,
}

impl Recording {
    /// How many bids there are.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.busy.1.saturating_sub(self.busy.0).saturating_mul(self.bids)
    }

    /// The bids of one block as logs: each right after what it asks a proof of.
    #[must_use]
    pub fn logs(&self, block: u64) -> Vec<Log> {
        if !(self.busy.0..self.busy.1).contains(&block) {
            return Vec::new();
        }
        (0..self.bids).flat_map(|position| self.of_bid(block, position)).collect()
    }

    /// Bids of a round before this block.
    fn before(&self, block: u64) -> (RoundNumber, u64) {
        let time = self.time(block);
        let round = self.market.id.round_at(time).expect("the market is open");
        let opened = self.market.id.open_of(round).saturating_sub(self.time(0)).max(self.busy.0);
        (round, block.saturating_sub(opened).saturating_mul(self.bids))
    }

    fn time(&self, block: u64) -> u64 {
        self.market.id.genesis().saturating_add(block)
    }

    fn of_bid(&self, block: u64, position: u64) -> [Log; 2] {
        let (round, before) = self.before(block);
        let index = BidIndex::from_u64(before + position).expect("an index");
        // A number that looks like chance.
        let noise = (block << 20 | position).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let fee = 1 + (noise >> 44);
        let requester = Address::left_padding_from(&(noise % 1_000).to_be_bytes());
        let statement = Statement {
            circuit: CircuitId::of(1, self.units),
            public_inputs: vec![U256::from(noise), U256::from(!noise)],
            data: noise.to_be_bytes().iter().copied().cycle().take(self.data).collect::<Vec<_>>().into(),
        };
        let (id, statements) = (self.market.id.get(), vec![statement.to_abi()]);
        let fee = UnitFee::new(fee).expect("a fee");
        let word = Lot::new(requester, fee, vec![statement]).expect("a lot").word().get();
        let place = (U256::from_be_bytes(requester.into_word().0) << 64)
            | (U256::from(round.get()) << 32)
            | U256::from(index.get());
        let submitted = ProverMarket::BidSubmitted { id, place, word }.encode_log_data();
        let published = ProverMarket::StatementsPublished { id, requester, statements }.encode_log_data();
        let log = |(number, data): (u64, LogData)| Log {
            inner: alloy::primitives::Log { address: CONTRACT, data },
            block_hash: Some(hash(block)),
            block_number: Some(block),
            block_timestamp: Some(self.time(block)),
            transaction_hash: Some(B256::from(U256::from(noise))),
            transaction_index: Some(position),
            log_index: Some(position.saturating_mul(2).saturating_add(number)),
            removed: false,
        };
        [(0, published), (1, submitted)].map(log)
    }

    fn block(&self, number: u64) -> Value {
        if number > self.head {
            return Value::Null;
        }
        let mut block: Block = Block::default();
        (block.header.hash, block.header.inner.number) = (hash(number), number);
        block.header.inner.timestamp = self.time(number);
        block.header.inner.parent_hash = number.checked_sub(1).map_or(B256::ZERO, hash);
        serde_json::to_value(block).expect("a block")
    }
}

/// A hash that tells the number of its block.
fn hash(block: u64) -> B256 {
    let mut hash = B256::repeat_byte(0xb1);
    hash.0[..8].copy_from_slice(&block.to_be_bytes());
    hash
}

fn number_of(hash: B256) -> u64 {
    u64::from_be_bytes(hash.0[..8].try_into().expect("eight bytes"))
}

/// What the endpoint refuses.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most blocks in one request for logs.
    pub blocks: u64,
    /// Most logs in one answer, also for a single block.
    pub logs: usize,
    /// Whether a refusal of too many logs says which range would do.
    pub suggests: bool,
    /// Of so many requests so many, the last ones, fail with HTTP 503.
    pub fails: (u64, u64),
    /// Whether it gives the receipts of a block, with all of its logs.
    pub receipts: bool,
}

impl Limits {
    /// A node that answers everything.
    pub const NONE: Self =
        Self { blocks: u64::MAX, logs: usize::MAX, suggests: false, fails: (1, 0), receipts: false };
}

/// What was asked of the endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Ranges of blocks whose logs were given, in order.
    pub ranges: Vec<(u64, u64)>,
    /// Single blocks whose logs were given, by number.
    pub blocks: Vec<u64>,
    /// Blocks whose receipts were given.
    pub receipts: Vec<u64>,
    /// How many requests for logs were refused.
    pub refused: u64,
    /// How many requests failed.
    pub failed: u64,
    requests: u64,
}

/// A running endpoint. It runs until the process ends.
#[derive(Debug, Clone)]
pub struct RecordedChain {
    url: String,
    recording: Recording,
    limits: Limits,
    asked: Arc<Mutex<Asked>>,
}

enum Answer {
    Result(Value),
    Error(i64, String, Option<Bytes>),
    Unavailable,
}

impl RecordedChain {
    /// Serves a recording on a free port.
    #[must_use]
    pub fn serve(recording: Recording, limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let chain = Self { url, recording, limits, asked: Arc::default() };
        let served = chain.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let served = served.clone();
                std::thread::spawn(move || served.talk(stream));
            }
        });
        chain
    }

    /// Its JSON-RPC endpoint.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where the market's contract is on it.
    #[must_use]
    pub const fn contract(&self) -> Address {
        CONTRACT
    }

    /// What has been asked so far.
    #[must_use]
    pub fn asked(&self) -> Asked {
        self.asked.lock().expect("no thread panicked").clone()
    }

    /// Answers one connection's requests until it is closed.
    fn talk(&self, stream: TcpStream) -> Option<()> {
        stream.set_nodelay(true).ok()?;
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        let mut writer = stream;
        loop {
            let mut length = 0;
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).ok()? == 0 {
                    return None;
                }
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().ok()?;
                }
                if line.trim().is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).ok()?;
            let request: Value = serde_json::from_slice(&body).ok()?;
            let (status, body) = match self.answer(&request) {
                Answer::Unavailable => ("503 Service Unavailable", "try again later".to_owned()),
                Answer::Result(result) => {
                    ("200 OK", json!({ "jsonrpc": "2.0", "id": request["id"], "result": result }).to_string())
                }
                Answer::Error(code, message, data) => {
                    let error = json!({ "code": code, "message": message, "data": data });
                    ("200 OK", json!({ "jsonrpc": "2.0", "id": request["id"], "error": error }).to_string())
                }
            };
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            writer.write_all(head.as_bytes()).ok()?;
            writer.write_all(body.as_bytes()).ok()?;
        }
    }

    fn answer(&self, request: &Value) -> Answer {
        let parameters = &request["params"];
        {
            let mut asked = self.asked.lock().expect("no thread panicked");
            asked.requests += 1;
            let (of, fail) = self.limits.fails;
            if asked.requests % of >= of - fail {
                asked.failed += 1;
                return Answer::Unavailable;
            }
        }
        match request["method"].as_str().unwrap_or_default() {
            "eth_chainId" => Answer::Result(json!(U256::from(CHAIN_ID))),
            "eth_getCode" => Answer::Result(json!("0x00")),
            "eth_call" => self.call(&parameters[0]),
            "eth_getBlockByNumber" => {
                let number = parameters[0].as_str().and_then(|text| text.strip_prefix("0x"));
                let number = number.map(|digits| u64::from_str_radix(digits, 16).expect("a number"));
                Answer::Result(self.recording.block(number.unwrap_or(self.recording.head)))
            }
            "eth_getLogs" => self.logs(&serde_json::from_value(parameters[0].clone()).expect("a filter")),
            "eth_getBlockReceipts" if self.limits.receipts => self.receipts(&parameters[0]),
            other => Answer::Error(-32601, format!("no method {other}"), None),
        }
    }

    /// The one call that has an answer: the market's parameters.
    fn call(&self, transaction: &Value) -> Answer {
        let input = transaction.get("input").unwrap_or(&transaction["data"]);
        let input: Bytes = serde_json::from_value(input.clone()).expect("a call");
        let market = &self.recording.market;
        match ProverMarket::marketParamsCall::abi_decode(&input) {
            Ok(call) if call.id == market.id.get() => {
                let params = market.params.to_abi();
                let bytes = ProverMarket::marketParamsCall::abi_encode_returns(&params);
                Answer::Result(json!(Bytes::from(bytes)))
            }
            _ => {
                let error = ProverMarket::UnknownMarket { id: B256::ZERO };
                Answer::Error(3, "execution reverted".to_owned(), Some(error.abi_encode().into()))
            }
        }
    }

    /// One receipt with all logs of a block, and one of another contract before them.
    fn receipts(&self, block: &Value) -> Answer {
        let text = block.as_str().or_else(|| block["blockHash"].as_str()).expect("a block");
        let number = match text.parse::<B256>() {
            Ok(hash) => number_of(hash),
            Err(_) => u64::from_str_radix(text.trim_start_matches("0x"), 16).expect("a number"),
        };
        self.asked.lock().expect("no thread panicked").receipts.push(number);
        let mut logs = self.recording.logs(number);
        if let Some(mut foreign) = logs.first().cloned() {
            foreign.inner.address = Address::repeat_byte(0xf0);
            logs.insert(0, foreign);
        }
        Answer::Result(json!([{
            "transactionHash": B256::ZERO, "transactionIndex": "0x0",
            "blockHash": hash(number), "blockNumber": U256::from(number),
            "from": CONTRACT, "to": CONTRACT, "contractAddress": null,
            "cumulativeGasUsed": "0x1", "gasUsed": "0x1", "effectiveGasPrice": "0x1",
            "logsBloom": Bloom::ZERO, "status": "0x1", "type": "0x2", "logs": logs,
        }]))
    }

    fn logs(&self, filter: &Filter) -> Answer {
        let mut asked = self.asked.lock().expect("no thread panicked");
        let (from, to) = match filter.block_option {
            FilterBlockOption::AtBlockHash(hash) => {
                let number = number_of(hash);
                let mut logs = self.recording.logs(number);
                logs.retain(|log| filter.matches(&log.inner));
                if logs.len() > self.limits.logs {
                    asked.refused += 1;
                    let message = format!("query returned more than {} results", self.limits.logs);
                    return Answer::Error(-32005, message, None);
                }
                asked.blocks.push(number);
                return Answer::Result(json!(logs));
            }
            FilterBlockOption::Range { from_block, to_block } => {
                let number = |block: Option<alloy::eips::BlockNumberOrTag>| {
                    block.and_then(|block| block.as_number()).expect("a block number")
                };
                (number(from_block), number(to_block))
            }
        };
        if to - from >= self.limits.blocks {
            asked.refused += 1;
            let message = format!("exceed maximum block range: {}", self.limits.blocks);
            return Answer::Error(-32000, message, None);
        }
        let mut logs = Vec::new();
        for block in from..=to {
            logs.extend(self.recording.logs(block).into_iter().filter(|log| filter.matches(&log.inner)));
            if logs.len() > self.limits.logs {
                asked.refused += 1;
                let mut message = format!("query returned more than {} results", self.limits.logs);
                if self.limits.suggests {
                    message +=
                        &format!(". Try with this block range [{from:#x}, {:#x}].", block.max(from + 1) - 1);
                }
                return Answer::Error(-32005, message, None);
            }
        }
        asked.ranges.push((from, to));
        Answer::Result(json!(logs))
    }
}
