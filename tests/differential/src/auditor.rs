//! The contract's check of a round by itself: any round, also one that no market could hold, and nothing to set up.

use crate::evm::{Evm, Refused};
use crate::staged::OnChain;
use alloy::primitives::{Address, B256, U256};
use bindings::ProverMarket;
use chain::MarketId;
use chain::commitments::{BidChain, BidWord, ticket};
use market_types::{CircuitId, Mechanism, Round};

alloy::sol! {
    /// `contracts/interfaces/IRoundAuditor.sol`.
    #[derive(Debug)]
    struct ClosedRound {
        uint8 mechanism;
        uint256 round;
        uint256 capacityCap;
        uint256 reservePrice;
        uint256 seed;
        uint256 bids;
        uint256[] costs;
        uint256[] capacities;
    }

    #[derive(Debug)]
    struct Certificate {
        uint64 pivotFee;
        uint32 pivotIndex;
        uint64 units;
        uint8 pivotSeat;
        uint64 batchFee;
        uint32 batchIndex;
        uint64 batchUnits;
        uint128 batchRevenue;
        uint128 revenue;
    }

    #[derive(Debug)]
    struct Signal {
        uint256 units;
        uint256 capacity;
        uint256 pivotFee;
        uint256 pivotIndex;
        bool capBinds;
    }

    /// What a closed round comes to.
    #[derive(Debug)]
    struct Verdict {
        uint256 outcome;
        bytes32 assignmentRoot;
        uint8[] seats;
        uint256[] capacities;
        uint256[] loads;
        uint256 dust;
        Signal signal;
    }

    function audit(ClosedRound closed, Certificate certificate, bytes32[] words) returns (Verdict);
}

/// The auditor that a market's constructor made.
pub struct Auditor {
    evm: Evm,
    address: Address,
}

impl Default for Auditor {
    fn default() -> Self {
        let mut evm = Evm::new(1_000);
        let market = evm.deploy(ProverMarket::BYTECODE.clone());
        let address =
            evm.call(Address::ZERO, market, &ProverMarket::auditorCall {}).expect("a market has an auditor");
        Self { evm, address }
    }
}

impl Auditor {
    /// Whether the contract would accept this certificate for the round with these bids.
    ///
    /// # Errors
    /// Its refusal.
    pub fn audit(
        &mut self,
        mechanism: Mechanism,
        round: &Round,
        certificate: &OnChain,
        words: &[BidWord],
    ) -> Result<Verdict, Refused> {
        let call = auditCall {
            closed: closed(mechanism, round),
            certificate: Certificate {
                pivotFee: certificate.pivotFee,
                pivotIndex: certificate.pivotIndex,
                units: certificate.units,
                pivotSeat: certificate.pivotSeat,
                batchFee: certificate.batchFee,
                batchIndex: certificate.batchIndex,
                batchUnits: certificate.batchUnits,
                batchRevenue: certificate.batchRevenue,
                revenue: certificate.revenue,
            },
            words: words.iter().map(|word| B256::from(*word)).collect(),
        };
        self.evm.call(Address::ZERO, self.address, &call)
    }
}

/// The round's bids as settlement wants them, each of another requester.
#[must_use]
pub fn words(round: &Round) -> Vec<BidWord> {
    let word = |(index, bid): (market_types::BidIndex, market_types::Bid)| {
        let requester = Address::left_padding_from(&index.get().to_be_bytes());
        BidWord::new(bid.fee, bid.size, ticket(requester, CircuitId::of(7, bid.size.get()), &[], &[]))
    };
    round.indexed_bids().map(word).collect()
}

fn closed(mechanism: Mechanism, round: &Round) -> ClosedRound {
    let seats = round.asks().last().map_or(0, |last| last.seat.get() + 1);
    let asks: Vec<_> = (0..seats).map(|seat| round.ask(market_types::AskIndex::new(seat))).collect();
    let seed = BidChain::seed(1, Address::ZERO, MarketId::from(B256::ZERO), round.number());
    let mut bids = seed;
    for word in words(round) {
        bids.absorb(word);
    }
    ClosedRound {
        mechanism: u8::from(mechanism == Mechanism::AverageFee),
        round: U256::from(round.number().get()),
        capacityCap: U256::from(round.cap().get()),
        reservePrice: U256::from(round.reserve().get()),
        seed: seed.value(),
        bids: bids.value(),
        costs: asks.iter().map(|ask| U256::from(ask.map_or(0, |ask| ask.cost.get()))).collect(),
        capacities: asks.iter().map(|ask| U256::from(ask.map_or(0, |ask| ask.capacity.get()))).collect(),
    }
}
