//! What deliveries cost, alone and together, as the node's own have shown. Pure.

use std::collections::BTreeMap;

use market_types::CircuitId;

/// What deliveries of each circuit's proofs have cost.
///
/// A batch shares a transaction and, with a verifier that knows how, most pairings. But a verifier may also use all gas that it is given for a
/// batch. No simulation shows that for certain, as a contract can tell one from a transaction; receipts do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Costs(BTreeMap<CircuitId, Cost>);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Cost {
    /// The least that a proof has taken alone (gas).
    alone: Option<u64>,
    dear_together: bool,
}

impl Costs {
    /// A proof was delivered alone for so much gas.
    pub fn alone(&mut self, circuit: CircuitId, gas: u64) {
        let cost = self.0.entry(circuit).or_default();
        cost.alone = Some(cost.alone.map_or(gas, |known| known.min(gas)));
    }

    /// `count` proofs were delivered together for so much gas. Whether that is found to be more than one by one, and was not before.
    pub fn together(&mut self, circuit: CircuitId, count: u64, gas: u64) -> bool {
        let cost = self.0.entry(circuit).or_default();
        let is_dear = cost.alone.is_some_and(|alone| gas > alone.saturating_mul(count));
        is_dear && !std::mem::replace(&mut cost.dear_together, true)
    }

    /// Whether a proof has been delivered alone, to compare with.
    pub(super) fn is_known(&self, circuit: Option<CircuitId>) -> bool {
        self.of(circuit).is_some_and(|cost| cost.alone.is_some())
    }

    pub(super) fn is_dear_together(&self, circuit: Option<CircuitId>) -> bool {
        self.of(circuit).is_some_and(|cost| cost.dear_together)
    }

    fn of(&self, circuit: Option<CircuitId>) -> Option<&Cost> {
        self.0.get(&circuit?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_dear_if_it_takes_more_than_as_many_deliveries_alone() {
        let (one, other) = (CircuitId::of(1, 8), CircuitId::of(2, 8));
        let mut costs = Costs::default();
        assert!(!costs.together(one, 3, 1_000_000) && !costs.is_known(Some(one)));
        costs.alone(one, 300_000);
        costs.alone(one, 320_000);
        assert!(costs.is_known(Some(one)) && !costs.is_known(Some(other)) && !costs.is_known(None));
        assert!(!costs.together(one, 3, 900_000) && !costs.is_dear_together(Some(one)));
        assert!(costs.together(one, 3, 900_001) && costs.is_dear_together(Some(one)));
        assert!(!costs.together(one, 3, 900_001) && !costs.is_dear_together(Some(other)));
    }
}
