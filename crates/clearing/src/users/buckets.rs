//! Bids counted by fee: a range of fees cut into buckets of equal width, in user order.

use crate::parts;
use crate::total::{Tally, Total};
use market_types::{UnitCost, UnitPrice, Units};
use std::ops::RangeInclusive;

/// Where the buckets lie. Number 0 has the highest fees, and every fee of a bucket is above every fee of the
/// next.
#[derive(Debug, Clone, Copy)]
pub(super) struct Buckets {
    /// The top of the range, in ticks per unit.
    high: u64,
    /// A bucket is `2^shift` fees wide.
    shift: u32,
    /// Number of the last bucket.
    last: u16,
    /// No fee is below this one: the outer border of the last bucket.
    lowest: u64,
    /// No fee is above this one: the outer border of the first bucket.
    highest: u64,
}

impl Buckets {
    /// At most `2^bits` buckets for fees that are all in `low..=high`; they tell `low` from `high`. `bits`: from 1 to 15.
    pub(super) fn over(low: u64, high: u64, bits: u32) -> Self {
        let width = high.saturating_sub(low);
        let width_bits = u64::BITS.saturating_sub(width.leading_zeros());
        let shift = width_bits.saturating_sub(bits);
        let last = u16::try_from(width.wrapping_shr(shift)).unwrap_or(u16::MAX);
        Self { high, shift, last, lowest: low, highest: high }
    }

    /// The same for fees that lie anywhere: those outside of `low..=high` are counted in the first bucket or in the last.
    pub(super) fn around(low: u64, high: u64, bits: u32) -> Self {
        Self { lowest: 0, highest: u64::MAX, ..Self::over(low, high, bits) }
    }

    /// How many there are.
    fn count(&self) -> usize {
        usize::from(self.last).saturating_add(1)
    }

    /// The bucket of a fee.
    fn number(&self, fee: u64) -> u16 {
        // `shift` is at most 63, so this is `>>`.
        let number = self.high.saturating_sub(fee).wrapping_shr(self.shift);
        u16::try_from(number.min(self.last.into())).unwrap_or(self.last)
    }

    /// The lowest and the highest fee that a bucket can hold.
    fn borders(&self, number: u16) -> RangeInclusive<u64> {
        let top = self.high.saturating_sub(u64::from(number).wrapping_shl(self.shift));
        let low = top.saturating_sub(1_u64.wrapping_shl(self.shift).wrapping_sub(1));
        let low = if number == self.last { self.lowest } else { low };
        let high = if number == 0 { self.highest } else { top };
        low..=high
    }
}

/// How many bids are passed over at once when none of them is in the bucket looked for.
const BLOCK: usize = 32;

/// Bids counted by bucket.
pub(super) struct Histogram<T> {
    buckets: Buckets,
    /// The sum over the bids ranked before all those that were counted.
    before: T,
    /// By bucket: the sum over its bids and all that rank before them.
    through: Vec<T>,
    /// By bid, in the order of counting: its bucket. Takes an eighth of the memory of the bids, and so about an
    /// eighth of the time to go through. In parts, one for each core.
    numbers: Vec<Vec<u16>>,
    /// How many bids a part has; the last one may have fewer.
    length: usize,
}

impl<T: Total> Histogram<T> {
    /// `before`: the sum over the bids ranked before `bids`. `parts`: on how many cores. `look`: a bid's fee and size.
    pub(super) fn of<B: Sync>(
        buckets: Buckets,
        before: T,
        bids: &[B],
        parts: usize,
        look: impl Fn(&B) -> (UnitPrice, Units) + Sync + Send,
    ) -> Self {
        let length = parts::length(bids.len(), parts);
        let counted = parts::each(bids.chunks(length).collect(), |bids| tally::<T, B>(buckets, bids, &look));
        let (tallies, numbers): (Vec<_>, Vec<_>) = counted.into_iter().unzip();
        let tallies = by_bucket(tallies, Tally::plus);
        let told: Vec<Option<T>> =
            (0..).zip(tallies).map(|(number, tally)| tally.told(buckets.borders(number))).collect();
        let untold: Vec<bool> = told.iter().map(Option::is_none).collect();
        let others = if untold.contains(&true) {
            let tasks = bids.chunks(length).zip(&numbers).collect();
            by_bucket(
                parts::each(tasks, |(bids, numbers)| add_up(&untold, bids, numbers, &look)),
                Total::plus,
            )
        } else {
            vec![T::NOTHING; untold.len()]
        };
        let mut running = before;
        let through = told.into_iter().zip(others).map(|(told, other)| {
            running = running.plus(told.unwrap_or(other));
            running
        });
        let through = through.collect();
        Self { buckets, before, through, numbers, length }
    }

    /// The sum over all bids counted and those ranked before them.
    pub(super) fn total(&self) -> T {
        self.through.last().copied().unwrap_or(self.before)
    }

    /// The sum over the bids ranked before those of a bucket.
    pub(super) fn before(&self, bucket: u16) -> T {
        let previous = bucket.checked_sub(1).map(usize::from);
        previous.and_then(|previous| self.through.get(previous)).copied().unwrap_or(self.before)
    }

    /// The bucket of a fee.
    pub(super) fn number(&self, fee: u64) -> u16 {
        self.buckets.number(fee)
    }

    /// The bucket of the first bid that does not fit `limit`, if there is one.
    pub(super) fn first_left_out(&self, limit: Units) -> Option<u16> {
        let bucket = self.through.partition_point(|through| through.units() <= limit);
        self.through.get(bucket).and_then(|_| u16::try_from(bucket).ok())
    }

    /// Whether demand at `price` exceeds `supply`, as far as whole buckets tell; else the bucket with the answer.
    ///
    /// The bids that want to pay `price` are all those in the buckets before the price's own, none of those
    /// after, and some of those in it.
    pub(super) fn exceeds(&self, price: UnitCost, supply: Units) -> Result<bool, u16> {
        let bucket = self.buckets.number(price.get());
        if self.before(bucket).units() > supply {
            return Ok(true);
        }
        match self.through.get(usize::from(bucket)) {
            Some(through) if through.units() > supply => Err(bucket),
            _ => Ok(false),
        }
    }

    /// What `keep` makes of those of `bids` that are in a bucket, each with its position. `bids`: what was counted, in the same order.
    pub(super) fn members<B: Copy + Sync, K: Send>(
        &self,
        bucket: u16,
        bids: &[B],
        keep: impl Fn(usize, B) -> Option<K> + Sync + Send,
    ) -> Vec<K> {
        // Every bid has a unit at least, so a bucket without units is empty.
        let through = self.through.get(usize::from(bucket));
        if through.is_none_or(|through| through.units() == self.before(bucket).units()) {
            return Vec::new();
        }
        let bids = bids.chunks(self.length);
        let tasks = self.numbers.iter().zip(bids).zip((0..).step_by(self.length)).collect();
        let found = parts::each(tasks, |((numbers, bids), first): ((&Vec<u16>, &[B]), usize)| {
            let mut kept = Vec::new();
            let blocks = numbers.chunks(BLOCK).zip(bids.chunks(BLOCK)).zip((first..).step_by(BLOCK));
            for ((numbers, bids), first) in blocks {
                if !numbers.contains(&bucket) {
                    continue;
                }
                for ((number, bid), position) in numbers.iter().zip(bids).zip(first..) {
                    if *number == bucket {
                        kept.extend(keep(position, *bid));
                    }
                }
            }
            kept
        });
        let mut found = found.into_iter();
        let mut kept = found.next().unwrap_or_default();
        found.for_each(|more| kept.extend(more));
        kept
    }
}

/// By bucket the tally of these bids, and by bid its bucket.
fn tally<T: Total, B>(
    buckets: Buckets,
    bids: &[B],
    look: impl Fn(&B) -> (UnitPrice, Units),
) -> (Vec<T::Tally>, Vec<u16>) {
    let mut tallies = vec![T::Tally::NOTHING; buckets.count()];
    let numbers = bids.iter().map(|bid| {
        let (fee, size) = look(bid);
        let number = buckets.number(fee.get());
        if let Some(tally) = tallies.get_mut(usize::from(number)) {
            *tally = tally.with(fee, size);
        }
        number
    });
    let numbers = numbers.collect();
    (tallies, numbers)
}

/// By bucket, the sum over those of these bids that are in it, if it is `wanted`. `numbers`: by bid, its bucket.
fn add_up<T: Total, B>(
    wanted: &[bool],
    bids: &[B],
    numbers: &[u16],
    look: impl Fn(&B) -> (UnitPrice, Units),
) -> Vec<T> {
    let mut sums = vec![T::NOTHING; wanted.len()];
    for (bid, number) in bids.iter().zip(numbers) {
        let number = usize::from(*number);
        if wanted.get(number) == Some(&true)
            && let Some(sum) = sums.get_mut(number)
        {
            let (fee, size) = look(bid);
            *sum = sum.plus(T::of(fee, size));
        }
    }
    sums
}

/// What was added up in several parts.
fn by_bucket<S: Copy>(parts: Vec<Vec<S>>, plus: impl Fn(S, S) -> S) -> Vec<S> {
    let mut parts = parts.into_iter();
    let mut all = parts.next().unwrap_or_default();
    for part in parts {
        for (all, sum) in all.iter_mut().zip(part) {
            *all = plus(*all, sum);
        }
    }
    all
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "tests may panic")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A fee anywhere, or near a power of two.
    fn fee() -> impl Strategy<Value = u64> {
        prop_oneof![
            any::<u64>(),
            (0..64_u32, 0..4_u64).prop_map(|(bits, less)| (1_u64 << bits).saturating_sub(less))
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        #[test]
        fn a_bucket_holds_the_fees_between_its_borders(a in fee(), b in fee(), of in fee(), bits in 1..16_u32) {
            let (low, high) = (a.min(b), a.max(b));
            let (within, buckets) = (Buckets::over(low, high, bits), Buckets::around(low, high, bits));
            prop_assert!(buckets.count() <= 1 << bits);
            if (low..=high).contains(&of) {
                let (narrow, wide) = (within.borders(within.number(of)), buckets.borders(buckets.number(of)));
                prop_assert_eq!(*narrow.start(), low.max(*wide.start()));
                prop_assert_eq!(*narrow.end(), high.min(*wide.end()));
            }
            let number = buckets.number(of);
            let borders = buckets.borders(number);
            prop_assert!(borders.contains(&of));
            for border in [*borders.start(), *borders.end()] {
                prop_assert_eq!(buckets.number(border), number);
            }
            if number > 0 {
                prop_assert_eq!(buckets.number(borders.end() + 1), number - 1);
            } else {
                prop_assert_eq!(*borders.end(), u64::MAX);
            }
            if number < buckets.last {
                prop_assert_eq!(buckets.number(borders.start() - 1), number + 1);
            } else {
                prop_assert_eq!(*borders.start(), 0);
            }
        }
    }
}
