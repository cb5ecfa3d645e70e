//! Commitments of the sealed demo: opened after the close, or lost.

use crate::amount::grouped;
use crate::commands::forfeit::standings;
use crate::commands::reveal::{Source, reveal};
use crate::commands::sealed::{store, venue};
use crate::failure::{Code, Failure, Outcome};
use alloy::primitives::{Address, U256};
use bindings::ProverMarket;
use chain::events::Event;
use market_types::RoundNumber;
use service::openings::{Kept, Opening, Secret, Status};
use std::time::Duration;

use super::cast::PROVERS;
use super::journal::Journal;
use super::stage::Stage;
use super::story::Story;

/// The openings that `wanted` picks among those of everybody, who all keep them in one directory here.
fn openings(stage: &Stage, wanted: impl Fn(&Opening) -> bool) -> Outcome<Source> {
    let session = &stage.relayer.session;
    let store = store(session)?;
    let Kept { openings: mut received, faults } = store.of_market(&venue(session, &stage.market));
    if let Some(fault) = faults.into_iter().next() {
        return Err(Failure::new(Code::Failed, fault));
    }
    received.retain(wanted);
    Ok(Source { store, received })
}

/// Everybody opens what it has committed to: provers by their nodes, and all requesters' bids by one of them, who holds the
/// openings of the others. Ends when all of it is on the chain.
pub(super) async fn open_all(
    stage: &mut Stage,
    journal: &mut Journal,
    story: &Story,
    round: u64,
) -> Outcome<()> {
    let (market, number) = (stage.market.market.clone(), RoundNumber::new(round));
    let spinner = story.waiting(&format!("round {round} takes commitments until it closes"));
    journal.until(market.close_of(number)).await?;
    spinner.set_message("commitments are opened");
    let is_bid =
        |opening: &Opening| opening.key().round == number && matches!(opening.secret(), Secret::Bid(_));
    let bids = openings(stage, is_bid)?;
    let (_, first) =
        stage.requesters.first().ok_or_else(|| Failure::new(Code::Failed, eyre::eyre!("nobody bids")))?;
    let opened = reveal(&first.session.client, &market, &bids).await?.revealed.len();
    let patience = Duration::from_secs(market.params.reveal_period);
    journal
        .wait("every prover to open its ask", patience, |journal| {
            stage.check()?;
            let asks = journal
                .events()
                .filter(|event| matches!(event, Event::AskRevealed(ask) if ask.round == U256::from(round)));
            Ok((asks.count() == PROVERS.len()).then_some(()))
        })
        .await?;
    spinner.finish_and_clear();
    let (_, first) = &stage.requesters[0];
    story.line(&format!(
        "{} opens {opened} bids, the others' too: whoever holds openings may send them",
        first.name
    ))?;
    story.line(&format!("{} provers open their asks; until now nobody knew a fee or a cost", PROVERS.len()))
}

/// After the programs are stopped: what still can be opened is, except of `killed`, and what cannot is forfeited. Ends when
/// nothing stands behind any commitment, and says what was lost.
pub(super) async fn close_all(
    stage: &Stage,
    journal: &mut Journal,
    story: &Story,
    killed: Address,
) -> Outcome<()> {
    let (session, open) = (&stage.relayer.session, &stage.market);
    let spinner = story.waiting("the last commitments are opened, or lost");
    let mut lost = U256::ZERO;
    loop {
        let of_the_living = openings(stage, |opening| opening.key().account != killed)?;
        if !of_the_living.received.is_empty() {
            reveal(&session.client, &open.market, &of_the_living).await?;
        }
        journal.refresh().await?;
        let (mut waiting, id) = (0, open.market.id.get());
        for standing in standings(session, open, journal.history(), |_| true).await? {
            let record = standing.record;
            match standing.status {
                Status::Sealed | Status::Open => waiting += 1,
                Status::Late => {
                    let (round, account) = (U256::from(record.round.get()), record.account);
                    let call =
                        ProverMarket::forfeitCall { id, account, round, commitment: record.commitment };
                    session.send("forfeiting", call, U256::ZERO).await?;
                    lost += record.bond;
                }
                Status::Unsent | Status::Revealed | Status::Forfeited => {}
            }
        }
        if waiting == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    journal.refresh().await?;
    spinner.finish_and_clear();
    if lost.is_zero() {
        return Ok(());
    }
    let line = format!(
        "nobody opens what the dead prover had committed to: bonds of {} ticks are lost",
        grouped(lost)
    );
    story.line(&story.palette.bad(&line))
}
