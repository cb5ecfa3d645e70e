//! Bids that their requesters sign for anyone to submit: the same bytes as `contracts/types/SignedBid.sol`.

use crate::commitments::BidWord;
use crate::lot::publish_and;
use crate::{Client, Lot, Market, MarketId, SendError};
use alloy::primitives::{Address, B256, Signature, U256};
use alloy::rpc::types::TransactionReceipt;
use alloy::signers::{Error as SignerError, Signer};
use alloy::sol_types::{Eip712Domain, SolCall, SolStruct, eip712_domain};
use bindings::ProverMarket;
use market_types::RoundNumber;

mod typed {
    #![allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
    // Generated code only: `BidToSign` says what the fields are.
    alloy::sol! {
        #[derive(Debug, PartialEq, Eq)]
        struct Bid {
            bytes32 market;
            uint256 round;
            uint256 fee;
            uint256 size;
            uint256 bids;
            bool told;
            uint256 ticket;
        }
    }
}

pub use typed::Bid as TypedBid;

/// An entry of one round, for its requester to sign. Everything in it is signed: in another round, another market, another contract or
/// on another chain the signature is worth nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BidToSign {
    /// The chain of the contract.
    pub chain_id: u64,
    /// Where the market's contract is.
    pub contract: Address,
    /// The market.
    pub market: MarketId,
    /// The round that the entry is for. It cannot be submitted before that opens or after that closes.
    pub round: RoundNumber,
    /// The entry. Whoever its ticket names is compensated or refunded, but it is the signer that pays.
    pub entry: BidWord,
}

impl BidToSign {
    /// The EIP-712 domain: the contract on its chain.
    #[must_use]
    pub const fn domain(&self) -> Eip712Domain {
        eip712_domain! {
            name: "Proophi",
            version: "1",
            chain_id: self.chain_id,
            verifying_contract: self.contract,
        }
    }

    /// The EIP-712 message, as a wallet shows it to be signed.
    #[must_use]
    pub fn typed(&self) -> TypedBid {
        TypedBid {
            market: self.market.get(),
            round: U256::from(self.round.get()),
            fee: U256::from(self.entry.fee().get()),
            size: U256::from(self.entry.size().get()),
            bids: U256::from(self.entry.count().get()),
            told: self.entry.is_told(),
            ticket: self.entry.ticket().get(),
        }
    }

    /// The hash that is signed.
    #[must_use]
    pub fn signing_hash(&self) -> B256 {
        self.typed().eip712_signing_hash(&self.domain())
    }

    /// Signs it. A signer that does not sign bare hashes, such as a hardware wallet, is given [`BidToSign::typed`] and
    /// [`BidToSign::domain`] instead; what it answers makes a [`SignedBid`] too.
    ///
    /// # Errors
    /// What the signer says.
    pub async fn sign(self, signer: &(impl Signer + Sync)) -> Result<SignedBid, SignerError> {
        let signature = signer.sign_hash(&self.signing_hash()).await?;
        Ok(SignedBid { bid: self, signature })
    }
}

/// An entry with a signature, which may or may not be somebody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedBid {
    /// What was signed.
    pub bid: BidToSign,
    /// The signature by a key. Contracts sign in ways of their own (ERC-1271), which is none of these.
    pub signature: Signature,
}

impl SignedBid {
    /// Whose bid the contract will take it for; `None` if there is no such key.
    ///
    /// A signature of anything else is likely to be that of some other account, so compare: see [`SignedBid::is_of`].
    #[must_use]
    pub fn requester(&self) -> Option<Address> {
        self.signature.recover_address_from_prehash(&self.bid.signing_hash()).ok()
    }

    /// Whether `requester` signed it.
    #[must_use]
    pub fn is_of(&self, requester: Address) -> bool {
        self.requester() == Some(requester)
    }

    /// The entry as the contract takes it: with the signature in the short form of EIP-2098.
    #[must_use]
    pub fn to_abi(&self) -> ProverMarket::SignedBid {
        let (r, vs) = halves(&self.signature.as_erc2098());
        ProverMarket::SignedBid { entry: self.bid.entry.get(), r, vs }
    }
}

fn halves(short: &[u8; 64]) -> (B256, B256) {
    let (r, vs) = short.split_at(32);
    (B256::from_slice(r), B256::from_slice(vs))
}

/// The call that submits `bids`, which must be of the open round of `market`. Each is paid from its requester's balance there. What
/// those that are told ask proofs of has to be published before it, see [`publish_and`].
#[must_use]
pub fn submit_signed_call(market: &Market, bids: &[SignedBid]) -> ProverMarket::submitSignedBidsCall {
    let bids = bids.iter().map(SignedBid::to_abi).collect();
    ProverMarket::submitSignedBidsCall { id: market.id.get(), bids }
}

impl Client {
    /// `entry`, for its requester to sign for `round` of `market`.
    #[must_use]
    pub fn bid_to_sign(&self, market: &Market, round: RoundNumber, entry: BidWord) -> BidToSign {
        BidToSign { chain_id: self.chain_id(), contract: self.contract(), market: market.id, round, entry }
    }

    /// Publishes the statements of `told` and submits bids that others have signed, in one transaction. One that is refused does not stop the others: `SignedBidRefused` in the receipt tells of it.
    ///
    /// # Errors
    /// [`SendError`], also if not a single one was accepted.
    pub async fn submit_signed(
        &self,
        market: &Market,
        told: &[Lot],
        bids: &[SignedBid],
    ) -> Result<TransactionReceipt, SendError> {
        let submit = submit_signed_call(market, bids).abi_encode();
        let publish = told.iter().map(|lot| lot.publish_call(market));
        self.send(publish_and(publish, submit), U256::ZERO, None).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commitments::Ticket;
    use crate::params::tests::params;
    use alloy::primitives::{b256, keccak256};
    use alloy::signers::local::PrivateKeySigner;
    use alloy::sol_types::SolValue;
    use market_types::{LotSize, TaskSize, UnitFee};

    fn signer(byte: u8) -> PrivateKeySigner {
        PrivateKeySigner::from_bytes(&B256::repeat_byte(byte)).unwrap()
    }

    fn bid() -> BidToSign {
        let ticket = Ticket::new(Address::repeat_byte(0xaa), B256::repeat_byte(0xbb));
        let entry = BidWord::new(
            UnitFee::new(9).unwrap(),
            TaskSize::new(4).unwrap(),
            LotSize::new(3).unwrap(),
            ticket,
        )
        .told();
        BidToSign {
            chain_id: 31_337,
            contract: Address::repeat_byte(0xcc),
            market: params().market_id(),
            round: RoundNumber::new(7),
            entry,
        }
    }

    /// The words of `TypedBidLib` and of solady's `EIP712`, one after the other.
    #[test]
    fn what_is_signed_is_what_the_contract_hashes() {
        let bid = bid();
        let of = |text: &str| keccak256(text);
        let kind = of(
            "Bid(bytes32 market,uint256 round,uint256 fee,uint256 size,uint256 bids,bool told,uint256 ticket)",
        );
        let word = |value: u64| B256::from(U256::from(value));
        let ticket = B256::from(bid.entry.ticket().get());
        let inner =
            keccak256([kind, bid.market.get(), word(7), word(9), word(4), word(3), word(1), ticket].concat());
        // keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
        let domain_kind = b256!("8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f");
        let domain = (domain_kind, of("Proophi"), of("1"), U256::from(31_337), bid.contract);
        let domain = keccak256(domain.abi_encode());
        let expected = keccak256([&[0x19, 0x01][..], &domain[..], &inner[..]].concat());
        assert_eq!(bid.signing_hash(), expected);
    }

    #[tokio::test]
    async fn a_signature_is_its_signer_s_and_for_nothing_else() {
        let signer = signer(1);
        let signed = bid().sign(&signer).await.unwrap();
        assert!(signed.is_of(signer.address()));
        assert!(!signed.is_of(Address::ZERO));
        let changes: [fn(&mut BidToSign); 6] = [
            |bid| bid.chain_id += 1,
            |bid| bid.contract = Address::ZERO,
            |bid| bid.market = MarketId::from(B256::ZERO),
            |bid| bid.round = RoundNumber::new(8),
            |bid| bid.entry = bid.entry.untold(),
            |bid| {
                let (fee, ticket) = (UnitFee::new(10).unwrap(), bid.entry.ticket());
                bid.entry = BidWord::new(fee, bid.entry.size(), bid.entry.count(), ticket);
            },
        ];
        for (case, change) in changes.iter().enumerate() {
            let mut other = signed;
            change(&mut other.bid);
            assert!(!other.is_of(signer.address()), "case {case}");
        }
    }

    #[tokio::test]
    async fn the_short_form_of_a_signature_is_still_its_signer_s() {
        // Both parities are among these.
        for byte in 1..9 {
            let signed = bid().sign(&signer(byte)).await.unwrap();
            let short = signed.to_abi();
            let signature = Signature::from_erc2098(&[short.r, short.vs].concat());
            assert!(SignedBid { signature, ..signed }.is_of(signer(byte).address()));
            assert_eq!(short.entry, bid().entry.get());
        }
    }
}
