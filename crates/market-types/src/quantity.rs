//! Amounts of proving work, in *units*: one unit is a fixed number of constraints, set per market. And in tasks.

use crate::number::number;

number! {
    /// A total of units: a batch, the capacity of several provers, a demand.
    ///
    /// A round has less than 2^32 bids and at most 2^32 asks, each of less than 2^32 units, so every total
    /// over one round fits.
    Units(u64), "total of units", as text
}

number! {
    /// The size of one proving task, in units; at least 1.
    TaskSize(u32) in 1..=u32::MAX, "task size", as number
}

number! {
    /// What one prover offers in one round, in units; at least 1.
    ///
    /// On chain every capacity in a round is also at least the market's max task size.
    Capacity(u32) in 1..=u32::MAX, "capacity", as text
}

number! {
    /// The capacity cap of a round, in units: the most that one round may prove, fixed before bidding opens;
    /// at least 1.
    CapacityCap(u64) in 1..=u64::MAX, "capacity cap", as text
}

number! {
    /// How many bids one entry of a round stands for; at least 1.
    ///
    /// They have consecutive indices, one fee and one size.
    LotSize(u16) in 1..=16_383, "number of bids in an entry", as number
}

impl Units {
    /// No units at all.
    pub const ZERO: Self = Self::new(0);

    /// The sum, or `None` if it does not fit 64 bits, which no total over one round does.
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.get().checked_add(other.get()) {
            Some(sum) => Some(Self::new(sum)),
            None => None,
        }
    }

    /// The sum, held at [`Units::MAX`]; exact for every total over one round.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self::new(self.get().saturating_add(other.get()))
    }

    /// The difference, held at zero.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self::new(self.get().saturating_sub(other.get()))
    }
}

impl From<TaskSize> for Units {
    fn from(size: TaskSize) -> Self {
        Self::new(u64::from(size.get()))
    }
}

impl From<Capacity> for Units {
    fn from(capacity: Capacity) -> Self {
        Self::new(u64::from(capacity.get()))
    }
}

impl From<CapacityCap> for Units {
    fn from(cap: CapacityCap) -> Self {
        Self::new(cap.get())
    }
}
