//! Everything that defines a market.

use crate::{CapacityChange, MarketId};
use alloy::primitives::aliases::{U24, U40, U96};
use alloy::primitives::{Address, U256, keccak256};
use alloy::sol_types::SolValue;
use bindings::ProverMarket;
use clearing::{Bounds, Controllers, EmptyBounds, Terms};
use market_types::{CapacityCap, Mechanism, OutOfRange, ReservePrice, TaskSize};

/// What a market pays in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Currency {
    /// The chain's own currency, in wei.
    Native,
    /// An ERC-20 token, in its smallest unit.
    Token(Address),
}

/// The parameters of a market; see `contracts/types/MarketParams.sol`. Periods in seconds, shares in basis points.
/// [`MarketParams::validate`] says whether they make a market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarketParams {
    /// What the market pays in.
    pub currency: Currency,
    /// Value of one tick (wei, or the token's smallest unit), 1 to 2^96 - 1.
    pub tick: u128,
    /// How a round is cleared.
    pub mechanism: Mechanism,
    /// Upper bound on the total size of one round's batch (units). With a controller, the first one.
    pub capacity_cap: CapacityCap,
    /// Least value that the capacity cap moves to (units).
    pub cap_min: CapacityCap,
    /// Greatest value that the capacity cap moves to (units); equal to `cap_min` to keep it fixed.
    pub cap_max: CapacityCap,
    /// Lowest unit fee that can win (ticks per unit), 0 for none. With a controller, the first one.
    pub reserve_price: ReservePrice,
    /// Least value that the reserve price moves to (ticks per unit).
    pub reserve_min: ReservePrice,
    /// Greatest value that the reserve price moves to (ticks per unit); equal to `reserve_min` to keep it fixed.
    pub reserve_max: ReservePrice,
    /// Start of round 0 (seconds since the epoch), below 2^40.
    pub genesis: u64,
    /// Length of a round's bidding, below 2^24.
    pub bidding_period: u64,
    /// Time after close in which commitments are opened, below 2^24; 0 for a market with open bids.
    pub reveal_period: u64,
    /// Time after that in which a round can be settled. Both periods together are at most `bidding_period`.
    pub settlement_period: u64,
    /// Time after the settlement deadline in which assigned provers deliver, below 2^24.
    pub proving_period: u64,
    /// Time that one takeover has for itself, below 2^24.
    pub takeover_period: u64,
    /// How often a defaulted task may be taken over, 1 to 16.
    pub max_takeovers: u8,
    /// Most prover seats, 1 to 128.
    pub max_seats: u8,
    /// Rounds until a change of a seat's capacity counts, at least 1.
    pub capacity_delay: u8,
    /// Smallest capacity of a seat (units), at least `2 * max_task_size - 1`.
    pub min_seat_capacity: u32,
    /// What taking a seat costs (ticks); it is not returned.
    pub seat_fee: u64,
    /// Decides which circuits exist and which proofs hold.
    pub verifier: Address,
    /// Most gas that one verification may use, below 2^32.
    pub verifier_gas: u64,
    /// Part of a slashed collateral that goes to the prover that delivers after a default.
    pub bounty_bps: u16,
    /// Part of a slashed collateral that goes to the requester.
    pub compensation_bps: u16,
    /// What requester and prover each lose on a task that nobody proves.
    pub penalty_bps: u16,
    /// What is lost of a commitment that is not opened: this part of a bid's deposit, or of the collateral of an ask's
    /// seat, at least the settlement fee. 0 in a market with open bids.
    pub bond_bps: u16,
    /// Receives surplus and what remains of penalties, bonds, seat fees and slashed collateral.
    pub sink: Address,
    /// Collateral behind each unit of registered capacity (ticks per unit).
    pub collateral_per_unit: u64,
    /// What each bid pays towards the settlement of its round (ticks), below 2^32.
    pub settlement_fee: u64,
    /// Largest size of a task (units), at most 2^30.
    pub max_task_size: TaskSize,
}

impl MarketParams {
    /// The parameters as the contract takes them. What lies outside its range is held at the nearest value of the type; the
    /// contract refuses parameters that make no market.
    #[must_use]
    pub fn to_abi(&self) -> ProverMarket::MarketParams {
        ProverMarket::MarketParams {
            currency: match self.currency {
                Currency::Native => Address::ZERO,
                Currency::Token(token) => token,
            },
            tick: U96::saturating_from(self.tick),
            capacityCap: self.capacity_cap.get(),
            reservePrice: self.reserve_price.get(),
            revealPeriod: U24::saturating_from(self.reveal_period),
            settlementPeriod: U24::saturating_from(self.settlement_period),
            provingPeriod: U24::saturating_from(self.proving_period),
            takeoverPeriod: U24::saturating_from(self.takeover_period),
            maxTakeovers: self.max_takeovers,
            maxSeats: self.max_seats,
            capacityDelay: self.capacity_delay,
            mechanism: mechanism_to_abi(self.mechanism),
            verifier: self.verifier,
            verifierGas: low32(self.verifier_gas),
            bountyBps: self.bounty_bps,
            compensationBps: self.compensation_bps,
            penaltyBps: self.penalty_bps,
            bondBps: self.bond_bps,
            sink: self.sink,
            collateralPerUnit: self.collateral_per_unit,
            minSeatCapacity: self.min_seat_capacity,
            genesis: U40::saturating_from(self.genesis),
            biddingPeriod: U24::saturating_from(self.bidding_period),
            settlementFee: low32(self.settlement_fee),
            maxTaskSize: self.max_task_size.get(),
            seatFee: self.seat_fee,
            capMin: self.cap_min.get(),
            capMax: self.cap_max.get(),
            reserveMin: self.reserve_min.get(),
            reserveMax: self.reserve_max.get(),
        }
    }

    /// Whether bids and asks are committed to first and opened after the close.
    #[must_use]
    pub const fn is_sealed(&self) -> bool {
        self.reveal_period != 0
    }

    /// Whether capacity cap or reserve price ever move.
    #[must_use]
    pub fn is_controlled(&self) -> bool {
        self.cap_min != self.cap_max || self.reserve_min != self.reserve_max
    }

    /// How capacity cap and reserve price follow the rounds that are settled.
    ///
    /// # Errors
    /// [`EmptyBounds`] for bounds that no market has; see [`MarketParams::validate`].
    pub fn controllers(&self) -> Result<Controllers, EmptyBounds> {
        Ok(Controllers {
            cap: Bounds::new(self.cap_min, self.cap_max)?,
            reserve: Bounds::new(self.reserve_min, self.reserve_max)?,
        })
    }

    /// Capacity cap and reserve price of the first rounds.
    #[must_use]
    pub const fn first_terms(&self) -> Terms {
        Terms { cap: self.capacity_cap, reserve: self.reserve_price }
    }

    /// Largest capacity of a seat (units): what one seat offers must fit every capacity cap, or a cheap one above it would
    /// keep rounds from clearing.
    #[must_use]
    pub fn max_seat_capacity(&self) -> u32 {
        let largest = self.cap_min.get().saturating_add(self.max_task_size.get().saturating_sub(1).into());
        low32(largest).min(CapacityChange::MAX_UNITS)
    }

    /// The id of a market with these parameters, whether or not it has been created.
    #[must_use]
    pub fn market_id(&self) -> MarketId {
        let abi = self.to_abi();
        let hash = U256::from_be_bytes(keccak256(abi.abi_encode()).0);
        let low = (U256::from(abi.genesis) << 88)
            | (U256::from(abi.biddingPeriod) << 64)
            | (U256::from(abi.settlementFee) << 32)
            | (U256::from(self.is_sealed()) << 31)
            | U256::from(abi.maxTaskSize);
        MarketId::from(alloy::primitives::B256::from((hash >> 128 << 128) | low))
    }
}

/// A mechanism's place in the contract's enumeration.
const fn mechanism_to_abi(mechanism: Mechanism) -> u8 {
    match mechanism {
        Mechanism::Core => 0,
        Mechanism::AverageFee => 1,
    }
}

/// The mechanism at this place in the contract's enumeration.
pub(crate) fn mechanism_from_abi(place: u8) -> Result<Mechanism, OutOfRange> {
    let found = Mechanism::ALL.into_iter().find(|mechanism| mechanism_to_abi(*mechanism) == place);
    found.ok_or(OutOfRange { what: "mechanism", given: place.into(), min: 0, max: 1 })
}

impl TryFrom<&ProverMarket::MarketParams> for MarketParams {
    type Error = OutOfRange;

    fn try_from(abi: &ProverMarket::MarketParams) -> Result<Self, Self::Error> {
        Ok(Self {
            currency: if abi.currency == Address::ZERO {
                Currency::Native
            } else {
                Currency::Token(abi.currency)
            },
            tick: abi.tick.to(),
            mechanism: mechanism_from_abi(abi.mechanism)?,
            capacity_cap: CapacityCap::from_u64(abi.capacityCap)?,
            cap_min: CapacityCap::from_u64(abi.capMin)?,
            cap_max: CapacityCap::from_u64(abi.capMax)?,
            reserve_price: ReservePrice::new(abi.reservePrice),
            reserve_min: ReservePrice::new(abi.reserveMin),
            reserve_max: ReservePrice::new(abi.reserveMax),
            genesis: abi.genesis.to(),
            bidding_period: abi.biddingPeriod.to(),
            reveal_period: abi.revealPeriod.to(),
            settlement_period: abi.settlementPeriod.to(),
            proving_period: abi.provingPeriod.to(),
            takeover_period: abi.takeoverPeriod.to(),
            max_takeovers: abi.maxTakeovers,
            max_seats: abi.maxSeats,
            capacity_delay: abi.capacityDelay,
            min_seat_capacity: abi.minSeatCapacity,
            seat_fee: abi.seatFee,
            verifier: abi.verifier,
            verifier_gas: abi.verifierGas.into(),
            bounty_bps: abi.bountyBps,
            compensation_bps: abi.compensationBps,
            penalty_bps: abi.penaltyBps,
            bond_bps: abi.bondBps,
            sink: abi.sink,
            collateral_per_unit: abi.collateralPerUnit,
            settlement_fee: abi.settlementFee.into(),
            max_task_size: TaskSize::new(abi.maxTaskSize)?,
        })
    }
}

fn low32(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A market with a different value in every parameter.
    pub(crate) fn params() -> MarketParams {
        MarketParams {
            currency: Currency::Native,
            tick: 1_000_000_000,
            mechanism: Mechanism::Core,
            capacity_cap: CapacityCap::new(500).unwrap(),
            cap_min: CapacityCap::new(100).unwrap(),
            cap_max: CapacityCap::new(900).unwrap(),
            reserve_price: ReservePrice::new(3),
            reserve_min: ReservePrice::new(1),
            reserve_max: ReservePrice::new(8),
            genesis: 1_700_000_000,
            bidding_period: 60,
            reveal_period: 0,
            settlement_period: 30,
            proving_period: 90,
            takeover_period: 45,
            max_takeovers: 2,
            max_seats: 10,
            capacity_delay: 2,
            min_seat_capacity: 31,
            seat_fee: 11,
            verifier: Address::repeat_byte(7),
            verifier_gas: 400_000,
            bounty_bps: 3_000,
            compensation_bps: 4_000,
            penalty_bps: 1_000,
            bond_bps: 0,
            sink: Address::repeat_byte(9),
            collateral_per_unit: 20,
            settlement_fee: 5,
            max_task_size: TaskSize::new(16).unwrap(),
        }
    }

    /// [`params`] of a sealed market: 20 s to open bids, a tenth of a deposit is lost without.
    pub(crate) fn sealed_params() -> MarketParams {
        MarketParams { reveal_period: 20, bond_bps: 1_000, ..params() }
    }

    #[test]
    fn parameters_survive_the_way_to_the_contract_and_back() {
        let token = MarketParams { currency: Currency::Token(Address::repeat_byte(1)), ..params() };
        let average_fee = MarketParams { mechanism: Mechanism::AverageFee, ..params() };
        for params in [params(), sealed_params(), token, average_fee] {
            assert_eq!(MarketParams::try_from(&params.to_abi()), Ok(params));
        }
    }

    #[test]
    fn parameters_of_no_market_are_refused() {
        for spoil in [
            |abi: &mut ProverMarket::MarketParams| abi.mechanism = 2,
            |abi: &mut ProverMarket::MarketParams| abi.capacityCap = 0,
            |abi: &mut ProverMarket::MarketParams| abi.maxTaskSize = 0,
        ] {
            let mut abi = params().to_abi();
            spoil(&mut abi);
            assert!(MarketParams::try_from(&abi).is_err());
        }
    }

    #[test]
    fn every_parameter_is_part_of_the_id() {
        let id = params().market_id();
        let other_sink = MarketParams { sink: Address::repeat_byte(8), ..params() };
        assert_ne!(other_sink.market_id(), id);
        assert_eq!(other_sink.market_id().genesis(), id.genesis());
    }
}
