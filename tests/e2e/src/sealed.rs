//! Commitments of a sealed market, and the openings that are kept for them.

use crate::{Person, Scene};
use alloy::eips::BlockId;
use alloy::primitives::{Address, B256, U256};
use bindings::ProverMarket::forfeitCall;
use market_types::RoundNumber;
use service::openings::{Kept, Opening, OpeningKey, OpeningStore, Venue, are_staked};

impl Scene {
    /// Where everybody's openings are kept.
    #[must_use]
    pub fn openings(&self) -> OpeningStore {
        OpeningStore::at(self.dir().join("openings"))
    }

    /// The openings of `person` that are kept.
    pub async fn openings_of(&self, person: Person) -> Vec<Opening> {
        let client = self.client(person).await;
        let Kept { mut openings, faults } = self.openings().of_market(&Venue::of(&client, &self.market));
        assert!(faults.is_empty(), "{faults:?}");
        openings.retain(|opening| Some(opening.key().account) == client.sender());
        openings
    }

    /// Who has committed to something in round `number` that is neither opened nor forfeited, and to what.
    pub async fn staked(&mut self, number: u64) -> Vec<(Address, B256)> {
        let client = self.bed.client(0).await;
        let venue = Venue::of(&client, &self.market);
        let round = RoundNumber::new(number);
        let made = self.history().await.commitments(round);
        let made: Vec<(Address, B256)> = made.map(|record| (record.account, record.commitment)).collect();
        let key = |(account, commitment): &(Address, B256)| OpeningKey {
            venue,
            round,
            account: *account,
            commitment: *commitment,
        };
        let keys: Vec<OpeningKey> = made.iter().map(key).collect();
        let staked = are_staked(&client, &keys, BlockId::latest()).await.expect("the stakes");
        made.into_iter().zip(staked).filter(|(_, staked)| *staked).map(|(made, _)| made).collect()
    }

    /// Waits until `person` has committed to something in round `number`.
    pub async fn committed(&mut self, person: Person, number: u64) {
        let account = self.bed.anvil.account(person.account).address();
        self.wait(&format!("a commitment of {} in round {number}", person.name), |history| {
            history
                .commitments(RoundNumber::new(number))
                .any(|record| record.account == account)
                .then_some(())
        })
        .await;
    }

    /// Ends every commitment that is not opened, once it is too late for that: nodes that are stopped leave one behind.
    pub(crate) async fn forfeit_what_is_left(&mut self) {
        if !self.market.id.is_sealed() {
            return;
        }
        let current = self.market.id.round_at(self.now().await).expect("the market is open").get();
        for number in 0..=current {
            let left = self.staked(number).await;
            if left.is_empty() {
                continue;
            }
            self.settleable(number).await;
            for (account, commitment) in left {
                let (id, round) = (self.market.id.get(), U256::from(number));
                self.call(crate::people::SIMON, forfeitCall { id, account, round, commitment }).await;
            }
        }
    }
}
