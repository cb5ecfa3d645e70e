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

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::{Address, B256};
    use chain::Head;
    use chain::transactions::{JournalError, MemoryJournal};
    use std::sync::atomic::{AtomicBool, Ordering};

    /// A journal that can be read, and written unless the disk is full.
    #[derive(Debug, Default)]
    struct OnDisk {
        memory: MemoryJournal,
        full: AtomicBool,
    }

    impl OnDisk {
        fn unless_full<'a>(&self, answer: Answered<'a, ()>) -> Answered<'a, ()> {
            if !self.full.load(Ordering::Relaxed) {
                return answer;
            }
            Box::pin(async { Err(JournalError::new("disk full")) })
        }
    }

    impl Journal for OnDisk {
        fn load(&self, account: Account) -> Answered<'_, Vec<Record>> {
            self.memory.load(account)
        }

        fn keep<'a>(&'a self, account: Account, record: &'a Record) -> Answered<'a, ()> {
            self.unless_full(self.memory.keep(account, record))
        }

        fn forget(&self, account: Account, nonce: u64) -> Answered<'_, ()> {
            self.unless_full(self.memory.forget(account, nonce))
        }

        fn clear(&self, account: Account) -> Answered<'_, ()> {
            self.unless_full(self.memory.clear(account))
        }
    }

    #[tokio::test]
    async fn a_program_is_not_ready_from_a_write_that_fails_to_one_that_works() {
        let health = Health::new(u64::MAX);
        health.read(Head { number: 7, hash: B256::ZERO, timestamp: 100 });
        let disk = Arc::new(OnDisk::default());
        let journal = health.watching(Arc::clone(&disk) as Arc<dyn Journal>);
        let account = Account { chain_id: 1, genesis: B256::ZERO, address: Address::ZERO };
        let record =
            Record { nonce: 0, purpose: "settle".to_owned(), until: None, worth: None, forms: Vec::new() };
        assert!(journal.keep(account, &record).await.is_ok() && health.readiness().ready);

        disk.full.store(true, Ordering::Relaxed);
        assert!(journal.keep(account, &record).await.is_err());
        assert!(journal.load(account).await.is_ok());
        let readiness = health.readiness();
        assert!(!readiness.ready && readiness.reasons[0].contains("disk full"), "{readiness:?}");

        disk.full.store(false, Ordering::Relaxed);
        assert!(journal.forget(account, 0).await.is_ok() && health.readiness().ready);
    }
}
