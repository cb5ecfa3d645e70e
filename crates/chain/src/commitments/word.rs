//! An entry of a round as the settlement sees it.

use super::{hash_words, low64, mask};
use alloy::primitives::{Address, B256, U256};
use market_types::{LotSize, OutOfRange, TaskSize, UnitFee};

/// The bit of a word that says that the entry is told.
const TOLD: U256 = U256::from_limbs([0, 0, 1 << 31, 0]);

/// Binds an entry to its requester and to the statements that it asks proofs for: 144 bits of a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(U256);

impl Ticket {
    /// The ticket of an entry whose statements have this root, see [`statements`](super::statements). `requester` is who is compensated or
    /// refunded if a task is not delivered in time.
    #[must_use]
    pub fn new(requester: Address, statements: B256) -> Self {
        Self::truncated(hash_words(&[requester.into_word(), statements]))
    }

    /// The low 144 bits of `hash`.
    #[must_use]
    pub fn truncated(hash: B256) -> Self {
        Self(U256::from_be_bytes(hash.0) & mask(144))
    }

    /// The ticket as a number below 2^144.
    #[must_use]
    pub const fn get(self) -> U256 {
        self.0
    }
}

/// One entry as the settlement sees it: `unit fee (64) | task size (32) | told (1) | further bids (15) | ticket (144)`. It stands for
/// `1 + further bids` bids with consecutive indices. For one that is told the statements are published with the bid, and only then
/// does a prover that misses its deadline owe for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BidWord(B256);

impl BidWord {
    /// Packs an entry that is not told.
    #[must_use]
    pub fn new(fee: UnitFee, size: TaskSize, count: LotSize, ticket: Ticket) -> Self {
        let further = count.get().saturating_sub(1);
        let word: U256 = (U256::from(fee.get()) << 192)
            | (U256::from(size.get()) << 160)
            | (U256::from(further) << 144)
            | ticket.get();
        Self(word.into())
    }

    /// The same entry, told: whoever submits it publishes its statements before it in the transaction.
    #[must_use]
    pub fn told(self) -> Self {
        Self((U256::from_be_bytes(self.0.0) | TOLD).into())
    }

    /// The same entry, not told.
    #[must_use]
    pub fn untold(self) -> Self {
        Self((U256::from_be_bytes(self.0.0) & !TOLD).into())
    }

    /// Whether its statements were published in the transaction that submitted it.
    #[must_use]
    pub fn is_told(self) -> bool {
        self.part(159, 1) != 0
    }

    /// `told (1) | further bids (15)`, as deliveries have it.
    #[must_use]
    pub fn lot(self) -> u16 {
        u16::try_from(self.part(144, 16)).unwrap_or(u16::MAX)
    }

    /// Unit fee of its bids (ticks per unit).
    #[must_use]
    pub fn fee(self) -> UnitFee {
        UnitFee::from_u64(self.part(192, 64)).unwrap_or(UnitFee::MIN)
    }

    /// Size of each of its tasks (units).
    #[must_use]
    pub fn size(self) -> TaskSize {
        TaskSize::from_u64(self.part(160, 32)).unwrap_or(TaskSize::MIN)
    }

    /// How many bids it stands for.
    #[must_use]
    pub fn count(self) -> LotSize {
        LotSize::from_u64(self.part(144, 15).saturating_add(1)).unwrap_or(LotSize::MAX)
    }

    /// What binds it to its contents.
    #[must_use]
    pub fn ticket(self) -> Ticket {
        Ticket::truncated(self.0)
    }

    /// The word as on the wire.
    #[must_use]
    pub const fn get(self) -> B256 {
        self.0
    }

    fn part(self, shift: usize, bits: usize) -> u64 {
        low64((U256::from_be_bytes(self.0.0) >> shift) & mask(bits))
    }
}

impl TryFrom<B256> for BidWord {
    type Error = OutOfRange;

    /// A word read from elsewhere; one without fee or size, or of more bids than an entry has, is none.
    fn try_from(word: B256) -> Result<Self, Self::Error> {
        let parsed = Self(word);
        UnitFee::from_u64(parsed.part(192, 64))?;
        TaskSize::from_u64(parsed.part(160, 32))?;
        LotSize::from_u64(parsed.part(144, 15).saturating_add(1))?;
        Ok(parsed)
    }
}

impl From<BidWord> for B256 {
    fn from(word: BidWord) -> Self {
        word.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::keccak256;

    const WHO: Address = Address::repeat_byte(0xaa);
    const ROOT: B256 = B256::repeat_byte(7);

    fn word(fee: u64, size: u32, count: u16) -> BidWord {
        let count = LotSize::new(count).unwrap();
        let ticket = Ticket::new(WHO, ROOT);
        BidWord::new(UnitFee::new(fee).unwrap(), TaskSize::new(size).unwrap(), count, ticket)
    }

    #[test]
    fn a_word_gives_back_what_was_packed_at_the_ends_of_every_range() {
        let most = LotSize::MAX.get();
        for (fee, size, count) in
            [(1, 1, 1), (u64::MAX, u32::MAX, most), (1, u32::MAX, 1), (u64::MAX, 1, 2), (1, 1, most)]
        {
            let packed = word(fee, size, count);
            assert_eq!((packed.fee().get(), packed.size().get(), packed.count().get()), (fee, size, count));
            assert_eq!(packed.ticket(), Ticket::new(WHO, ROOT));
            assert_eq!(BidWord::try_from(packed.get()), Ok(packed));
            let told = packed.told();
            assert_eq!((told.is_told(), packed.is_told()), (true, false));
            assert_eq!((packed.lot(), told.lot()), (count - 1, count - 1 + 0x8000));
            assert_eq!(
                (told.count(), told.fee(), told.size()),
                (packed.count(), packed.fee(), packed.size())
            );
            assert_eq!((told.ticket(), told.untold()), (packed.ticket(), packed));
            assert_eq!(BidWord::try_from(told.get()), Ok(told));
        }
    }

    #[test]
    fn a_word_without_fee_or_size_or_of_too_many_bids_is_none() {
        let of = |fee: u64, size: u64, further: u64| {
            let word: U256 =
                (U256::from(fee) << 192) | (U256::from(size) << 160) | (U256::from(further) << 144);
            BidWord::try_from(B256::from(word))
        };
        assert!(of(1, 1, 0).is_ok() && of(1, 1, 16_382).is_ok());
        for refused in [of(0, 0, 0), of(1, 0, 0), of(0, 1, 0), of(1, 1, 16_383), of(1, 1, 32_767)] {
            assert!(refused.is_err());
        }
    }

    #[test]
    fn a_ticket_is_the_low_144_bits_of_the_hash_over_requester_and_root() {
        let hash = keccak256([WHO.into_word(), ROOT].concat());
        let low = U256::from_be_slice(&hash[14..]);
        assert_eq!(Ticket::new(WHO, ROOT).get(), low);
        assert_ne!(Ticket::new(Address::ZERO, ROOT), Ticket::new(WHO, ROOT));
        assert_ne!(Ticket::new(WHO, B256::ZERO), Ticket::new(WHO, ROOT));
    }
}
