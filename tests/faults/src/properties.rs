//! What holds after every schedule.

use crate::fault::{Kind, Target};
use crate::run::{BACK_AT_WORK, RUNNING_AGAIN, Run};
use crate::world::{
    FEE, MAX_FEE_GWEI, PRICE, PROVER, RELAYER, REQUESTER, RIVAL, SECOND, SETTLEMENT_FEE, World,
};
use alloy::eips::BlockNumberOrTag;
use alloy::primitives::{I256, U256};
use alloy::providers::Provider;
use alloy::rpc::types::TransactionReceipt;
use chain::{MarketHistory, RoundRecord};
use circuits::CircuitKind::Transfers1;

/// A property that does not hold, and what is so instead.
#[derive(Debug)]
pub(crate) struct Violation {
    pub(crate) property: &'static str,
    pub(crate) what: String,
}

/// How a round ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Delivered,
    Expired,
    Void,
}

/// All properties, by name and meaning.
pub(crate) const PROPERTIES: &[(&str, &str)] = &[
    (
        "ended",
        "the round is settled or void, its task delivered or expired; void or expired only if nothing could be reached for so long",
    ),
    (
        "one-effect",
        "at most one settlement of a round and one payment of a task; refused transactions are bounded",
    ),
    (
        "money",
        "the contract holds what it owes to the wei, and every account has won or lost what the round says",
    ),
    ("replay", "what was followed through faults is what a fresh reading of the chain gives"),
    ("programs-agree", "what the programs say of tasks, seats, balance and head is what the chain says"),
    ("seat", "no collateral is lost but by an outage beyond the deadline"),
    ("gas-cap", "no transaction of a program pays more for gas than it may"),
    ("running-again", "a program is ready within 5 s of its start"),
    ("back-at-work", "the round ends within three blocks of 12 s after the last fault"),
    ("nothing-left", "no transaction waits for ever, no nonce is missing, no bundle is left"),
    ("no-panic", "no program panics"),
    ("carried-out", "the schedule is carried out to its end: chain and harness do what is asked of them"),
];

/// What everybody has in the market (ticks).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Books {
    requester: U256,
    prover: U256,
    rival: U256,
    relayers: U256,
    collateral: [u64; 2],
    surplus: U256,
    /// What the contract holds (wei).
    held: U256,
}

impl Books {
    pub(crate) async fn of(world: &World) -> Self {
        let seats = world.seats().await;
        let per_unit = world.market.params.collateral_per_unit;
        let collateral = [PROVER, RIVAL].map(|account| {
            let address = world.address(account);
            seats.iter().filter(|seat| seat.prover == address).map(|seat| seat.capacity * per_unit).sum()
        });
        let available = async |account| world.available(world.address(account)).await;
        let surplus = world.client.market().surplusOf(world.market.id.get()).call().await;
        Self {
            requester: available(REQUESTER).await,
            prover: available(PROVER).await,
            rival: available(RIVAL).await,
            relayers: available(RELAYER).await + available(SECOND).await,
            collateral,
            surplus: surplus.expect("the surplus"),
            held: world.client.balance_of(world.client.contract()).await.expect("a balance"),
        }
    }

    /// What the market owes (ticks).
    fn owed(&self) -> U256 {
        let collateral = U256::from(self.collateral[0] + self.collateral[1]);
        self.requester + self.prover + self.rival + self.relayers + self.surplus + collateral
    }
}

/// Checks all of them; those that do not hold.
pub(crate) async fn check(run: &Run<'_>, before: &Books, ending: Option<Ending>) -> Vec<Violation> {
    let after = Books::of(run.world).await;
    let mut found = Vec::new();
    let mut add = |property, result: Result<(), String>| {
        if let Err(what) = result {
            found.push(Violation { property, what });
        }
    };
    add("ended", ended(run, ending));
    let (receipts, fresh) = (receipts(run).await, run.world.replay().await);
    add("gas-cap", gas_cap(run, &receipts));
    if let Some(ending) = ending {
        add("one-effect", one_effect(run, &receipts, &fresh));
        add("money", money(run, before, &after, ending));
        add("seat", seat(run, before, &after));
        add("programs-agree", programs_agree(run, &after).await);
    }
    add("replay", replay(run, &fresh).await);
    let within = |took: std::time::Duration, most: std::time::Duration| {
        if took <= most { Ok(()) } else { Err(format!("{took:?}")) }
    };
    add("running-again", within(run.slowest_start(), RUNNING_AGAIN));
    add("back-at-work", within(run.recovery(), BACK_AT_WORK));
    add("no-panic", no_panic(run));
    found
}

fn ended(run: &Run<'_>, ending: Option<Ending>) -> Result<(), String> {
    match ending {
        None => Err("the round or its task has not ended".to_owned()),
        Some(Ending::Void) if !run.had_outage(Target::Relayer) => Err("void without an outage".to_owned()),
        Some(Ending::Expired) if !run.had_outage(Target::Prover) => {
            Err("expired without an outage".to_owned())
        }
        Some(_) => Ok(()),
    }
}

/// Receipts of the schedule's blocks.
async fn receipts(run: &Run<'_>) -> Vec<TransactionReceipt> {
    let provider = run.world.bed.anvil.connection().provider();
    let mut all = Vec::new();
    for number in run.since + 1..=run.world.blocks.number {
        let block = BlockNumberOrTag::Number(number);
        let count = provider.get_block_transaction_count_by_number(block).await.ok().flatten();
        if count.unwrap_or(0) > 0 {
            let receipts = provider.get_block_receipts(block.into()).await.ok().flatten();
            all.extend(receipts.unwrap_or_default());
        }
    }
    all
}

/// The contract itself refuses a second settlement or delivery; what is bounded is what programs try in vain.
fn one_effect(run: &Run<'_>, receipts: &[TransactionReceipt], fresh: &MarketHistory) -> Result<(), String> {
    let senders = run.senders();
    let refused =
        receipts.iter().filter(|receipt| !receipt.status() && senders.contains(&receipt.from)).count();
    // Others may be first with each of a relayer's calls, a settlement and a release if there is a bundle, and with a delivery.
    let of_a_relayer = if run.schedule.losers > 0 { 2 } else { 1 };
    let company = if run.had(Kind::SecondRelayer) { of_a_relayer } else { 0 }
        + if run.had(Kind::TwinProver) { 1 } else { 0 };
    let bound = company + if run.had(Kind::Reorg) { 2 } else { 0 };
    if refused > bound {
        return Err(format!("{refused} transactions were refused, at most {bound} may be"));
    }
    let contract = Some(run.world.client.contract());
    let calls = |receipt: &&TransactionReceipt| {
        receipt.status() && receipt.to == contract && senders.contains(&receipt.from)
    };
    // And a delivery or an expiry.
    let (done, wanted) = (receipts.iter().filter(calls).count(), of_a_relayer + 1);
    if done > wanted {
        return Err(format!("{done} calls had an effect, {wanted} were wanted"));
    }
    let settled = |round: &RoundRecord| round.number == run.round && round.settlement.is_some();
    match fresh.rounds().filter(|round| settled(round)).count() {
        0 | 1 => Ok(()),
        more => Err(format!("{more} settlements")),
    }
}

fn gas_cap(run: &Run<'_>, receipts: &[TransactionReceipt]) -> Result<(), String> {
    let cap = u128::from(MAX_FEE_GWEI) * 1_000_000_000;
    let senders = run.senders();
    // Those of another program with the same key pay what that wants.
    let mine = receipts.iter().filter(|receipt| senders.contains(&receipt.from) && receipt.gas_used > 21_000);
    let most = mine.map(|receipt| receipt.effective_gas_price).max().unwrap_or(0);
    if most <= cap { Ok(()) } else { Err(format!("{most} wei per gas")) }
}

fn money(run: &Run<'_>, before: &Books, after: &Books, ending: Ending) -> Result<(), String> {
    let owed = run.world.market.ticks_to_wei(after.owed());
    if owed != after.held {
        return Err(format!("the contract holds {} wei and owes {owed}", after.held));
    }
    let change = |now: U256, then: U256| I256::from_raw(now) - I256::from_raw(then);
    let ticks = |amount: u64| I256::try_from(amount).expect("a small amount");
    let size = u64::from(Transfers1.units());
    let fees = (1 + run.schedule.losers) * SETTLEMENT_FEE;
    let changes = [
        change(after.requester, before.requester),
        change(after.prover, before.prover),
        change(after.relayers, before.relayers),
        change(after.surplus, before.surplus),
        change(after.rival, before.rival),
    ];
    let zero = I256::ZERO;
    // The user price is the reserve, which is one tick above the price of provers.
    let expected = match ending {
        Ending::Delivered => {
            [-ticks((PRICE + 1) * size + fees), ticks(PRICE * size), ticks(fees), ticks(size), zero]
        }
        Ending::Void => [zero; 5],
        Ending::Expired => {
            let lost = after.collateral[0] < before.collateral[0];
            let bounded =
                changes[0] <= zero && changes[0] >= -ticks(FEE * size + fees) && changes[2] == ticks(fees);
            return if lost && bounded {
                Ok(())
            } else {
                Err(format!("after an expiry: {before:?} {after:?}"))
            };
        }
    };
    if changes == expected { Ok(()) } else { Err(format!("changes {changes:?} instead of {expected:?}")) }
}

fn seat(run: &Run<'_>, before: &Books, after: &Books) -> Result<(), String> {
    if before.collateral == after.collateral || run.had_outage(Target::Prover) {
        return Ok(());
    }
    Err(format!("collateral was {:?} and is {:?}", before.collateral, after.collateral))
}

/// Everything that a history holds, to compare two of them.
fn all_of(history: &MarketHistory) -> String {
    let rounds: Vec<_> = history.rounds().collect();
    let seats: Vec<_> = history.seats().collect();
    let bundles: Vec<_> = history.bundles().collect();
    format!("{rounds:?} {seats:?} {bundles:?}")
}

async fn replay(run: &Run<'_>, fresh: &MarketHistory) -> Result<(), String> {
    let observer = run.world.observer.follower.lock().await;
    let (here, head) =
        (observer.market(run.world.market.id).expect("the market"), run.world.bed.anvil.head().await);
    if observer.head() != head {
        return Err(format!("followed to {:?}, and the head is {head:?}", observer.head()));
    }
    if all_of(here) == all_of(fresh) { Ok(()) } else { Err("the histories differ".to_owned()) }
}

#[allow(clippy::cast_precision_loss, reason = "small numbers")]
async fn programs_agree(run: &Run<'_>, after: &Books) -> Result<(), String> {
    let prover = &run.world.prover.program;
    let seats = run.world.seats().await;
    let seat = seats.iter().find(|seat| seat.prover == run.world.prover.sender).ok_or("no seat")?;
    let balance: u64 = after.prover.try_into().map_err(|_| "a large balance")?;
    for (metric, expected) in [
        ("proophi_tasks", 0),
        ("proophi_seat_capacity_units", seat.capacity),
        ("proophi_seat_free_units", seat.offer.free()),
        ("proophi_balance_ticks", balance),
    ] {
        let found = prover.metric(metric);
        if found != Some(expected as f64) {
            return Err(format!("the prover says {metric} {found:?}, the chain {expected}"));
        }
    }
    Ok(())
}

fn no_panic(run: &Run<'_>) -> Result<(), String> {
    for (serving, from) in [&run.world.relayer, &run.world.prover].into_iter().zip(run.said) {
        let said = serving.program.said();
        if let Some(line) =
            said.get(from..).and_then(|said| said.lines().find(|line| line.contains("panicked at")))
        {
            return Err(format!("{}: {line}", serving.program.name));
        }
    }
    Ok(())
}
