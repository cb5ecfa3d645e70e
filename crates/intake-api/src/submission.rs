//! A signed bid, as it is posted and as it lies in files.

use crate::forms;
use alloy::primitives::{Address, B256, Bytes, Signature, U256, keccak256};
use chain::signed::{BidToSign, SignedBid};
use chain::wallet::WalletBid;
use chain::{BidWord, CircuitId, Market, MarketId, Statement, Ticket, statement_tree};
use market_types::{LotSize, RoundNumber, TaskSize, UnitFee};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;

/// Most bytes of a signature.
pub const MAX_SIGNATURE: usize = 4 << 10;

/// Who can tell whether the signature is right.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Signer {
    /// Anyone: the requester's account has a key, which has signed (65 bytes, or 64 in the short form of EIP-2098).
    #[default]
    Key,
    /// The requester, a contract that is asked by ERC-1271.
    Wallet,
}

/// A bid for a round, signed for anyone to submit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Submission {
    /// The chain.
    #[schema(example = 31337)]
    pub chain_id: u64,
    /// The market's contract.
    #[schema(value_type = forms::Address)]
    pub contract: Address,
    /// The market's id.
    #[schema(value_type = forms::Bytes32)]
    pub market: B256,
    /// The round, which must be the open one.
    #[schema(value_type = u64, example = 12)]
    pub round: RoundNumber,
    /// Unit fee of its bids (ticks per unit), 1 to 2^64 - 1, a decimal string.
    #[schema(value_type = forms::UnitFee)]
    pub fee: UnitFee,
    /// Size of each of its tasks (units), 1 to the market's largest.
    #[schema(value_type = u32, minimum = 1, maximum = 4294967295_u32, example = 14)]
    pub size: TaskSize,
    /// How many bids it stands for, 1 to 16,383.
    #[schema(value_type = u16, minimum = 1, maximum = 16383, example = 1)]
    pub bids: LotSize,
    /// Whether the statements are published with it, so that a prover that does not deliver owes for it; then they have to be given here.
    #[serde(default)]
    #[schema(example = true)]
    pub told: bool,
    /// Binds it to requester and statements (below 2^144).
    #[schema(value_type = forms::Uint144)]
    pub ticket: U256,
    /// Whose bid it is: who pays for it.
    #[schema(value_type = forms::Address)]
    pub requester: Address,
    /// Who can tell whether the signature is right.
    #[serde(default)]
    pub signer: Signer,
    /// The signature.
    #[schema(value_type = forms::Signature)]
    pub signature: Bytes,
    /// What it asks proofs of, in order of its bids. With them the bid is published by the transaction that submits it; without, which a bid
    /// that is not told allows, somebody has to publish them before a prover can prove anything.
    #[schema(min_items = 1, max_items = 16383)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statements: Option<Vec<StatementJson>>,
}

/// What one bid asks a proof of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StatementJson {
    /// Id of the circuit: `position in the verifier's registry << 32 | units`.
    #[schema(value_type = u64, example = 4294967310_u64)]
    pub circuit: CircuitId,
    /// The statement's numbers.
    #[schema(value_type = Vec<forms::Uint256>)]
    pub public_inputs: Vec<U256>,
    /// What a prover needs to build the witness.
    #[schema(value_type = forms::HexBytes)]
    pub data: Bytes,
}

impl From<&Statement> for StatementJson {
    fn from(statement: &Statement) -> Self {
        let (public_inputs, data) = (statement.public_inputs.clone(), statement.data.clone());
        Self { circuit: statement.circuit, public_inputs, data }
    }
}

impl From<&StatementJson> for Statement {
    fn from(statement: &StatementJson) -> Self {
        let (public_inputs, data) = (statement.public_inputs.clone(), statement.data.clone());
        Self { circuit: statement.circuit, public_inputs, data }
    }
}

/// An entry that can be submitted, if the signature is its requester's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignedEntry {
    /// Signed by a key.
    Key(SignedBid),
    /// A contract stands for it.
    Wallet(WalletBid),
}

/// Why a submission cannot be right, whatever the chain says.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SubmissionError {
    /// The ticket is wider than an entry has room for.
    #[error(
        "ticket is {0:#x}, which is not below 2^144; take the low 144 bits of keccak256(requester, root of the statements)"
    )]
    Ticket(U256),
    /// The signature is no signature of a key.
    #[error(
        "a key's signature has 65 bytes, or 64 in the short form, not {0} that make one; for a contract's set \"signer\" to \"wallet\""
    )]
    Signature(usize),
    /// The key is another one's, or the key signed something else.
    #[error(
        "the signature is {} for this bid and not of {requester}; sign exactly the members of this submission, for this contract on this chain",
        .signed_by.map_or_else(|| "of nobody".to_owned(), |who| format!("of {who}"))
    )]
    OtherSigner {
        /// Whose bid it is said to be.
        requester: Address,
        /// Whose it would be.
        signed_by: Option<Address>,
    },
    /// The bid is told, and nothing is there to tell.
    #[error(
        "the bid was signed as told and comes without its statements; give them, or sign it with \"told\" false"
    )]
    Untold,
    /// The statements are not as many as the bids.
    #[error("there are {given} statements and {bids} bids; give one statement for each bid, in order")]
    Count {
        /// Number of statements.
        given: usize,
        /// Number of bids.
        bids: u16,
    },
    /// A statement is of another size than the entry.
    #[error("statement {position} is of {units} units and the entry's tasks are of {size}")]
    Size {
        /// Number of the statement, from 0.
        position: usize,
        /// Its size (units).
        units: u32,
        /// That of the entry (units).
        size: TaskSize,
    },
    /// The statements make another ticket.
    #[error(
        "requester and statements make the ticket {made:#x}, and {signed:#x} was signed; give the statements that the ticket was made of, in order"
    )]
    OtherTicket {
        /// What they make.
        made: U256,
        /// What was signed.
        signed: U256,
    },
}

impl Submission {
    /// A bid of `requester` as it is signed by a key, with what it asks proofs of.
    #[must_use]
    pub fn new(signed: &SignedBid, requester: Address, statements: Option<&[Statement]>) -> Self {
        let signature = signed.signature.as_bytes().to_vec().into();
        Self::of(&signed.bid, requester, Signer::Key, signature, statements)
    }

    /// A bid that a contract stands for.
    #[must_use]
    pub fn of_wallet(signed: &WalletBid, statements: Option<&[Statement]>) -> Self {
        Self::of(&signed.bid, signed.requester, Signer::Wallet, signed.signature.clone(), statements)
    }

    fn of(
        bid: &BidToSign,
        requester: Address,
        signer: Signer,
        signature: Bytes,
        statements: Option<&[Statement]>,
    ) -> Self {
        Self {
            chain_id: bid.chain_id,
            contract: bid.contract,
            market: bid.market.get(),
            round: bid.round,
            fee: bid.entry.fee(),
            size: bid.entry.size(),
            bids: bid.entry.count(),
            told: bid.entry.is_told(),
            ticket: bid.entry.ticket().get(),
            requester,
            signer,
            signature,
            statements: statements.map(|all| all.iter().map(StatementJson::from).collect()),
        }
    }

    /// What was signed.
    ///
    /// # Errors
    /// [`SubmissionError::Ticket`].
    pub fn bid(&self) -> Result<BidToSign, SubmissionError> {
        let ticket = Ticket::truncated(self.ticket.into());
        if ticket.get() != self.ticket {
            return Err(SubmissionError::Ticket(self.ticket));
        }
        let entry = BidWord::new(self.fee, self.size, self.bids, ticket);
        Ok(BidToSign {
            chain_id: self.chain_id,
            contract: self.contract,
            market: MarketId::from(self.market),
            round: self.round,
            entry: if self.told { entry.told() } else { entry },
        })
    }

    /// The entry with its signature. A key's is checked; what a contract says to its own only the chain can tell.
    ///
    /// # Errors
    /// [`SubmissionError`] about ticket or signature.
    pub fn signed(&self) -> Result<SignedEntry, SubmissionError> {
        let bid = self.bid()?;
        if self.signer == Signer::Wallet {
            let (requester, signature) = (self.requester, self.signature.clone());
            return Ok(SignedEntry::Wallet(WalletBid { bid, requester, signature }));
        }
        let signature =
            signature_of(&self.signature).ok_or(SubmissionError::Signature(self.signature.len()))?;
        let signed = SignedBid { bid, signature };
        let (requester, signed_by) = (self.requester, signed.requester());
        if signed_by != Some(requester) {
            return Err(SubmissionError::OtherSigner { requester, signed_by });
        }
        Ok(SignedEntry::Key(signed))
    }

    /// The statements, if there are any, once they are known to be those of the entry.
    ///
    /// # Errors
    /// [`SubmissionError`] about the statements.
    pub fn published(&self) -> Result<Option<Vec<Statement>>, SubmissionError> {
        let Some(given) = &self.statements else {
            return if self.told { Err(SubmissionError::Untold) } else { Ok(None) };
        };
        let bids = self.bids.get();
        if given.len() != usize::from(bids) {
            return Err(SubmissionError::Count { given: given.len(), bids });
        }
        let units = given.iter().map(|statement| statement.circuit.units()).enumerate();
        let other = units.into_iter().find(|(_, units)| *units != self.size.get());
        if let Some((position, units)) = other {
            return Err(SubmissionError::Size { position, units, size: self.size });
        }
        let statements: Vec<Statement> = given.iter().map(Statement::from).collect();
        let made = Ticket::new(self.requester, statement_tree(&statements).root()).get();
        if made != self.ticket {
            return Err(SubmissionError::OtherTicket { made, signed: self.ticket });
        }
        Ok(Some(statements))
    }

    /// What it locks and pays when it is submitted (ticks).
    #[must_use]
    pub fn cost(&self, market: &Market) -> Option<u128> {
        Some(chain::lot::entry_cost(market, self.bid().ok()?.entry))
    }
}

impl SignedEntry {
    /// What was signed.
    #[must_use]
    pub const fn bid(&self) -> &BidToSign {
        match self {
            Self::Key(signed) => &signed.bid,
            Self::Wallet(signed) => &signed.bid,
        }
    }
}

/// The name of a bid of `requester` at relayers: keccak256 of the address and the hash that is signed.
#[must_use]
pub fn id_of(requester: Address, bid: &BidToSign) -> B256 {
    keccak256([requester.as_slice(), bid.signing_hash().as_slice()].concat())
}

/// A signature in either form.
fn signature_of(bytes: &[u8]) -> Option<Signature> {
    match bytes.len() {
        64 => Some(Signature::from_erc2098(bytes)),
        65 => Signature::from_raw(bytes).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
