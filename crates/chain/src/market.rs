//! One market: its id, its parameters, its deadlines and its money.

use crate::{CallError, Client, MAX_TRANSACTION_GAS, MarketParams, delivery::MAX_TOGETHER};
use alloy::primitives::{B256, U256};
use market_types::{OutOfRange, RoundNumber};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// Names a market and carries five of its parameters: `hash of all parameters (128) | genesis (40) | bidding period (24) |
/// settlement fee (32) | sealed (1) | max task size (31)`.
///
/// An id by itself does not mean that there is such a market.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MarketId(B256);

/// There is no round at this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NoRound {
    /// The market opens later.
    #[error("the market opens at {genesis} and it is {time} (seconds since the epoch); wait until then")]
    NotOpenYet {
        /// The time asked for.
        time: u64,
        /// Start of round 0.
        genesis: u64,
    },
    /// The id has no bidding period.
    #[error("no market has this id; copy it from `MarketCreated`")]
    NotAMarket,
}

impl MarketId {
    /// The id as on the wire.
    #[must_use]
    pub const fn get(self) -> B256 {
        self.0
    }

    /// Start of round 0 (seconds since the epoch).
    #[must_use]
    pub fn genesis(self) -> u64 {
        self.part(88, 40)
    }

    /// Length of a round's bidding (seconds).
    #[must_use]
    pub fn bidding_period(self) -> u64 {
        self.part(64, 24)
    }

    /// What each bid pays towards the settlement of its round (ticks).
    #[must_use]
    pub fn settlement_fee(self) -> u64 {
        self.part(32, 32)
    }

    /// Whether bids and asks are committed to first and opened after the close.
    #[must_use]
    pub fn is_sealed(self) -> bool {
        self.part(31, 1) == 1
    }

    /// Largest size of a task (units).
    #[must_use]
    pub fn max_task_size(self) -> u32 {
        u32::try_from(self.part(0, 31)).unwrap_or(u32::MAX)
    }

    /// Least capacity with which a seat takes part in a round (units): room for a largest task, and for as much less a unit
    /// by which a load may exceed its exact share.
    #[must_use]
    pub fn least_capacity(self) -> u64 {
        u64::from(self.max_task_size()).saturating_mul(2).saturating_sub(1)
    }

    /// The round that takes bids at `time` (seconds since the epoch).
    ///
    /// # Errors
    /// [`NoRound`] before the market opens.
    pub fn round_at(self, time: u64) -> Result<RoundNumber, NoRound> {
        let genesis = self.genesis();
        let elapsed = time.checked_sub(genesis).ok_or(NoRound::NotOpenYet { time, genesis })?;
        elapsed.checked_div(self.bidding_period()).map(RoundNumber::new).ok_or(NoRound::NotAMarket)
    }

    /// First second at which `round` takes bids.
    #[must_use]
    pub fn open_of(self, round: RoundNumber) -> u64 {
        self.genesis().saturating_add(round.get().saturating_mul(self.bidding_period()))
    }

    /// First second at which `round` takes no bid any more.
    #[must_use]
    pub fn close_of(self, round: RoundNumber) -> u64 {
        self.open_of(RoundNumber::new(round.get().saturating_add(1)))
    }

    fn part(self, shift: usize, bits: u32) -> u64 {
        let low = (U256::from_be_bytes(self.0.0) >> shift).as_limbs()[0];
        low & (u64::MAX >> (64_u32.saturating_sub(bits)))
    }
}

impl From<B256> for MarketId {
    fn from(id: B256) -> Self {
        Self(id)
    }
}

impl From<MarketId> for B256 {
    fn from(id: MarketId) -> Self {
        id.0
    }
}

impl fmt::Display for MarketId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

/// A text that is no market id.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is no market id; write 64 hexadecimal digits")]
pub struct InvalidMarketId(String);

impl FromStr for MarketId {
    type Err = InvalidMarketId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(|_| InvalidMarketId(text.to_owned()))
    }
}

/// What a commitment may need from its sending to its block (seconds).
const TIME_TO_COMMIT: u64 = 15;

/// A market that exists, with its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Market {
    /// Its id.
    pub id: MarketId,
    /// Its parameters, which never change.
    pub params: MarketParams,
}

/// What a round is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// It has not opened.
    Future,
    /// It takes bids; in a sealed market, commitments.
    Bidding,
    /// Closed; commitments of a sealed market are opened.
    Reveal,
    /// Closed, waiting to be settled.
    Settlement,
    /// Closed without bids, or not settled in time: bids are refunded.
    Void,
    /// Settled; assigned provers deliver.
    Proving,
    /// Undelivered tasks can be taken over.
    Takeover,
    /// Undelivered tasks can only be expired.
    Over,
}

/// Why a market cannot be loaded.
#[derive(Debug, Error)]
pub enum MarketError {
    /// The contract could not be asked, or knows no such market.
    #[error("market {id}: {reason}")]
    Call {
        /// The id asked for.
        id: MarketId,
        /// What went wrong.
        #[source]
        reason: CallError,
    },
    /// A parameter lies outside what the contract allows, so this is another contract.
    #[error("market {id} is not one of this contract's kind: {reason}")]
    Params {
        /// The id asked for.
        id: MarketId,
        /// The parameter.
        #[source]
        reason: OutOfRange,
    },
}

impl MarketError {
    /// Whether trying again later may help: not if the contract has answered that there is no such market.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Call { reason, .. } if reason.revert().is_none())
    }
}

/// An amount of currency that is no whole number of ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "{amount} wei is no multiple of the market's tick of {tick} wei; the nearest amount below is {below} wei"
)]
pub struct NotWholeTicks {
    /// What was given (wei, or the token's smallest unit).
    pub amount: U256,
    /// The market's tick (the same).
    pub tick: u128,
    /// The greatest amount that would do (the same).
    pub below: U256,
}

impl Market {
    /// Asks the contract for the parameters of market `id`.
    ///
    /// # Errors
    /// [`MarketError`] if there is no such market or the chain does not answer.
    pub async fn load(client: &Client, id: MarketId) -> Result<Self, MarketError> {
        let params = client.market().marketParams(id.get()).call().await;
        let params = params.map_err(|reason| MarketError::Call { id, reason: reason.into() })?;
        Self::from_abi(id, &params)
    }

    /// A market from the parameters in a `MarketCreated` event or an answer of the contract.
    ///
    /// # Errors
    /// [`MarketError::Params`] if a parameter is outside its range.
    pub fn from_abi(
        id: MarketId,
        params: &bindings::ProverMarket::MarketParams,
    ) -> Result<Self, MarketError> {
        let params = MarketParams::try_from(params).map_err(|reason| MarketError::Params { id, reason })?;
        Ok(Self { id, params })
    }

    /// First second at which `round` takes no bid any more.
    #[must_use]
    pub fn close_of(&self, round: RoundNumber) -> u64 {
        self.id.close_of(round)
    }

    /// First second from which a commitment for `round` may be mined too late, when the contract refuses it. One that is sent before
    /// has 15 s to get there, or a quarter of the round where that is less.
    #[must_use]
    pub fn commit_by(&self, round: RoundNumber) -> u64 {
        let margin = TIME_TO_COMMIT.min(self.id.bidding_period() / 4);
        self.close_of(round).saturating_sub(margin)
    }

    /// First second at which commitments of `round` can no longer be opened, and the round can be settled. In a market with
    /// open bids, its close.
    #[must_use]
    pub fn reveal_by(&self, round: RoundNumber) -> u64 {
        self.close_of(round).saturating_add(self.params.reveal_period)
    }

    /// First second at which `round` is void, unless it was settled.
    #[must_use]
    pub fn settle_by(&self, round: RoundNumber) -> u64 {
        self.reveal_by(round).saturating_add(self.params.settlement_period)
    }

    /// First second at which an undelivered task of `round` is in default.
    #[must_use]
    pub fn prove_by(&self, round: RoundNumber) -> u64 {
        self.settle_by(round).saturating_add(self.params.proving_period)
    }

    /// First second at which an undelivered task of `round` can only be expired.
    #[must_use]
    pub fn final_at(&self, round: RoundNumber) -> u64 {
        let takeovers = u64::from(self.params.max_takeovers).saturating_mul(self.params.takeover_period);
        self.prove_by(round).saturating_add(takeovers)
    }

    /// What `round` is in at `now` (seconds since the epoch), given how many bids it has and whether it was settled.
    #[must_use]
    pub fn phase(&self, round: RoundNumber, bids: usize, settled: bool, now: u64) -> Phase {
        if now < self.id.open_of(round) {
            Phase::Future
        } else if now < self.close_of(round) {
            Phase::Bidding
        } else if now < self.reveal_by(round) {
            Phase::Reveal
        } else if bids == 0 || (!settled && now >= self.settle_by(round)) {
            Phase::Void
        } else if !settled {
            Phase::Settlement
        } else if now < self.prove_by(round) {
            Phase::Proving
        } else if now < self.final_at(round) {
            Phase::Takeover
        } else {
            Phase::Over
        }
    }

    /// What is lost of a commitment worth `amount` ticks (a bid's deposit, or the collateral of an ask's seat) if it is not
    /// opened: its share, at least the settlement fee.
    #[must_use]
    pub fn bond_of(&self, amount: u128) -> u128 {
        const BPS: u128 = 10_000;
        // As `amount * share / BPS`, in two parts because the product may pass 2^128.
        let share = u128::from(self.params.bond_bps);
        let whole = (amount / BPS).saturating_mul(share);
        let rest = (amount % BPS).saturating_mul(share) / BPS;
        whole.saturating_add(rest).max(self.id.settlement_fee().into())
    }

    /// The least gas that a delivery must be sent with: what the contract keeps for the verifier, and the rest of the call.
    #[must_use]
    pub fn delivery_gas(&self) -> u64 {
        const AROUND_THE_PROOF: u64 = 300_000;
        // A call passes on at most 63/64 of the gas that is left (EIP-150).
        self.params.verifier_gas.saturating_mul(64).div_ceil(63).saturating_add(AROUND_THE_PROOF)
    }

    /// The least gas that so many deliveries must be sent with together: what the contract keeps for the verifier, which may take as
    /// much for all as for each alone, and the rest of the call.
    #[must_use]
    pub fn batch_gas(&self, deliveries: usize) -> u64 {
        const AROUND_THE_BATCH: u64 = 300_000;
        const AROUND_EACH: u64 = 20_000;
        let count = u64::try_from(deliveries).unwrap_or(u64::MAX);
        let verifying = self.params.verifier_gas.saturating_mul(count).saturating_mul(64).div_ceil(63);
        verifying.saturating_add(AROUND_EACH.saturating_mul(count)).saturating_add(AROUND_THE_BATCH)
    }

    /// Most deliveries that are sent together: as many as one transaction has gas for, at most [`MAX_TOGETHER`].
    #[must_use]
    pub fn most_together(&self) -> usize {
        (1..=MAX_TOGETHER).rev().find(|n| self.batch_gas(*n) <= MAX_TRANSACTION_GAS).unwrap_or(1)
    }

    /// `ticks` of the ledger in currency (wei, or the token's smallest unit), held at the maximum.
    #[must_use]
    pub fn ticks_to_wei(&self, ticks: U256) -> U256 {
        ticks.saturating_mul(U256::from(self.params.tick))
    }

    /// `amount` of currency (wei, or the token's smallest unit) in ticks.
    ///
    /// # Errors
    /// [`NotWholeTicks`] if it is no multiple of the tick; nothing is ever rounded.
    pub fn wei_to_ticks(&self, amount: U256) -> Result<U256, NotWholeTicks> {
        let tick = self.params.tick;
        let not_whole = |below| NotWholeTicks { amount, tick, below };
        let ticks = amount.checked_div(U256::from(tick)).ok_or(not_whole(U256::ZERO))?;
        let below = self.ticks_to_wei(ticks);
        if below == amount { Ok(ticks) } else { Err(not_whole(below)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::tests::{params, sealed_params};

    fn of(params: crate::MarketParams) -> Market {
        Market { id: params.market_id(), params }
    }

    fn market() -> Market {
        of(params())
    }

    fn round(number: u64) -> RoundNumber {
        RoundNumber::new(number)
    }

    #[test]
    fn an_id_carries_what_every_bid_needs() {
        let Market { id, params } = market();
        assert_eq!(id.genesis(), params.genesis);
        assert_eq!(id.bidding_period(), params.bidding_period);
        assert_eq!(id.settlement_fee(), params.settlement_fee);
        assert_eq!(id.max_task_size(), params.max_task_size.get());
        assert_eq!(id.least_capacity(), 16 + 15);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!("0x12".parse::<MarketId>().is_err());
    }

    #[test]
    fn rounds_follow_each_other_without_a_gap() {
        let id = market().id;
        let genesis = id.genesis();
        assert_eq!(id.round_at(genesis - 1), Err(NoRound::NotOpenYet { time: genesis - 1, genesis }));
        assert_eq!(id.round_at(genesis), Ok(round(0)));
        assert_eq!(id.round_at(id.close_of(round(0)) - 1), Ok(round(0)));
        assert_eq!(id.round_at(id.close_of(round(0))), Ok(round(1)));
        assert_eq!(id.open_of(round(1)), id.close_of(round(0)));
        assert_eq!(MarketId::from(B256::ZERO).round_at(5), Err(NoRound::NotAMarket));
    }

    #[test]
    fn deadlines_add_up() {
        let market = market();
        let (genesis, n) = (market.params.genesis, round(3));
        assert_eq!(market.close_of(n), genesis + 4 * 60);
        assert_eq!(market.settle_by(n), market.close_of(n) + 30);
        assert_eq!(market.prove_by(n), market.settle_by(n) + 90);
        assert_eq!(market.final_at(n), market.prove_by(n) + 2 * 45);
        assert_eq!(market.final_at(RoundNumber::MAX), u64::MAX);
    }

    #[test]
    fn a_sealed_market_shows_it_in_its_id_and_settles_after_the_reveal() {
        let (open, sealed) = (market(), of(sealed_params()));
        assert!(!open.id.is_sealed() && sealed.id.is_sealed());
        assert_eq!(sealed.id.max_task_size(), open.id.max_task_size());
        let n = round(3);
        assert_eq!((open.reveal_by(n), sealed.reveal_by(n)), (open.close_of(n), sealed.close_of(n) + 20));
        assert_eq!(sealed.settle_by(n), sealed.close_of(n) + 20 + 30);
    }

    #[test]
    fn a_commitment_is_sent_early_enough_to_be_mined_before_the_close() {
        let mut params = sealed_params();
        let n = round(3);
        for (period, margin) in [(60, 15), (59, 14), (61, 15), (600, 15), (3, 0)] {
            params.bidding_period = period;
            let market = of(params.clone());
            assert_eq!(market.close_of(n) - market.commit_by(n), margin, "{period}");
        }
    }

    #[test]
    fn a_round_goes_through_its_phases() {
        let (market, n) = (of(sealed_params()), round(3));
        let open = market.id.open_of(n);
        let phases = |bids, settled| {
            [0, 60, 80, 110, 200, 290].map(|after| market.phase(n, bids, settled, open + after))
        };
        use Phase::{Bidding, Over, Proving, Reveal, Settlement, Takeover, Void};
        assert_eq!(phases(1, true), [Bidding, Reveal, Proving, Proving, Takeover, Over]);
        assert_eq!(phases(1, false), [Bidding, Reveal, Settlement, Void, Void, Void]);
        assert_eq!(phases(0, false), [Bidding, Reveal, Void, Void, Void, Void]);
        assert_eq!(market.phase(n, 0, false, open - 1), Phase::Future);
    }

    #[test]
    fn a_bond_is_a_share_and_at_least_the_settlement_fee() {
        let market = of(sealed_params());
        assert_eq!([0, 59, 60, 1_005].map(|amount| market.bond_of(amount)), [5, 5, 6, 100]);
        assert_eq!(market.bond_of(u128::MAX), u128::MAX / 10);
    }

    #[test]
    fn an_amount_that_is_no_whole_number_of_ticks_is_refused() {
        let market = market();
        let tick = U256::from(market.params.tick);
        assert_eq!(market.wei_to_ticks(tick * U256::from(5)), Ok(U256::from(5)));
        let error = market.wei_to_ticks(tick * U256::from(5) + U256::ONE).unwrap_err();
        assert_eq!(error.below, tick * U256::from(5));
        assert_eq!(market.ticks_to_wei(U256::from(5)), tick * U256::from(5));
    }
}
