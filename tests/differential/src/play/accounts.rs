//! Calls about money and seats, on both sides.

use super::call::Call;
use super::{Both, Play};
use crate::evm::Refused;
use crate::model::settlement::Left;
use alloy::primitives::{Address, U256};
use alloy::sol_types::SolCall;
use bindings::ProverMarket as M;
use chain::history::PageRecord;

impl Play {
    pub(super) fn make_account_call(&mut self, call: &Call) -> Option<Both> {
        let id = self.world.market.id.get();
        Some(match call {
            Call::Deposit { from, to, amount, value } => {
                let ours = self.model.call(|model| model.deposit(*to, *amount, *value));
                let call = M::depositCall { id, account: *to, amount: U256::from(*amount) };
                (ours.map(|()| 0), self.send(*from, *value, &call).map(|_| 0))
            }
            Call::Withdraw { by, amount, to } => {
                let ours = self.model.call(|model| model.withdraw(*by, *amount, *to));
                let amount = amount.map_or(U256::MAX, U256::from);
                let theirs = self.send(*by, 0, &M::withdrawCall { id, amount, to: *to });
                (ours, theirs.map(number))
            }
            Call::Collect => {
                let ours = Ok(self.model.collect_surplus());
                (ours, self.anybody(&M::collectSurplusCall { id }).map(number))
            }
            Call::Fold(account) => (Ok(0), self.anybody(&M::foldCall { id, account: *account }).map(|_| 0)),
            Call::Release { requester, round, first, same_words } => {
                return self.make_release(*requester, *round, *first, *same_words);
            }
            Call::Operator { by, operator } => {
                self.model.set_operator(*by, *operator);
                let call = M::setOperatorCall { id, operator: *operator };
                (Ok(0), self.send(*by, 0, &call).map(|_| 0))
            }
            Call::Register { by, value, capacity, cost } => {
                let ours = self.model.call(|model| model.register(*by, *value, *capacity, *cost));
                let call = M::registerCall { id, capacity: *capacity, cost: *cost };
                (ours.map(|seat| seat as u128), self.send(*by, *value, &call).map(number))
            }
            Call::Ask { by, seat, cost } => {
                let ours = self.model.call(|model| model.ask(*by, *seat, *cost));
                let call = M::askCall { id, seat: U256::from(*seat), cost: *cost };
                (ours.map(|()| 0), self.send(*by, 0, &call).map(|_| 0))
            }
            Call::Capacity { by, value, seat, capacity } => {
                let ours = self.model.call(|model| model.change_capacity(*by, *value, *seat, *capacity));
                let call = M::changeCapacityCall { id, seat: U256::from(*seat), capacity: *capacity };
                (ours.map(|()| 0), self.send(*by, *value, &call).map(|_| 0))
            }
            Call::ReleaseCapacity { by, seat } => {
                let ours = self.model.call(|model| model.release_capacity(*by, *seat));
                let call = M::releaseCapacityCall { id, seat: U256::from(*seat) };
                (ours, self.send(*by, 0, &call).map(number))
            }
            _ => return None,
        })
    }

    fn make_release(&mut self, requester: Address, round: u64, first: u32, same: bool) -> Option<Both> {
        let id = self.world.market.id.get();
        let record = self.world.history.round(market_types::RoundNumber::new(round));
        let entries = self.model.rounds.get(&round).map_or(&[][..], |round| &round.entries);
        // The history may have forgotten what a settlement needs no more; then the words are not there to be released.
        let words =
            record.filter(|record| record.entries().len() == entries.len()).map(chain::RoundRecord::words);
        let mut words: Vec<_> = words?
            .into_iter()
            .zip(entries)
            .filter(|(_, placed)| placed.payer == requester && placed.parcel == Some(first))
            .map(|(word, _)| word.get())
            .collect();
        if !same {
            words.push(alloy::primitives::B256::repeat_byte(1));
        }
        let ours = self.model.call(|model| model.release((requester, round, first), same));
        let call =
            M::releaseCall { id, requester, round: U256::from(round), firstIndex: U256::from(first), words };
        Some((ours, self.anybody(&call).map(number)))
    }

    /// A call with `value` of the chain's currency.
    pub(super) fn send<C: SolCall>(
        &mut self,
        from: Address,
        value: u128,
        call: &C,
    ) -> Result<C::Return, Refused> {
        self.world.send(from, u64::try_from(value).expect("little money"), call)
    }

    /// A call that anybody may make.
    pub(super) fn anybody<C: SolCall>(&mut self, call: &C) -> Result<C::Return, Refused> {
        let anybody = self.cast.others()[2];
        self.send(anybody, 0, call)
    }
}

/// A number that the contract returned.
pub(super) fn number(value: U256) -> u128 {
    u128::try_from(value).expect("a small number")
}

/// What the model knows of a page that the contract has accepted.
pub(super) fn left(page: &PageRecord, count: u32) -> Left {
    let shares: Vec<(Address, u32)> = page.shares.iter().map(|share| (share.settler, share.bids)).collect();
    let done: u32 = shares.iter().map(|(_, bids)| bids).sum();
    Left { before: count - done, shares }
}
