//! A journal whose failures show in the program's health.

use super::Health;
use chain::transactions::{Account, Answered, Journal, Record};
use std::sync::Arc;

#[derive(Debug)]
struct Watched {
    journal: Arc<dyn Journal>,
    health: Health,
}

impl Health {
    /// The same journal; while it cannot be used, nothing is sent, and the program is not ready.
    #[must_use]
    pub fn watching(&self, journal: Arc<dyn Journal>) -> Arc<dyn Journal> {
        Arc::new(Watched { journal, health: self.clone() })
    }
}

impl Watched {
    fn watched<'a>(&'a self, answer: Answered<'a, ()>) -> Answered<'a, ()> {
        Box::pin(async {
            let answer = answer.await;
            match &answer {
                Ok(()) => self.health.journal_works(),
                Err(error) => self.health.journal_fails(error),
            }
            answer
        })
    }
}

impl Journal for Watched {
    /// What can be read may still not be written: this tells nothing.
    fn load(&self, account: Account) -> Answered<'_, Vec<Record>> {
        self.journal.load(account)
    }

    fn keep<'a>(&'a self, account: Account, record: &'a Record) -> Answered<'a, ()> {
        self.watched(self.journal.keep(account, record))
    }

    fn forget(&self, account: Account, nonce: u64) -> Answered<'_, ()> {
        self.watched(self.journal.forget(account, nonce))
    }

    fn clear(&self, account: Account) -> Answered<'_, ()> {
        self.watched(self.journal.clear(account))
    }
}
