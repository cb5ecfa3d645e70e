//! Every metric of the programs, with its unit in its name. Amounts of money are whole numbers of wei or ticks; a gauge rounds them to
//! 53 bits.

use metrics::{Key, Label, Level, Metadata, Unit, with_recorder};

/// What kind of number it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Goes up and down.
    Gauge,
    /// Only goes up, from the start of the program.
    Counter,
    /// Durations, counted by how long they are.
    Histogram,
}

/// One metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    name: &'static str,
    kind: Kind,
    unit: Option<Unit>,
    labels: &'static [&'static str],
    help: &'static str,
}

const METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, None);

impl Metric {
    /// The name, as Prometheus knows it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What kind of number it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The labels that it has.
    #[must_use]
    pub const fn labels(&self) -> &'static [&'static str] {
        self.labels
    }

    /// What it tells.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        self.help
    }

    /// Sets a gauge.
    pub fn set<const N: usize>(&self, labels: [(&'static str, String); N], value: f64) {
        with_recorder(|recorder| recorder.register_gauge(&self.key(labels), &METADATA).set(value));
    }

    /// Adds to a counter.
    pub fn add<const N: usize>(&self, labels: [(&'static str, String); N], count: u64) {
        with_recorder(|recorder| recorder.register_counter(&self.key(labels), &METADATA).increment(count));
    }

    /// Notes one value of a histogram.
    pub fn observe<const N: usize>(&self, labels: [(&'static str, String); N], value: f64) {
        with_recorder(|recorder| recorder.register_histogram(&self.key(labels), &METADATA).record(value));
    }

    /// Tells the recorder what it is for.
    pub(super) fn describe(&self) {
        let (name, help) = (self.name.into(), self.help.into());
        with_recorder(|recorder| match self.kind {
            Kind::Gauge => recorder.describe_gauge(name, self.unit, help),
            Kind::Counter => recorder.describe_counter(name, self.unit, help),
            Kind::Histogram => recorder.describe_histogram(name, self.unit, help),
        });
    }

    fn key<const N: usize>(&self, labels: [(&'static str, String); N]) -> Key {
        debug_assert!(labels.iter().map(|(name, _)| *name).eq(self.labels.iter().copied()), "{}", self.name);
        let labels: Vec<Label> = labels.into_iter().map(|(name, value)| Label::new(name, value)).collect();
        Key::from_parts(self.name, labels)
    }
}

macro_rules! table {
    ($($name:ident: $kind:ident $metric:literal [$($label:literal)*] $unit:expr, $help:literal;)+) => {
        $(
            #[doc = $help]
            pub const $name: Metric = Metric {
                name: $metric, kind: Kind::$kind, unit: $unit, labels: &[$($label),*], help: $help,
            };
        )+

        /// Every metric.
        pub const ALL: &[Metric] = &[$($name),+];
    };
}

table! {
    // Both programs.
    BUILD: Gauge "proophi_build_info" ["program" "version"] None, "1, with the program and its version as labels.";
    TROUBLES: Counter "proophi_troubles_total" ["code"] None, "Warnings and errors by their code, see errors.md.";
    HEAD_BLOCK: Gauge "proophi_head_block" [] None, "Number of the newest block that was read.";
    HEAD_TIME: Gauge "proophi_head_timestamp_seconds" [] Some(Unit::Seconds), "Time of that block, since the epoch.";
    HEAD_AGE: Gauge "proophi_head_age_seconds" [] Some(Unit::Seconds), "How old that block is by the clock of this machine.";
    EVENTS: Counter "proophi_events_total" [] None, "Events of the contract that were read.";
    REORGS: Counter "proophi_reorgs_total" [] None, "Times that blocks were undone.";
    UNDONE: Counter "proophi_undone_blocks_total" [] None, "Blocks that were undone.";
    ROUNDS: Gauge "proophi_rounds" ["market" "state"] None,
        "Rounds with bids that are followed, by state: open, closed (to be settled), settled (with tasks to prove), void.";
    WALLET: Gauge "proophi_wallet_wei" ["account"] None, "What the key's account holds for gas.";
    READY: Gauge "proophi_ready" [] None, "1 if /health/ready says so, else 0.";

    // The relayer.
    SETTLEMENTS: Counter "proophi_settlements_total" ["market" "result"] None,
        "Settlements by result: settled, page, lost (others were first), overtaken, left (others are on their way), unpaid, late, failed.";
    RELEASES: Counter "proophi_releases_total" ["market" "result"] None, "Bundles by result: released, lost, failed.";
    GAS_USED: Counter "proophi_gas_used_total" ["action"] None, "Gas that mined transactions have used.";
    GAS_SPENT: Counter "proophi_gas_spent_wei_total" ["action"] None, "What that gas has cost.";
    FEES: Counter "proophi_fees_earned_ticks_total" ["market"] None,
        "Settlement fees of the bids that this relayer has settled, pages included.";
    UNDER_WAY: Gauge "proophi_actions_under_way" [] None, "Settlements, releases or other transactions that are on their way.";

    // The relayer's intake of signed bids.
    QUEUED: Gauge "proophi_intake_queued_bids" [] None, "Signed bids that are on disk and not in a round yet.";
    INTAKE: Counter "proophi_intake_bids_total" ["result"] None,
        "Signed bids by result: accepted, rejected (not taken in the first place), posted, included, refused (by the contract), missed.";

    // The prover node.
    TASKS: Gauge "proophi_tasks" ["stage"] None,
        "Tasks on this prover's seats that have not ended, by stage: unpublished, unexamined, examining, unprovable, ready, proving, proved.";
    PROOFS: Counter "proophi_proofs_total" ["circuit" "result"] None, "Proofs by result: made, failed.";
    PROOF_TIME: Histogram "proophi_proof_seconds" ["circuit"] Some(Unit::Seconds), "How long a proof took.";
    PACE: Gauge "proophi_pace_units_per_second" ["circuit"] None,
        "Units of a circuit that one worker proves in a second, by its slowest proof since the start.";
    PROVABLE: Gauge "proophi_provable_units" ["market"] None,
        "Capacity that this machine dares to offer at that pace; 0 while it is not measured, or proofs keep failing.";
    FAILURES: Gauge "proophi_proving_failures" ["market"] None, "Proofs that have failed since the last one that was made.";
    ASKING: Gauge "proophi_asking" ["market"] None, "1 if the node asks for tasks as far as it is up to this machine, else 0.";
    WORKERS: Gauge "proophi_workers" ["state"] None, "Workers that make proofs, by state: all, busy.";
    CAPACITY: Gauge "proophi_seat_capacity_units" ["seat"] None, "Capacity of a seat that collateral stands behind.";
    FREE: Gauge "proophi_seat_free_units" ["seat"] None, "Of that, what no task occupies.";
    LOAD: Gauge "proophi_seat_load_ratio" ["seat"] Some(Unit::Count), "Part of a seat's capacity that tasks occupy, 0 to 1.";
    COLLATERAL: Gauge "proophi_collateral_ticks" ["market"] None, "Collateral behind the seats.";
    BALANCE: Gauge "proophi_balance_ticks" ["market"] None, "What could be withdrawn from the market.";
    DEADLINE: Gauge "proophi_next_deadline_seconds" [] Some(Unit::Seconds),
        "Time to the nearest deadline of a task on this prover's seats, by block time; absent or infinite without one.";
    ACTIONS: Counter "proophi_actions_total" ["action" "result"] None,
        "Transactions of the node by what for (deliver, take over, expire, deposit, register, ask, commit, reveal, leave, release) and \
         result: done, lost (too late, or others were faster), failed.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_their_unit_as_prometheus_wants_it() {
        for metric in ALL {
            let name = metric.name();
            assert!(name.starts_with("proophi_") && name.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
            assert_eq!(name.ends_with("_total"), metric.kind() == Kind::Counter, "{name}");
            let seconds = metric.unit == Some(Unit::Seconds);
            assert_eq!(name.ends_with("_seconds"), seconds, "{name}");
            assert!(metric.help().ends_with('.'), "{name}");
        }
        let mut names: Vec<&str> = ALL.iter().map(Metric::name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
    }
}
