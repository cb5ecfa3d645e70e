//! The node's transactions. Each is simulated before it is sent, so that losing a race costs nothing.

use std::sync::Arc;

use alloy::{
    primitives::{Address, Bytes, U256},
    rpc::types::TransactionReceipt,
    sol_types::SolEvent,
};
use bindings::ProverMarket::{
    AskRevealedAlready, CommitmentExists, DeliveryRefused, TaskEnded, TaskInDefault, TaskNotExpirable,
    TaskNotInDefault, TaskNotTakeable, UnknownCommitment, askCall, changeCapacityCall, depositCall,
    expireCall, registerCall, releaseCapacityCall, takeOverCall,
};
use chain::{AskOpening, CallError, Client, Market, Offer, Revert, SendError, Worth};
use circuits::Proof;
use market_types::AskIndex;
use service::openings::{Opening, OpeningStore, OpeningsError, Secret};
use thiserror::Error;

use super::assigned::{Assigned, Unpublished, batch_of};
use crate::plan::{Action, TaskId, WITHDRAWN};

/// Sends transactions to one market. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Desk {
    pub(super) client: Client,
    pub(super) market: Arc<Market>,
    /// Whose seats and money these are. Transactions may come from its operator.
    pub(super) prover: Address,
    /// Where openings of asks are kept.
    pub(super) openings: OpeningStore,
}

type Sent = Result<TransactionReceipt, DeskError>;

/// Why a transaction was not made.
#[derive(Debug, Error)]
pub(super) enum DeskError {
    /// The chain refused it or could not be reached.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The chain could not be asked.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The opening of an ask cannot be kept, so its commitment was not sent.
    #[error(transparent)]
    Openings(#[from] OpeningsError),
    /// The contract cannot be told which task it is.
    #[error(transparent)]
    Unpublished(#[from] Unpublished),
    /// A bug: the action was given to the wrong hands, or without what it needs.
    #[error("cannot {0} like this; report this as a bug")]
    NotHere(Action),
    /// An operator takes no seat and pays nothing in: that money would be the prover's.
    #[error(
        "the seat or the balance of {0} is not enough, and only its own key adds to them; register, or deposit what is missing, with that key"
    )]
    NotOurMoney(Address),
    /// The prover's account is empty.
    #[error(
        "{account} holds {held} of the {needed} that the market's collateral needs (wei, or the token's smallest unit); send the rest to it, or register less capacity"
    )]
    TooPoor {
        /// The prover.
        account: Address,
        /// What it holds.
        held: U256,
        /// What it needs.
        needed: U256,
    },
}

impl DeskError {
    /// Whether somebody else was faster or time has passed: what was wanted is done or gone, and nothing was paid for it.
    pub(super) fn is_lost_race(&self) -> bool {
        let Self::Send(error) = self else { return false };
        let all_refused = error.revert();
        matches!(error, SendError::Outdated { .. })
            || error.is::<TaskEnded>()
            || error.is::<TaskInDefault>()
            || all_refused.is_some_and(Revert::stands_for::<TaskEnded>)
            || all_refused.is_some_and(Revert::stands_for::<TaskInDefault>)
            || error.is::<TaskNotInDefault>()
            || error.is::<TaskNotTakeable>()
            || error.is::<TaskNotExpirable>()
            || error.is::<CommitmentExists>()
            || error.is::<UnknownCommitment>()
            || error.is::<AskRevealedAlready>()
    }
}

impl Desk {
    /// Carries out an action about a task that is not a delivery.
    pub(super) async fn about_task(&self, action: Action, task: &Assigned) -> Sent {
        match action {
            Action::TakeOver { seat, .. } => self.take_over(task, seat).await,
            Action::Expire(_) => self.expire(task).await,
            _ => Err(DeskError::NotHere(action)),
        }
    }

    /// Delivers the proofs of `first` and others: one as such, more of one circuit and round as a batch.
    pub(super) async fn deliver(&self, first: TaskId, proofs: &[(Assigned, Arc<Proof>)]) -> Sent {
        // What comes after the deadline is refused, and would only cost gas.
        let last = proofs.iter().map(|(assigned, _)| assigned.deadline(&self.market)).max();
        let client = self.client.worth(Worth { until: last, max_fee_per_gas: None });
        let [(assigned, proof)] = proofs else { return self.deliver_together(&client, first, proofs).await };
        Ok(client.deliver(&self.market, assigned.delivery(encoded(proof))?).await?)
    }

    async fn deliver_together(
        &self,
        client: &Client,
        first: TaskId,
        proofs: &[(Assigned, Arc<Proof>)],
    ) -> Sent {
        let encoded = proofs.iter().map(|(assigned, proof)| (assigned, encoded(proof))).collect();
        let batch = batch_of(encoded).ok_or(DeskError::NotHere(Action::Deliver(first)))?;
        Ok(client.deliver_batch(&self.market, batch).await?)
    }

    /// Whether a batch was mined without this task.
    pub(super) fn has_refused(&self, receipt: &TransactionReceipt, task: TaskId) -> bool {
        let logs = receipt.inner.logs().iter().filter(|log| log.address() == self.client.contract());
        let mut refused = logs.filter_map(|log| DeliveryRefused::decode_log(&log.inner).ok());
        refused.any(|event| {
            event.round == U256::from(task.round.get()) && event.index == U256::from(task.index.get())
        })
    }

    /// Carries out an action about seats and money.
    pub(super) async fn about_seat(&self, action: Action) -> Sent {
        let id = self.market.id.get();
        match action {
            Action::Deposit { ticks } => self.deposit(ticks).await,
            Action::Register { capacity, cost } => {
                self.require_own_key()?;
                // In a sealed market asks are committed to, round by round.
                let cost = if self.market.id.is_sealed() { Offer::NO_ASK } else { cost.get() };
                self.send(registerCall { id, capacity: capacity.get(), cost }).await
            }
            Action::Ask { seat, cost } => {
                self.send(askCall { id, seat: number(seat), cost: cost.get() }).await
            }
            Action::Withdraw(seat) => {
                self.send(askCall { id, seat: number(seat), cost: WITHDRAWN.get() }).await
            }
            Action::Lower { seat, capacity } => {
                self.send(changeCapacityCall { id, seat: number(seat), capacity: capacity.get() }).await
            }
            Action::Leave(seat) => {
                self.send(changeCapacityCall { id, seat: number(seat), capacity: 0 }).await
            }
            Action::Release(seat) => self.send(releaseCapacityCall { id, seat: number(seat) }).await,
            _ => Err(DeskError::NotHere(action)),
        }
    }

    /// Carries out an action about a sealed ask.
    pub(super) async fn about_ask(&self, action: Action, opening: &Opening) -> Sent {
        match (action, opening.secret()) {
            (Action::Commit { .. }, Secret::Ask(ask)) => self.commit(opening, ask).await,
            (Action::Reveal { .. }, Secret::Ask(ask)) => {
                let until = self.market.reveal_by(opening.key().round);
                self.send_until(until, ask.reveal_call(&self.market)).await
            }
            _ => Err(DeskError::NotHere(action)),
        }
    }

    /// Keeps the opening first: once the commitment is sent, it can be opened whatever happens to this process.
    async fn commit(&self, opening: &Opening, ask: &AskOpening) -> Sent {
        self.openings.keep(opening)?;
        let round = opening.key().round;
        let call = ask.commit_call(&self.client, &self.market, round);
        self.send_until(self.market.close_of(round), call).await
    }

    async fn take_over(&self, assigned: &Assigned, seat: AskIndex) -> Sent {
        let (task, path) = assigned.named()?;
        self.send(takeOverCall { id: self.market.id.get(), task, path, seat: number(seat) }).await
    }

    async fn expire(&self, assigned: &Assigned) -> Sent {
        let (task, path) = assigned.named()?;
        self.send(expireCall { id: self.market.id.get(), task, path }).await
    }

    /// Pays `ticks` from the prover's own account into the market.
    async fn deposit(&self, ticks: u128) -> Sent {
        self.require_own_key()?;
        let (amount, currency) = (self.market.ticks_to_wei(U256::from(ticks)), self.market.params.currency);
        let held = self.client.wallet(currency, self.prover).await?;
        if held < amount {
            return Err(DeskError::TooPoor { account: self.prover, held, needed: amount });
        }
        let value = self.client.prepare_deposit(currency, amount).await?;
        let call = depositCall { id: self.market.id.get(), account: self.prover, amount };
        Ok(self.client.send(call, value, None).await?)
    }

    fn require_own_key(&self) -> Result<(), DeskError> {
        let is_own = self.client.sender() == Some(self.prover);
        if is_own { Ok(()) } else { Err(DeskError::NotOurMoney(self.prover)) }
    }

    /// Sends what is of use before `time` only (block time, seconds since the epoch).
    async fn send_until<C: alloy::sol_types::SolCall>(&self, time: u64, call: C) -> Sent {
        Ok(self.client.worth(Worth::until(time)).send(call, U256::ZERO, None).await?)
    }

    async fn send<C: alloy::sol_types::SolCall>(&self, call: C) -> Sent {
        Ok(self.client.send(call, U256::ZERO, None).await?)
    }
}

fn encoded(proof: &Proof) -> Bytes {
    Bytes::from(proof.to_words().concat())
}

fn number(seat: AskIndex) -> U256 {
    U256::from(seat.get())
}
