//! What happens in the demo, in order.

use crate::amount::grouped;
use crate::commands::bid::{cost, submit_all};
use crate::commands::lots::entries;
use crate::commands::sealed::commit_bids;
use crate::commands::session::{OpenMarket, Session};
use crate::commands::statement::{Wanted, generated};
use crate::failure::{Code, Failure, OrFail, Outcome};
use crate::local::RunDir;
use crate::output::Output;
use alloy::primitives::{Address, U256};
use bindings::ProverMarket;
use chain::events::{Event, delivered_task};
use chain::history::TaskEnd;
use market_types::{AskIndex, RoundNumber};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::cast::{CAPACITY_CAP, DEPOSIT, PROVERS, REQUESTERS, Requester, max_task_size};
use super::figures::{ProverFigures, RoundFigures, TaskFigures};
use super::journal::Journal;
use super::stage::{Actor, Stage};
use super::story::{Story, Summary};
use super::{Mode, exit, sealing};

/// A bid needs this long to be mined with certainty (seconds).
const TIME_TO_BID: u64 = 6;
/// A commitment too, and it keeps a distance from the close.
const TIME_TO_SEAL: u64 = 11;

/// Plays the demo.
pub(crate) async fn play(dir: &RunDir, key_store: PathBuf, mode: Mode, output: Output) -> Outcome<Summary> {
    let mut story = Story::new(output);
    story.step("A market for proofs on a chain of its own")?;
    let mut stage = Stage::set(dir, key_store, mode, output).await?;
    let market = stage.market.market.clone();
    let mut journal = Journal::new(stage.relayer.session.client.clone(), market.clone());
    story.line(&format!("contract {}, market {}", stage.contract(), market.id))?;
    story.line(&format!(
        "mechanism {}, {} bids and asks",
        mode.mechanism,
        if mode.sealed { "sealed" } else { "open" }
    ))?;
    story.line(&format!(
        "a round proves at most {CAPACITY_CAP} units of 1,024 constraints; every amount is in ticks of 0.000001 ETH"
    ))?;

    story.step("Provers register, requesters deposit")?;
    stage.start_programs()?;
    let first = open_doors(&mut stage, &mut journal, &story).await?;

    story.step("Six rollups bid for 24 proofs of three sizes, one of them for a lot of four")?;
    let round = bids(&mut stage, &journal, &story, first).await?;

    if mode.sealed {
        story.step("The round closes; everybody opens what it has committed to")?;
        sealing::open_all(&mut stage, &mut journal, &story, round).await?;
    }

    story.step(if mode.sealed {
        "The relayer clears the round, the contract checks the outcome"
    } else {
        "The round closes; the relayer clears it, the contract checks the outcome"
    })?;
    let victim = settlement(&mut stage, &mut journal, &story, round).await?;

    story.step("Proving, and a prover that dies")?;
    story.line(&story.palette.bad(&format!("{victim} is killed (SIGKILL) before it can deliver")))?;
    proving(&mut stage, &mut journal, &story, round).await?;

    let figures = figures(&stage, &journal, round, victim)?;
    story.step("Who won, who proved, who was paid")?;
    story.block(&figures.task_table(story.palette))?;
    story.block(&figures.prover_table(story.palette))?;

    story.step("Everybody leaves")?;
    exit::play(&mut stage, &mut journal, &story, figures).await
}

/// Starts with programs running and ends with every prover registered and every requester's deposit made. Returns the first
/// round in which every prover takes part.
async fn open_doors(stage: &mut Stage, journal: &mut Journal, story: &Story) -> Outcome<u64> {
    let spinner = story.waiting("prover nodes load their keys and register");
    let open = stage.market.clone();
    let deposits = stage.requesters.iter().map(|(_, actor)| deposit(actor.clone(), open.clone())).collect();
    together(deposits).await?;
    let from = journal
        .wait("every prover to register", Duration::from_secs(60), |journal| {
            stage.check()?;
            let from = journal.events().filter_map(|event| match event {
                Event::SeatRegistered(seat) => Some(seat.fromRound.saturating_to::<u64>()),
                _ => None,
            });
            let from: Vec<u64> = from.collect();
            Ok((from.len() == PROVERS.len()).then(|| from.into_iter().max()).flatten())
        })
        .await?;
    spinner.finish_and_clear();
    story.line(&format!(
        "{} requesters put {} ticks each into the market",
        REQUESTERS.len(),
        grouped(U256::from(DEPOSIT))
    ))?;
    for (prover, _) in &stage.provers {
        story.line(&format!(
            "{} asks {} ticks per unit for up to {} units, with {} ticks of collateral",
            story.palette.supply(&format!("{:<6}", prover.name)),
            prover.cost,
            prover.capacity,
            grouped(U256::from(prover.capacity) * U256::from(open.market.params.collateral_per_unit)),
        ))?;
    }
    Ok(from)
}

async fn deposit(actor: Actor, open: OpenMarket) -> Outcome<()> {
    let amount = open.money.money(U256::from(DEPOSIT)).wei;
    let call = ProverMarket::depositCall { id: open.market.id.get(), account: actor.address, amount };
    actor.session.send("depositing", call, amount).await?;
    Ok(())
}

/// All bids of all requesters, in one round, which is returned.
async fn bids(stage: &mut Stage, journal: &Journal, story: &Story, first: u64) -> Outcome<u64> {
    let open = stage.market.clone();
    let now = stage.relayer.session.now().await?;
    let current = open.market.id.round_at(now).or_fail(Code::Failed)?;
    let mut round = RoundNumber::new(first.max(current.get()));
    let needed = if stage.mode.sealed { TIME_TO_SEAL } else { TIME_TO_BID };
    if round == current && now + needed > open.market.close_of(round) {
        round = RoundNumber::new(round.get() + 1);
    }
    let spinner = story.waiting(&format!("round {round} opens"));
    journal.until(open.market.id.open_of(round)).await?;
    spinner.finish_and_clear();

    let spinner = story.waiting("bids are submitted");
    let mut submissions = Vec::new();
    for (position, (requester, actor)) in stage.requesters.iter().enumerate() {
        submissions.push(bid(position, *requester, actor.session.clone(), open.clone()));
    }
    let submitted = together(submissions).await?;
    spinner.finish_and_clear();
    for ((requester, _), (rounds, locked)) in stage.requesters.iter().zip(submitted) {
        if rounds.iter().any(|other| *other != round.get()) {
            return Err(Failure::new(
                Code::Failed,
                eyre::eyre!(
                    "a bid of {} came too late for round {round}; this machine is too busy",
                    requester.name
                ),
            ));
        }
        let wants = requester.wants_text();
        story.line(&format!(
            "{} {} 4 proofs (units at ticks per unit: {wants}); {} ticks locked",
            story.palette.demand(&format!("{:<6}", requester.name)),
            if stage.mode.sealed { "commits to bids, which nobody else knows, for" } else { "bids for" },
            grouped(locked),
        ))?;
    }
    stage.check()?;
    Ok(round.get())
}

/// A requester's bids: every second one sends the first by itself. Returns the rounds they went into, and what they locked.
async fn bid(
    position: usize,
    requester: Requester,
    session: Session,
    open: OpenMarket,
) -> Outcome<(Vec<u64>, U256)> {
    let wanted = requester.wants.iter().enumerate().map(|(number, (kind, fee))| {
        // Each task is another batch on a state of its own.
        let seed = (position * requester.wants.len() + number) as u64 + 1;
        Ok(Wanted { fee: *fee, statement: generated(kind.batch_size(), seed)? })
    });
    let wanted = wanted.collect::<Outcome<Vec<_>>>()?;
    if open.market.id.is_sealed() {
        let committed = commit_bids(&session, &open, wanted, None, false).await?;
        return Ok((committed.rounds(), committed.deposit.ticks));
    }
    let mut all = entries(session.sender()?, wanted, false)?;
    let locked = cost(&open, &all);
    let mut rounds = Vec::new();
    if position % 2 == 1 && all.len() > 1 {
        let rest = all.split_off(1);
        rounds.extend(submit_all(&session, &open, all).await?);
        all = rest;
    }
    rounds.extend(submit_all(&session, &open, all).await?);
    Ok((rounds.into_iter().map(|part| part.round).collect(), locked))
}

/// Waits for the settlement, kills the winner with most to prove, shows prices. Returns the victim's name.
async fn settlement(
    stage: &mut Stage,
    journal: &mut Journal,
    story: &Story,
    round: u64,
) -> Outcome<&'static str> {
    let market = stage.market.market.clone();
    let number = RoundNumber::new(round);
    let spinner = story.waiting(&format!("round {round} takes bids until it closes"));
    journal.until(market.close_of(number)).await?;
    spinner.set_message("the relayer settles the round");
    let patience = Duration::from_secs(market.params.reveal_period + market.params.settlement_period + 5);
    let loads: BTreeMap<AskIndex, u64> = journal
        .wait("the settlement", patience, |journal| {
            stage.check()?;
            let record = journal.history().round(number);
            let assignments = record.and_then(chain::RoundRecord::assignments);
            Ok(assignments.map(|assignments| {
                let mut loads = BTreeMap::new();
                for assignment in assignments {
                    *loads.entry(assignment.seat).or_default() += u64::from(assignment.size.get());
                }
                loads
            }))
        })
        .await?;
    spinner.finish_and_clear();
    // At once, before it can prove anything.
    let (seat, _) = loads
        .iter()
        .max_by_key(|(seat, load)| (**load, u32::MAX - seat.get()))
        .ok_or_else(|| Failure::new(Code::Audit, eyre::eyre!("the round ended without a trade")))?;
    let victim = names(stage, journal).provers.get(seat).copied().unwrap_or_default();
    stage.kill(victim)?;

    let figures = figures(stage, journal, round, victim)?;
    story.line(&format!(
        "{}; {} of 24 bids win, {} units are to be proved",
        figures.prices_text(),
        figures.won().count(),
        figures.units,
    ))?;
    story.block(&figures.curves().draw(story.palette, story.width()))?;
    Ok(victim)
}

/// Tells what happens until every winning task has ended.
async fn proving(stage: &mut Stage, journal: &mut Journal, story: &Story, round: u64) -> Outcome<()> {
    let market = stage.market.market.clone();
    let number = RoundNumber::new(round);
    let seconds = market.final_at(number).saturating_sub(market.close_of(number));
    let (mut told, spinner) = (0, story.waiting("provers prove"));
    journal
        .wait("every task to end", Duration::from_secs(seconds), |journal| {
            stage.check()?;
            let events = journal.since(told);
            told += events.len();
            let names = names(stage, journal);
            for logged in events {
                if let Some(line) = names.tell(&logged.event) {
                    spinner.suspend(|| story.line(&format!("block {:<4} {line}", logged.origin.block)))?;
                }
            }
            let record = journal.history().round(number);
            let ended = record.and_then(|record| {
                let ended = |index| record.task(index).is_some_and(|task| task.end.is_some());
                Some(record.assignments()?.iter().all(|assignment| ended(assignment.index)))
            });
            Ok((ended == Some(true)).then_some(()))
        })
        .await?;
    spinner.finish_and_clear();
    Ok(())
}

/// Who is behind an address or a seat.
struct Names {
    requesters: BTreeMap<Address, &'static str>,
    provers: BTreeMap<AskIndex, &'static str>,
}

fn names(stage: &Stage, journal: &Journal) -> Names {
    let requesters = stage.requesters.iter().map(|(_, actor)| (actor.address, actor.name)).collect();
    let owner = |address| stage.provers.iter().find(|(_, actor)| actor.address == address);
    let seats = journal.history().seats();
    let provers = seats.filter_map(|seat| Some((seat.seat, owner(seat.prover)?.1.name))).collect();
    Names { requesters, provers }
}

impl Names {
    fn prover(&self, seat: U256) -> &'static str {
        self.provers.get(&AskIndex::new(seat.saturating_to())).copied().unwrap_or("somebody")
    }

    /// One line about an event of the proving phase.
    fn tell(&self, event: &Event) -> Option<String> {
        match event {
            Event::TasksDelivered(e) => {
                let told = e.tasks.iter().map(|task| {
                    let (index, seat) = delivered_task(*task);
                    format!("{} proves task {index}: {} ticks", self.prover(seat), grouped(e.payment))
                });
                Some(told.collect::<Vec<_>>().join("; "))
            }
            Event::TaskDelivered(e) if e.bounty.is_zero() => {
                Some(format!("{} proves task {}: {} ticks", self.prover(e.seat), e.index, grouped(e.payment)))
            }
            Event::TaskDelivered(e) => Some(format!(
                "{} proves task {}: {} ticks and a bounty of {}; the requester is compensated with {}",
                self.prover(e.seat),
                e.index,
                grouped(e.payment),
                grouped(e.bounty),
                grouped(e.compensation)
            )),
            Event::TaskTakenOver(e) => Some(format!(
                "{} takes task {} over: its prover missed the deadline",
                self.prover(e.seat),
                e.index
            )),
            Event::SeatSlashed(e) => {
                Some(format!("{} loses {} ticks of collateral", self.prover(e.seat), grouped(e.loss)))
            }
            Event::TaskExpired(e) => Some(format!("task {} ends without a proof", e.index)),
            _ => None,
        }
    }
}

/// The round as it stands.
fn figures(stage: &Stage, journal: &Journal, round: u64, killed: &'static str) -> Outcome<RoundFigures> {
    let names = names(stage, journal);
    let missing = || Failure::new(Code::Failed, eyre::eyre!("round {round} is not settled"));
    let record = journal.history().round(RoundNumber::new(round)).ok_or_else(missing)?;
    let settlement = record.settlement.as_ref().ok_or_else(missing)?;
    let task = |bid: chain::BidRecord<'_>| {
        let assignment = record.assignment(bid.index());
        let units = u64::from(bid.size().get());
        let mut task = TaskFigures {
            index: bid.index().get().into(),
            requester: names.requesters.get(&bid.requester).copied().unwrap_or("somebody"),
            circuit: bid
                .statement()
                .and_then(|statement| circuits::CircuitKind::from_id(statement.circuit).ok())
                .map_or("unknown", circuits::CircuitKind::name),
            units,
            fee: bid.fee.get(),
            pays: settlement.charge(&bid).saturating_to(),
            assigned: assignment.and_then(|assignment| names.provers.get(&assignment.seat).copied()),
            proved: None,
            payment: 0,
            bounty: 0,
            compensation: 0,
        };
        let end = record.task(bid.index()).and_then(|task| task.end.as_ref());
        if let Some(TaskEnd::Delivered { seat, payment, bounty, compensation, .. }) = end {
            task.proved = names.provers.get(seat).copied();
            task.payment = payment.saturating_to();
            task.bounty = bounty.saturating_to();
            task.compensation = compensation.saturating_to();
        }
        task
    };
    let prover = |(seat, name): (&AskIndex, &&'static str)| {
        let (cast, _) = stage.provers.iter().find(|(prover, _)| prover.name == *name)?;
        Some(ProverFigures {
            name,
            seat: seat.get().into(),
            cost: cast.cost,
            offered: u64::from(cast.capacity - (max_task_size() - 1)),
            won: settlement.winners.iter().any(|winner| winner.seat == *seat),
            killed: *name == killed,
        })
    };
    Ok(RoundFigures {
        round,
        units: settlement.outcome.units.get(),
        prices: settlement.outcome.prices(),
        tasks: record.bids().map(task).collect(),
        provers: names.provers.iter().filter_map(prover).collect(),
    })
}

/// Runs futures at the same time; the first failure in their order counts.
pub(crate) async fn together<T: Send + 'static>(
    futures: Vec<impl Future<Output = Outcome<T>> + Send + 'static>,
) -> Outcome<Vec<T>> {
    let running: Vec<_> = futures.into_iter().map(tokio::spawn).collect();
    let mut results = Vec::with_capacity(running.len());
    for task in running {
        results.push(task.await.or_fail(Code::Failed)??);
    }
    Ok(results)
}
