//! What a bid asks a proof for, as given on the command line or in a file.

use crate::amount::{Amount, Denomination};
use crate::failure::{Code, Failure, OrFail, Outcome};
use alloy::primitives::{Bytes, U256};
use chain::Statement;
use circuits::rollup::Demo;
use circuits::{CircuitKind, Task, Word};
use clap::Args;
use market_types::{CircuitId, ReservePrice};
use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};

/// Bids in a file: made-up batches, or a circuit with its inputs and data.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct BidEntry {
    fee: String,
    transfers: Option<usize>,
    seed: Option<u64>,
    count: Option<u16>,
    circuit: Option<String>,
    public_inputs: Option<Vec<U256>>,
    data: Option<Bytes>,
}

/// A statement on the command line.
#[derive(Debug, Clone, Args)]
pub(crate) struct StatementArgs {
    /// Make up a rollup batch of 1, 2 or 4 transfers, with --seed
    #[arg(long, value_name = "TRANSFERS", conflicts_with_all = ["circuit", "public_inputs", "data"])]
    generate: Option<usize>,
    /// Which batch to make up; equal seeds give equal batches
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    seed: u64,
    /// How many batches of this size to make up, with this seed and those that follow: a lot
    #[arg(long, value_name = "NUMBER", requires = "generate", value_parser = clap::value_parser!(u16).range(1..))]
    count: Option<u16>,
    /// Circuit: transfers-1, transfers-2, transfers-4, or its id on chain (0x10000001b)
    #[arg(long, value_name = "CIRCUIT", requires = "data")]
    circuit: Option<String>,
    /// Public inputs in their order, separated by commas
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',', requires = "circuit")]
    public_inputs: Vec<U256>,
    /// File with the bytes that a prover needs to build the witness
    #[arg(long, value_name = "FILE", requires = "circuit")]
    data: Option<PathBuf>,
}

/// A proof that is wanted, and the most to pay for it (ticks per unit).
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) fee: u64,
    pub(crate) statement: Statement,
}

/// A rollup batch of `transfers` transfers on a state of its own.
pub(crate) fn generated(transfers: usize, seed: u64) -> Outcome<Statement> {
    if CircuitKind::from_batch_size(transfers).is_none() {
        return Err(Failure::input(format!("no circuit proves {transfers} transfers; there are 1, 2 and 4")));
    }
    let demo = Demo::new(seed);
    let task = Task::new(demo.state(), &demo.batch(transfers, seed)).or_fail(Code::Failed)?;
    Ok(Statement {
        circuit: task.kind().id(),
        public_inputs: task.public_inputs().into_iter().map(U256::from_be_bytes).collect(),
        data: task.encode().into(),
    })
}

/// `count` such batches, with this seed and those that follow.
fn generated_lot(transfers: usize, seed: u64, count: u16) -> Outcome<Vec<Statement>> {
    (0..count).map(|number| generated(transfers, seed.wrapping_add(number.into()))).collect()
}

impl StatementArgs {
    /// The statements that the command line describes, none if it describes none.
    pub(crate) fn statements(&self) -> Outcome<Vec<Statement>> {
        if let Some(transfers) = self.generate {
            return generated_lot(transfers, self.seed, self.count.unwrap_or(1));
        }
        let (Some(circuit), Some(file)) = (&self.circuit, &self.data) else { return Ok(Vec::new()) };
        let data = fs::read(file)
            .map_err(|error| Failure::input(format!("cannot read {}: {error}", file.display())))?;
        Ok(vec![given(circuit, self.public_inputs.clone(), data.into())?])
    }
}

/// A statement about a circuit, which goes by its name in this build or by its id on chain. What a circuit of this build is asked to
/// prove is checked: if it cannot be proved, a bid for it might win and then costs a penalty.
fn given(circuit: &str, public_inputs: Vec<U256>, data: Bytes) -> Outcome<Statement> {
    let Some(kind) = CircuitKind::ALL.into_iter().find(|kind| kind.name() == circuit) else {
        return Ok(Statement { circuit: circuit_id(circuit)?, public_inputs, data });
    };
    let words: Vec<Word> = public_inputs.iter().map(U256::to_be_bytes).collect();
    let checked = Task::decode(&data).and_then(|task| task.matches(kind, &words));
    checked.map_err(|error| Failure::input(format!("nobody could prove this: {error}")))?;
    Ok(Statement { circuit: kind.id(), public_inputs, data })
}

/// The bids of a file.
pub(crate) fn bids_from(file: &Path, money: &Denomination) -> Outcome<Vec<Wanted>> {
    let text = fs::read_to_string(file)
        .map_err(|error| Failure::input(format!("cannot read {}: {error}", file.display())))?;
    let entries: Vec<BidEntry> = serde_json::from_str(&text)
        .or_fail_with(Code::Input, || format!("{} is no list of bids", file.display()))?;
    let mut bids = Vec::with_capacity(entries.len());
    for (position, entry) in entries.into_iter().enumerate() {
        let at = |failure: Failure| Failure::input(format!("bid {position}: {failure}"));
        bids.extend(entry.wanted(money).map_err(at)?);
    }
    Ok(bids)
}

impl BidEntry {
    fn wanted(self, money: &Denomination) -> Outcome<Vec<Wanted>> {
        let fee: Amount = self.fee.parse().or_fail(Code::Input)?;
        let fee = money.price(&fee).or_fail(Code::Input)?;
        let made_up = (self.transfers, self.seed, self.count);
        let statements = match (made_up, self.circuit, self.public_inputs, self.data) {
            ((Some(transfers), Some(seed), count), None, None, None) => {
                generated_lot(transfers, seed, count.unwrap_or(1))?
            }
            ((None, None, None), Some(circuit), Some(public_inputs), Some(data)) => {
                vec![given(&circuit, public_inputs, data)?]
            }
            _ => {
                return Err(Failure::input(
                    "give either \"transfers\" and \"seed\", for a lot with \"count\", or \"circuit\", \"public_inputs\" and \
                     \"data\"",
                ));
            }
        };
        Ok(statements.into_iter().map(|statement| Wanted { fee, statement }).collect())
    }
}

/// A circuit by its id on chain.
fn circuit_id(text: &str) -> Outcome<CircuitId> {
    let number = text.strip_prefix("0x").map_or_else(|| text.parse(), |hex| u64::from_str_radix(hex, 16));
    number.map(CircuitId::new).map_err(|_| {
        let names: Vec<&str> = CircuitKind::ALL.into_iter().map(CircuitKind::name).collect();
        Failure::input(format!("{text:?} is no circuit; write {} or an id", names.join(", ")))
    })
}

/// What can be said about a bid without asking anyone: the contract would refuse it, or it could never win.
pub(crate) fn check_terms(bid: &Wanted, max_task_size: u32, reserve: ReservePrice) -> Outcome<()> {
    let size = bid.statement.circuit.units();
    if bid.fee == 0 {
        return Err(Failure::input("the unit fee must be at least 1 tick per unit"));
    }
    if bid.fee < reserve.get() {
        return Err(Failure::input(format!(
            "a unit fee of {} ticks per unit is below the round's reserve price of {reserve} and could not win",
            bid.fee
        )));
    }
    if size == 0 || size > max_task_size {
        return Err(Failure::input(format!(
            "the circuit's size of {size} units is outside what the market takes, 1 to {max_task_size} units"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amount::Currency;

    fn money() -> Denomination {
        Denomination { currency: Currency::ether(), tick: U256::from(1_000) }
    }

    fn read(content: &str) -> Outcome<Vec<Wanted>> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("bids.json");
        fs::write(&file, content).unwrap();
        bids_from(&file, &money())
    }

    #[test]
    fn files_hold_generated_and_given_statements() {
        let bids = read(
            r#"[{"fee": "12", "transfers": 1, "seed": 3},
                {"fee": "5000wei", "circuit": "0x10000001b", "public_inputs": ["0x1", "2"], "data": "0x0a"}]"#,
        )
        .unwrap();
        assert_eq!(bids[0].fee, 12);
        assert_eq!(bids[0].statement.circuit, CircuitKind::Transfers1.id());
        assert_eq!(bids[0].statement.public_inputs.len(), 2);
        assert!(Task::decode(&bids[0].statement.data).is_ok());
        assert_eq!(bids[1].fee, 5);
        assert_eq!(bids[1].statement.circuit, CircuitKind::Transfers2.id());
        assert_eq!(bids[1].statement.public_inputs, [U256::ONE, U256::from(2)]);
    }

    #[test]
    fn a_count_asks_for_that_many_different_batches() {
        let bids = read(r#"[{"fee": "12", "transfers": 1, "seed": 3, "count": 3}]"#).unwrap();
        let statements: Vec<&Statement> = bids.iter().map(|bid| &bid.statement).collect();
        assert_eq!(statements, [3, 4, 5].map(|seed| generated(1, seed).unwrap()).iter().collect::<Vec<_>>());
        assert!(bids.iter().all(|bid| bid.fee == 12));
        let given = r#"[{"fee": "1", "circuit": "27", "public_inputs": [], "data": "0x", "count": 2}]"#;
        assert!(read(given).unwrap_err().to_string().contains("give either"));
    }

    #[test]
    fn a_wrong_bid_is_named_by_its_position() {
        let failure =
            read(r#"[{"fee": "1", "transfers": 1, "seed": 0}, {"fee": "1wei", "transfers": 1, "seed": 0}]"#);
        let text = failure.unwrap_err().to_string();
        assert!(text.starts_with("bid 1:") && text.contains("multiple"), "{text}");
        let text = read(r#"[{"fee": "1", "transfers": 3, "seed": 0}]"#).unwrap_err().to_string();
        assert!(text.contains("1, 2 and 4"), "{text}");
        let text = read(r#"[{"fee": "1", "transfers": 1, "data": "0x"}]"#).unwrap_err().to_string();
        assert!(text.contains("give either"), "{text}");
        let text = read(r#"[{"fee": "1", "batches": 1, "seed": 0}]"#).unwrap_err().to_string();
        assert!(text.contains("batches"), "{text}");
    }

    #[test]
    fn bids_that_cannot_win_are_refused_before_sending() {
        let bid = Wanted { fee: 5, statement: generated(2, 0).unwrap() };
        let size = CircuitKind::Transfers2.units();
        assert!(check_terms(&bid, size, ReservePrice::new(5)).is_ok());
        assert!(check_terms(&bid, size, ReservePrice::new(6)).unwrap_err().to_string().contains("reserve"));
        assert!(check_terms(&bid, size - 1, ReservePrice::new(0)).unwrap_err().to_string().contains("units"));
        let free = Wanted { fee: 0, ..bid };
        assert!(check_terms(&free, size, ReservePrice::new(0)).is_err());
    }

    #[test]
    fn circuits_go_by_name_or_id() {
        let Statement { circuit, public_inputs, data } = generated(4, 7).unwrap();
        let given = |name: &str| given(name, public_inputs.clone(), data.clone());
        assert_eq!(given("transfers-4").unwrap().circuit, circuit);
        assert_eq!(given("0x10000001b").unwrap().circuit, CircuitId::of(1, 27));
        assert_eq!(given("27").unwrap().circuit, CircuitId::of(0, 27));
        assert!(given("sudoku").unwrap_err().to_string().contains("transfers-1"));
    }

    #[test]
    fn what_a_circuit_of_this_build_cannot_prove_is_refused() {
        let Statement { public_inputs, data, .. } = generated(1, 7).unwrap();
        let refused = |name: &str, inputs: &[U256], data: &Bytes| {
            given(name, inputs.to_vec(), data.clone()).unwrap_err().to_string()
        };
        let swapped = [public_inputs[1], public_inputs[0]];
        assert!(refused("transfers-1", &swapped, &data).contains("other roots"));
        assert!(refused("transfers-1", &public_inputs[..1], &data).contains("other roots"));
        assert!(refused("transfers-2", &public_inputs, &data).contains("transfers-1"));
        assert!(refused("transfers-1", &public_inputs, &Bytes::from_static(b"noise")).contains("format"));
    }
}
