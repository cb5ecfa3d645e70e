//! The contract's check of a round by itself: any round, also one that no market could hold, and nothing to set up.

use crate::evm::{Evm, Refused};
use crate::pages::Marks;
use crate::staged::OnChain;
use alloy::primitives::{Address, B256, Bytes, U256};
use bindings::RoundAuditor::{
    Certificate, Checkpoint, ClosedRound, Verdict, auditCall, auditLastPageCall, auditPageCall,
};
use chain::MarketId;
use chain::commitments::{BidChain, BidWord};
use market_types::{Mechanism, Round};

/// The auditor of a market.
pub struct Auditor {
    evm: Evm,
    address: Address,
}

impl Default for Auditor {
    fn default() -> Self {
        let mut evm = Evm::new(1_000);
        let address = evm.deploy_market().auditor;
        Self { evm, address }
    }
}

/// A page as somebody claims it: where it starts, and its entries.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// Running hash and number of bids before it.
    pub chain: U256,
    /// Total size of the winners before it (units).
    pub offset: U256,
    /// Its entries.
    pub words: Vec<BidWord>,
}

impl Auditor {
    /// Whether the contract would accept this certificate for the round with these bids, all at once. `held` are those that it holds.
    ///
    /// # Errors
    /// Its refusal.
    pub fn audit(
        &mut self,
        mechanism: Mechanism,
        round: &Round,
        held: &[BidWord],
        certificate: &OnChain,
        words: &[BidWord],
    ) -> Result<Verdict, Refused> {
        let call = auditCall {
            closed: closed(mechanism, round, held),
            certificate: to_auditor(certificate),
            words: words.iter().map(|word| B256::from(*word)).collect(),
        };
        self.evm.call(Address::ZERO, self.address, &call)
    }

    /// The same page by page, from the last one to the first.
    ///
    /// # Errors
    /// The first refusal.
    ///
    /// # Panics
    /// If the check is over before the last page.
    pub fn audit_pages(
        &mut self,
        mechanism: Mechanism,
        round: &Round,
        held: &[BidWord],
        certificate: &OnChain,
        pages: &[Claimed],
    ) -> Result<Verdict, Refused> {
        let (mut closed, certificate) = (closed(mechanism, round, held), to_auditor(certificate));
        let mut progress = Bytes::new();
        for (number, page) in pages.iter().enumerate() {
            let from = Checkpoint { chain: page.chain, offset: page.offset };
            let words = page.words.iter().map(|word| B256::from(*word)).collect();
            let (closed_now, certificate) = (closed.clone(), certificate.clone());
            if BidChain::stored(page.chain).count() == 0 {
                let call = auditLastPageCall { closed: closed_now, certificate, progress, from, words };
                let verdict = self.evm.call(Address::ZERO, self.address, &call)?;
                assert_eq!(number + 1, pages.len(), "over too early");
                return Ok(verdict);
            }
            let call = auditPageCall { closed: closed_now, certificate, progress, from, words };
            progress = self.evm.call(Address::ZERO, self.address, &call)?;
            // As the market does: what later pages need of the asks is in what the first one left.
            (closed.costs, closed.capacities) = (Vec::new(), Vec::new());
        }
        Err(Refused::Unfinished)
    }
}

/// The pages of a round that begin at these entries, in the order in which they are checked.
#[must_use]
pub fn claimed(round: &Round, words: &[BidWord], certificate: &OnChain, cuts: &[usize]) -> Vec<Claimed> {
    let marks = Marks::new(seed(round), words, certificate);
    let mut end = words.len();
    let page = |begin: usize| {
        let (chain, offset) = marks.at(begin);
        let page =
            Claimed { chain: chain.value(), offset: U256::from(offset), words: words[begin..end].to_vec() };
        end = begin;
        page
    };
    cuts.iter().copied().map(page).collect()
}

fn to_auditor(certificate: &OnChain) -> Certificate {
    Certificate {
        pivotFee: certificate.pivotFee,
        pivotIndex: certificate.pivotIndex,
        units: certificate.units,
        pivotSeat: certificate.pivotSeat,
        batchFee: certificate.batchFee,
        batchIndex: certificate.batchIndex,
        batchUnits: certificate.batchUnits,
        batchRevenue: certificate.batchRevenue,
        revenue: certificate.revenue,
    }
}

fn seed(round: &Round) -> BidChain {
    BidChain::seed(1, Address::ZERO, MarketId::from(B256::ZERO), round.number())
}

fn closed(mechanism: Mechanism, round: &Round, held: &[BidWord]) -> ClosedRound {
    let seats = round.asks().last().map_or(0, |last| last.seat.get() + 1);
    let asks: Vec<_> = (0..seats).map(|seat| round.ask(market_types::AskIndex::new(seat))).collect();
    let mut bids = seed(round);
    for word in held {
        bids.absorb(*word);
    }
    ClosedRound {
        mechanism: u8::from(mechanism == Mechanism::AverageFee),
        round: U256::from(round.number().get()),
        capacityCap: U256::from(round.cap().get()),
        reservePrice: U256::from(round.reserve().get()),
        seed: seed(round).value(),
        bids: bids.value(),
        costs: asks.iter().map(|ask| U256::from(ask.map_or(0, |ask| ask.cost.get()))).collect(),
        capacities: asks.iter().map(|ask| U256::from(ask.map_or(0, |ask| ask.capacity.get()))).collect(),
    }
}
