//! How the intake works: what is set by flags, environment and file, and what is fixed.

use chain::MarketId;
use clap::Args;
use market_types::RoundNumber;
use serde::Serialize;
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

/// Flags of the intake. What is not given is not serialized, so that the layer below counts.
#[derive(Debug, Default, Clone, Args, Serialize)]
#[command(next_help_heading = "Intake of signed bids")]
pub struct IntakeFlags {
    /// Take signed bids over HTTP at this address, as in 127.0.0.1:8080 [default: take none]
    #[arg(long, value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
    /// Where accepted bids are kept: a SQLite file, which is made if it is not there, or postgres://USER@HOST/DATABASE, which several
    /// relayers can share [default: relayer.db]
    #[arg(long, value_name = "FILE|URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// Post what is queued so many seconds before its round closes. Bids for the round are accepted until half of that before the close
    /// [default: a quarter of the market's bidding period, at most 60]
    #[arg(long, value_name = "SECONDS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post_before: Option<NonZeroU32>,
    /// Post a bid that has waited for so many seconds, with all that are queued [default: wait for more of them until --post-before]
    #[arg(long, value_name = "SECONDS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post_after: Option<u64>,
    /// Post as soon as so many bids of a round are queued, together [default: 100]
    #[arg(long, value_name = "BIDS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post_at: Option<NonZeroUsize>,
    /// Most bytes of a transaction that a bid may take with its statements, which cost about 40 gas each [default: 32768]
    #[arg(long, value_name = "BYTES")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bid_bytes: Option<NonZeroUsize>,
    /// Most bids that are queued at once [default: 10000]
    #[arg(long, value_name = "BIDS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<NonZeroU32>,
    /// Most requests a minute from one IP address, or one /64 of IPv6 [default: 120]
    #[arg(long, value_name = "REQUESTS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<NonZeroU32>,
    /// Tell clients apart by the last address in X-Forwarded-For. Only for a relayer that is reached through a proxy which writes it
    /// [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub behind_proxy: Option<bool>,
}

/// Most bytes of a request's body. A transaction's 128 KiB take twice as many in hexadecimal digits.
pub const MAX_BODY: usize = 272 << 10;
/// Most bytes of one transaction of bids: nodes take 128 KiB, of which a little is left for signature and fees.
pub const MAX_TRANSACTION: usize = 126 << 10;
/// Most bytes of all queued bids together.
pub const MAX_QUEUED_BYTES: u64 = 256 << 20;
/// How long bids are remembered after the close of their round (seconds): a week.
pub const REMEMBERED: u64 = 7 * 24 * 3_600;

/// How the intake works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntakeOptions {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The SQLite file, or the URL of a PostgreSQL database.
    pub database: String,
    /// Seconds before the close at which everything is posted; `None`: as follows from the bidding period.
    pub post_before: Option<NonZeroU32>,
    /// Most seconds that a bid waits for others.
    pub post_after: Option<u64>,
    /// Most bids in a transaction, and how many are enough for one.
    pub post_at: NonZeroUsize,
    /// Most bytes of a transaction that a bid may take with its statements.
    pub bid_bytes: NonZeroUsize,
    /// Most bids that are queued at once.
    pub queue: NonZeroU32,
    /// Most requests a minute from one address.
    pub requests_per_minute: NonZeroU32,
    /// Whether clients are told apart by what a proxy says.
    pub behind_proxy: bool,
    /// Most blocks to ask for in one request for logs.
    pub max_span: u64,
    /// How long requests and transactions that are under way are waited for at the end.
    pub last_wait: Duration,
}

impl IntakeOptions {
    /// The defaults.
    #[must_use]
    pub fn new(listen: SocketAddr) -> Self {
        const POST_AT: NonZeroUsize = NonZeroUsize::new(100).expect("not zero");
        const BID_BYTES: NonZeroUsize = NonZeroUsize::new(32 << 10).expect("not zero");
        const QUEUE: NonZeroU32 = NonZeroU32::new(10_000).expect("not zero");
        const REQUESTS: NonZeroU32 = NonZeroU32::new(120).expect("not zero");
        Self {
            listen,
            database: "relayer.db".to_owned(),
            post_before: None,
            post_after: None,
            post_at: POST_AT,
            bid_bytes: BID_BYTES,
            queue: QUEUE,
            requests_per_minute: REQUESTS,
            behind_proxy: false,
            max_span: 5_000,
            last_wait: Duration::from_secs(5),
        }
    }

    /// Most bytes of a transaction that a bid may take: what is set, and what fits.
    #[must_use]
    pub fn most_bytes(&self) -> usize {
        self.bid_bytes.get().min(MAX_TRANSACTION - 1_024)
    }

    /// When a round's bids are posted and accepted.
    #[must_use]
    pub fn hours(&self, market: MarketId, round: RoundNumber) -> Hours {
        let period = market.bidding_period();
        let before = self.post_before.map_or_else(|| (period / 4).clamp(1, 60), |before| before.get().into());
        let (opens_at, closes_at) = (market.open_of(round), market.close_of(round));
        // A round that is shorter than that posts at once, and has to accept something.
        let before = before.min(period.saturating_sub(1)).max(1);
        Hours {
            opens_at,
            posts_at: closes_at.saturating_sub(before),
            accepts_until: closes_at.saturating_sub(before.div_ceil(2)),
            closes_at,
        }
    }
}

/// Most seconds for which bids that are being posted are kept from other relayers, without a sign of life of the one that posts them.
const MOST_HELD: u64 = 15;
/// Fewest: signs of life are a second apart.
const LEAST_HELD: u64 = 3;

/// When the bids of a round are accepted and posted (seconds since the epoch, by the chain's clock).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    /// First second at which the contract takes them.
    pub opens_at: u64,
    /// First second at which everything is posted.
    pub posts_at: u64,
    /// First second at which no more are accepted. What is queued by then has half of the time left.
    pub accepts_until: u64,
    /// First second at which the contract takes no more.
    pub closes_at: u64,
}

impl Hours {
    /// How long whoever posts bids of the round keeps them from others (seconds): if it dies, there is time left to post them.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.closes_at.saturating_sub(self.accepts_until).clamp(LEAST_HELD, MOST_HELD)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::Address;

    fn hours(period: u64, before: Option<u32>) -> (u64, u64) {
        let mut params = testkit::default_params(Address::repeat_byte(1), 1_000);
        params.bidding_period = period;
        let mut options = IntakeOptions::new("127.0.0.1:0".parse().unwrap());
        options.post_before = before.and_then(NonZeroU32::new);
        let hours = options.hours(params.market_id(), RoundNumber::new(3));
        assert_eq!(hours.closes_at - hours.opens_at, period);
        (hours.closes_at - hours.posts_at, hours.closes_at - hours.accepts_until)
    }

    #[test]
    fn bids_are_posted_a_quarter_of_the_period_before_the_close_and_accepted_until_half_of_that() {
        assert_eq!(hours(60, None), (15, 8));
        assert_eq!(hours(600, None), (60, 30));
        assert_eq!(hours(600, Some(100)), (100, 50));
    }

    #[test]
    fn even_the_shortest_round_accepts_something() {
        for (period, before) in [(2, None), (3, None), (10, Some(1_000))] {
            let (posts, accepts) = hours(period, before);
            assert!(posts < period && accepts >= 1 && accepts <= posts, "{period}: {posts} {accepts}");
        }
    }
}
