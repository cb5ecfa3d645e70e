use super::*;
use crate::commitments::{BidWord, MerkleTree, Ticket, assignment_leaf, inputs_hash, statement_leaf};
use crate::events::{Event, LoggedEvent, Origin};
use crate::params::tests::params;
use crate::{Lot, Market, MarketHistory, Statement};
use alloy::primitives::Address;
use bindings::ProverMarket as abi;
use market_types::{AskIndex, BidIndex, CircuitId, LotSize, RoundNumber, TaskSize, UnitFee};
use proptest::prelude::*;

const WHO: Address = Address::repeat_byte(0xaa);
const SEAT: u8 = 3;
const NEXT_SEAT: u8 = 5;
const SIZE: u32 = 4;

fn market() -> Market {
    let params = params();
    Market { id: params.market_id(), params }
}

fn lot(first: u64, count: u64, circuit: CircuitId) -> Lot {
    let statement = |input| {
        let (public_inputs, data) = (vec![U256::from(input), U256::MAX], vec![7; 5].into());
        Statement { circuit, public_inputs, data }
    };
    Lot::new(WHO, UnitFee::new(9).unwrap(), (first..first + count).map(statement).collect()).unwrap()
}

fn circuit() -> CircuitId {
    CircuitId::of(5, SIZE)
}

/// Entries of so many bids each.
fn lots(counts: &[u64]) -> Vec<Lot> {
    let firsts = counts.iter().scan(0, |sum, count| Some(std::mem::replace(sum, *sum + count)));
    firsts.zip(counts).map(|(first, count)| lot(first, *count, circuit())).collect()
}

/// Round 1 of these entries, which all win and fall to one seat. The first `published` are published.
fn settled(lots: &[Lot], published: usize) -> RoundRecord {
    settled_by_two(lots, published, usize::MAX)
}

/// The same where only the first `split` tasks, at least one, fall to that seat, and the others to another.
fn settled_by_two(lots: &[Lot], published: usize, split: usize) -> RoundRecord {
    let mut history = MarketHistory::new(market());
    let id = market().id.get();
    let mut apply = |event| {
        let time = market().id.open_of(RoundNumber::new(1));
        let origin = Origin { block: 1, time, log_index: 0, tx_hash: B256::ZERO };
        history.apply(&LoggedEvent { market: market().id, origin, event }).unwrap();
    };
    let [zero, one] = [U256::ZERO, U256::ONE];
    let capacity = U256::from(10_000);
    for seat in [SEAT, NEXT_SEAT].map(U256::from) {
        let registered = abi::SeatRegistered { id, seat, prover: WHO, capacity, cost: one, fromRound: zero };
        apply(Event::SeatRegistered(registered));
    }
    let place = (U256::from_be_bytes(WHO.into_word().0) << 64) | (one << 32);
    let words: Vec<B256> = lots.iter().map(|lot| lot.word().get()).collect();
    apply(Event::BidsSubmitted(abi::BidsSubmitted { id, place, words }));
    for lot in &lots[..published] {
        let statements = lot.statements().iter().map(Statement::to_abi).collect();
        apply(Event::StatementsPublished(abi::StatementsPublished { id, requester: WHO, statements }));
    }
    let bids: usize = lots.iter().map(|lot| usize::from(lot.word().count().get())).sum();
    let units_of = |tasks: usize| u64::try_from(tasks).unwrap() * u64::from(SIZE);
    let (units, first) = (units_of(bids), units_of(split.min(bids)));
    let winner = |(seat, units): (u8, u64)| (U256::from(units) << 8) | U256::from(seat);
    let winners = [(SEAT, first), (NEXT_SEAT, units - first)].into_iter().filter(|(_, units)| *units > 0);
    let certificate =
        abi::Certificate { pivotSeat: 9, pivotFee: 1, pivotIndex: 0, units, ..Default::default() };
    apply(Event::RoundSettled(abi::RoundSettled {
        id,
        round: one,
        settler: WHO,
        certificate,
        revenue: U256::from(units),
        winners: winners.map(winner).collect(),
        shares: vec![U256::from(bids)],
        assignmentRoot: MerkleTree::new(leaves(lots, split)).root(),
    }));
    history.round(RoundNumber::new(1)).unwrap().clone()
}

/// One for each entry, and two for the one within which the first seat's tasks end.
fn leaves(lots: &[Lot], split: usize) -> Vec<B256> {
    let (mut leaves, mut index) = (Vec::new(), 0);
    for lot in lots {
        let count = usize::from(lot.word().count().get());
        let cut = split.saturating_sub(index).min(count);
        for (seat, from, to) in [(SEAT, 0, cut), (NEXT_SEAT, cut, count)] {
            if from < to {
                leaves.push(run_leaf(lot.word(), index + from, from, to - from, seat));
            }
        }
        index += count;
    }
    leaves
}

fn run_leaf(word: BidWord, index: usize, position: usize, length: usize, seat: u8) -> B256 {
    let wide = |number: usize| u64::try_from(number).unwrap();
    let index = BidIndex::from_u64(wide(index)).unwrap();
    let length = LotSize::from_u64(wide(length)).unwrap();
    assignment_leaf(word, index, u16::try_from(position).unwrap(), length, AskIndex::new(seat.into()))
}

fn batch(round: &RoundRecord, picked: &[usize]) -> Option<DeliveryBatch> {
    let tasks = round.assignments().unwrap();
    let proofs: Vec<_> =
        picked.iter().map(|at| (tasks[*at], Bytes::from(vec![u8::try_from(*at).unwrap(); 3]))).collect();
    delivery_batch(round, &proofs)
}

/// The check of the contract (`BatchBook`): which bids the tasks are, if every one leads to the root, to a node that the path of a
/// task before it went through, or to the leaf of such a task.
fn checked(batch: &DeliveryBatch, root: B256) -> Option<Vec<u64>> {
    let mut known = vec![B256::ZERO; batch.nodes.len()];
    let each = batch.publicInputs.len() / batch.deliveries.len();
    let mut known_leaves = Vec::new();
    let mut from = 0;
    let mut indices = Vec::new();
    for (k, task) in batch.deliveries.iter().enumerate() {
        let part = |shift: usize, bits: usize| {
            (task.head.wrapping_shr(shift) & ((U256::ONE << bits) - U256::ONE)).to::<u64>()
        };
        let length = |shift| usize::try_from(part(shift, 8)).unwrap();
        let statement_end = from + length(128);
        let to = statement_end + length(16);
        let top = match usize::try_from(part(0, 16)).unwrap() {
            0 => root,
            leaf if leaf >= 0xff00 => *known_leaves.get(leaf - 0xff00)?,
            anchor => *known.get(anchor - 1)?,
        };
        if top.is_zero() || to > known.len() {
            return None;
        }
        let up = |leaf, path: &[B256]| path.iter().fold(leaf, |at, sibling| node(at, *sibling));
        let inputs = inputs_hash(&batch.publicInputs[k * each..(k + 1) * each]);
        let leaf = statement_leaf(CircuitId::new(batch.circuit), part(136, 16), inputs, task.dataHash);
        let ticket = Ticket::new(task.requester, up(leaf, &batch.nodes[from..statement_end]));
        let count = LotSize::from_u64(part(152, 15) + 1).unwrap();
        let size = TaskSize::new(CircuitId::new(batch.circuit).units()).unwrap();
        let word = BidWord::new(UnitFee::from_u64(part(32, 64)).unwrap(), size, count, ticket);
        let word = if part(167, 1) == 1 { word.told() } else { word };
        let number = |shift, bits| usize::try_from(part(shift, bits)).unwrap();
        let (index, before, after) = (part(96, 32), number(184, 16), number(168, 16));
        let first = number(96, 32).checked_sub(before)?;
        let position = number(136, 16).checked_sub(before)?;
        let seat = u8::try_from(part(24, 8)).unwrap();
        let leaf = run_leaf(word, first, position, before + after + 1, seat);
        if up(leaf, &batch.nodes[statement_end..to]) != top {
            return None;
        }
        known[statement_end..to].copy_from_slice(&batch.nodes[statement_end..to]);
        from = to;
        known_leaves.push(leaf);
        indices.push(index);
    }
    (from == known.len()).then_some(indices)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_task_of_a_batch_leads_to_the_root(
        counts in prop::collection::vec(1_u64..8, 1..20),
        picked in prop::collection::vec(any::<prop::sample::Index>(), 1..40),
        split in any::<prop::sample::Index>(),
    ) {
        let lots = lots(&counts);
        let all: u64 = counts.iter().sum();
        let split = 1 + split.index(usize::try_from(all).unwrap());
        let round = settled_by_two(&lots, lots.len(), split);
        let bids = round.assignments().unwrap().len();
        let picked: Vec<usize> = picked.iter().map(|index| index.index(bids)).collect();
        let batch = batch(&round, &picked).unwrap();
        let expected: Vec<u64> = picked.iter().map(|at| u64::try_from(*at).unwrap()).collect();
        prop_assert_eq!(checked(&batch, round.settlement.as_ref().unwrap().assignment_root), Some(expected));
        let proofs: Vec<u8> = picked.iter().flat_map(|at| [u8::try_from(*at).unwrap(); 3]).collect();
        prop_assert_eq!(&batch.proofs[..], &proofs[..]);
        let firsts: Vec<U256> = batch.publicInputs.iter().step_by(2).copied().collect();
        prop_assert_eq!(firsts, picked.iter().map(|at| U256::from(*at)).collect::<Vec<_>>());
    }
}

#[test]
fn a_whole_round_takes_less_than_one_node_for_each_bid_by_itself() {
    for count in [1, 2, 3, 31, 32, 33] {
        let lots = lots(&vec![1; count]);
        let all: Vec<usize> = (0..count).collect();
        assert_eq!(batch(&settled(&lots, count), &all).unwrap().nodes.len(), count - 1);
    }
}

#[test]
fn a_statement_of_a_lot_takes_its_whole_path() {
    // Four statements with two nodes each, and one node between two entries.
    let of_lot = lots(&[4]);
    assert_eq!(batch(&settled(&of_lot, 1), &[0, 1, 2, 3]).unwrap().nodes.len(), 4 * 2);
    let mixed = lots(&[2, 1]);
    assert_eq!(batch(&settled(&mixed, 2), &[0, 1, 2]).unwrap().nodes.len(), 2 + 1);
}

#[test]
fn tasks_of_one_run_have_one_way_up() {
    // Two runs of the first lot, one of the second: three leaves.
    let lots = lots(&[6, 3]);
    let round = settled_by_two(&lots, 2, 4);
    let way = |task: &BatchedTask| {
        let low: u64 = task.head.wrapping_to();
        (low >> 16 & 0xff, low & 0xffff)
    };
    let whole = batch(&round, &[0, 1, 2, 3, 4, 5, 6, 7, 8]).unwrap();
    let ways: Vec<_> = whole.deliveries.iter().map(way).collect();
    let statements = 4 * 3 + 2 * 2 + 2 * 2 + 1;
    assert_eq!(whole.nodes.len(), statements + 2);
    assert_eq!(ways[0], (2, 0));
    assert_eq!(ways[1..4], [(0, 0xff00); 3]);
    // The leaves of the other two were on the way of the first.
    assert_eq!((ways[4].0, ways[5]), (0, ways[4]));
    assert_eq!((ways[6].0, ways[7], ways[8]), (0, ways[6], ways[6]));
    // In any order, with others in between.
    let mixed = batch(&round, &[8, 2, 7, 0]).unwrap();
    let anchors: Vec<_> = mixed.deliveries.iter().map(|task| way(task).1).collect();
    assert_eq!(anchors[2..], [0xff00, 0xff01]);
}

#[test]
fn a_batch_has_no_more_deliveries_than_have_anchors() {
    let lots = lots(&[300]);
    let round = settled(&lots, 1);
    let all: Vec<usize> = (0..256).collect();
    assert_eq!(batch(&round, &all).unwrap().deliveries.len(), 256);
    let more: Vec<usize> = all.into_iter().chain([0]).collect();
    assert_eq!(batch(&round, &more), None);
}

#[test]
fn the_ends_of_every_part_have_their_place_in_the_head() {
    let task = Task {
        round: 1,
        index: u32::MAX,
        position: 0x3ffe,
        runBefore: 0x3ffd,
        runAfter: 0xffff,
        lot: 0xbffe,
        seat: 0xff,
        fee: u64::MAX,
        size: 1,
        requester: WHO,
        statements: B256::ZERO,
    };
    let packed = head(&task, 14, Way { length: 32, anchor: 0xffff }).unwrap();
    let expected = "0x3ffdffffbffe3ffe0effffffffffffffffffffffffff20ffff";
    assert_eq!(packed, expected.parse::<U256>().unwrap());
    let way = |length, anchor| Way { length, anchor };
    assert_eq!(head(&task, 256, way(0, 0)), None);
    assert_eq!(head(&task, 0, way(256, 0)), None);
    assert_eq!(head(&task, 0, way(0, 0x1_0000)), None);
}

#[test]
fn what_is_no_batch_is_none() {
    let of_two = [lot(0, 2, circuit()), lot(2, 1, CircuitId::of(6, SIZE))];
    let round = settled(&of_two, 2);
    assert!(batch(&round, &[0, 1]).is_some() && batch(&round, &[2]).is_some());
    assert_eq!(batch(&round, &[0, 2]), None, "two circuits");
    assert_eq!(batch(&round, &[]), None);
    let silent = settled(&lots(&[2, 1]), 1);
    assert!(batch(&silent, &[0, 1]).is_some());
    assert_eq!(batch(&silent, &[0, 2]), None, "nobody has published what bid 2 asks for");
    let tasks = round.assignments().unwrap();
    let proofs = [(tasks[0], Bytes::from_static(&[1])), (tasks[1], Bytes::from_static(&[1, 2]))];
    assert_eq!(delivery_batch(&round, &proofs), None, "proofs of two lengths");
}
