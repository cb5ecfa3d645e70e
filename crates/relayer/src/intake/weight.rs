//! What a bid takes of a transaction: bytes exactly, gas at most.

use alloy::sol_types::SolCall;
use chain::Market;
use chain::lot::publish_call;
use intake_api::{Parcel, SignedEntry};

/// What a bid takes of a transaction, with its statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Weight {
    /// Bytes of calldata.
    pub(crate) bytes: usize,
    /// Gas that it may use.
    pub(crate) gas: u64,
}

const WORD: usize = 32;
/// Gas of a signed entry: 12,108 measured where a hundred share a transaction, and two cold slots of a new account more.
const ENTRY_GAS: u64 = 50_000;
/// What a contract may use to check its signature, with what has to be left for it (EIP-150).
const WALLET_GAS: u64 = 115_000;
/// Gas of publishing statements, ...
const PUBLISH_GAS: u64 = 15_000;
/// ... and of each byte of them: as calldata, in memory, hashed and logged.
const BYTE_GAS: u64 = 30;

/// What a bid takes when it is posted with its statements.
pub(crate) fn weigh(market: &Market, parcel: &Parcel) -> Weight {
    let (mut bytes, mut gas) = match &parcel.entry {
        SignedEntry::Key(_) => (3 * WORD, ENTRY_GAS),
        // Its place, four members, and the padded signature.
        SignedEntry::Wallet(wallet) => {
            let signature = wallet.signature.len().next_multiple_of(WORD);
            (5 * WORD + signature, ENTRY_GAS.saturating_add(WALLET_GAS))
        }
    };
    if let Some(statements) = &parcel.statements {
        let call = publish_call(market, parcel.requester, statements).abi_encoded_size();
        // Within a multicall it has a place and a length, and is padded.
        bytes += 2 * WORD + (4 + call).next_multiple_of(WORD);
        let bytes = u64::try_from(call).unwrap_or(u64::MAX);
        gas = gas.saturating_add(PUBLISH_GAS).saturating_add(BYTE_GAS.saturating_mul(bytes));
    }
    Weight { bytes, gas }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::{Address, Signature, U256};
    use chain::signed::{BidToSign, SignedBid};
    use chain::wallet::WalletBid;
    use intake_api::submit_call;
    use market_types::RoundNumber;
    use testkit::Bid;

    fn market() -> Market {
        let params = testkit::default_params(Address::repeat_byte(1), 1_000);
        Market { id: params.market_id(), params }
    }

    fn parcel(wallet: Option<usize>, data: Option<usize>) -> Parcel {
        let requester = Address::repeat_byte(7);
        let mut asked = Bid::of(9, chain::CircuitId::of(1, 4));
        asked.data = vec![1; data.unwrap_or_default()].into();
        let lot = asked.lot(requester);
        let contract = Address::repeat_byte(0xcc);
        let bid = BidToSign {
            chain_id: 1,
            contract,
            market: market().id,
            round: RoundNumber::MIN,
            entry: lot.word(),
        };
        let entry = match wallet {
            Some(length) => {
                SignedEntry::Wallet(WalletBid { bid, requester, signature: vec![1; length].into() })
            }
            None => {
                SignedEntry::Key(SignedBid { bid, signature: Signature::new(U256::ONE, U256::ONE, false) })
            }
        };
        Parcel { requester, entry, statements: data.map(|_| lot.statements().to_vec()) }
    }

    #[test]
    fn another_bid_takes_just_so_many_bytes_more() {
        for wallet in [None, Some(0), Some(1), Some(65), Some(4_096)] {
            for data in [None, Some(0), Some(33), Some(5_000)] {
                let parcel = parcel(wallet, data);
                let size = |count| submit_call(&market(), vec![&parcel; count]).len();
                let weight = weigh(&market(), &parcel);
                // The call that submits them all is padded within a multicall.
                assert!(
                    size(3) - size(2) <= weight.bytes && weight.bytes <= size(3) - size(2) + 32,
                    "{wallet:?} {data:?}"
                );
            }
        }
    }
}
