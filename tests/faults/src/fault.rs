//! What can go wrong, and what goes wrong in the schedule of a seed.

use crate::dice::Dice;
use std::fmt;

macro_rules! kinds {
    ($($kind:ident $class:ident $name:literal $what:literal;)+) => {
        /// A kind of fault.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Kind {
            $(#[doc = $what] $kind,)+
        }

        impl Kind {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$kind),+];

            pub(crate) const fn class(self) -> Class {
                match self { $(Self::$kind => Class::$class,)+ }
            }

            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)+ }
            }

            pub(crate) const fn what(self) -> &'static str {
                match self { $(Self::$kind => $what,)+ }
            }
        }
    };
}

/// Where a fault happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// In answers of endpoints, to so many calls.
    Answer,
    /// In what is done with a signed transaction.
    Send,
    /// The process ends.
    Kill,
    /// In the chain.
    Chain,
    /// On the disk of the journal.
    Disk,
    /// Another process does the same.
    Company,
    /// Nothing is reached until the phase is over.
    Outage,
}

kinds! {
    Dropped Answer "dropped" "calls are closed without an answer";
    Delayed Answer "delayed" "answers come late";
    Unavailable Answer "unavailable" "HTTP 503";
    RateLimited Answer "rate-limited" "HTTP 429, or the error -32005";
    Half Answer "half" "half of an answer arrives";
    Garbage Answer "garbage" "answers of another type than asked for";
    Stale Answer "stale" "answers as of one to three blocks before";
    WrongBlock Answer "wrong-block" "one of three endpoints makes up hashes of blocks";
    LogsMissing Answer "logs-missing" "logs are left out";
    LogsReordered Answer "logs-reordered" "logs in another order, one of them twice";
    AnswerLost Send "answer-lost" "a transaction is taken, the answer is lost";
    SentTwice Send "sent-twice" "a transaction is handed over twice";
    Swallowed Send "swallowed" "a transaction is taken and never heard of again";
    NonceTaken Send "nonce-taken" "another program uses the nonce a moment before";
    KilledBeforeSend Kill "killed-before-send" "SIGKILL with the transaction in the journal, before a node has it";
    KilledAfterSend Kill "killed-after-send" "SIGKILL when a node has the transaction, before its answer";
    KilledAtCall Kill "killed-at-call" "SIGKILL at any call";
    KilledAnytime Kill "killed-anytime" "SIGKILL at any moment, proofs included";
    Reorg Chain "reorg" "1 to 64 blocks are replaced, some of the nodes' transactions are lost with them";
    FeeSpike Chain "fee-spike" "gas costs a hundred times as much";
    ClockOff Chain "clock-off" "the clock of the chain runs away from that of the host by hours";
    DiskFull Disk "disk-full" "the journal cannot grow";
    JournalLocked Disk "journal-locked" "another process holds the journal";
    JournalTruncated Disk "journal-truncated" "SIGKILL, and the journal's file ends anywhere";
    SecondRelayer Company "second-relayer" "another relayer with a key of its own";
    TwinProver Company "twin-prover" "another prover node with the same key";
    Outage Outage "outage" "no endpoint answers until the phase is over: the round is void, or the task expires";
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Whom a fault hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    Relayer,
    Prover,
}

/// When a fault begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// The round takes bids.
    Bidding,
    /// It waits for its settlement.
    Settling,
    /// Its task waits for its delivery.
    Proving,
}

/// Something that goes wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    pub(crate) target: Target,
    pub(crate) phase: Phase,
    /// Steps of the harness in that phase, or calls or sends of the target, before it begins.
    pub(crate) wait: u64,
    /// How many calls it hits, or how many steps it lasts.
    pub(crate) length: u64,
    /// Whatever else chance has to decide.
    pub(crate) chance: u64,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, target, phase, wait, length, .. } = self;
        write!(formatter, "{kind} ({target:?}, {phase:?}, after {wait}, for {length})")
    }
}

/// All that a seed decides.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    pub(crate) seed: u64,
    /// Endpoints of each program.
    pub(crate) endpoints: usize,
    /// Bids in the same transaction as the one that wins.
    pub(crate) losers: u64,
    pub(crate) faults: Vec<Fault>,
}

/// Most faults at once.
const AT_ONCE: u64 = 4;

/// Seeds from here on end a program at each of its calls in turn: even ones the relayer while it settles, odd ones the prover node while it
/// delivers.
pub(crate) const EVERY_CALL: u64 = 1_000_000;

impl Schedule {
    /// Every kind has its turn as the first, so that all of them occur about as often.
    pub(crate) fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        if let Some(number) = seed.checked_sub(EVERY_CALL) {
            let (target, phase) = if number.is_multiple_of(2) {
                (Target::Relayer, Phase::Settling)
            } else {
                (Target::Prover, Phase::Proving)
            };
            let (kind, wait, length, chance) = (Kind::KilledAtCall, number / 2, 1, dice.next());
            let faults = vec![Fault { kind, target, phase, wait, length, chance }];
            return Self { seed, endpoints: 1, losers: 1, faults };
        }
        let kinds = u64::try_from(Kind::ALL.len()).expect("a short list");
        let first = Kind::ALL[usize::try_from(seed % kinds).expect("a short list")];
        let endpoints = if first == Kind::WrongBlock || seed.is_multiple_of(4) { 3 } else { 1 };
        let count = 1 + dice.below(AT_ONCE);
        let mut faults = vec![Fault::of(first, &mut dice)];
        while u64::try_from(faults.len()).expect("a short list") < count {
            let kind = dice.of(Kind::ALL);
            let single = |kind: Kind| matches!(kind.class(), Class::Disk | Class::Outage | Class::Company);
            let taken = faults
                .iter()
                .any(|other| other.kind == kind || single(kind) && other.kind.class() == kind.class());
            let alone = kind == Kind::WrongBlock && endpoints == 1;
            if !taken && !alone {
                faults.push(Fault::of(kind, &mut dice));
            }
        }
        Self { seed, endpoints, losers: dice.below(3), faults }
    }
}

impl Fault {
    fn of(kind: Kind, dice: &mut Dice) -> Self {
        let mut phase = dice.of(&[Phase::Bidding, Phase::Settling, Phase::Proving]);
        let mut target = dice.of(&[Target::Relayer, Target::Prover]);
        // Each of the two does its work in one phase; at other times it has little to do that could be disturbed.
        let at_work = if target == Target::Relayer { Phase::Settling } else { Phase::Proving };
        let (wait, length) = match kind.class() {
            Class::Answer => (dice.below(25), 1 + dice.below(30)),
            Class::Send => (0, 1 + dice.below(2)),
            Class::Kill => (dice.below(20), 1),
            Class::Chain | Class::Disk | Class::Company => (dice.below(6), 4 + dice.below(16)),
            Class::Outage => (0, u64::MAX),
        };
        match kind {
            Kind::KilledBeforeSend | Kind::KilledAfterSend => phase = at_work,
            _ if matches!(kind.class(), Class::Send | Class::Outage) => phase = at_work,
            Kind::ClockOff => phase = Phase::Bidding,
            Kind::SecondRelayer => (target, phase) = (Target::Relayer, phase.min(Phase::Settling)),
            Kind::TwinProver => target = Target::Prover,
            _ => {}
        }
        let wait = if matches!(kind, Kind::KilledBeforeSend | Kind::KilledAfterSend) { 0 } else { wait };
        Self { kind, target, phase, wait, length, chance: dice.next() }
    }
}
