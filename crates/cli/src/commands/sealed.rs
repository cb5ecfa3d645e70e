//! Bids and asks of a sealed market: openings that are kept safe, then commitments that are sent.

use crate::amount::{Money, as_text};
use crate::commands::money::{available, prepare};
use crate::commands::session::{OpenMarket, Session};
use crate::commands::statement::Wanted;
use crate::failure::{Code, Failure, OrFail, Outcome};
use crate::output::Report;
use crate::render::{Palette, span};
use alloy::eips::BlockId;
use alloy::primitives::aliases::U96;
use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::rpc::types::TransactionReceipt;
use alloy::sol_types::SolCall;
use bindings::ProverMarket;
use chain::{AskOpening, BidOpening};
use market_types::{AskIndex, RoundNumber, UnitCost, UnitFee};
use serde::Serialize;
use service::openings::{Asks, Opening, OpeningStore, Secret, Venue, random_salt};
use std::path::PathBuf;

/// Most commitments in one transaction.
const AT_ONCE: usize = 50;

/// A commitment that is to be made.
struct Plan {
    opening: Opening,
    call: Bytes,
    /// What it locks (ticks).
    deposit: U256,
}

/// A commitment that was made.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Committed {
    pub(crate) round: u64,
    pub(crate) account: Address,
    pub(crate) commitment: B256,
    #[serde(serialize_with = "as_text")]
    deposit_ticks: U256,
    #[serde(serialize_with = "as_text")]
    bond_ticks: U256,
    /// Where its opening is kept.
    opening: PathBuf,
    transaction: B256,
}

/// What was committed to.
#[derive(Debug, Serialize)]
pub(crate) struct CommittedAll {
    market: String,
    committed: Vec<Committed>,
    /// Locked, for all commitments.
    pub(crate) deposit: Money,
    /// The part of it that is lost if none is opened.
    bond: Money,
    available: Money,
    reveal_from: u64,
    reveal_by: u64,
    #[serde(skip)]
    now: u64,
}

impl CommittedAll {
    /// The round of each commitment.
    pub(crate) fn rounds(&self) -> Vec<u64> {
        self.committed.iter().map(|one| one.round).collect()
    }
}

impl Report for CommittedAll {
    fn text(&self, palette: Palette, _width: usize) -> String {
        let round = self.committed.first().map_or(0, |one| one.round);
        let mut text = format!(
            "{} to {} offers in round {round}\nlocked     {}\nbond       {}\navailable  {}\n",
            palette.good("committed"),
            self.committed.len(),
            self.deposit,
            self.bond,
            self.available
        );
        if let Some(dir) = self.committed.first().and_then(|one| one.opening.parent()) {
            text += &format!("openings   {}\n", dir.display());
        }
        text + &format!(
            "run `proophi reveal --watch`, or `proophi reveal` once between {} and {}: what is not opened loses its bond",
            span(self.now, self.reveal_from),
            span(self.now, self.reveal_by)
        )
    }
}

/// The openings of this run's settings.
pub(crate) fn store(session: &Session) -> Outcome<OpeningStore> {
    OpeningStore::at_or_default(session.settings.openings.as_deref()).or_fail(Code::Input)
}

/// The market as its openings name it.
pub(crate) fn venue(session: &Session, open: &OpenMarket) -> Venue {
    Venue::of(&session.client, &open.market)
}

/// Commits to bids in the open round. Each locks `deposit` ticks, or without it the least power of two that covers it.
pub(crate) async fn commit_bids(
    session: &Session,
    open: &OpenMarket,
    bids: Vec<Wanted>,
    deposit: Option<U256>,
    top_up: bool,
) -> Outcome<CommittedAll> {
    let (venue, requester) = (venue(session, open), session.sender()?);
    let round = committing_round(session, open).await?;
    let plan = |Wanted { fee, statement }| {
        let bid = BidOpening {
            requester,
            fee: UnitFee::new(fee).or_fail(Code::Input)?,
            circuit: statement.circuit,
            public_inputs: statement.public_inputs,
            data: statement.data,
            salt: random_salt(),
        };
        let least = bid.least_deposit(&open.market);
        let deposit = deposit_for(open, least, deposit)?;
        let call = bid.commit_call(&session.client, &open.market, round, U96::saturating_from(deposit));
        let call = call.or_fail(Code::Input)?.abi_encode().into();
        let opening = Opening::of_bid(venue, round, bid).or_fail(Code::Input)?;
        Ok(Plan { opening, call, deposit })
    };
    let plans = bids.into_iter().map(plan).collect::<Outcome<Vec<_>>>()?;
    commit(session, open, round, plans, top_up).await
}

/// Commits a seat to a unit cost for the open round, once: of two commitments only one could be opened.
pub(crate) async fn commit_ask(
    session: &Session,
    open: &OpenMarket,
    seat: AskIndex,
    capacity: u64,
    cost: UnitCost,
    top_up: bool,
) -> Outcome<CommittedAll> {
    let round = committing_round(session, open).await?;
    let prover = session.sender()?;
    let head = session.client.head().await.or_fail(Code::Connection)?;
    let (store, block) = (store(session)?, BlockId::hash(head.hash));
    let asks = Asks::of(&store, &session.client, &open.market, prover, block).await;
    let kept = kept_ask(&asks.or_fail(Code::Connection)?, &store, seat, round, cost)?;
    let ask = kept.unwrap_or_else(|| AskOpening { prover, seat, cost, salt: random_salt() });
    // Two factors of 32 and 64 bits.
    let collateral = u128::from(capacity) * u128::from(open.market.params.collateral_per_unit);
    let deposit = U256::from(open.market.bond_of(collateral));
    let call = ask.commit_call(&session.client, &open.market, round).abi_encode().into();
    let plan = Plan { opening: Opening::of_ask(venue(session, open), round, ask), call, deposit };
    commit(session, open, round, vec![plan], top_up).await
}

/// The ask of `seat` that is kept for `round` and not on the chain, if a crash or a lost answer left one: it may be on its way,
/// so that no other can take its place.
fn kept_ask(
    asks: &Asks,
    store: &OpeningStore,
    seat: AskIndex,
    round: RoundNumber,
    cost: UnitCost,
) -> Outcome<Option<AskOpening>> {
    if let Some(fault) = asks.hidden_in(round) {
        return Err(Failure::input(format!(
            "{fault}; it may open an ask of round {round}, and a second one would lose its bond"
        )));
    }
    let Some(kept) = asks.find(seat, round) else { return Ok(None) };
    match kept.opening.secret() {
        _ if kept.staked => Err(Failure::input(format!(
            "seat {seat} has committed to an ask in round {round}: a second one could not be opened and would lose its bond; \
             commit in round {}",
            round.get().saturating_add(1)
        ))),
        Secret::Ask(ask) if ask.cost == cost => Ok(Some(*ask)),
        _ => Err(Failure::input(format!(
            "seat {seat} has an ask of another unit cost in {}, which may be on its way; commit to that one in round {round}, or \
             to another cost in round {}",
            store.path_of(kept.opening.key()).display(),
            round.get().saturating_add(1)
        ))),
    }
}

/// The round that a commitment sent now is for, if it is sure to be mined before the round closes: one that comes later is
/// refused, and costs its gas.
async fn committing_round(session: &Session, open: &OpenMarket) -> Outcome<RoundNumber> {
    let now = session.now().await?;
    let round = open.market.id.round_at(now).or_fail(Code::Input)?;
    if now >= open.market.commit_by(round) {
        return Err(Failure::input(format!(
            "round {round} closes in {} s: a commitment that comes late is refused, for its gas; commit in round {}, from then on",
            open.market.close_of(round).saturating_sub(now),
            round.get().saturating_add(1)
        )));
    }
    Ok(round)
}

/// What a commitment is to lock: what was asked for, if it covers the bid.
pub(crate) fn deposit_for(open: &OpenMarket, least: u128, wanted: Option<U256>) -> Outcome<U256> {
    let least_ticks = U256::from(least);
    let deposit = wanted.unwrap_or_else(|| U256::from(hiding(least)));
    if deposit < least_ticks {
        return Err(Failure::input(format!(
            "--deposit must cover what the bid may cost with its settlement fee, {}; more hides it better",
            open.money.money(least_ticks)
        )));
    }
    if deposit.bit_len() > 96 {
        return Err(Failure::input(format!("a deposit of {} is too large", open.money.money(deposit))));
    }
    Ok(deposit)
}

/// The least power of two that is at least `cost`: it tells of the cost no more than its number of binary digits.
pub(crate) fn hiding(cost: u128) -> u128 {
    cost.checked_next_power_of_two().unwrap_or(u128::MAX)
}

async fn commit(
    session: &Session,
    open: &OpenMarket,
    round: RoundNumber,
    plans: Vec<Plan>,
    top_up: bool,
) -> Outcome<CommittedAll> {
    let account = session.sender()?;
    let needed: U256 = plans.iter().map(|plan| plan.deposit).sum();
    fund(session, open, needed, top_up).await?;
    // On disk before anything is sent: whatever happens from here on, what is committed to can be opened.
    let store = store(session)?;
    for plan in &plans {
        store.keep(&plan.opening).or_fail(Code::Failed)?;
    }
    let bar = session.output.bar(plans.len() as u64, "committing");
    let mut committed = Vec::new();
    for part in plans.chunks(AT_ONCE) {
        let data = part.iter().map(|plan| plan.call.clone()).collect();
        let sent = session.client.send(ProverMarket::multicallCall { data }, U256::ZERO, None).await;
        let receipt = sent.map_err(|error| super::session::refused("committing", error))?;
        committed.extend(made(&receipt, &store, part)?);
        bar.inc(part.len() as u64);
    }
    bar.finish_and_clear();
    let total = |of: fn(&Committed) -> U256| open.money.money(committed.iter().map(of).sum());
    Ok(CommittedAll {
        market: open.market.id.to_string(),
        deposit: total(|one| one.deposit_ticks),
        bond: total(|one| one.bond_ticks),
        available: open.money.money(available(session, open, account).await?),
        reveal_from: open.market.close_of(round),
        reveal_by: open.market.reveal_by(round),
        now: session.now().await?,
        committed,
    })
}

/// Makes sure that the sender's balance holds `needed` ticks, depositing what is missing if it may.
pub(crate) async fn fund(session: &Session, open: &OpenMarket, needed: U256, top_up: bool) -> Outcome<()> {
    let account = session.sender()?;
    let held = available(session, open, account).await?;
    let missing = needed.saturating_sub(held);
    if missing.is_zero() {
        return Ok(());
    }
    if !top_up {
        return Err(Failure::input(format!(
            "this needs {}, {} is available; run `proophi deposit {missing}ticks`, or add --top-up",
            open.money.money(needed),
            open.money.money(held),
        )));
    }
    let amount = open.money.money(missing).wei;
    let value = prepare(session, open, amount).await?;
    let call = ProverMarket::depositCall { id: open.market.id.get(), account, amount };
    session.send("depositing", call, value).await?;
    Ok(())
}

/// What the receipt says of the commitments of `part`.
fn made(receipt: &TransactionReceipt, store: &OpeningStore, part: &[Plan]) -> Outcome<Vec<Committed>> {
    let logs = receipt.logs().iter().filter_map(|log| log.log_decode::<ProverMarket::Committed>().ok());
    let committed: Vec<Committed> = logs
        .zip(part)
        .map(|(log, plan)| Committed {
            round: log.inner.round.saturating_to(),
            account: log.inner.account,
            commitment: log.inner.commitment,
            deposit_ticks: log.inner.deposit,
            bond_ticks: log.inner.bond,
            opening: store.path_of(plan.opening.key()),
            transaction: receipt.transaction_hash,
        })
        .collect();
    if committed.len() == part.len() {
        return Ok(committed);
    }
    Err(Failure::new(
        Code::Failed,
        eyre::eyre!("the receipt shows {} of {} commitments", committed.len(), part.len()),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use service::openings::{KeptAsk, OpeningsError};

    #[test]
    fn a_seat_commits_once_a_round_and_to_what_is_kept_for_it() {
        let (seat, round, cost) = (AskIndex::new(3), RoundNumber::new(7), UnitCost::new(5));
        let (venue, store) = (
            Venue { chain_id: 1, contract: Address::ZERO, market: B256::ZERO },
            OpeningStore::at("openings"),
        );
        let ask = AskOpening { prover: Address::ZERO, seat, cost, salt: B256::repeat_byte(1) };
        let opening = Opening::of_ask(venue, round, ask);
        let try_commit = |staked: Option<bool>, faults: Vec<OpeningsError>, cost: u64| {
            let kept = staked.map(|staked| KeptAsk { opening: opening.clone(), staked });
            let asks = Asks::new(Address::ZERO, kept.into_iter().collect(), faults);
            kept_ask(&asks, &store, seat, round, UnitCost::new(cost)).map_err(|failure| failure.to_string())
        };
        assert_eq!(try_commit(None, Vec::new(), 5), Ok(None));
        assert_eq!(try_commit(Some(false), Vec::new(), 5), Ok(Some(ask)));
        assert!(try_commit(Some(true), Vec::new(), 5).unwrap_err().contains("has committed"));
        assert!(try_commit(Some(false), Vec::new(), 6).unwrap_err().contains("another unit cost"));
        let damaged = vec![OpeningsError::NotAnOpening(store.path_of(opening.key()))];
        assert!(try_commit(None, damaged, 5).unwrap_err().contains("lose its bond"));
    }

    #[test]
    fn a_deposit_tells_no_more_of_a_bid_than_its_number_of_digits() {
        assert_eq!([1, 2, 3, 1_024, 1_025, 2_048].map(hiding), [1, 2, 4, 1_024, 2_048, 2_048]);
        assert_eq!(hiding(u128::MAX), u128::MAX);
    }
}
