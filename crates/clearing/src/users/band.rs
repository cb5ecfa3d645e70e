//! Bids that follow each other in user order, few enough to keep apart.

use super::Grain;
use super::buckets::{Buckets, Histogram};
use crate::demand::DemandCurve;
use crate::parts;
use crate::prefix::Prefix;
use crate::ranking::{BidKey, total_size};
use crate::total::Total;
use market_types::{ReservePrice, Units};

/// All bids of one bucket, or of one bucket of a bucket.
pub(super) struct Band<T> {
    /// The sum over the bids ranked before these.
    pub(super) before: T,
    /// In order of submission.
    pub(super) bids: Vec<BidKey>,
    pub(super) grain: Grain,
}

/// The demand curve over a band.
pub(super) type BandCurve = DemandCurve<std::iter::Rev<std::vec::IntoIter<BidKey>>>;

impl<T: Total> Band<T> {
    /// The bids counted by bucket, unless it is as quick to sort them: because they are few, or because they all
    /// have the same fee and are in order already.
    ///
    /// The buckets tell the lowest fee from the highest, so each holds less than the whole band. A bucket's range of
    /// fees has `bits` bits less than the band's, so that steps end.
    pub(super) fn histogram(&self) -> Option<Histogram<T>> {
        let fees = self.bids.iter().map(|key| key.fee().get());
        let (low, high) = (fees.clone().min()?, fees.max()?);
        if self.bids.len() <= self.grain.few || low == high {
            return None;
        }
        let buckets = Buckets::over(low, high, self.grain.bits);
        let parts = parts::number_for(self.bids.len());
        Some(Histogram::of(buckets, self.before, &self.bids, parts, |key| (key.fee(), key.size())))
    }

    /// The bids of one bucket of this band's histogram.
    pub(super) fn part(&self, counted: &Histogram<T>, bucket: u16) -> Self {
        let bids = counted.members(bucket, &self.bids, |_, key| Some(key));
        Self { before: counted.before(bucket), bids, grain: self.grain }
    }

    /// `prefix(limit)`, given that the first user left out is in this band, or else that nobody is left out and
    /// that the last user is in this band.
    pub(super) fn prefix(self, reserve: ReservePrice, limit: Units) -> Prefix<T> {
        let mut band = self;
        while let Some(counted) = band.histogram() {
            let Some(bucket) = counted.first_left_out(limit) else {
                return Prefix::everybody(counted.total(), reserve);
            };
            band = band.part(&counted, bucket);
        }
        band.bids.sort_unstable();
        Prefix::of(band.before, &band.bids, reserve, limit)
    }

    /// The demand curve at the prices of this band.
    pub(super) fn curve(mut self) -> BandCurve {
        self.bids.sort_unstable();
        let total = self.before.units().saturating_add(total_size(&self.bids));
        DemandCurve::new(self.bids.into_iter().rev(), total)
    }
}
