//! The terms that move: how a settled round sets the capacity cap and the reserve price of a later one. The rule
//! and its reasons are in `docs/controllers.md`.
//!
//! Round `n` is settled while round `n + 1` takes bids, so it moves the terms from round `n + 2` on:
//! `terms(n + 2) = controllers.next(terms(n + 1), terms(n), signal(n))`. A round that is never settled moves
//! nothing.

use crate::certificate::UserPivot;
use market_types::{CapacityCap, ReservePrice, Units};
use thiserror::Error;

/// A full step moves a term by this part of itself: an eighth.
const FULL_STEP: u128 = 8;

/// What a market fixes before a round opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Terms {
    /// The capacity cap `B`, in units.
    pub cap: CapacityCap,
    /// The reserve price `r`, in ticks per unit.
    pub reserve: ReservePrice,
}

/// What a settled round says about the terms that it ran under; [`crate::verify_with_signal`] takes it from the
/// round's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signal {
    /// `Q`: total size of the winning tasks, in units.
    pub units: Units,
    /// `K`: total capacity of the winning provers, in units. In `average-fee` without a batch: of those that any
    /// batch would bring in, who ask less than the reserve price.
    pub capacity: Units,
    /// The first user left out.
    pub pivot: UserPivot,
    /// Whether the cap held the round back. In `core`: bids want the pivot prover, who would have won but for the
    /// cap. In `average-fee`: it left a bid out of the batch, and the winning provers could prove all of the batch.
    pub cap_binds: bool,
}

/// A range without a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the least value {min} is above the greatest, {max}; give them in ascending order")]
pub struct EmptyBounds {
    /// The least value given.
    pub min: u64,
    /// The greatest value given.
    pub max: u64,
}

/// The least and the greatest value that a term may take. Equal, they fix it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bounds<T> {
    min: T,
    max: T,
}

impl<T: Copy + Ord + Into<u64> + TryFrom<u64>> Bounds<T> {
    /// The values from `min` to `max`, both included.
    ///
    /// # Errors
    /// [`EmptyBounds`] if `min > max`.
    pub fn new(min: T, max: T) -> Result<Self, EmptyBounds> {
        if min > max {
            return Err(EmptyBounds { min: min.into(), max: max.into() });
        }
        Ok(Self { min, max })
    }

    /// The least value.
    #[must_use]
    pub const fn min(&self) -> T {
        self.min
    }

    /// The greatest value.
    #[must_use]
    pub const fn max(&self) -> T {
        self.max
    }

    /// The value of the range next to `wanted`.
    fn nearest(&self, wanted: u128) -> T {
        let wanted = wanted.max(u128::from(self.min.into()));
        // What does not fit the type is above the greatest value: it is not below the least.
        let wanted = u64::try_from(wanted).ok().and_then(|wanted| T::try_from(wanted).ok());
        wanted.map_or(self.max, |wanted| wanted.min(self.max))
    }
}

/// The rule of a market: the bounds of its terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Controllers {
    /// Bounds of the capacity cap, in units.
    pub cap: Bounds<CapacityCap>,
    /// Bounds of the reserve price, in ticks per unit.
    pub reserve: Bounds<ReservePrice>,
}

impl Controllers {
    /// The terms of round `n + 2`, from those of round `n + 1` (`latest`), those of round `n` (`of_round`) and what
    /// round `n` did under them. Always within the bounds, also for a signal that no round can give.
    #[must_use]
    pub fn next(&self, latest: Terms, of_round: Terms, signal: Signal) -> Terms {
        Terms {
            cap: self.cap.nearest(next_cap(latest.cap, of_round.cap, signal)),
            reserve: self.reserve.nearest(next_reserve(latest.reserve, signal)),
        }
    }
}

/// Steers towards twice what is cleared: up by at most an eighth if more than half of the cap is used, down by at
/// most an eighth if less is.
fn next_cap(latest: CapacityCap, of_round: CapacityCap, signal: Signal) -> u128 {
    let (latest, cap) = (u128::from(latest.get()), u128::from(of_round.get()));
    let used = if signal.cap_binds { cap } else { signal.units.get().into() };
    let target = cap / 2;
    // Above and below the target, of which one is 0.
    let (over, under) = (used.saturating_sub(target), target.saturating_sub(used));
    if signal.units == Units::ZERO {
        // Without a trade nobody has paid for a move.
        latest
    } else if over > 0 {
        let step = share(latest, over, cap.saturating_sub(target)).max(1);
        latest.saturating_add(step)
    } else {
        latest.saturating_sub(share(latest, under, target))
    }
}

/// Rises towards the fee that was turned away, falls by the part of the winners' capacity that lay idle; by at most
/// an eighth, and by one tick where an eighth is less.
fn next_reserve(latest: ReservePrice, signal: Signal) -> u128 {
    let latest = u128::from(latest.get());
    let (units, capacity) = (u128::from(signal.units.get()), u128::from(signal.capacity.get()));
    if capacity == 0 {
        return latest;
    }
    if signal.pivot.index != UserPivot::NOBODY_LEFT_OUT {
        let above = u128::from(signal.pivot.fee.get()).saturating_sub(latest);
        let rise = above.div_ceil(FULL_STEP).min((latest / FULL_STEP).max(1));
        return latest.saturating_add(rise);
    }
    let idle = capacity.saturating_sub(units);
    if idle == 0 {
        return latest;
    }
    latest.saturating_sub(share(latest, idle, capacity).max(1))
}

/// `floor(amount * part / (8 * whole))`. The arguments are below 2^64, so nothing saturates; 0 if `whole` is 0.
fn share(amount: u128, part: u128, whole: u128) -> u128 {
    amount.saturating_mul(part).checked_div(whole.saturating_mul(FULL_STEP)).unwrap_or(0)
}
