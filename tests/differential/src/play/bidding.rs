//! Calls that make bids and asks, on both sides.

use super::accounts::number;
use super::call::{Call, Wanted};
use super::{Both, Play};
use crate::evm::Refused;
use crate::model::bids::Signed;
use crate::model::sealed::Opening;
use alloy::primitives::{Address, B256, Bytes, U256, aliases::U96};
use alloy::signers::SignerSync;
use alloy::sol_types::SolCall;
use bindings::ProverMarket as M;
use chain::commitments::{ask_commitment, bid_commitment};
use chain::lot::{publish_and, publish_call};
use chain::signed::{BidToSign, SignedBid};
use market_types::{AskIndex, RoundNumber, UnitCost};

impl Play {
    pub(super) fn make_bidding_call(&mut self, call: &Call) -> Option<Both> {
        let id = self.world.market.id.get();
        Some(match call {
            Call::Bid { by, value, bid, published } => {
                let told: Vec<_> = published.then_some(*bid).into_iter().collect();
                let ours = self.model.call(|model| model.submit_bid(*by, *value, bid.entry, *published));
                let call = M::submitOneBidCall { id, entry: bid.word() };
                (ours.map(|()| 0), self.publish_and(*by, *value, &told, &call).map(|_| 0))
            }
            Call::Bids { by, value, bids, published } => {
                let published = *published && !bids.is_empty();
                let told = if published { bids.clone() } else { vec![] };
                let entries: Vec<_> = bids.iter().map(|bid| bid.entry).collect();
                let ours = self.model.call(|model| model.submit_bids(*by, *value, &entries, published));
                let call = M::submitBidsCall { id, entries: bids.iter().map(Wanted::word).collect() };
                (ours.map(|()| 0), self.publish_and(*by, *value, &told, &call).map(|_| 0))
            }
            Call::Signed { bids, published } => return self.make_signed(bids, *published),
            Call::Wallet { bids, published } => {
                let told = if *published { bids.iter().map(|(_, bid)| *bid).collect() } else { vec![] };
                let wallet = self.cast.wallet;
                let signer = |stands: bool| stands.then_some(wallet);
                let signed: Vec<_> =
                    bids.iter().map(|(s, bid)| Signed { signer: signer(*s), entry: bid.entry }).collect();
                let ours = self.model.call(|model| model.submit_signed(&signed, *published));
                let bids = bids.iter().map(|(stands, bid)| M::WalletBid {
                    requester: wallet,
                    entry: bid.word(),
                    signature: if *stands { Bytes::from_static(b"yes") } else { Bytes::new() },
                });
                let call = M::submitWalletBidsCall { id, bids: bids.collect() };
                let by = self.cast.others()[0];
                let theirs = self.publish_and(by, 0, &told, &call);
                (ours.map(u128::from), theirs.map(Option::unwrap_or_default))
            }
            Call::Publish(bid) => {
                let call = publish_call(&self.world.market.clone(), bid.entry.named, &bid.statements());
                (Ok(0), self.anybody(&call).map(|_| 0))
            }
            Call::CommitBid { by, value, bid, salt, deposit, round } => {
                let commitment = self.bid_commitment(*round, *by, bid, *salt)?;
                let ours = self.model.call(|m| m.commit_bid(*by, *value, commitment, *deposit, *round));
                let round = u32::try_from(*round).ok()?;
                let call = M::commitBidCall { id, commitment, deposit_: U96::from(*deposit), round };
                (ours.map(|()| 0), self.send(*by, *value, &call).map(|_| 0))
            }
            Call::RevealBids { bids, published } => return self.make_reveal(bids, *published),
            Call::CommitAsk { by, value, seat, prover, cost, salt, round } => {
                let commitment = self.ask_commitment(*round, *prover, *seat, *cost, *salt);
                let ours = self.model.call(|m| m.commit_ask(*by, *value, *seat, commitment, *round));
                let (seat, round) = (U256::from(*seat), u32::try_from(*round).ok()?);
                let call = M::commitAskCall { id, seat, commitment, round };
                (ours.map(|()| 0), self.send(*by, *value, &call).map(|_| 0))
            }
            Call::RevealAsk { seat, cost, salt } => {
                let round = self.model.current().saturating_sub(1);
                let prover = self.model.seats.get(*seat).map(|seat| seat.prover).unwrap_or_default();
                let commitment = self.ask_commitment(round, prover, *seat, *cost, *salt);
                let ours = self.model.call(|model| model.reveal_ask(*seat, *cost, commitment));
                let call = M::revealAskCall { id, seat: U256::from(*seat), cost: *cost, salt: *salt };
                (ours.map(|()| 0), self.anybody(&call).map(|_| 0))
            }
            Call::Forfeit { account, round, commitment } => {
                let ours = self.model.call(|model| model.forfeit(*account, *round, *commitment));
                let (account, round, commitment) = (*account, U256::from(*round), *commitment);
                let call = M::forfeitCall { id, account, round, commitment };
                (ours, self.anybody(&call).map(number))
            }
            _ => return None,
        })
    }

    fn make_signed(&mut self, bids: &[(Option<usize>, Wanted)], published: bool) -> Option<Both> {
        let id = self.world.market.id.get();
        let told = if published { bids.iter().map(|(_, bid)| *bid).collect() } else { vec![] };
        let mut signed = Vec::new();
        let mut calls = Vec::new();
        for (signer, bid) in bids {
            let by = signer.map(|signer| self.cast.signers[signer].address());
            signed.push(Signed { signer: by, entry: bid.entry });
            let Some(signer) = signer else {
                calls.push(M::SignedBid { entry: bid.word(), r: B256::ZERO, vs: B256::ZERO });
                continue;
            };
            let bid = BidToSign {
                chain_id: 1,
                contract: self.world.address(),
                market: self.world.market.id,
                round: self.world.current(),
                entry: bid.bid_word()?,
            };
            let signature = self.cast.signers[*signer].sign_hash_sync(&bid.signing_hash()).ok()?;
            calls.push(SignedBid { bid, signature }.to_abi());
        }
        let ours = self.model.call(|model| model.submit_signed(&signed, published));
        let by = self.cast.others()[0];
        let theirs = self.publish_and(by, 0, &told, &M::submitSignedBidsCall { id, bids: calls });
        Some((ours.map(u128::from), theirs.map(Option::unwrap_or_default)))
    }

    fn make_reveal(&mut self, bids: &[(Address, Wanted, B256)], published: bool) -> Option<Both> {
        let id = self.world.market.id.get();
        let round = self.model.current().saturating_sub(1);
        let told = if published { bids.iter().map(|(_, bid, _)| *bid).collect() } else { vec![] };
        let opened = bids.iter().map(|(requester, bid, salt)| {
            let commitment = self.bid_commitment(round, *requester, bid, *salt)?;
            Some(Opening { requester: *requester, commitment, entry: bid.entry })
        });
        let opened = opened.collect::<Option<Vec<_>>>()?;
        let ours = self.model.call(|model| model.reveal_bids(&opened, published));
        let openings = bids.iter().map(|(requester, bid, salt)| M::Opening {
            requester: *requester,
            word: bid.word(),
            salt: *salt,
        });
        let call = M::revealBidsCall { id, openings: openings.collect() };
        let by = self.cast.others()[0];
        let theirs = self.publish_and(by, 0, &told, &call);
        Some((ours.map(u128::from), theirs.map(Option::unwrap_or_default)))
    }

    /// A call after the statements of these were told in its transaction. Returns the first word that it returned, unless it carries
    /// currency, which a `multicall` does not.
    fn publish_and<C: SolCall>(
        &mut self,
        by: Address,
        value: u128,
        told: &[Wanted],
        call: &C,
    ) -> Result<Option<u128>, Refused> {
        if told.is_empty() && value != 0 {
            return self.send(by, value, call).map(|_| None);
        }
        let market = self.world.market.clone();
        let publish = told.iter().map(|bid| publish_call(&market, bid.entry.named, &bid.statements()));
        let returned = self.send(by, value, &publish_and(publish, call.abi_encode()))?;
        let last = returned.last().and_then(|bytes| bytes.get(..32)).map(U256::from_be_slice);
        Ok(last.map(number))
    }

    pub(super) fn bid_commitment(&self, round: u64, by: Address, bid: &Wanted, salt: B256) -> Option<B256> {
        let seed = self.world.seed(RoundNumber::new(round));
        Some(bid_commitment(seed, by, bid.bid_word()?, salt))
    }

    pub(super) fn ask_commitment(&self, round: u64, by: Address, seat: usize, cost: u64, salt: B256) -> B256 {
        let seed = self.world.seed(RoundNumber::new(round));
        let seat = AskIndex::new(u32::try_from(seat).expect("a seat"));
        ask_commitment(seed, by, seat, UnitCost::new(cost), salt)
    }
}
