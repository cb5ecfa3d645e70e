//! The fast way: find the few bids around the line between winning and losing without sorting the others.
//!
//! One pass counts all bids by bucket of fees. The first bid left out is in the one bucket in which the running
//! size passes the limit. A second pass picks this bucket's bids, which are counted by finer buckets in their turn
//! while they are many, and sorted once they are few. Demand is read in the same way: buckets before the price's
//! own want to pay it, buckets after do not, and only where that leaves the answer open are bids looked at. As the
//! questions ascend (see [`Demand`]), that happens in one bucket only: if bids before it want no more than the
//! supply asked about, then every later question at a price above it has the answer "no".
//!
//! Passes over many bids are cut into parts for several cores: sums of parts add up to the same.
//!
//! Linear: every step after the first takes `bits` bits off the range of fees and reads no more than all bids, and at
//! most `few` bids of different fees are sorted.

use super::Users;
use super::band::{Band, BandCurve};
use super::buckets::{Buckets, Histogram};
use crate::demand::Demand;
use crate::parts;
use crate::prefix::Prefix;
use crate::ranking::BidKey;
use crate::total::Total;
use market_types::{Bid, BidIndex, Round, UnitCost, Units};

/// How finely bids are counted, and on how many cores. No result depends on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grain {
    /// At most `2^bits` buckets a step; at least 1.
    pub(crate) bits: u32,
    /// So many bids are sorted rather than counted.
    pub(crate) few: usize,
    /// In so many parts are all bids of a round gone through, each on a core.
    pub(crate) parts: usize,
}

impl Grain {
    /// A histogram that fits the fastest cache, and as many bids as sort about as fast as they are counted.
    pub(crate) fn of(round: &Round) -> Self {
        Self { bits: 10, few: 256, parts: parts::number_for(round.bids().len()) }
    }
}

/// How many bids are looked at to guess the range of fees.
const SAMPLE: usize = 256;

/// All bids, counted by bucket: also those below the reserve price, which rank after the others and which only
/// [`Counted::band`] leaves out.
pub(crate) struct Counted<'a, T> {
    round: &'a Round,
    counted: Histogram<T>,
    grain: Grain,
}

impl<'a, T: Total> Counted<'a, T> {
    pub(crate) fn of(round: &'a Round, grain: Grain) -> Self {
        let buckets = likely_buckets(round, grain);
        let look = |bid: &Bid| (bid.fee.into(), bid.size.into());
        let counted = Histogram::of(buckets, T::NOTHING, round.bids(), grain.parts, look);
        Self { round, counted, grain }
    }

    /// The bids of one bucket that are at or above the reserve price.
    fn band(&self, bucket: u16) -> Band<T> {
        let reserve = self.round.reserve().get();
        let bids = self.counted.members(bucket, self.round.bids(), |position, bid| {
            if bid.fee.get() >= reserve { key(position, bid) } else { None }
        });
        Band { before: self.counted.before(bucket), bids, grain: self.grain }
    }
}

/// The key of the bid at a position in a round. Always there: every position in a round is an index.
fn key(position: usize, bid: Bid) -> Option<BidKey> {
    let index = BidIndex::from_u64(u64::try_from(position).ok()?).ok()?;
    Some(BidKey::new(index, bid))
}

/// Buckets over the fees of a sample, which saves a pass over all bids. The range is that of its middle, so that
/// nobody widens it with one extreme bid, and a margin on both sides that keeps the outermost buckets empty if fees
/// lie evenly. Fees outside are counted in these buckets: that can cost time, but never changes a result.
fn likely_buckets(round: &Round, grain: Grain) -> Buckets {
    let step = round.bids().len().div_ceil(SAMPLE).max(1);
    let mut fees: Vec<u64> = round.bids().iter().step_by(step).map(|bid| bid.fee.get()).collect();
    fees.sort_unstable();
    let outer = fees.len() >> 5;
    let low = fees.get(outer).copied().unwrap_or(0);
    let high = fees.iter().nth_back(outer).copied().unwrap_or(low);
    let margin = (high.saturating_sub(low) >> 3).max(1);
    Buckets::around(low.saturating_sub(margin), high.saturating_add(margin), grain.bits)
}

impl<T: Total> Users<T> for Counted<'_, T> {
    fn prefix(&self, limit: Units) -> Prefix<T> {
        let reserve = self.round.reserve();
        // The last bucket with bids that take part. All before it are at or above the reserve price.
        let last = self.counted.number(reserve.get());
        let bucket = self.counted.first_left_out(limit).map_or(last, |bucket| bucket.min(last));
        self.band(bucket).prefix(reserve, limit)
    }

    fn demand(&self) -> impl Demand {
        CountedDemand::Round(self)
    }
}

/// Demand, known as finely as the questions so far needed.
enum CountedDemand<'a, T> {
    Round(&'a Counted<'a, T>),
    Band(Band<T>, Histogram<T>),
    Ranked(BandCurve),
}

impl<T: Total> CountedDemand<'_, T> {
    fn within(band: Band<T>) -> Self {
        match band.histogram() {
            Some(counted) => Self::Band(band, counted),
            None => Self::Ranked(band.curve()),
        }
    }
}

impl<T: Total> Demand for CountedDemand<'_, T> {
    fn exceeds(&mut self, price: UnitCost, supply: Units) -> bool {
        loop {
            let part = match self {
                Self::Round(users) => match users.counted.exceeds(price, supply) {
                    Ok(answer) => return answer,
                    Err(bucket) => users.band(bucket),
                },
                Self::Band(band, counted) => match counted.exceeds(price, supply) {
                    Ok(answer) => return answer,
                    Err(bucket) => band.part(counted, bucket),
                },
                Self::Ranked(curve) => return curve.exceeds(price, supply),
            };
            *self = Self::within(part);
        }
    }
}
