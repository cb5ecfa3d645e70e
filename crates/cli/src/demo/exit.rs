//! Everybody leaves with what is theirs, and the books are closed.

use crate::amount::grouped;
use crate::commands::account::worth;
use crate::commands::bundles::release;
use crate::commands::session::{OpenMarket, Session};
use crate::failure::{Code, Failure, OrFail, Outcome};
use alloy::consensus::Transaction;
use alloy::eips::BlockId;
use alloy::network::TransactionResponse;
use alloy::primitives::{Address, U256};
use alloy::providers::Provider;
use alloy::sol_types::SolCall;
use bindings::ProverMarket;
use chain::events::Event;
use clearing::Prices;
use market_types::{RoundNumber, Ticks};
use std::collections::BTreeMap;

use super::acts::together;
use super::audit::{AccountFigures, Check, Claim};
use super::figures::{RoundFigures, TaskFigures};
use super::journal::Journal;
use super::sealing;
use super::stage::Stage;
use super::statement::{Accounts, Rules};
use super::story::{Story, Summary};

/// Stops the programs, audits, lets everybody withdraw, audits again.
pub(crate) async fn play(
    stage: &mut Stage,
    journal: &mut Journal,
    story: &Story,
    round: RoundFigures,
) -> Outcome<Summary> {
    stage.stop_programs();
    // Whatever the programs had sent is mined with the next block.
    journal.until(stage.relayer.session.now().await? + 1).await?;
    journal.refresh().await?;

    let killed = round.provers.iter().find(|prover| prover.killed).map_or("", |prover| prover.name);
    let dead = stage.provers.iter().find(|(_, actor)| actor.name == killed).map(|(_, actor)| actor.address);
    if stage.mode.sealed {
        sealing::close_all(stage, journal, story, dead.unwrap_or_default()).await?;
    }
    let mut checks = checks_of_round(&round);
    checks.extend(checks_of_claims(stage, journal).await?);
    story
        .line("the programs are stopped; what the contract owes everybody is compared with what it holds")?;

    leave(stage, journal, story).await?;
    withdraw(stage, journal, story).await?;

    let surplus = surplus(stage).await?;
    let share = stage.market.money.money(surplus).wei;
    let held = balance(stage, stage.contract()).await?;
    let of_events = accounts_of(stage, journal).surplus().unwrap_or_default();
    checks.push(Check::equal("everybody is out: the contract holds the sink's share", "wei", held, share));
    checks.push(Check::equal("the sink's share follows from the events", "ticks", surplus, of_events));

    let id = stage.market.market.id.get();
    send(&stage.relayer.session, "collecting the surplus", ProverMarket::collectSurplusCall { id }).await?;
    journal.refresh().await?;
    story.line(&format!("the sink gets its share: {}", stage.market.money.money(surplus)))?;
    let left = balance(stage, stage.contract()).await?;
    checks.push(Check::equal("then the contract holds nothing", "wei", left, U256::ZERO));

    let accounts = wallets(stage, journal).await?;
    checks.extend(accounts.iter().map(AccountFigures::check));
    Ok(Summary {
        market: stage.market.market.id.to_string(),
        contract: stage.contract(),
        tick_wei: stage.market.money.tick,
        round,
        killed,
        accounts,
        sink_share_wei: share,
        checks,
        passed: false,
        seconds: 0,
        directory: std::path::PathBuf::new(),
    })
}

/// What must have happened in the round.
fn checks_of_round(round: &RoundFigures) -> Vec<Check> {
    let won = round.won().count();
    let proved = round.won().filter(|task| task.proved.is_some()).count();
    let taken: Vec<_> = round.taken_over().collect();
    let sum = |of: fn(&&super::figures::TaskFigures) -> u64| taken.iter().map(of).sum::<u64>();
    let (bounties, compensation) = (sum(|task| task.bounty), sum(|task| task.compensation));
    let orphans =
        taken.iter().filter(|task| round.provers.iter().any(|p| p.killed && task.assigned == Some(p.name)));
    let mut checks = vec![
        Check::that("every winning task was proved", won > 0 && proved == won, format!("{proved} of {won}")),
        Check::that(
            "the dead prover's tasks were taken over and proved by others",
            orphans.count() > 0,
            format!("{} tasks taken over", taken.len()),
        ),
        Check::that(
            "for a bounty, and the requesters were compensated",
            bounties > 0 && compensation > 0 && taken.iter().all(|t| t.bounty > 0 && t.compensation > 0),
            format!("{} and {} ticks", grouped(U256::from(bounties)), grouped(U256::from(compensation))),
        ),
    ];
    if let Prices::AverageFee { revenue } = round.prices {
        checks.extend(checks_of_average(round, revenue));
    }
    checks
}

/// That requesters paid their own bids, and provers got the average of them.
fn checks_of_average(round: &RoundFigures, revenue: Ticks) -> [Check; 2] {
    let sum = |of: fn(&TaskFigures) -> u64| U256::from(round.won().map(of).sum::<u64>());
    let paid = sum(|task| task.fee * task.units);
    let average =
        |task: &TaskFigures| revenue.get() * u128::from(task.units) / u128::from(round.units.max(1));
    let exact = round
        .won()
        .all(|task| u128::from(task.payment) == average(task) && task.pays == task.fee * task.units);
    let dust = U256::from(revenue.get()).saturating_sub(sum(|task| task.payment));
    [
        Check::equal(
            "the winners paid what they bid, which is the revenue",
            "ticks",
            paid,
            U256::from(revenue.get()),
        ),
        Check::that(
            "each proof was paid the average, rounded down; the dust is the sink's",
            exact && dust < U256::from(round.won().count()),
            format!("{dust} ticks of dust"),
        ),
    ]
}

/// Everybody's account, from the events so far.
fn accounts_of(stage: &Stage, journal: &Journal) -> Accounts {
    let params = &stage.market.market.params;
    let (mechanism, seat_fee, settlement_fee) = (params.mechanism, params.seat_fee, params.settlement_fee);
    Accounts::replay(Rules { mechanism, seat_fee, settlement_fee }, journal.events().cloned())
}

/// That the contract holds what it owes, and owes what the events say.
async fn checks_of_claims(stage: &Stage, journal: &Journal) -> Outcome<Vec<Check>> {
    let accounts = accounts_of(stage, journal);
    let now = stage.relayer.session.now().await?;
    let fee = U256::from(stage.market.market.params.settlement_fee);
    let per_unit = U256::from(stage.market.market.params.collateral_per_unit);
    let (contract, id) = (stage.relayer.session.client.market(), stage.market.market.id.get());
    let seats = chain::round::seats(&stage.relayer.session.client, &stage.market.market).await;
    let seats = seats.or_fail(Code::Connection)?;
    let (mut owed, mut differing) = (U256::ZERO, Vec::new());
    for (account, statement) in accounts.all() {
        let bundles = journal.history().bundles().filter(|bundle| bundle.requester == account);
        let capacity =
            seats.iter().filter(|seat| seat.prover == account).map(|seat| U256::from(seat.capacity));
        let claim = Claim {
            available: contract.availableOf(id, account).call().await.or_fail(Code::Connection)?,
            collateral: capacity.sum::<U256>() * per_unit,
            bundled: bundles.filter_map(|bundle| worth(journal.history(), bundle, fee, now)).sum(),
        };
        owed += claim.total();
        if statement.claim() != Some(claim.total()) {
            differing.push(format!("{account}: {claim:?} against {statement:?}"));
        }
    }
    let surplus = surplus(stage).await?;
    let held = balance(stage, stage.contract()).await?;
    let claims = stage.market.money.money(owed + surplus).wei;
    let figures = if differing.is_empty() {
        format!("{} accounts, {} ticks", accounts.all().count(), grouped(owed))
    } else {
        differing.join("; ")
    };
    Ok(vec![
        Check::equal("the contract holds the sum of all claims on it", "wei", held, claims),
        Check::that("each claim is what the events say", differing.is_empty(), figures),
    ])
}

/// Provers give up their seats, and results of bundles come back. Ends when every seat can be released.
async fn leave(stage: &Stage, journal: &mut Journal, story: &Story) -> Outcome<()> {
    let (open, spinner) = (&stage.market, story.waiting("provers leave, results come back"));
    let mut leaving = Vec::new();
    for seat in journal.history().seats() {
        let (_, actor) =
            stage.provers.iter().find(|(_, actor)| actor.address == seat.prover).ok_or_else(|| {
                Failure::new(Code::Failed, eyre::eyre!("seat {} belongs to a stranger", seat.seat))
            })?;
        let (id, seat) = (open.market.id.get(), U256::from(seat.seat.get()));
        let call = ProverMarket::changeCapacityCall { id, seat, capacity: 0 };
        leaving.push(leave_one(actor.session.clone(), call));
    }
    let leaving = together(leaving);
    let bundles: Vec<_> = journal.history().bundles().copied().collect();
    let releasing = async {
        for bundle in &bundles {
            let actor = stage.actors().find(|actor| actor.address == bundle.requester);
            if let Some(actor) = actor {
                release(&actor.session, open, journal.history(), bundle).await?;
            }
        }
        Ok(())
    };
    let (from, ()) = tokio::try_join!(leaving, releasing)?;
    let last = from.into_iter().max().unwrap_or(1).saturating_sub(1);
    spinner.set_message(format!("round {last}, the last that any prover takes part in, closes"));
    journal.until(open.market.reveal_by(RoundNumber::new(last))).await?;
    spinner.finish_and_clear();
    story.line(&format!("{} provers leave their seats", stage.provers.len()))
}

/// Leaves a seat and says from which round on it takes no part.
async fn leave_one(session: Session, call: ProverMarket::changeCapacityCall) -> Outcome<u64> {
    let receipt = send(&session, "leaving", call).await?;
    let left: ProverMarket::CapacityChanged = session.event(&receipt)?;
    Ok(left.fromRound.saturating_to())
}

/// Provers get their collateral back, then everybody withdraws everything.
async fn withdraw(stage: &Stage, journal: &mut Journal, story: &Story) -> Outcome<()> {
    let (id, spinner) = (stage.market.market.id.get(), story.waiting("everybody withdraws"));
    let mut exits = Vec::new();
    for actor in stage.actors() {
        let seats = journal.history().seats().filter(|seat| seat.prover == actor.address);
        let seats: Vec<U256> = seats.map(|seat| U256::from(seat.seat.get())).collect();
        exits.push(withdraw_one(actor.session.clone(), stage.market.clone(), actor.address, seats));
    }
    let count = together(exits).await?.len();
    journal.refresh().await?;
    spinner.finish_and_clear();
    let seats = stage.relayer.session.client.market().seatCount(id).call().await.or_fail(Code::Connection)?;
    story.line(&format!("{seats} seats are released; {count} accounts withdraw everything they have"))
}

async fn withdraw_one(session: Session, open: OpenMarket, to: Address, seats: Vec<U256>) -> Outcome<()> {
    let id = open.market.id.get();
    for seat in seats {
        send(&session, "releasing a seat", ProverMarket::releaseCapacityCall { id, seat }).await?;
    }
    send(&session, "withdrawing", ProverMarket::withdrawCall { id, amount: U256::MAX, to }).await?;
    Ok(())
}

async fn send<C: SolCall>(
    session: &Session,
    what: &str,
    call: C,
) -> Outcome<alloy::rpc::types::TransactionReceipt> {
    session.send(what, call, U256::ZERO).await
}

/// What one wallet did outside the market's books (wei).
#[derive(Debug, Clone, Copy, Default)]
struct Traffic {
    sent: U256,
    gas: U256,
}

/// Every wallet from the first block to now.
async fn wallets(stage: &Stage, journal: &Journal) -> Outcome<Vec<AccountFigures>> {
    let traffic = traffic(stage).await?;
    let statements = accounts_of(stage, journal);
    let mut received: BTreeMap<Address, U256> = BTreeMap::new();
    for event in journal.events() {
        let (to, ticks) = match event {
            Event::Withdrawn(e) => (e.to, e.amount),
            Event::SurplusCollected(e) => (e.sink, e.amount),
            _ => continue,
        };
        *received.entry(to).or_default() += stage.market.money.money(ticks).wei;
    }
    let mut accounts = Vec::new();
    let people = stage.actors().map(|actor| (actor.name, actor.role, actor.address));
    for (name, role, address) in people.chain([("Sink", "sink", stage.sink)]) {
        let Traffic { sent, gas } = traffic.get(&address).copied().unwrap_or_default();
        let provider = stage.relayer.session.client.provider();
        let before = provider.get_balance(address).block_id(BlockId::earliest()).await;
        accounts.push(AccountFigures {
            name: name.to_owned(),
            role,
            address,
            statement: statements.of(address),
            before: before.or_fail(Code::Connection)?,
            sent,
            received: received.get(&address).copied().unwrap_or_default(),
            gas,
            after: balance(stage, address).await?,
        });
    }
    Ok(accounts)
}

/// Value and fees of every transaction on the chain, by sender.
async fn traffic(stage: &Stage) -> Outcome<BTreeMap<Address, Traffic>> {
    let client = &stage.relayer.session.client;
    let newest = client.head().await.or_fail(Code::Connection)?.number;
    let missing = |block| Failure::new(Code::Connection, eyre::eyre!("block {block} is missing"));
    let mut traffic: BTreeMap<Address, Traffic> = BTreeMap::new();
    for number in 1..=newest {
        let block = client.provider().get_block_by_number(number.into()).full().await;
        let block = block.or_fail(Code::Connection)?.ok_or_else(|| missing(number))?;
        if block.transactions.is_empty() {
            continue;
        }
        let receipts = client.provider().get_block_receipts(BlockId::number(number)).await;
        let receipts = receipts.or_fail(Code::Connection)?.ok_or_else(|| missing(number))?;
        for (transaction, receipt) in block.transactions.txns().zip(receipts) {
            let entry = traffic.entry(transaction.from()).or_default();
            entry.gas += U256::from(receipt.gas_used) * U256::from(receipt.effective_gas_price);
            if receipt.status() {
                entry.sent += transaction.value();
            }
        }
    }
    Ok(traffic)
}

async fn surplus(stage: &Stage) -> Outcome<U256> {
    let market = stage.relayer.session.client.market();
    market.surplusOf(stage.market.market.id.get()).call().await.or_fail(Code::Connection)
}

async fn balance(stage: &Stage, account: Address) -> Outcome<U256> {
    stage.relayer.session.client.balance_of(account).await.or_fail(Code::Connection)
}
