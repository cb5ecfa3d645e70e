//! Contracts whose signature was refused on chain after they had stood for it when they were asked.
//!
//! A contract can tell a call that costs nothing from a transaction, and say yes to one and no to the other. Each time that costs the
//! relayer what the contract burns, up to 100,000 gas.

use alloy::primitives::Address;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long they are turned away.
const AWAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Most that are remembered: the newest.
const MOST: usize = 10_000;

/// Contracts that are turned away.
#[derive(Debug, Default)]
pub(crate) struct Wallets(Mutex<BTreeMap<Address, Instant>>);

impl Wallets {
    /// Remembers one that was refused at this time.
    pub(crate) fn turn_away(&self, wallet: Address, now: Instant) {
        let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        refused.insert(wallet, now);
        if refused.len() > MOST {
            refused.retain(|_, since| now.duration_since(*since) < AWAY);
        }
        if refused.len() > MOST {
            let oldest = refused.iter().min_by_key(|(_, since)| **since).map(|(wallet, _)| *wallet);
            oldest.map(|oldest| refused.remove(&oldest));
        }
    }

    /// For how long it is still turned away.
    pub(crate) fn away(&self, wallet: Address, now: Instant) -> Option<Duration> {
        let refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        AWAY.checked_sub(now.duration_since(*refused.get(&wallet)?)).filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wallet(number: usize) -> Address {
        Address::left_padding_from(&number.to_be_bytes())
    }

    #[test]
    fn a_contract_that_was_refused_is_turned_away_for_a_day() {
        let (wallets, now) = (Wallets::default(), Instant::now());
        assert_eq!(wallets.away(wallet(1), now), None);
        wallets.turn_away(wallet(1), now);
        assert_eq!(wallets.away(wallet(1), now + AWAY / 4), Some(AWAY * 3 / 4));
        assert_eq!((wallets.away(wallet(1), now + AWAY), wallets.away(wallet(2), now)), (None, None));
    }

    #[test]
    fn the_newest_are_remembered_and_no_more_than_there_is_room_for() {
        let (wallets, start) = (Wallets::default(), Instant::now());
        let at = |number: usize| start + Duration::from_millis(number as u64);
        (0..MOST + 3).for_each(|number| wallets.turn_away(wallet(number), at(number)));
        let known = |number| wallets.away(wallet(number), at(MOST + 3)).is_some();
        assert_eq!([0, 2, 3, MOST + 2].map(known), [false, false, true, true]);
        assert_eq!(wallets.0.lock().unwrap().len(), MOST);
    }
}
