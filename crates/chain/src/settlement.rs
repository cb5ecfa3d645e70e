//! The calls that settle a round: one, or page by page if the round is too large for one transaction. Pure.
//!
//! Pages go from the last bid of the round to the first, see `IProverMarket.settlePage`. Each begins between two entries, at a place
//! that it names by the running hash and the number of bids there and by the total size of the winners before it.

use crate::commitments::BidChain;
use crate::history::{PageRecord, PageShare, RoundRecord};
use crate::outcome::winners;
use crate::round::certificate_to_abi;
use crate::{Client, Market, SendError};
use alloy::primitives::{Address, B256, U256, keccak256};
use alloy::rpc::types::TransactionReceipt;
use alloy::sol_types::{SolCall, SolValue};
use bindings::ProverMarket::{self, Certificate as AbiCertificate};
use clearing::Certificate;
use market_types::{RoundNumber, Units};
use std::collections::BTreeSet;

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
/// ... of the share of a page that was settled before, which is handed on, ...
const SHARE_GAS: u64 = 3_000;
/// ... of a settler of such pages, whose account the last page writes once, ...
const SETTLER_GAS: u64 = 40_000;
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

/// The shares of the pages so far, as far as a page costs more for them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Shares {
    count: usize,
    settlers: usize,
}

impl Shares {
    fn of(shares: &[PageShare]) -> Self {
        let settlers: BTreeSet<Address> = shares.iter().map(|share| share.settler).collect();
        Self { count: shares.len(), settlers: settlers.len() }
    }

    fn after(page: Option<&PageRecord>) -> Self {
        page.map_or_else(Self::default, |page| Self::of(&page.shares))
    }
}

/// What a settlement takes from some page on, the least first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Left {
    /// Transactions that cannot be kept within the limits.
    pub beyond: usize,
    /// Transactions, with those.
    pub transactions: usize,
    /// An upper bound on the gas of all of them.
    pub gas: u64,
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
        let ours = pages.iter().filter(|page| page.claim == self.claim);
        let begun = ours.filter_map(|page| Some((self.begin_of(page)?, page)));
        begun.min_by_key(|(begin, _)| *begin).map(|(_, page)| page)
    }

    /// What is left if one settler goes on from the page `after`, or begins without one; the first transaction is that of
    /// [`Settling::next`]. `None` if `after` is no page of this settlement.
    #[must_use]
    pub fn left(&self, after: Option<&PageRecord>, settler: Address, limits: &PageLimits) -> Option<Left> {
        if after.is_some_and(|page| page.claim != self.claim) {
            return None;
        }
        let (mut end, mut shares, mut left) = (self.end(after)?, Shares::after(after), Left::default());
        let mut is_new = after.is_none_or(|page| page.shares.iter().all(|share| share.settler != settler));
        while end > 0 {
            let begin = self.begin(end, shares, limits);
            let gas = self.gas_of(begin, end, shares);
            left.beyond = left.beyond.saturating_add(usize::from(gas > limits.gas));
            left.transactions = left.transactions.saturating_add(1);
            left.gas = left.gas.saturating_add(gas);
            shares.count = shares.count.saturating_add(1);
            shares.settlers = shares.settlers.saturating_add(usize::from(std::mem::take(&mut is_new)));
            end = begin;
        }
        Some(left)
    }

    /// The next call after the page `after` (see [`Settling::furthest`], or what the receipt of the last one shows), the first one
    /// without it. `None` if `after` is no page of this settlement, or leaves nothing to do.
    #[must_use]
    pub fn next(&self, after: Option<&PageRecord>, limits: &PageLimits) -> Option<SettlementCall> {
        let end = self.end(after)?;
        let begin = self.begin(end, Shares::after(after), limits);
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

    /// How many transactions the settlement takes from its beginning, if one settler sends all of them.
    #[must_use]
    pub fn page_count(&self, limits: &PageLimits) -> usize {
        self.left(None, Address::ZERO, limits).unwrap_or_default().transactions
    }

    /// An upper bound on the gas of a page of the entries from `begin` to `end`, after others with these `shares`.
    #[must_use]
    pub fn gas_bound(&self, begin: usize, end: usize, shares: &[PageShare]) -> u64 {
        self.gas_of(begin, end, Shares::of(shares))
    }

    fn gas_of(&self, begin: usize, end: usize, shares: Shares) -> u64 {
        let of = |count: usize, gas: u64| gas.saturating_mul(u64::try_from(count).unwrap_or(u64::MAX));
        let won = self.mark(end).winners.saturating_sub(self.mark(begin).winners);
        let credited = if begin == 0 { shares.settlers } else { 0 };
        PAGE_GAS
            .saturating_add(of(shares.count, SHARE_GAS))
            .saturating_add(of(credited, SETTLER_GAS))
            .saturating_add(of(end.saturating_sub(begin), ENTRY_GAS))
            .saturating_add(won.saturating_mul(WINNER_GAS))
    }

    /// Number of the first entry of a page that ends before entry `end`: as far from it as the limits let, and at least one entry.
    fn begin(&self, end: usize, shares: Shares, limits: &PageLimits) -> usize {
        let other = OVERHEAD_BYTES.saturating_add(shares.count.saturating_mul(WORD_BYTES));
        let most = (limits.bytes.saturating_sub(other) / WORD_BYTES).min(limits.entries);
        let least = end.saturating_sub(most);
        // The bound only falls as the page begins later.
        let fits = |begin: usize| self.gas_of(begin, end, shares) <= limits.gas;
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
