//! The round of the demo in figures: who bid, who won, who proved, who was paid. All amounts are ticks.

use crate::amount::{decimal, grouped};
use crate::render::{Column, Curves, Palette, Table};
use alloy::primitives::U256;
use clearing::Prices;
use serde::Serialize;

/// A task of the round.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct TaskFigures {
    pub(crate) index: u64,
    pub(crate) requester: &'static str,
    pub(crate) circuit: &'static str,
    pub(crate) units: u64,
    /// What was offered per unit.
    pub(crate) fee: u64,
    /// What the requester pays in all; 0 for a bid that lost.
    pub(crate) pays: u64,
    /// The prover it was assigned to, if the bid won.
    pub(crate) assigned: Option<&'static str>,
    /// The prover that proved it.
    pub(crate) proved: Option<&'static str>,
    /// What that prover got for the proof.
    pub(crate) payment: u64,
    /// And on top for stepping in.
    pub(crate) bounty: u64,
    /// What the requester got for waiting.
    pub(crate) compensation: u64,
}

/// A prover in the round.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ProverFigures {
    pub(crate) name: &'static str,
    pub(crate) seat: u64,
    /// Ticks per unit.
    pub(crate) cost: u64,
    /// Units offered to the round.
    pub(crate) offered: u64,
    pub(crate) won: bool,
    pub(crate) killed: bool,
}

/// The round.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RoundFigures {
    pub(crate) round: u64,
    pub(crate) units: u64,
    /// Ticks per unit, or under average fees the revenue in ticks.
    #[serde(flatten)]
    pub(crate) prices: Prices,
    pub(crate) tasks: Vec<TaskFigures>,
    pub(crate) provers: Vec<ProverFigures>,
}

impl RoundFigures {
    /// Supply, demand and prices.
    pub(crate) fn curves(&self) -> Curves {
        let (user_price, prover_price) = match self.prices {
            Prices::Uniform { user_price, prover_price } => (user_price.get(), prover_price.get()),
            Prices::AverageFee { revenue } => {
                let average = revenue.get().checked_div(self.units.into()).unwrap_or(0);
                let average = u64::try_from(average).unwrap_or(u64::MAX);
                (average, average)
            }
        };
        Curves {
            bids: self.tasks.iter().map(|task| (task.fee, task.units)).collect(),
            asks: self.provers.iter().map(|prover| (prover.cost, prover.offered)).collect(),
            user_price,
            prover_price,
            units: self.units,
        }
    }

    /// What is paid, in words.
    pub(crate) fn prices_text(&self) -> String {
        match self.prices {
            Prices::Uniform { user_price, prover_price } => {
                format!("users pay {user_price} ticks per unit, provers get {prover_price}")
            }
            Prices::AverageFee { revenue } => {
                let hundredths =
                    revenue.get().saturating_mul(100).checked_div(self.units.into()).unwrap_or(0);
                let average = decimal(U256::from(hundredths), 2);
                let together = grouped(U256::from(revenue.get()));
                format!(
                    "users pay what they bid, {together} ticks together, provers get the average of {average} per unit"
                )
            }
        }
    }

    /// Tasks whose bid won.
    pub(crate) fn won(&self) -> impl Iterator<Item = &TaskFigures> {
        self.tasks.iter().filter(|task| task.assigned.is_some())
    }

    /// Tasks that another prover proved than the one they were assigned to.
    pub(crate) fn taken_over(&self) -> impl Iterator<Item = &TaskFigures> {
        self.won().filter(|task| task.proved.is_some() && task.proved != task.assigned)
    }

    /// Who bid, who won, and what became of it.
    pub(crate) fn task_table(&self, palette: Palette) -> String {
        let mut table = Table::new([
            Column::Right("bid"),
            Column::Left("requester"),
            Column::Left("task"),
            Column::Right("units"),
            Column::Right("offers"),
            Column::Right("pays"),
            Column::Left("assigned to"),
            Column::Left("proved by"),
        ]);
        for task in &self.tasks {
            let won = task.assigned.is_some();
            let proved = match task.proved {
                Some(name) if task.assigned == Some(name) => palette.good(name),
                Some(name) => palette.good(&format!("{name}, stepping in")),
                None => String::new(),
            };
            table.row([
                task.index.to_string(),
                task.requester.to_owned(),
                task.circuit.to_owned(),
                task.units.to_string(),
                format!("{} x {}", task.fee, task.units),
                if won { task.pays.to_string() } else { palette.faint("lost") },
                task.assigned.unwrap_or_default().to_owned(),
                proved,
            ]);
        }
        table.draw(palette)
    }

    /// Who proved how much, and what for.
    pub(crate) fn prover_table(&self, palette: Palette) -> String {
        let mut table = Table::new([
            Column::Left("prover"),
            Column::Right("asks"),
            Column::Right("offered"),
            Column::Left("round"),
            Column::Right("assigned"),
            Column::Right("proved"),
            Column::Right("pay"),
            Column::Right("bounty"),
        ]);
        for prover in &self.provers {
            let name = Some(prover.name);
            let units = |of: &dyn Fn(&TaskFigures) -> bool| -> u64 {
                self.tasks.iter().filter(|task| of(task)).map(|task| task.units).sum()
            };
            let paid = |what: &dyn Fn(&TaskFigures) -> u64| -> u64 {
                self.tasks.iter().filter(|task| task.proved == name).map(what).sum()
            };
            let round = match (prover.won, prover.killed) {
                (_, true) => palette.bad("won, killed"),
                (true, false) => "won".to_owned(),
                (false, false) => palette.faint("lost"),
            };
            table.row([
                prover.name.to_owned(),
                prover.cost.to_string(),
                prover.offered.to_string(),
                round,
                units(&|task| task.assigned == name).to_string(),
                units(&|task| task.proved == name).to_string(),
                paid(&|task| task.payment).to_string(),
                paid(&|task| task.bounty).to_string(),
            ]);
        }
        table.draw(palette)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use market_types::UnitPrice;

    fn task(
        index: u64,
        fee: u64,
        assigned: Option<&'static str>,
        proved: Option<&'static str>,
    ) -> TaskFigures {
        TaskFigures {
            index,
            requester: "Amber",
            circuit: "transfers-1",
            units: 4,
            fee,
            pays: if assigned.is_some() { 20 } else { 0 },
            assigned,
            proved,
            payment: if proved.is_some() { 16 } else { 0 },
            bounty: if assigned == proved { 0 } else { 9 },
            compensation: 0,
        }
    }

    /// Three bids of which two won; one of them was proved by another prover than assigned.
    pub(crate) fn figures() -> RoundFigures {
        let prover =
            |name, seat, cost, won, killed| ProverFigures { name, seat, cost, offered: 8, won, killed };
        RoundFigures {
            round: 1,
            units: 8,
            prices: Prices::Uniform { user_price: UnitPrice::new(5), prover_price: UnitPrice::new(4) },
            tasks: vec![
                task(0, 9, Some("Ada"), Some("Ada")),
                task(1, 7, Some("Boole"), Some("Curie")),
                task(2, 5, None, None),
            ],
            provers: vec![
                prover("Ada", 0, 1, true, false),
                prover("Boole", 1, 3, true, true),
                prover("Curie", 2, 4, false, false),
            ],
        }
    }

    #[test]
    fn tables_say_who_won_proved_and_stepped_in() {
        let text = figures().task_table(Palette::PLAIN);
        let lines: Vec<&str> = text.lines().skip(2).collect();
        assert!(
            lines[0].contains("9 x 4") && lines[0].contains("20") && lines[0].trim_end().ends_with("Ada"),
            "{text}"
        );
        assert!(lines[1].contains("Boole") && lines[1].contains("Curie, stepping in"), "{text}");
        assert!(lines[2].contains("lost"), "{text}");
    }

    #[test]
    fn provers_are_paid_for_what_they_proved_only() {
        let text = figures().prover_table(Palette::PLAIN);
        let cells = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let lines: Vec<Vec<String>> = text.lines().skip(2).map(cells).collect();
        assert_eq!(lines[0], ["Ada", "1", "8", "won", "4", "4", "16", "0"]);
        assert_eq!(lines[1], ["Boole", "3", "8", "won,", "killed", "4", "0", "0", "0"]);
        assert_eq!(lines[2], ["Curie", "4", "8", "lost", "0", "4", "16", "9"]);
    }

    #[test]
    fn stepping_in_counts_only_proofs_by_others() {
        let indices: Vec<u64> = figures().taken_over().map(|task| task.index).collect();
        assert_eq!(indices, [1]);
        assert_eq!(figures().won().count(), 2);
    }
}
