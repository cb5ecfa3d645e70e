//! What to do about a transaction that is not mined. Pure.

/// What is known of it at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct View {
    /// Whether its nonce is the next that the chain takes.
    pub(super) front: bool,
    /// Whether its newest form only uses the nonce up.
    pub(super) cancelled: bool,
    /// Whether its effect is worth nothing any more, because of the time of the newest block.
    pub(super) outdated: bool,
    /// Whether a node is known to have got its newest form, from this process and since the last reorganisation.
    pub(super) sent: bool,
    /// Whether it has waited long enough for more to be done.
    pub(super) rested: bool,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing.
    Wait,
    /// Hand its newest form to the nodes.
    Send,
    /// As [`Step::Send`], if the call would still succeed; else cancel it.
    CheckAndSend,
    /// Offer more, if the call would still succeed; else cancel it.
    CheckAndRaise,
    /// Offer more for the form that cancels it.
    Raise,
    /// Use its nonce up.
    Cancel,
}

/// The next step. Only the transaction whose turn it is can be checked or is held up by its own fee; the others wait for it.
pub(super) const fn next_step(view: &View) -> Step {
    match *view {
        View { outdated: true, cancelled: false, .. } => Step::Cancel,
        View { sent: false, front: true, cancelled: false, .. } => Step::CheckAndSend,
        View { sent: false, .. } | View { rested: true, front: false, .. } => Step::Send,
        View { rested: true, cancelled: true, .. } => Step::Raise,
        View { rested: true, .. } => Step::CheckAndRaise,
        _ => Step::Wait,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAITING: View = View { front: true, cancelled: false, outdated: false, sent: true, rested: false };

    #[test]
    fn what_was_just_sent_is_left_alone() {
        assert_eq!(next_step(&WAITING), Step::Wait);
        assert_eq!(next_step(&View { front: false, ..WAITING }), Step::Wait);
        assert_eq!(next_step(&View { cancelled: true, ..WAITING }), Step::Wait);
    }

    #[test]
    fn what_holds_up_the_others_offers_more_and_they_are_only_sent_again() {
        let rested = View { rested: true, ..WAITING };
        assert_eq!(next_step(&rested), Step::CheckAndRaise);
        assert_eq!(next_step(&View { front: false, ..rested }), Step::Send);
        assert_eq!(next_step(&View { cancelled: true, ..rested }), Step::Raise);
    }

    #[test]
    fn what_no_node_is_known_to_have_is_sent_and_checked_before_if_it_is_its_turn() {
        let lost = View { sent: false, ..WAITING };
        assert_eq!(next_step(&lost), Step::CheckAndSend);
        assert_eq!(next_step(&View { front: false, ..lost }), Step::Send);
        assert_eq!(next_step(&View { cancelled: true, ..lost }), Step::Send);
    }

    #[test]
    fn what_is_worth_nothing_any_more_is_cancelled_once() {
        let outdated = View { outdated: true, ..WAITING };
        for view in [outdated, View { sent: false, ..outdated }, View { front: false, ..outdated }] {
            assert_eq!(next_step(&view), Step::Cancel);
        }
        assert_eq!(next_step(&View { cancelled: true, ..outdated }), Step::Wait);
        assert_eq!(next_step(&View { cancelled: true, rested: true, ..outdated }), Step::Raise);
    }
}
