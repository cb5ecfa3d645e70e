//! What opens a commitment of a sealed market. Pure, and the same bytes as `contracts/types/Sealed.sol`.

use crate::commitments::{BidChain, BidWord, Ticket, ask_commitment, bid_commitment};
use crate::lot::{publish_and, publish_call};
use crate::{Client, Market, Statement};
use alloy::primitives::aliases::U96;
use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::sol_types::SolCall;
use bindings::ProverMarket;
use market_types::{AskIndex, CircuitId, LotSize, OutOfRange, RoundNumber, TaskSize, UnitCost, UnitFee};
use serde::{Deserialize, Serialize};

/// What opens a committed bid. Whoever has it can open the bid, and knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BidOpening {
    /// Who committed to the bid.
    pub requester: Address,
    /// Unit fee offered (ticks per unit).
    pub fee: UnitFee,
    /// The circuit whose proof is asked for.
    pub circuit: CircuitId,
    /// The statement to be proved, besides the circuit.
    pub public_inputs: Vec<U256>,
    /// What a prover needs to build the witness.
    pub data: Bytes,
    /// 32 random bytes. Without them a commitment could be guessed by trying fees.
    pub salt: B256,
}

impl BidOpening {
    /// The bid as the settlement will see it.
    ///
    /// # Errors
    /// [`OutOfRange`] if the circuit has no size.
    pub fn word(&self) -> Result<BidWord, OutOfRange> {
        let ticket = Ticket::new(self.requester, self.statement().leaf(0));
        Ok(BidWord::new(self.fee, TaskSize::new(self.circuit.units())?, LotSize::MIN, ticket).told())
    }

    /// What the bid asks a proof of.
    #[must_use]
    pub fn statement(&self) -> Statement {
        let (circuit, public_inputs, data) = (self.circuit, self.public_inputs.clone(), self.data.clone());
        Statement { circuit, public_inputs, data }
    }

    /// The commitment in the round of `seed`; see [`Client::seed`].
    ///
    /// # Errors
    /// [`OutOfRange`] if the circuit has no size.
    pub fn commitment(&self, seed: BidChain) -> Result<B256, OutOfRange> {
        Ok(bid_commitment(seed, self.requester, self.word()?, self.salt))
    }

    /// The least deposit with which the bid can be opened (ticks): what it may cost, with the settlement fee. A larger one
    /// hides it better.
    #[must_use]
    pub fn least_deposit(&self, market: &Market) -> u128 {
        let cost = u128::from(self.fee.get()).saturating_mul(self.circuit.units().into());
        cost.saturating_add(market.id.settlement_fee().into())
    }

    /// The call that commits to it in `round`, the one that takes bids, and locks `deposit` ticks; see
    /// [`BidOpening::least_deposit`].
    ///
    /// # Errors
    /// [`OutOfRange`] if the circuit has no size.
    pub fn commit_call(
        &self,
        client: &Client,
        market: &Market,
        round: RoundNumber,
        deposit: U96,
    ) -> Result<ProverMarket::commitBidCall, OutOfRange> {
        let commitment = self.commitment(client.seed(market, round))?;
        let (id, round) = (market.id.get(), narrow(round));
        Ok(ProverMarket::commitBidCall { id, commitment, deposit_: deposit, round })
    }

    /// The opening as the contract takes it. What the bid asks for is told apart from it, see [`BidOpening::publish_call`].
    ///
    /// # Errors
    /// [`OutOfRange`] if the circuit has no size.
    pub fn to_abi(&self) -> Result<ProverMarket::Opening, OutOfRange> {
        Ok(ProverMarket::Opening { requester: self.requester, word: self.word()?.get(), salt: self.salt })
    }

    /// The call that tells provers what the bid asks a proof of, before the call that opens it in the same transaction.
    #[must_use]
    pub fn publish_call(&self, market: &Market) -> ProverMarket::publishCall {
        publish_call(market, self.requester, &[self.statement()])
    }
}

/// What opens a committed ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskOpening {
    /// Who holds the seat.
    pub prover: Address,
    /// The seat.
    pub seat: AskIndex,
    /// Its unit cost in the round (ticks per unit).
    pub cost: UnitCost,
    /// 32 random bytes.
    pub salt: B256,
}

impl AskOpening {
    /// The commitment in the round of `seed`; see [`Client::seed`].
    #[must_use]
    pub fn commitment(&self, seed: BidChain) -> B256 {
        ask_commitment(seed, self.prover, self.seat, self.cost, self.salt)
    }

    /// The call that commits to it in `round`, the one that takes bids.
    #[must_use]
    pub fn commit_call(
        &self,
        client: &Client,
        market: &Market,
        round: RoundNumber,
    ) -> ProverMarket::commitAskCall {
        ProverMarket::commitAskCall {
            id: market.id.get(),
            seat: U256::from(self.seat.get()),
            commitment: self.commitment(client.seed(market, round)),
            round: narrow(round),
        }
    }

    /// The call that opens it.
    #[must_use]
    pub fn reveal_call(&self, market: &Market) -> ProverMarket::revealAskCall {
        ProverMarket::revealAskCall {
            id: market.id.get(),
            seat: U256::from(self.seat.get()),
            cost: self.cost.get(),
            salt: self.salt,
        }
    }
}

/// A round as the contract takes it with a commitment. One that does not fit is far behind the market's last, and refused.
fn narrow(round: RoundNumber) -> u32 {
    u32::try_from(round.get()).unwrap_or(u32::MAX)
}

/// The call that publishes what bids of the round that closed last ask proofs of and opens them. Openings that are refused do not
/// stop the others, and what is published for them means nothing.
///
/// # Errors
/// [`OutOfRange`] if a circuit has no size.
pub fn reveal_bids_call(
    market: &Market,
    openings: &[BidOpening],
) -> Result<ProverMarket::multicallCall, OutOfRange> {
    let opened = openings.iter().map(BidOpening::to_abi).collect::<Result<_, _>>()?;
    let reveal = ProverMarket::revealBidsCall { id: market.id.get(), openings: opened }.abi_encode();
    Ok(publish_and(openings.iter().map(|opening| opening.publish_call(market)), reveal))
}

impl Client {
    /// What the commitments of a round are bound to.
    #[must_use]
    pub fn seed(&self, market: &Market, round: RoundNumber) -> BidChain {
        BidChain::seed(self.chain_id(), self.contract(), market.id, round)
    }
}
