//! Bids counted by fee: a range of fees cut into buckets of equal width, in user order.

use crate::parts;
use crate::total::Total;
use market_types::{UnitCost, UnitPrice, Units};

/// Where the buckets lie. Number 0 has the highest fees, and every fee of a bucket is above every fee of the
/// next. The first and the last have no outer border.
#[derive(Debug, Clone, Copy)]
pub(super) struct Buckets {
    /// The top of the range, in ticks per unit.
    high: u64,
    /// A bucket is `2^shift` fees wide.
    shift: u32,
    /// Number of the last bucket.
    last: u16,
}

impl Buckets {
    /// At most `2^bits` buckets over `low..=high`; they tell `low` from `high`. `bits`: from 1 to 15.
    pub(super) fn over(low: u64, high: u64, bits: u32) -> Self {
        let width = high.saturating_sub(low);
        let width_bits = u64::BITS.saturating_sub(width.leading_zeros());
        let shift = width_bits.saturating_sub(bits);
        Self { high, shift, last: u16::try_from(width.wrapping_shr(shift)).unwrap_or(u16::MAX) }
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
    /// eighth of the time to go through.
    numbers: Vec<u16>,
    /// On how many cores they are gone through.
    parts: usize,
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
        let mut numbers = vec![0; bids.len()];
        let length = parts::length(bids.len(), parts);
        let tasks = bids.chunks(length).zip(numbers.chunks_mut(length)).collect();
        let counted = parts::each(tasks, |(bids, numbers): (&[B], &mut [u16])| {
            // A copy, which stays in registers whatever is written to.
            let own = buckets;
            let mut sums = vec![T::NOTHING; own.count()];
            for (bid, place) in bids.iter().zip(numbers) {
                let (fee, size) = look(bid);
                let number = own.number(fee.get());
                if let Some(sum) = sums.get_mut(usize::from(number)) {
                    *sum = sum.plus(T::of(fee, size));
                }
                *place = number;
            }
            sums
        });
        let mut through = vec![T::NOTHING; buckets.count()];
        for sums in counted {
            for (all, sum) in through.iter_mut().zip(sums) {
                *all = all.plus(sum);
            }
        }
        let mut running = before;
        for sum in &mut through {
            running = running.plus(*sum);
            *sum = running;
        }
        Self { buckets, before, through, numbers, parts }
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
        let length = parts::length(bids.len(), self.parts);
        let tasks = self.numbers.chunks(length).zip(bids.chunks(length)).zip((0..).step_by(length)).collect();
        let found = parts::each(tasks, |((numbers, bids), first): ((&[u16], &[B]), usize)| {
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
