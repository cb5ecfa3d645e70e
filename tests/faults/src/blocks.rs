//! The chain, of which this program makes every block.

use crate::dice::Dice;
use alloy::primitives::{Address, Bytes, U256};
use serde_json::{Value, json};
use std::sync::Arc;
use testkit::Anvil;
use tokio::sync::RwLock;

/// What gas costs (wei), and what it costs in a spike.
const BASE_FEE: u64 = 1_000_000_000;
const SPIKE: u64 = 100;

/// Makes blocks.
#[derive(Debug)]
pub(crate) struct Blocks {
    pub(crate) number: u64,
    pub(crate) time: u64,
    /// No block before this one is ever replaced.
    first: u64,
    /// Held while blocks are replaced.
    pub(crate) lock: Arc<RwLock<()>>,
    pub(crate) spike: bool,
}

impl Blocks {
    pub(crate) async fn new(anvil: &Anvil) -> Self {
        anvil.set_automine(false).await;
        let head = anvil.head().await;
        let first = head.number + 1;
        Self { number: head.number, time: head.timestamp, first, lock: Arc::default(), spike: false }
    }

    /// Mines what waits in a block at `time`, or a second after the last one.
    pub(crate) async fn mine(&mut self, anvil: &Anvil, time: u64) {
        self.time = time.max(self.time + 1);
        let fee = U256::from(if self.spike { BASE_FEE * SPIKE } else { BASE_FEE });
        anvil.request("anvil_setNextBlockBaseFeePerGas", json!([fee])).await;
        anvil.request("evm_mine", json!([{ "timestamp": self.time }])).await;
        self.number += 1;
    }

    /// Replaces the last `depth` blocks and adds one. Each transaction from `droppable` since block `since` is lost by chance;
    /// the others are in the new blocks as they were in those before. How many were lost.
    pub(crate) async fn reorganise(
        &mut self,
        anvil: &Anvil,
        depth: u64,
        (droppable, since): (&[Address], u64),
        dice: &mut Dice,
    ) -> u64 {
        // Nothing may wait that would be mined in an earlier block than before.
        self.mine(anvil, 0).await;
        let depth = depth.min(self.number.saturating_sub(self.first));
        if depth == 0 {
            return 0;
        }
        let chain = Arc::clone(&self.lock);
        let chain = chain.write().await;
        let mut replaced = Vec::new();
        for number in self.number - depth + 1..=self.number {
            let block = anvil.request("eth_getBlockByNumber", json!([U256::from(number), true])).await;
            replaced.push((number, block));
        }
        let mut raws = Vec::new();
        let mut lost = 0;
        for (number, block) in &replaced {
            let mut kept = Vec::new();
            for transaction in block["transactions"].as_array().expect("a block with transactions") {
                let from: Address = serde_json::from_value(transaction["from"].clone()).expect("a sender");
                if *number > since && droppable.contains(&from) && dice.below(2) == 0 {
                    lost += 1;
                } else {
                    kept.push(
                        anvil.request("eth_getRawTransactionByHash", json!([transaction["hash"]])).await,
                    );
                }
            }
            raws.push((time_of(block), kept));
        }
        anvil.request("anvil_rollback", json!([depth])).await;
        let miner = Address::left_padding_from(&dice.next().to_be_bytes());
        anvil.request("anvil_setCoinbase", json!([miner])).await;
        (self.number, self.time) = (self.number - depth, raws[0].0 - 1);
        for (time, kept) in raws {
            for raw in kept {
                // A later nonce of a sender whose transaction is lost waits for its own.
                let raw: Bytes = serde_json::from_value(raw).expect("a transaction");
                anvil.request("eth_sendRawTransaction", json!([raw])).await;
            }
            self.mine(anvil, time).await;
        }
        self.mine(anvil, 0).await;
        drop(chain);
        lost
    }

    /// Transactions that wait, those after a gap in the nonces included.
    pub(crate) async fn waiting(anvil: &Anvil) -> (u64, u64) {
        let pool = anvil.request("txpool_status", json!([])).await;
        let count =
            |what: &str| serde_json::from_value::<U256>(pool[what].clone()).map_or(0, |count| count.to());
        (count("pending"), count("queued"))
    }
}

fn time_of(block: &Value) -> u64 {
    serde_json::from_value::<U256>(block["timestamp"].clone()).expect("a time").to()
}
