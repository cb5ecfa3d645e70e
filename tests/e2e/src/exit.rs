//! Everybody leaves, and every wei is where it belongs.

use crate::{Person, Scene};
use alloy::primitives::{Address, U256};
use alloy::providers::Provider;
use alloy::rpc::types::Filter;
use bindings::ProverMarket::{changeCapacityCall, collectSurplusCall, releaseCapacityCall, withdrawCall};
use chain::events::{Event, decode};
use market_types::{AskIndex, RoundNumber};
use std::collections::BTreeMap;

impl Scene {
    /// Stops the programs; everybody gives up its seat and withdraws all of its money, to an address that never paid for a
    /// transaction, so that its balance there is what the market paid, to the wei. Requires that each of `people` has won
    /// or lost exactly so many ticks, that the market then holds `sink` ticks for its sink and nothing else, and that
    /// nothing is left once the sink has got them.
    pub async fn everybody_leaves(&mut self, people: &[(Person, i64)], sink: u64) {
        let gained: i64 = people.iter().map(|(_, net)| net).sum();
        let sink_share = i64::try_from(sink).expect("a small share");
        assert_eq!(gained + sink_share, 0, "the story itself does not add up");

        self.stop_programs();
        self.forfeit_what_is_left().await;
        self.give_up_seats(people).await;
        assert_eq!(self.history().await.bundles().count(), 0, "bids that wait to be released");
        for (person, _) in people {
            self.withdraw_all(*person).await;
        }
        let flows = self.flows().await;
        for (person, net) in people {
            let flow = flows.get(&self.address(*person)).copied().unwrap_or_default();
            assert_eq!(flow.out - flow.into, *net, "what {} has won or lost (ticks)", person.name);
            let paid = self.wei(flow.last);
            assert_eq!(self.balance(refuge(*person)).await, paid, "what {} was paid (wei)", person.name);
        }
        assert!(
            flows.keys().all(|who| people.iter().any(|(person, _)| self.address(*person) == *who)),
            "somebody is missing in the story's accounts"
        );
        self.pay_the_sink(sink).await;
    }

    /// Everybody with a seat leaves it and gets its collateral back.
    async fn give_up_seats(&mut self, people: &[(Person, i64)]) {
        let id = self.market.id.get();
        let seats: Vec<_> = self.history().await.seats().cloned().collect();
        let owned = seats.into_iter().map(|seat| {
            let owner = people.iter().find(|(person, _)| self.address(*person) == seat.prover);
            (U256::from(seat.seat.get()), owner.expect("a seat of somebody in the story").0)
        });
        let owned: Vec<_> = owned.collect();
        for (seat, owner) in &owned {
            let leaving = self
                .history()
                .await
                .seat(AskIndex::new(seat.to()))
                .and_then(|s| s.waiting_for_release().copied());
            if leaving.is_none() {
                self.call(*owner, changeCapacityCall { id, seat: *seat, capacity: 0 }).await;
            }
        }
        if !owned.is_empty() {
            let delay = u64::from(self.market.params.capacity_delay);
            let round = self.market.id.round_at(self.now().await).expect("the market is open");
            self.warp(self.market.reveal_by(RoundNumber::new(round.get() + delay - 1))).await;
        }
        for (seat, owner) in &owned {
            self.call(*owner, releaseCapacityCall { id, seat: *seat }).await;
        }
    }

    async fn withdraw_all(&self, person: Person) {
        let call = withdrawCall { id: self.market.id.get(), amount: U256::MAX, to: refuge(person) };
        self.call(person, call).await;
        assert_eq!(self.available(person).await, 0, "{} has withdrawn everything", person.name);
    }

    async fn pay_the_sink(&self, ticks: u64) {
        let (id, share) = (self.market.id.get(), self.wei(i64::try_from(ticks).expect("a small share")));
        let (contract, sink) = (self.bed.deployment.market, self.market.params.sink);
        assert_eq!(self.balance(contract).await, share, "what the market still holds (wei)");
        let before = self.balance(sink).await;
        // Whoever calls, the sink is paid.
        self.call(crate::people::SIMON, collectSurplusCall { id }).await;
        assert_eq!(self.balance(sink).await - before, share, "what the sink was paid (wei)");
        assert_eq!(self.balance(contract).await, U256::ZERO, "what is left (wei)");
    }

    /// The account of `person`.
    #[must_use]
    pub fn address(&self, person: Person) -> Address {
        self.bed.anvil.account(person.account).address()
    }

    fn wei(&self, ticks: i64) -> U256 {
        self.market.ticks_to_wei(U256::from(u64::try_from(ticks).expect("no debt")))
    }

    /// Balance in the market's currency.
    async fn balance(&self, account: Address) -> U256 {
        let client = self.bed.client(0).await;
        client.wallet(self.market.params.currency, account).await.expect("a balance")
    }

    /// What went in and out of every account, from the contract's events.
    async fn flows(&self) -> BTreeMap<Address, Flow> {
        let filter = Filter::new().address(self.bed.deployment.market).from_block(0);
        let logs = self.bed.anvil.connection().provider().get_logs(&filter).await.expect("the events");
        let mut flows = BTreeMap::<Address, Flow>::new();
        for mut log in logs {
            // Only amounts count here, and not every node tells the time of a log.
            log.block_timestamp.get_or_insert(0);
            match decode(&log).expect("an event of the market").event {
                Event::Deposited(event) => {
                    flows.entry(event.account).or_default().into += ticks(event.amount);
                }
                Event::Withdrawn(event) => {
                    let flow = flows.entry(event.account).or_default();
                    flow.last = ticks(event.amount);
                    flow.out += flow.last;
                }
                _ => {}
            }
        }
        flows
    }
}

/// What went through one account (ticks).
#[derive(Debug, Clone, Copy, Default)]
struct Flow {
    into: i64,
    out: i64,
    last: i64,
}

fn ticks(amount: U256) -> i64 {
    amount.try_into().expect("an amount of a story")
}

/// An address that `person` only ever receives money at.
fn refuge(person: Person) -> Address {
    let number = u8::try_from(person.account).expect("few accounts");
    Address::repeat_byte(0xA0 + number)
}
