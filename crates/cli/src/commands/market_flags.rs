//! The rules of a new market, as flags.

use crate::amount::{Amount, Currency, Denomination};
use crate::failure::{Code, Failure, OrFail, Outcome};
use alloy::primitives::{Address, U256};
use chain::MarketParams;
use clap::Args;
use market_types::{CapacityCap, Mechanism, ReservePrice, TaskSize};

/// Lost of a commitment that is not opened, unless --bond-bps says otherwise: a tenth makes looking at the other offers first
/// dear, and an outage bearable.
const SEALED_BOND_BPS: u16 = 1_000;

/// Create a market; its rules never change
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  rounds of one minute, prices in gwei, at least 3 gwei per unit
  proophi market create --tick 1gwei --capacity-cap 4000 --max-task-size 53 --reserve 3 --bidding 60

  sealed bids, 15 s to open them, requesters pay what they bid
  proophi market create --mechanism average-fee --bidding 60 --reveal 15

  a capacity cap that follows demand, and a reserve price that follows how busy provers are
  proophi market create --capacity-cap 4000 --cap-min 500 --cap-max 16000 --reserve 5 --reserve-min 1 --reserve-max 50
Prices without a unit are ticks per unit.")]
pub(crate) struct MarketFlags {
    /// How a round is cleared: core (one price for users, one for provers) or average-fee (users pay what they bid)
    #[arg(long, value_name = "MECHANISM", default_value_t = Mechanism::Core)]
    pub(crate) mechanism: Mechanism,
    /// ERC-20 token to pay in [default: the chain's own currency]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) currency: Option<Address>,
    /// Value of one tick; every amount in the market is a whole number of them
    #[arg(long, value_name = "AMOUNT", default_value = "1gwei")]
    pub(crate) tick: Amount,
    /// Most units that one round may prove; with --cap-min and --cap-max the first one
    #[arg(long, value_name = "UNITS", default_value_t = 4_096)]
    pub(crate) capacity_cap: u64,
    /// Least capacity cap that demand may bring it to [default: --capacity-cap, which keeps it fixed]
    #[arg(long, value_name = "UNITS")]
    pub(crate) cap_min: Option<u64>,
    /// Greatest capacity cap that demand may bring it to [default: --capacity-cap, which keeps it fixed]
    #[arg(long, value_name = "UNITS")]
    pub(crate) cap_max: Option<u64>,
    /// Largest size of a task
    #[arg(long, value_name = "UNITS", default_value_t = 64)]
    pub(crate) max_task_size: u32,
    /// Lowest price per unit at which a bid can win; with --reserve-min and --reserve-max the first one
    #[arg(long, value_name = "PRICE", default_value = "0")]
    pub(crate) reserve: Amount,
    /// Lowest reserve price that idle provers may bring it to [default: --reserve, which keeps it fixed]
    #[arg(long, value_name = "PRICE")]
    pub(crate) reserve_min: Option<Amount>,
    /// Highest reserve price that demand may bring it to [default: --reserve, which keeps it fixed]
    #[arg(long, value_name = "PRICE")]
    pub(crate) reserve_max: Option<Amount>,
    /// Length of a round's bidding
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) bidding: u32,
    /// Time after it to open commitments: bids and asks are sealed until then; 0 for open bids
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub(crate) reveal: u32,
    /// Time to settle a round, with --reveal at most the length of the bidding [default: what --reveal leaves of it]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) settlement: Option<u32>,
    /// Time to prove after that
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub(crate) proving: u32,
    /// Time that each takeover has
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    pub(crate) takeover: u32,
    /// How often a task may be taken over, 1 to 16
    #[arg(long, value_name = "NUMBER", default_value_t = 2)]
    pub(crate) max_takeovers: u8,
    /// Most provers, 1 to 128
    #[arg(long, value_name = "NUMBER", default_value_t = 32)]
    pub(crate) max_seats: u8,
    /// Smallest capacity of a seat [default: twice the largest task less one]
    #[arg(long, value_name = "UNITS")]
    pub(crate) min_seat: Option<u32>,
    /// What taking a seat costs; it is not returned
    #[arg(long, value_name = "AMOUNT", default_value = "0ticks")]
    pub(crate) seat_fee: Amount,
    /// Rounds until a change of a seat's capacity counts, at least 1
    #[arg(long, value_name = "ROUNDS", default_value_t = 1)]
    pub(crate) capacity_delay: u8,
    /// Proof verifier [default: the setting]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) verifier: Option<Address>,
    /// Most gas that verifying one proof may take
    #[arg(long, value_name = "GAS", default_value_t = 500_000)]
    pub(crate) verifier_gas: u32,
    /// Part of slashed collateral for the prover that steps in (1/100 of a percent)
    #[arg(long, value_name = "BPS", default_value_t = 5_000)]
    pub(crate) bounty_bps: u16,
    /// Part of slashed collateral for the requester (1/100 of a percent)
    #[arg(long, value_name = "BPS", default_value_t = 3_000)]
    pub(crate) compensation_bps: u16,
    /// What requester and prover each lose on a task that nobody proves (1/100 of a percent)
    #[arg(long, value_name = "BPS", default_value_t = 1_000)]
    pub(crate) penalty_bps: u16,
    /// What is lost of a bid's deposit, or of a seat's collateral, if its commitment is not opened (1/100 of a percent)
    /// [default: 1000 in a sealed market]
    #[arg(long, value_name = "BPS")]
    pub(crate) bond_bps: Option<u16>,
    /// Who receives the surplus [default: whoever creates the market]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) sink: Option<Address>,
    /// Collateral behind each unit of capacity
    #[arg(long, value_name = "PRICE", default_value = "100")]
    pub(crate) collateral: Amount,
    /// What every bid pays towards settlement
    #[arg(long, value_name = "AMOUNT", default_value = "1000ticks")]
    pub(crate) settlement_fee: Amount,
    /// When round 0 opens, in seconds since the epoch [default: now]
    #[arg(long, value_name = "TIME")]
    pub(crate) genesis: Option<u64>,
}

impl MarketFlags {
    /// The parameters, which the contract would take.
    pub(crate) fn params(
        &self,
        currency: &Currency,
        verifier: Address,
        sink: Address,
        now: u64,
    ) -> Outcome<MarketParams> {
        // The tick itself is given in the currency; in ticks it would be one.
        let raw = Denomination { currency: currency.clone(), tick: U256::ONE };
        let tick = raw.wei(&self.tick).or_fail(Code::Input)?;
        if tick.is_zero() {
            return Err(Failure::input("--tick must be at least 1 wei"));
        }
        let money = Denomination { currency: currency.clone(), tick };
        let price = |amount: &Amount| money.price(amount).or_fail(Code::Input);
        let ticks = |flag, amount: &Amount| fitted(flag, money.ticks(amount).or_fail(Code::Input)?);
        let reserve_or = |bound: &Option<Amount>| price(bound.as_ref().unwrap_or(&self.reserve));
        let cap = |flag: &str, units| CapacityCap::new(units).or_fail_with(Code::Input, || flag.to_owned());
        let max_task_size = TaskSize::new(self.max_task_size);
        let bond_bps = self.bond_bps.unwrap_or(if self.reveal == 0 { 0 } else { SEALED_BOND_BPS });
        let params = MarketParams {
            currency: self.currency.map_or(chain::Currency::Native, chain::Currency::Token),
            tick: fitted("--tick", tick)?,
            mechanism: self.mechanism,
            capacity_cap: cap("--capacity-cap", self.capacity_cap)?,
            cap_min: cap("--cap-min", self.cap_min.unwrap_or(self.capacity_cap))?,
            cap_max: cap("--cap-max", self.cap_max.unwrap_or(self.capacity_cap))?,
            reserve_price: ReservePrice::new(price(&self.reserve)?),
            reserve_min: ReservePrice::new(reserve_or(&self.reserve_min)?),
            reserve_max: ReservePrice::new(reserve_or(&self.reserve_max)?),
            genesis: self.genesis.unwrap_or(now),
            bidding_period: self.bidding.into(),
            reveal_period: self.reveal.into(),
            settlement_period: self.settlement.unwrap_or(self.bidding.saturating_sub(self.reveal)).into(),
            proving_period: self.proving.into(),
            takeover_period: self.takeover.into(),
            max_takeovers: self.max_takeovers,
            max_seats: self.max_seats,
            capacity_delay: self.capacity_delay,
            min_seat_capacity: self
                .min_seat
                .unwrap_or(self.max_task_size.saturating_mul(2).saturating_sub(1)),
            seat_fee: ticks("--seat-fee", &self.seat_fee)?,
            verifier,
            verifier_gas: self.verifier_gas.into(),
            bounty_bps: self.bounty_bps,
            compensation_bps: self.compensation_bps,
            penalty_bps: self.penalty_bps,
            bond_bps,
            sink: self.sink.unwrap_or(sink),
            collateral_per_unit: price(&self.collateral)?,
            settlement_fee: ticks("--settlement-fee", &self.settlement_fee)?,
            max_task_size: max_task_size.or_fail_with(Code::Input, || "--max-task-size".to_owned())?,
        };
        params.validate().or_fail(Code::Input)?;
        Ok(params)
    }
}

/// `value` as the contract's narrower integer.
fn fitted<T, V: TryInto<T> + std::fmt::Display + Copy>(flag: &str, value: V) -> Outcome<T> {
    value.try_into().map_err(|_| Failure::input(format!("{flag}: {value} is too large for the contract")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        flags: MarketFlags,
    }

    fn params(flags: &str) -> Outcome<MarketParams> {
        let flags = std::iter::once("x").chain(flags.split_whitespace());
        let flags = Command::try_parse_from(flags).unwrap().flags;
        flags.params(&Currency::ether(), Address::repeat_byte(1), Address::repeat_byte(2), 77)
    }

    fn refusal(flags: &str) -> String {
        let failure = params(flags).unwrap_err();
        assert_eq!(failure.code(), Code::Input);
        failure.to_string()
    }

    #[test]
    fn prices_are_converted_with_the_market_s_own_tick() {
        let params =
            params("--tick 1gwei --reserve 3gwei --collateral 50 --settlement-fee 9gwei --seat-fee 4gwei")
                .unwrap();
        assert_eq!(params.reserve_price.get(), 3);
        assert_eq!((params.collateral_per_unit, params.settlement_fee, params.seat_fee), (50, 9, 4));
        assert_eq!((params.sink, params.genesis), (Address::repeat_byte(2), 77));
    }

    #[test]
    fn a_market_without_further_flags_is_open_fixed_and_takes_every_seat() {
        let params = params("").unwrap();
        assert!(!params.is_sealed() && !params.is_controlled());
        assert_eq!((params.mechanism, params.bond_bps, params.seat_fee), (Mechanism::Core, 0, 0));
        assert_eq!((params.min_seat_capacity, params.capacity_delay), (127, 1));
        assert_eq!(params.settlement_period, params.bidding_period);
    }

    #[test]
    fn a_sealed_market_has_a_bond_and_settles_in_what_the_reveal_leaves() {
        let params = params("--bidding 60 --reveal 20 --mechanism average-fee").unwrap();
        assert!(params.is_sealed());
        assert_eq!((params.bond_bps, params.settlement_period), (1_000, 40));
        assert_eq!(params.mechanism, Mechanism::AverageFee);
        assert!(refusal("--reveal 20 --bond-bps 0").contains("bondBps: 0"));
        assert!(refusal("--bond-bps 5").contains("bondBps"));
    }

    #[test]
    fn terms_move_only_within_the_bounds_that_are_given() {
        let params = params("--capacity-cap 500 --cap-max 900 --reserve 3 --reserve-min 1").unwrap();
        assert_eq!([params.cap_min.get(), params.cap_max.get()], [500, 900]);
        assert_eq!([params.reserve_min.get(), params.reserve_max.get()], [1, 3]);
        assert!(refusal("--cap-min 5000").contains("capacityCap"));
    }

    #[test]
    fn values_that_make_no_market_are_refused_before_anything_is_sent() {
        assert!(refusal("--bidding 16777216").contains("biddingPeriod"));
        assert!(refusal("--bidding 10 --settlement 11").contains("settlementPeriod"));
        assert!(refusal("--bidding 10 --reveal 6 --settlement 5").contains("settlementPeriod"));
        assert!(refusal("--tick 0").contains("--tick"));
        assert!(refusal("--max-task-size 0").contains("--max-task-size"));
        assert!(refusal("--min-seat 100").contains("minSeatCapacity"));
    }
}
