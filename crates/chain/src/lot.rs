//! What a requester submits: entries, each with the statements that it asks proofs of.

use crate::commitments::{BidWord, Ticket};
use crate::statement::{Statement, statement_tree};
use crate::{Client, Market, SendError};
use alloy::primitives::{Address, B256, U256};
use alloy::rpc::types::TransactionReceipt;
use alloy::sol_types::SolCall;
use bindings::ProverMarket;
use market_types::{LotSize, OutOfRange, TaskSize, UnitFee};
use thiserror::Error;

/// Why statements make no entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LotError {
    /// None, or more than an entry stands for; or a circuit without a size.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
    /// Statements of different sizes.
    #[error(
        "statement {position} is of {found} units and the first of {first}; bids of one entry have one size, so make it another entry"
    )]
    Sizes {
        /// Number of the statement, from 0.
        position: usize,
        /// Its size (units).
        found: u32,
        /// That of the first (units).
        first: TaskSize,
    },
}

/// An entry to submit: bids at one fee for statements of one size. A bid by itself is an entry of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lot {
    requester: Address,
    word: BidWord,
    root: B256,
    statements: Vec<Statement>,
}

impl Lot {
    /// Bids for proofs of `statements` at `fee` (ticks per unit), told: they have to be published with it. `requester` is compensated or refunded if a task is not delivered
    /// in time, whoever submits the entry.
    ///
    /// # Errors
    /// [`LotError`].
    pub fn new(requester: Address, fee: UnitFee, statements: Vec<Statement>) -> Result<Self, LotError> {
        let count = LotSize::from_u64(u64::try_from(statements.len()).unwrap_or(u64::MAX))?;
        let units = |statement: &Statement| statement.circuit.units();
        let first = TaskSize::new(statements.first().map_or(0, units))?;
        let other = statements.iter().map(units).enumerate().find(|(_, units)| *units != first.get());
        if let Some((position, found)) = other {
            return Err(LotError::Sizes { position, found, first });
        }
        let root = statement_tree(&statements).root();
        let word = BidWord::new(fee, first, count, Ticket::new(requester, root)).told();
        Ok(Self { requester, word, root, statements })
    }

    /// Who is compensated or refunded.
    #[must_use]
    pub const fn requester(&self) -> Address {
        self.requester
    }

    /// The entry as the settlement will see it.
    #[must_use]
    pub const fn word(&self) -> BidWord {
        self.word
    }

    /// Root over its statements.
    #[must_use]
    pub const fn root(&self) -> B256 {
        self.root
    }

    /// Its statements, in order of its bids.
    #[must_use]
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// What it locks and pays when it is submitted (ticks): all that its tasks may cost, and its settlement fees.
    #[must_use]
    pub fn cost(&self, market: &Market) -> u128 {
        entry_cost(market, self.word)
    }

    /// The same entry without its statements, for anyone to publish at any time; provers may leave it. It costs some 30 gas for
    /// each byte of them less.
    #[must_use]
    pub fn untold(self) -> Self {
        Self { word: self.word.untold(), ..self }
    }

    /// The call that submits the entry. If it is told, its statements have to be published before it in the same transaction: see
    /// [`submit_call`].
    #[must_use]
    pub fn submit_call(&self, market: &Market) -> ProverMarket::submitOneBidCall {
        ProverMarket::submitOneBidCall { id: market.id.get(), entry: self.word.get() }
    }

    /// The call that tells provers its statements.
    #[must_use]
    pub fn publish_call(&self, market: &Market) -> ProverMarket::publishCall {
        publish_call(market, self.requester, &self.statements)
    }
}

/// What an entry locks and pays when it is submitted (ticks): all that its tasks may cost, and its settlement fees.
#[must_use]
pub fn entry_cost(market: &Market, word: BidWord) -> u128 {
    let task = u128::from(word.fee().get()).saturating_mul(word.size().get().into());
    let bid = task.saturating_add(market.id.settlement_fee().into());
    bid.saturating_mul(word.count().get().into())
}

/// The call that tells provers what an entry of `requester` asks proofs of.
#[must_use]
pub fn publish_call(
    market: &Market,
    requester: Address,
    statements: &[Statement],
) -> ProverMarket::publishCall {
    let statements = statements.iter().map(Statement::to_abi).collect();
    ProverMarket::publishCall { id: market.id.get(), requester, statements }
}

/// The call that publishes the statements of `lots` and submits them, all or nothing. It carries no currency: what they cost has to be in
/// the sender's balance. Several become a bundle, whose results come back by one release.
#[must_use]
pub fn submit_call(market: &Market, lots: &[Lot]) -> ProverMarket::multicallCall {
    let submit = match lots {
        [lot] => lot.submit_call(market).abi_encode(),
        lots => {
            let entries = lots.iter().map(|lot| lot.word.get()).collect();
            ProverMarket::submitBidsCall { id: market.id.get(), entries }.abi_encode()
        }
    };
    publish_and(lots.iter().map(|lot| lot.publish_call(market)), submit)
}

/// The call that publishes statements and then does `then`, an encoded call of the market without currency, in one transaction: what
/// it submits may be told.
#[must_use]
pub fn publish_and(
    publish: impl IntoIterator<Item = ProverMarket::publishCall>,
    then: Vec<u8>,
) -> ProverMarket::multicallCall {
    let publish = publish.into_iter().map(|call| call.abi_encode());
    ProverMarket::multicallCall { data: publish.chain([then]).map(Into::into).collect() }
}

impl Client {
    /// Publishes the statements of `lots` and submits these from the sender's balance, in one transaction; see [`submit_call`].
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn submit(&self, market: &Market, lots: &[Lot]) -> Result<TransactionReceipt, SendError> {
        self.send(submit_call(market, lots), U256::ZERO, None).await
    }

    /// Tells provers what an entry asks proofs of that was submitted without it.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn publish(&self, market: &Market, lot: &Lot) -> Result<TransactionReceipt, SendError> {
        self.send(lot.publish_call(market), U256::ZERO, None).await
    }

    /// Delivers a proof; see [`crate::RoundRecord::delivery`].
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn deliver(
        &self,
        market: &Market,
        delivery: ProverMarket::Delivery,
    ) -> Result<TransactionReceipt, SendError> {
        let call = ProverMarket::deliverCall { id: market.id.get(), delivery };
        self.send(call, U256::ZERO, Some(market.delivery_gas())).await
    }

    /// Delivers proofs together; see [`crate::delivery::delivery_batch`].
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn deliver_batch(
        &self,
        market: &Market,
        batch: ProverMarket::DeliveryBatch,
    ) -> Result<TransactionReceipt, SendError> {
        let gas = market.batch_gas(batch.deliveries.len());
        let call = ProverMarket::deliverBatchCall { id: market.id.get(), batch };
        self.send(call, U256::ZERO, Some(gas)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::tests::params;
    use alloy::primitives::Bytes;
    use market_types::CircuitId;

    const WHO: Address = Address::repeat_byte(0xaa);

    fn statement(units: u32, input: u64) -> Statement {
        let public_inputs = vec![U256::from(input)];
        Statement { circuit: CircuitId::of(3, units), public_inputs, data: Bytes::from_static(b"data") }
    }

    fn lot(statements: Vec<Statement>) -> Result<Lot, LotError> {
        Lot::new(WHO, UnitFee::new(9).unwrap(), statements)
    }

    #[test]
    fn an_entry_binds_its_requester_and_its_statements_in_order() {
        let one = lot(vec![statement(4, 1)]).unwrap();
        assert_eq!(one.root(), statement(4, 1).leaf(0));
        assert_eq!(one.word().ticket(), Ticket::new(WHO, one.root()));
        assert_eq!((one.word().count().get(), one.word().size().get()), (1, 4));
        let two = lot(vec![statement(4, 1), statement(4, 2)]).unwrap();
        let swapped = lot(vec![statement(4, 2), statement(4, 1)]).unwrap();
        assert_eq!(two.word().count().get(), 2);
        assert_ne!(two.word(), swapped.word());
        assert_ne!(two.root(), swapped.root());
    }

    #[test]
    fn statements_that_make_no_entry_are_refused() {
        assert!(matches!(lot(vec![]), Err(LotError::OutOfRange(_))));
        assert!(matches!(lot(vec![statement(0, 1)]), Err(LotError::OutOfRange(_))));
        let sizes = lot(vec![statement(4, 1), statement(4, 2), statement(5, 3)]).unwrap_err();
        assert_eq!(sizes, LotError::Sizes { position: 2, found: 5, first: TaskSize::new(4).unwrap() });
        let many = (0..=u64::from(LotSize::MAX.get())).map(|input| statement(1, input)).collect();
        assert!(matches!(lot(many), Err(LotError::OutOfRange(_))));
    }

    #[test]
    fn an_entry_costs_its_tasks_and_a_settlement_fee_for_each() {
        let params = params();
        let market = Market { id: params.market_id(), params };
        let fee = u128::from(market.params.settlement_fee);
        assert_eq!(lot(vec![statement(4, 1); 3]).unwrap().cost(&market), 3 * (9 * 4 + fee));
    }

    #[test]
    fn one_call_publishes_and_submits() {
        let params = params();
        let market = Market { id: params.market_id(), params };
        let selectors = |lots: &[Lot]| {
            let calls = submit_call(&market, lots).data;
            calls.iter().map(|call| <[u8; 4]>::try_from(&call[..4]).unwrap()).collect::<Vec<_>>()
        };
        let one = lot(vec![statement(4, 1)]).unwrap();
        let (bid, bids, publish) = (
            ProverMarket::submitOneBidCall::SELECTOR,
            ProverMarket::submitBidsCall::SELECTOR,
            ProverMarket::publishCall::SELECTOR,
        );
        assert_eq!(selectors(std::slice::from_ref(&one)), [publish, bid]);
        assert_eq!(selectors(&[one.clone(), one]), [publish, publish, bids]);
    }
}
