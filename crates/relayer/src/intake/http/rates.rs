//! How often each client may ask. Pure: it is told the time.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

/// Clients that are told apart at once.
const MOST: usize = 50_000;
/// Most often that all of them are looked through for those who have been quiet.
const CLEANED_EVERY: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// Why a request is not let in, and after how long to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// The client has asked too often.
    TooMany(Duration),
    /// So many others ask that no new one can be told apart from them.
    Full(Duration),
}

/// A client may ask so often in a minute: at once if it has been quiet for one, then as time passes.
#[derive(Debug)]
pub(super) struct Rates {
    /// Time in which a client earns a request.
    each: Duration,
    most: usize,
    /// When each client has earned back all that it has used.
    free_at: HashMap<IpAddr, Instant>,
    cleaned: Option<Instant>,
}

impl Rates {
    pub(super) fn new(per_minute: NonZeroU32) -> Self {
        Self { each: MINUTE / per_minute.get(), most: MOST, free_at: HashMap::new(), cleaned: None }
    }

    /// Lets a client ask at this time, or says when it may.
    pub(super) fn ask(&mut self, client: IpAddr, now: Instant) -> Result<(), Wait> {
        let used_until = match self.free_at.get(&client).copied() {
            Some(free_at) => free_at.max(now),
            None if self.has_room(now) => now,
            None => return Err(Wait::Full(CLEANED_EVERY)),
        };
        let free_at = used_until + self.each;
        let over = free_at.duration_since(now).saturating_sub(MINUTE);
        if over.is_zero() {
            self.free_at.insert(client, free_at);
            Ok(())
        } else {
            Err(Wait::TooMany(over))
        }
    }

    /// Whether there is room for another client, once those are forgotten that may use all of their minute anyway.
    fn has_room(&mut self, now: Instant) -> bool {
        let is_due = self.cleaned.is_none_or(|cleaned| now.duration_since(cleaned) >= CLEANED_EVERY);
        if self.free_at.len() >= self.most && is_due {
            self.free_at.retain(|_, free_at| *free_at > now);
            self.cleaned = Some(now);
        }
        self.free_at.len() < self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn rates(per_minute: u32) -> Rates {
        Rates::new(NonZeroU32::new(per_minute).unwrap())
    }

    fn client(number: u32) -> IpAddr {
        Ipv4Addr::from_bits(number).into()
    }

    fn seconds(number: u64) -> Duration {
        Duration::from_secs(number)
    }

    #[test]
    fn a_minute_may_be_used_at_once_and_comes_back_bit_by_bit() {
        let (mut rates, start) = (rates(3), Instant::now());
        let mut ask = |number, after| rates.ask(client(number), start + seconds(after));
        assert_eq!([0, 0, 0].map(|after| ask(1, after)), [Ok(()); 3]);
        assert_eq!(ask(1, 0), Err(Wait::TooMany(seconds(20))));
        assert_eq!(ask(1, 15), Err(Wait::TooMany(seconds(5))), "what is refused does not count");
        assert_eq!((ask(1, 20), ask(1, 20)), (Ok(()), Err(Wait::TooMany(seconds(20)))));
        assert_eq!(ask(2, 20), Ok(()), "each has its own");
        assert_eq!([200, 200, 200].map(|after| ask(1, after)), [Ok(()); 3]);
    }

    #[test]
    fn there_are_never_more_clients_than_there_is_room_for() {
        let (mut rates, start) = (Rates { most: 10, ..rates(6) }, Instant::now());
        assert!((0..10).all(|number| rates.ask(client(number), start).is_ok()));
        for number in 10..1_000 {
            assert_eq!(rates.ask(client(number), start), Err(Wait::Full(CLEANED_EVERY)));
        }
        assert_eq!((rates.free_at.len(), rates.ask(client(3), start)), (10, Ok(())), "those there may go on");
        // All but that one are free again after ten seconds.
        assert_eq!(rates.ask(client(10), start + seconds(10)), Ok(()));
        assert_eq!(rates.free_at.len(), 2);
    }

    #[test]
    fn a_full_table_is_looked_through_once_a_second_at_most() {
        let (mut rates, start) = (Rates { most: 2, ..rates(600) }, Instant::now());
        let at = |millis| start + Duration::from_millis(millis);
        assert_eq!([0, 1].map(|number| rates.ask(client(number), at(0))), [Ok(()); 2]);
        assert_eq!(rates.ask(client(2), at(50)), Err(Wait::Full(CLEANED_EVERY)));
        // Both are free again after a tenth of a second, and are found so later.
        assert_eq!(rates.ask(client(2), at(500)), Err(Wait::Full(CLEANED_EVERY)));
        assert_eq!(rates.ask(client(2), at(1_050)), Ok(()));
    }
}
