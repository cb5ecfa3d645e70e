//! Where a commitment stands, as the chain tells it.

use super::OpeningKey;
use alloy::eips::BlockId;
use alloy::primitives::{B256, U256};
use alloy::sol_types::SolCall;
use bindings::ProverMarket;
use chain::history::CommitmentRecord;
use chain::{CallError, Client, Market};
use market_types::RoundNumber;
use serde::Serialize;

/// Stakes to ask for in one call.
const AT_ONCE: usize = 200;

/// Where a commitment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// The chain does not know it: it was never sent, or is on its way.
    Unsent,
    /// It waits for the reveal.
    Sealed,
    /// It can be opened now.
    Open,
    /// It was not opened in time. What it holds beyond its bond comes back by a forfeit.
    Late,
    /// It was opened.
    Revealed,
    /// Its bond is lost, and the rest is back.
    Forfeited,
}

impl Status {
    /// The status at `now` (seconds since the epoch). `record`: the commitment in the market's history; `staked`: whether
    /// anything stands behind it still.
    #[must_use]
    pub fn of(
        market: &Market,
        round: RoundNumber,
        record: Option<&CommitmentRecord>,
        staked: bool,
        now: u64,
    ) -> Self {
        match record {
            _ if staked && now < market.close_of(round) => Self::Sealed,
            _ if staked && now < market.reveal_by(round) => Self::Open,
            _ if staked => Self::Late,
            None => Self::Unsent,
            Some(record) if record.forfeited.is_some() => Self::Forfeited,
            Some(_) => Self::Revealed,
        }
    }
}

/// Whether the opening of a commitment is of no use any more at `now`: nothing stands behind it, and its round is so far on that
/// no reorganisation brings it back.
#[must_use]
pub fn is_over(market: &Market, round: RoundNumber, staked: bool, now: u64) -> bool {
    !staked && now >= market.settle_by(round)
}

/// Whether anything stands behind each of these commitments at the end of `block`.
///
/// # Errors
/// [`CallError`].
pub async fn are_staked(
    client: &Client,
    keys: &[OpeningKey],
    block: BlockId,
) -> Result<Vec<bool>, CallError> {
    let mut staked = Vec::with_capacity(keys.len());
    for part in keys.chunks(AT_ONCE) {
        let calls = part.iter().map(|key| {
            let (id, round) = (key.venue.market, U256::from(key.round.get()));
            let (account, commitment): (_, B256) = (key.account, key.commitment);
            ProverMarket::stakeOfCall { id, account, round, commitment }.abi_encode().into()
        });
        let answers = client.market().multicall(calls.collect()).block(block).call().await?;
        for answer in answers {
            let stake = ProverMarket::stakeOfCall::abi_decode_returns(&answer);
            let stake = stake.map_err(|error| CallError::Unexpected(error.to_string()))?;
            staked.push(!stake.deposit_.is_zero());
        }
    }
    Ok(staked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::Address;
    use chain::events::Origin;
    use chain::{Currency, MarketParams};
    use market_types::{CapacityCap, Mechanism, ReservePrice, TaskSize};

    const GENESIS: u64 = 1_000;

    /// Rounds of a minute, 20 s to open, 30 s to settle.
    fn market() -> Market {
        let cap = CapacityCap::new(500).unwrap();
        let reserve = ReservePrice::new(0);
        let params = MarketParams {
            currency: Currency::Native,
            tick: 1,
            mechanism: Mechanism::Core,
            capacity_cap: cap,
            cap_min: cap,
            cap_max: cap,
            reserve_price: reserve,
            reserve_min: reserve,
            reserve_max: reserve,
            genesis: GENESIS,
            bidding_period: 60,
            reveal_period: 20,
            settlement_period: 30,
            proving_period: 60,
            takeover_period: 60,
            max_takeovers: 1,
            max_seats: 4,
            capacity_delay: 1,
            min_seat_capacity: 127,
            seat_fee: 0,
            verifier: Address::repeat_byte(1),
            verifier_gas: 1,
            bounty_bps: 0,
            compensation_bps: 0,
            penalty_bps: 0,
            bond_bps: 1_000,
            sink: Address::repeat_byte(2),
            collateral_per_unit: 1,
            settlement_fee: 1,
            max_task_size: TaskSize::new(64).unwrap(),
        };
        Market { id: params.market_id(), params }
    }

    fn record(forfeited: bool) -> CommitmentRecord {
        let origin = Origin { block: 1, time: GENESIS, log_index: 0, tx_hash: B256::ZERO };
        CommitmentRecord {
            round: RoundNumber::new(0),
            account: Address::ZERO,
            commitment: B256::ZERO,
            deposit: U256::from(10),
            bond: U256::from(1),
            origin,
            forfeited: forfeited.then_some(origin),
        }
    }

    fn status(record: Option<CommitmentRecord>, staked: bool, after: u64) -> Status {
        Status::of(&market(), RoundNumber::new(0), record.as_ref(), staked, GENESIS + after)
    }

    #[test]
    fn a_commitment_is_sealed_until_the_close_then_open_then_late() {
        let at = |after| status(Some(record(false)), true, after);
        assert_eq!([at(0), at(59)], [Status::Sealed; 2]);
        assert_eq!([at(60), at(79)], [Status::Open; 2]);
        assert_eq!([at(80), at(1_000)], [Status::Late; 2]);
    }

    #[test]
    fn without_a_stake_it_was_opened_or_forfeited_or_never_there() {
        assert_eq!(status(Some(record(false)), false, 70), Status::Revealed);
        assert_eq!(status(Some(record(true)), false, 90), Status::Forfeited);
        assert_eq!(status(None, false, 70), Status::Unsent);
    }

    #[test]
    fn an_opening_is_kept_until_its_round_is_settled_or_void_and_while_anything_is_at_stake() {
        let over = |staked, after| is_over(&market(), RoundNumber::new(0), staked, GENESIS + after);
        assert!(!over(false, 109));
        assert!(over(false, 110));
        assert!(!over(true, 10_000));
    }
}
