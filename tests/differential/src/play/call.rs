//! What can be called, with everything that the call needs: a list of calls replays by itself.

use crate::model::round::Entry;
use crate::model::tasks::Flaw;
use alloy::primitives::{Address, B256, U256};
use chain::commitments::{BidWord, Ticket};
use chain::{Statement, statement_tree};
use market_types::CircuitId;

/// An entry that somebody wants to submit, whether or not it is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) entry: Entry,
    /// Makes its statements different from all others.
    pub(super) nonce: u64,
}

impl Wanted {
    pub(super) fn statements(&self) -> Vec<Statement> {
        let circuit = CircuitId::of(7, self.entry.size);
        let inputs = |number: u16| vec![U256::from(self.nonce), U256::from(number)];
        // A lot that is too large has no statements to be told.
        (0..self.entry.count.min(8))
            .map(|number| Statement { circuit, public_inputs: inputs(number), data: Default::default() })
            .collect()
    }

    pub(super) fn word(&self) -> B256 {
        let Entry { named, fee, size, count, told } = self.entry;
        let ticket = Ticket::new(named, statement_tree(&self.statements()).root());
        let parts = [(fee, 192), (size.into(), 160), (told.into(), 159), (u64::from(count) - 1, 144)];
        let word =
            parts.iter().fold(ticket.get(), |word, (part, shift)| word | (U256::from(*part) << *shift));
        word.into()
    }

    /// The same, if it is a word that a round can hold.
    pub(super) fn bid_word(&self) -> Option<BidWord> {
        BidWord::try_from(self.word()).ok()
    }
}

/// What is claimed about a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    Right,
    /// Another certificate, drawn with this seed.
    WrongCertificate(u64),
    /// Other bids.
    WrongBids(u64),
}

/// A call, or time that passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Call {
    Wait(u64),
    Deposit {
        from: Address,
        to: Address,
        amount: u128,
        value: u128,
    },
    Withdraw {
        by: Address,
        amount: Option<u128>,
        to: Address,
    },
    Collect,
    Fold(Address),
    Release {
        requester: Address,
        round: u64,
        first: u32,
        same_words: bool,
    },
    Operator {
        by: Address,
        operator: Address,
    },
    Register {
        by: Address,
        value: u128,
        capacity: u32,
        cost: u64,
    },
    Ask {
        by: Address,
        seat: usize,
        cost: u64,
    },
    Capacity {
        by: Address,
        value: u128,
        seat: usize,
        capacity: u32,
    },
    ReleaseCapacity {
        by: Address,
        seat: usize,
    },
    /// With `published`, its statements are told before it in the same transaction.
    Bid {
        by: Address,
        value: u128,
        bid: Wanted,
        published: bool,
    },
    Bids {
        by: Address,
        value: u128,
        bids: Vec<Wanted>,
        published: bool,
    },
    /// By whom each is signed; `None` for a signature of nobody.
    Signed {
        bids: Vec<(Option<usize>, Wanted)>,
        published: bool,
    },
    /// By a contract, which stands for them or does not.
    Wallet {
        bids: Vec<(bool, Wanted)>,
        published: bool,
    },
    Publish(Wanted),
    CommitBid {
        by: Address,
        value: u128,
        bid: Wanted,
        salt: B256,
        deposit: u128,
        round: u64,
    },
    RevealBids {
        bids: Vec<(Address, Wanted, B256)>,
        published: bool,
    },
    CommitAsk {
        by: Address,
        value: u128,
        seat: usize,
        prover: Address,
        cost: u64,
        salt: B256,
        round: u64,
    },
    RevealAsk {
        seat: usize,
        cost: u64,
        salt: B256,
    },
    Forfeit {
        account: Address,
        round: u64,
        commitment: B256,
    },
    Settle {
        by: Address,
        round: u64,
        claim: Claim,
    },
    /// The page of the entries from number `begin` on, after this one of all pages so far.
    Page {
        by: Address,
        round: u64,
        after: Option<usize>,
        begin: usize,
    },
    Deliver {
        round: u64,
        index: u32,
        flaw: Flaw,
    },
    DeliverBatch {
        round: u64,
        deliveries: Vec<(u32, Flaw)>,
    },
    TakeOver {
        by: Address,
        round: u64,
        index: u32,
        seat: usize,
        named: bool,
    },
    Expire {
        round: u64,
        index: u32,
        named: bool,
    },
}

impl Call {
    /// What it does, as in the contract.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Wait(_) => "wait",
            Self::Deposit { .. } => "deposit",
            Self::Withdraw { .. } => "withdraw",
            Self::Collect => "collectSurplus",
            Self::Fold(_) => "fold",
            Self::Release { .. } => "release",
            Self::Operator { .. } => "setOperator",
            Self::Register { .. } => "register",
            Self::Ask { .. } => "ask",
            Self::Capacity { .. } => "changeCapacity",
            Self::ReleaseCapacity { .. } => "releaseCapacity",
            Self::Bid { .. } => "submitOneBid",
            Self::Bids { .. } => "submitBids",
            Self::Signed { .. } => "submitSignedBids",
            Self::Wallet { .. } => "submitWalletBids",
            Self::Publish(_) => "publish",
            Self::CommitBid { .. } => "commitBid",
            Self::RevealBids { .. } => "revealBids",
            Self::CommitAsk { .. } => "commitAsk",
            Self::RevealAsk { .. } => "revealAsk",
            Self::Forfeit { .. } => "forfeit",
            Self::Settle { .. } => "settle",
            Self::Page { .. } => "settlePage",
            Self::Deliver { .. } => "deliver",
            Self::DeliverBatch { .. } => "deliverBatch",
            Self::TakeOver { .. } => "takeOver",
            Self::Expire { .. } => "expire",
        }
    }
}
