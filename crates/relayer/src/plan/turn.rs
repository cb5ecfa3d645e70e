//! Whose turn it is. Pure.
//!
//! Any number of relayers may see at the same time that a round can be settled, and all but one that send would pay for a transaction that is
//! refused. So each waits a little by its own measure, other ones each round, and looks for the transactions of others before it sends.

use alloy::primitives::{Address, keccak256};
use chain::Market;
use market_types::RoundNumber;

/// How many turns there are.
const TURNS: u64 = 4;

/// Part of the time in which a round can be settled that all turns take at most.
const PART: u64 = 4;

/// Seconds that this settler waits after the round can be settled: 0 in one of four rounds by chance, then up to three times `step`, and
/// never more than a quarter of the time in which the round can be settled.
#[must_use]
pub fn turn(market: &Market, round: RoundNumber, settler: Address, step: u64) -> u64 {
    let mut name = settler.to_vec();
    name.extend_from_slice(market.id.get().as_slice());
    name.extend_from_slice(&round.get().to_be_bytes());
    let chance = u64::from(keccak256(name).0[0]) % TURNS;
    let most = market.params.settlement_period / PART / TURNS;
    chance.saturating_mul(step.min(most))
}

/// Seconds that this settler leaves the bundles of a round to others, of which one release each is enough: none if it settled the round
/// itself, `step` and its turn if somebody else did, at least until the next block, and its turn if nobody did.
#[must_use]
pub fn release_turn(
    market: &Market,
    round: RoundNumber,
    settler: Address,
    settled_by: Option<Address>,
    step: u64,
) -> u64 {
    let turn = turn(market, round, settler, step);
    match settled_by {
        Some(by) if by == settler => 0,
        Some(_) => step.max(1).saturating_add(turn),
        None => turn,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn market(settlement_period: u64) -> Market {
        let mut params = testkit::default_params(Address::repeat_byte(1), 1_000);
        params.settlement_period = settlement_period;
        Market { id: params.market_id(), params }
    }

    #[test]
    fn turns_differ_between_settlers_and_between_rounds_and_leave_most_of_the_time() {
        let market = market(600);
        let of =
            |settler: u8, round| turn(&market, RoundNumber::new(round), Address::repeat_byte(settler), 12);
        let of_one: BTreeSet<u64> = (0..50).map(|round| of(1, round)).collect();
        let in_one_round: BTreeSet<u64> = (0..50).map(|settler| of(settler, 1)).collect();
        let all = BTreeSet::from([0, 12, 24, 36]);
        assert_eq!((of_one, in_one_round), (all.clone(), all));
        assert_eq!(of(3, 7), of(3, 7));
    }

    #[test]
    fn turns_are_short_where_there_is_little_time() {
        let longest = |period| {
            let market = market(period);
            (0..50).map(|round| turn(&market, RoundNumber::new(round), Address::ZERO, 12)).max().unwrap()
        };
        assert_eq!((longest(32), longest(15)), (6, 0));
    }

    #[test]
    fn whoever_settled_a_round_releases_its_bundles_first() {
        let (market, round, settler) = (market(600), RoundNumber::new(7), Address::repeat_byte(3));
        let of = |by| release_turn(&market, round, settler, by, 12);
        let own = turn(&market, round, settler, 12);
        assert_eq!((of(Some(settler)), of(None)), (0, own));
        assert_eq!(of(Some(Address::repeat_byte(4))), own + 12);
    }

    #[test]
    fn without_a_step_nobody_waits_but_for_the_next_block() {
        let market = market(600);
        assert!((0..20).all(|round| turn(&market, RoundNumber::new(round), Address::ZERO, 0) == 0));
        let of = |by| release_turn(&market, RoundNumber::new(7), Address::ZERO, by, 0);
        assert_eq!((of(Some(Address::ZERO)), of(None), of(Some(Address::repeat_byte(4)))), (0, 0, 1));
    }
}
