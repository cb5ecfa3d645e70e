//! Random calls to the model and to the contract, and what both say compared after each.
//!
//! | module | what is in it |
//! |---|---|
//! | `call` | what can be called |
//! | `cast` | who acts, in which market |
//! | `draw` | draws calls: mostly such as somebody would make, now and then any |
//! | `accounts`, `bidding`, `work` | make a call on both sides: money and seats; bids and asks; settlements and tasks |
//! | `compare` | every balance and status, as both have it |
//!
//! A run is a seed: it draws a market and its calls. One that ends in a difference is made shorter, by leaving out what it does not need.

mod accounts;
mod bidding;
mod call;
mod cast;
mod compare;
mod draw;
mod work;

use crate::evm::Refused;
use crate::model::Model;
use crate::model::refusal::Refusal;
use crate::model::round::State;
use crate::world::World;
use call::Call;
use cast::Cast;
use chain::history::PageRecord;
use draw::Known;
use rand::Rng;
use std::collections::BTreeMap;

/// What a call returned on either side, as a number; 0 if it returns nothing.
type Both = (Result<u128, Refusal>, Result<u128, Refused>);

/// How often things happened.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// Calls that both sides accepted, and calls that both refused, by what they do.
    pub calls: BTreeMap<&'static str, (u64, u64)>,
    /// By the error.
    pub refusals: BTreeMap<String, u64>,
    /// Rounds that were settled, and those of them with a trade.
    pub settled: u64,
    /// Rounds that were settled and traded something.
    pub traded: u64,
    /// Rounds with bids that nobody settled in time.
    pub void: u64,
    /// Balances and statuses that were compared.
    pub compared: u64,
}

impl Counts {
    /// Adds those of another run.
    pub fn add(&mut self, other: &Self) {
        for (name, (accepted, refused)) in &other.calls {
            let sum = self.calls.entry(name).or_default();
            *sum = (sum.0 + accepted, sum.1 + refused);
        }
        for (name, count) in &other.refusals {
            *self.refusals.entry(name.clone()).or_default() += count;
        }
        self.settled += other.settled;
        self.traded += other.traded;
        self.void += other.void;
        self.compared += other.compared;
    }

    /// Calls of all kinds.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.calls.values().map(|(accepted, refused)| accepted + refused).sum()
    }
}

/// A market, the model of it, and what is known of both.
struct Play {
    world: World,
    model: Model,
    cast: Cast,
    /// Pages in the order in which they were accepted.
    pages: Vec<PageRecord>,
    counts: Counts,
}

impl Play {
    fn new(rng: &mut impl Rng) -> Self {
        let (world, cast) = cast::stage(rng);
        let model = Model::new(world.market.params.clone());
        Self { world, model, cast, pages: Vec::new(), counts: Counts::default() }
    }

    /// Makes a call on both sides and compares what they say, and everything that there is afterwards.
    fn step(&mut self, call: &Call) -> Result<(), String> {
        let Some((ours, theirs)) = self.make(call) else { return Ok(()) };
        let agree = match (&ours, &theirs) {
            (Ok(ours), Ok(theirs)) => ours == theirs,
            (Err(ours), Err(theirs)) => theirs.name().is_some_and(|name| ours.is(&name)),
            _ => false,
        };
        if !agree {
            return Err(format!("the model says {ours:?}, the contract {theirs:?}"));
        }
        let sum = self.counts.calls.entry(call.name()).or_default();
        match ours {
            Ok(_) => sum.0 += 1,
            Err(refusal) => {
                sum.1 += 1;
                *self.counts.refusals.entry(format!("{refusal:?}")).or_default() += 1;
            }
        }
        self.compare()
    }

    /// `None` if the call cannot be made here, as what it needs is not there.
    fn make(&mut self, call: &Call) -> Option<Both> {
        if let Call::Wait(seconds) = call {
            self.world.wait(*seconds);
            self.model.wait(*seconds);
            return Some((Ok(0), Ok(0)));
        }
        self.make_account_call(call)
            .or_else(|| self.make_bidding_call(call))
            .or_else(|| self.make_work_call(call))
    }

    fn counts(mut self) -> Counts {
        for round in self.model.rounds.values().filter(|round| !round.entries.is_empty()) {
            match &round.state {
                State::Open => {}
                State::Void => self.counts.void += 1,
                State::Settled(decided) => {
                    self.counts.settled += 1;
                    self.counts.traded += u64::from(!decided.winners.is_empty());
                }
            }
        }
        self.counts
    }
}

/// Plays the market of a seed for so many calls.
///
/// # Errors
/// What differs, with the fewest calls that were found to lead there.
pub fn play<R: Rng>(seed: u64, steps: usize, rng_of: impl Fn(u64) -> R) -> Result<Counts, String> {
    let mut rng = rng_of(seed);
    let mut play = Play::new(&mut rng);
    let mut known = Known::default();
    let mut calls = Vec::new();
    for _ in 0..steps {
        let call = draw::call(&play, &mut known, &mut rng);
        calls.push(call);
        if let Err(difference) = play.step(&calls[calls.len() - 1]) {
            let (calls, difference) = shortened(seed, calls, difference, &rng_of);
            let list: Vec<String> = calls.iter().map(|call| format!("  {call:?}")).collect();
            let market = Play::new(&mut rng_of(seed)).world.market.params;
            return Err(format!(
                "seed {seed}: {difference}\nafter\n{}\nin {market:?}\n(PROOPHI_DIFFERENTIAL_SEED={seed} replays it)",
                list.join("\n")
            ));
        }
    }
    Ok(play.counts())
}

/// Leaves out every call without which something still differs, in growing detail.
fn shortened<R: Rng>(
    seed: u64,
    mut calls: Vec<Call>,
    mut difference: String,
    rng_of: &impl Fn(u64) -> R,
) -> (Vec<Call>, String) {
    let mut part = calls.len() / 2;
    while part > 0 {
        let mut at = 0;
        while at < calls.len() {
            let mut fewer = calls.clone();
            fewer.drain(at..(at + part).min(fewer.len()));
            let mut play = Play::new(&mut rng_of(seed));
            let found = fewer.iter().enumerate().find_map(|(n, call)| Some((n, play.step(call).err()?)));
            match found {
                Some((last, other)) => {
                    fewer.truncate(last + 1);
                    (calls, difference) = (fewer, other);
                }
                None => at += part,
            }
        }
        part /= 2;
    }
    (calls, difference)
}
