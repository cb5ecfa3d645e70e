//! Bids that are signed and not sent: for a file, or for a relayer.

use crate::commands::lots::Entry;
use crate::commands::market::current_round;
use crate::commands::session::{OpenMarket, Session};
use crate::failure::{Code, Failure, OrFail, Outcome};
use intake_api::Submission;

/// Signs the one entry that these are, for the open round, with the key of the settings. Nothing is sent.
pub(crate) async fn sign(session: &Session, open: &OpenMarket, entries: &[Entry]) -> Outcome<Submission> {
    let [entry] = entries else {
        return Err(Failure::input(format!(
            "a requester has one signed entry in a round, and these bids are {}; give bids of one size at one fee, which make a lot, \
             or send them by yourself",
            entries.len()
        )));
    };
    if open.market.id.is_sealed() {
        return Err(Failure::input(
            "a sealed market takes commitments, which nobody can sign for others to send",
        ));
    }
    let round = current_round(session, open).await?;
    let bid = session.client.bid_to_sign(&open.market, round, entry.lot.word());
    let signed = bid.sign(&session.key()?).await.or_fail(Code::Failed)?;
    Ok(Submission::new(&signed, session.sender()?, Some(entry.lot.statements())))
}
