//! The calls that settle a round: one, or page by page if the round is too large for one transaction. Pure.
//!
//! Pages go from the last bid of the round to the first, see `IProverMarket.settlePage`. Each begins between two entries, at a place
//! that it names by the running hash and the number of bids there and by the total size of the winners before it.

use crate::commitments::BidChain;
use crate::history::{PageRecord, RoundRecord};
use crate::outcome::winners;
use crate::round::certificate_to_abi;
use crate::{Client, Market, SendError};
use alloy::primitives::{Address, B256, U256, keccak256};
use alloy::rpc::types::TransactionReceipt;
use alloy::sol_types::{SolCall, SolValue};
use bindings::ProverMarket::{self, Certificate as AbiCertificate};
use clearing::Certificate;
use market_types::{RoundNumber, Units};

#[cfg(test)]
mod tests;

/// What one transaction may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLimits {
    /// Most bytes of the whole transaction.
    pub bytes: usize,
    /// Most gas.
    pub gas: u64,
    /// Most entries, however much room bytes and gas leave.
    pub entries: usize,
}

impl PageLimits {
    /// Those of Ethereum: nodes pass on transactions of up to 128 KiB, and one has at most 16,777,216 gas (EIP-7825), of which a little
    /// is left.
    pub const TRANSACTION: Self = Self { bytes: 128 << 10, gas: 16_700_000, entries: usize::MAX };
}

impl Default for PageLimits {
    fn default() -> Self {
        Self::TRANSACTION
    }
}

/// Most bytes of a transaction besides the words of a page and the shares so far: signature, fees, certificate, and the state of the
/// check with as many winning provers as a market has seats.
const OVERHEAD_BYTES: usize = 6 << 10;
const WORD_BYTES: usize = 32;
/// Estimates of gas, which `tests/differential` holds against what pages use: of a page without entries whatever the market, ...
const PAGE_GAS: u64 = 3_500_000;
/// ... of a page that was settled before, ...
const SHARE_GAS: u64 = 40_000;
/// ... of an entry, and ...
const ENTRY_GAS: u64 = 1_900;
/// ... of each one of which a bid won. Where its tasks fall to more than one prover there is a leaf more for each, of which a page has
/// room for as many as a market has seats.
const WINNER_GAS: u64 = 750;

/// A place between two entries.
#[derive(Debug, Clone, Copy)]
struct Mark {
    chain: BidChain,
    /// Total size of the winners before it (units).
    offset: u64,
    /// Number of entries before it of which a bid won.
    winners: u64,
}

/// A call that takes a settlement further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettlementCall {
    /// Settles the whole round.
    Whole(ProverMarket::settleCall),
    /// Settles a page of it.
    Page(ProverMarket::settlePageCall),
}

impl SettlementCall {
    /// Whether the round is settled with it.
    #[must_use]
    pub fn is_last(&self) -> bool {
        match self {
            Self::Whole(_) => true,
            Self::Page(call) => BidChain::stored(call.page.start.chain).count() == 0,
        }
    }

    /// The call's data.
    #[must_use]
    pub fn abi_encode(&self) -> Vec<u8> {
        match self {
            Self::Whole(call) => call.abi_encode(),
            Self::Page(call) => call.abi_encode(),
        }
    }
}

/// What the contract knows a claim about a round by.
#[must_use]
pub fn claim_of(id: B256, round: RoundNumber, certificate: &AbiCertificate) -> B256 {
    keccak256((id, U256::from(round.get()), certificate.clone()).abi_encode())
}

/// A closed round on the way to its settlement under one certificate: the same for all its pages.
#[derive(Debug, Clone)]
pub struct Settling {
    id: B256,
    round: RoundNumber,
    certificate: AbiCertificate,
    claim: B256,
    words: Vec<B256>,
    /// One before each entry, and one after the last.
    marks: Vec<Mark>,
}

impl Settling {
    /// The settlement of `record` with `certificate`; `seed` is that of its round, see [`Client::seed`].
    #[must_use]
    pub fn new(market: &Market, seed: BidChain, record: &RoundRecord, certificate: &Certificate) -> Self {
        let mut mark = Mark { chain: seed, offset: 0, winners: 0 };
        let mut marks = vec![mark];
        for entry in record.entries().iter() {
            let won = u64::from(winners(certificate.user_pivot, entry.fee, entry.first_index, entry.count()));
            mark.chain.absorb(entry.word);
            mark.winners = mark.winners.saturating_add(u64::from(won != 0));
            mark.offset = mark.offset.saturating_add(won.saturating_mul(entry.size().get().into()));
            marks.push(mark);
        }
        let certificate = certificate_to_abi(certificate);
        Self {
            id: market.id.get(),
            round: record.number,
            claim: claim_of(market.id.get(), record.number, &certificate),
            certificate,
            words: record.entries().iter().map(|entry| entry.word.get()).collect(),
            marks,
        }
    }

    /// The running hash over all entries, for a look at whether they are the contract's.
    #[must_use]
    pub fn chain(&self) -> BidChain {
        self.mark(self.words.len()).chain
    }

    /// Total size of the winning bids (units).
    #[must_use]
    pub const fn units(&self) -> Units {
        Units::new(self.certificate.units)
    }

    /// Of `pages`, those of the round's record, the one from which the least is left to do under this certificate.
    #[must_use]
    pub fn furthest<'a>(&self, pages: &'a [PageRecord]) -> Option<&'a PageRecord> {
        self.least_left(pages, |_| true)
    }

    /// The same of the pages of one settler, which nobody else can begin anew.
    #[must_use]
    pub fn furthest_of<'a>(&self, pages: &'a [PageRecord], settler: Address) -> Option<&'a PageRecord> {
        self.least_left(pages, |page| page.settler == settler)
    }

    fn least_left<'a>(
        &self,
        pages: &'a [PageRecord],
        counts: impl Fn(&PageRecord) -> bool,
    ) -> Option<&'a PageRecord> {
        let ours = pages.iter().filter(|page| page.claim == self.claim && counts(page));
        let begun = ours.filter_map(|page| Some((self.begin_of(page)?, page)));
        begun.min_by_key(|(begin, _)| *begin).map(|(_, page)| page)
    }

    /// The next call after the page `after` (see [`Settling::furthest`], or what the receipt of the last one shows), the first one
    /// without it. `None` if `after` is no page of this settlement, or leaves nothing to do.
    #[must_use]
    pub fn next(&self, after: Option<&PageRecord>, limits: &PageLimits) -> Option<SettlementCall> {
        let end = self.end(after)?;
        let begin = self.begin(end, after.map_or(0, |page| page.shares.len()), limits);
        if begin == 0 && after.is_none() {
            return Some(SettlementCall::Whole(ProverMarket::settleCall {
                id: self.id,
                round: U256::from(self.round.get()),
                certificate: self.certificate.clone(),
                words: self.words.clone(),
            }));
        }
        Some(SettlementCall::Page(self.page(begin, after)?))
    }

    /// The call for the page of the entries from number `begin` on to where the page `after` began, or to the end. `None` if there
    /// are none, or `after` is no page of this settlement.
    #[must_use]
    pub fn page(&self, begin: usize, after: Option<&PageRecord>) -> Option<ProverMarket::settlePageCall> {
        let end = self.end(after)?;
        let words = self.words.get(begin..end).filter(|words| !words.is_empty())?;
        let mark = self.mark(begin);
        let start = ProverMarket::Checkpoint { chain: mark.chain.value(), offset: U256::from(mark.offset) };
        let page = ProverMarket::Page {
            settler: after.map_or(Address::ZERO, |page| page.settler),
            shares: after.map_or_else(Vec::new, |page| page.shares.iter().map(|s| s.to_abi()).collect()),
            progress: after.map(|page| page.progress.clone()).unwrap_or_default(),
            start,
            words: words.to_vec(),
        };
        Some(ProverMarket::settlePageCall {
            id: self.id,
            round: U256::from(self.round.get()),
            certificate: self.certificate.clone(),
            page,
        })
    }

    /// How many transactions the settlement takes from its beginning.
    #[must_use]
    pub fn page_count(&self, limits: &PageLimits) -> usize {
        let (mut pages, mut end) = (0, self.words.len());
        while end > 0 {
            end = self.begin(end, pages, limits);
            pages = pages.saturating_add(1);
        }
        pages
    }

    /// An upper bound on the gas of a page of the entries from `begin` to `end`, after `pages` others.
    #[must_use]
    pub fn gas_bound(&self, begin: usize, end: usize, pages: usize) -> u64 {
        let of = |count: usize, gas: u64| gas.saturating_mul(u64::try_from(count).unwrap_or(u64::MAX));
        let won = self.mark(end).winners.saturating_sub(self.mark(begin).winners);
        PAGE_GAS
            .saturating_add(of(pages, SHARE_GAS))
            .saturating_add(of(end.saturating_sub(begin), ENTRY_GAS))
            .saturating_add(won.saturating_mul(WINNER_GAS))
    }

    /// Number of the first entry of a page that ends before entry `end`: as far from it as the limits let, and at least one entry.
    fn begin(&self, end: usize, pages: usize, limits: &PageLimits) -> usize {
        let other = OVERHEAD_BYTES.saturating_add(pages.saturating_mul(WORD_BYTES));
        let most = (limits.bytes.saturating_sub(other) / WORD_BYTES).min(limits.entries);
        let least = end.saturating_sub(most);
        // The bound only falls as the page begins later.
        let fits = |begin: usize| self.gas_bound(begin, end, pages) <= limits.gas;
        let (mut low, mut high) = (least, end);
        while low < high {
            let middle = low.midpoint(high);
            if fits(middle) { high = middle } else { low = middle.saturating_add(1) }
        }
        low.min(end.saturating_sub(1))
    }

    /// Number of the entry before which the next page ends.
    fn end(&self, after: Option<&PageRecord>) -> Option<usize> {
        after.map_or(Some(self.words.len()), |page| self.begin_of(page))
    }

    /// Number of the entry with which a page began.
    fn begin_of(&self, page: &PageRecord) -> Option<usize> {
        let done = page.shares.iter().fold(0_u64, |sum, share| sum.saturating_add(share.bids.into()));
        let before = self.chain().count().checked_sub(done)?;
        self.marks.binary_search_by_key(&before, |mark| mark.chain.count()).ok()
    }

    fn mark(&self, entry: usize) -> Mark {
        let none = Mark { chain: BidChain::stored(U256::ZERO), offset: 0, winners: 0 };
        self.marks.get(entry).copied().unwrap_or(none)
    }
}

impl Client {
    /// Takes a settlement further.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn settle(&self, call: SettlementCall) -> Result<TransactionReceipt, SendError> {
        match call {
            SettlementCall::Whole(call) => self.send(call, U256::ZERO, None).await,
            SettlementCall::Page(call) => self.send(call, U256::ZERO, None).await,
        }
    }
}
