//! Every [`Trouble`]. The letter of a code says who logs it: R the relayer, P the prover node, S both of them.

use super::Trouble;

macro_rules! table {
    ($($name:ident: $code:literal, $title:literal, $happened:literal, $advice:literal;)+) => {
        $(
            #[doc = concat!($code, ": ", $title, ".")]
            pub const $name: Trouble =
                Trouble { code: $code, title: $title, happened: $happened, advice: $advice };
        )+

        /// Every kind, in the order of their codes.
        pub const ALL: &[Trouble] = &[$($name),+];

        /// The names of [`ALL`] in the code.
        #[cfg(test)]
        pub(super) const NAMES: &[&str] = &[$(stringify!($name)),+];
    };
}

table! {
    CANNOT_SEE: "P-101", "the chain cannot be seen",
        "No endpoint gave a usable answer, or they contradict each other. The node tries again by itself, after pauses of up to 30 s; \
         deadlines do not wait.",
        "Look at the endpoints (`proophi doctor --for prover`). Name several with `rpc_url`, so that one of them may fail.";
    PROOFS_CUT_OFF: "P-102", "the stop did not wait for everything",
        "The time for a stop (`stop_within`) was over, or a second signal came, while proofs were being made or transactions were on \
         their way. What was sent is found on the chain by the next start; proofs that were not delivered are made anew.",
        "Start the node again before the deadlines of its tasks. Raise `stop_within`, and the time that systemd or the container \
         gives (`TimeoutStopSec`), above the time that a proof takes.";
    UNPUBLISHED_TASK: "P-201", "nobody has published what a task asks for",
        "A bid won whose statement is not on the chain, so its proof cannot be made yet.",
        "Nothing, unless you know the requester: anyone who has the statement can run `proophi publish`. Until then the task occupies \
         capacity of the seat.";
    SMALL_SEAT: "P-202", "a seat is too small to take part",
        "Slashes have taken capacity away, and less is left than the market asks of a seat. It gets no more tasks.",
        "Find out why deadlines were missed (P-101, P-301, P-401), then add capacity with `proophi prover capacity`, or leave with \
         `prover-node leave`.";
    FAULTY_OPENING: "P-203", "an opening cannot be read",
        "A file among the openings of sealed asks is open to others, damaged, or of another version. What cannot be opened in time \
         loses its bond.",
        "Do at once what the message says of that file: its round closes soon. Restore it from a copy if it is damaged.";
    TOO_SLOW: "P-204", "this machine is too slow for the capacity",
        "At the pace that was measured, the workers do not prove the capacity in the part of the proving period that `margin` says. \
         The node lowers the capacity of its seat to what they do prove; where that is less than the market asks of a seat, it \
         registers none, or asks so much that it gets no task.",
        "Nothing, if that is what this machine can do. Else find out what slows it down, give it more `workers` or `threads`, or other \
         machines (`queue`), start the node again, which measures anew, and raise the seat with `proophi prover capacity`.";
    UNPROVABLE_TASK: "P-301", "no proof of a task can be made",
        "What was published for it is malformed or not a true statement, or of a circuit without a key here. The node leaves it alone.",
        "If it happens for every task, compare the versions of node and verifier, and see P-501 and P-502. Else nothing.";
    PROVING_FAILED: "P-302", "proving failed",
        "The prover refused the witness, or its worker panicked. The task is not tried again, and its deadline will pass.",
        "Look for a lack of memory on the machine (fewer `workers`). If there is none, keep the log and report it as a bug.";
    CANNOT_QUEUE: "P-303", "the queue of proofs does not answer",
        "The NATS server that spreads proofs over machines is down, or refuses. Proofs wait; deadlines do not.",
        "Look at the server, its disk, and the network. A node whose settings have no `queue` proves by itself.";
    NOT_A_TASK: "P-304", "the queue of proofs holds something else",
        "Somebody else writes to it, or it is a node of another version. The message was dropped.",
        "Give the NATS server an account of its own for this prover, and run the same version everywhere.";
    KEEPS_FAILING: "P-305", "proofs keep failing, and nothing more is asked for",
        "As many proofs as `failures` says have failed in a row. The node withdraws its ask, commits to none, takes no seat and takes \
         nothing over. What its seat holds it still tries to prove.",
        "Look at the P-302 before it. The next proof that succeeds ends it; so does a start of the node, once a trial proof of each \
         circuit has succeeded.";
    TRANSACTION_FAILED: "P-401", "a transaction was not made or had no effect",
        "The message says what it was for and why: refused by the contract, too expensive for `max_fee_gwei` or `max_cost_gwei`, no \
         money for gas, no answer. The node tries again, after pauses of up to 16 s of block time.",
        "Put money into the wallet, raise the limits, or mend the endpoint, as the message says (`proophi doctor --for prover`).";
    DELIVERY_REFUSED: "P-402", "one proof of a batch was refused",
        "Others of the same transaction were accepted. It is tried again by itself.",
        "If it happens again and again, the key differs from the verifier's (P-502).";
    DEAR_BATCHES: "P-403", "proofs together cost more than alone",
        "The market's verifier used more gas for a batch than for as many proofs one by one. The node delivers proofs of this circuit one by \
         one until its next start.",
        "Nothing has to be done. Ask the author of the verifier why: `verifyBatch` may be broken, or made to cost.";
    UNKNOWN_CIRCUIT: "P-501", "the verifier has a circuit that this version does not know",
        "Its tasks are left to others, whatever the seat is assigned: they default at the cost of its collateral.",
        "Update the node, or leave the market.";
    OTHER_KEY: "P-502", "the proving key is not the verifier's",
        "Proofs made with the key in `key_store` would be refused, so the circuit is left out.",
        "Put the key there that the verifier was deployed with. Development keys are made anew on each machine, and fit only a \
         verifier that was deployed with them.";
    CANNOT_FOLLOW: "R-102", "the chain cannot be followed",
        "No endpoint gave a usable answer, or they contradict each other. It tries again by itself; rounds that close meanwhile are \
         left to other relayers, or become void.",
        "Look at the endpoints. Name several with `rpc_url`, so that one of them may fail.";
    ACTION_LOST: "R-103", "an action ended without a result",
        "A fault of the program. The next start sees what came of it.",
        "Restart the relayer, keep the log and report it as a bug.";
    TRANSACTIONS_CUT_OFF: "R-104", "the stop did not wait for every transaction",
        "The time for a stop (`stop_within`) was over, or a second signal came. The journal knows what is on its way.",
        "Nothing: the next start goes on from the journal. If it happens at each stop, raise `stop_within` and `TimeoutStopSec`.";
    TOO_LATE: "R-201", "a round is void",
        "Nobody settled it in time. Every bid of it is refunded, and nothing is earned.",
        "Look for R-102, R-202 and R-203 before it: endpoint down, gas too expensive, or no money for gas.";
    DOES_NOT_PAY: "R-202", "a settlement does not pay",
        "Its fees are less than its gas costs now (both in the message, wei). It waits for gas to be cheaper until the round is void.",
        "Nothing, or lower `profit_factor`, or set `settle_at_a_loss`; `token_prices` if the market pays in a token.";
    CANNOT_ACT: "R-203", "a round cannot be settled, or a bundle not released",
        "The message says why: refused by the contract, too expensive for the limits, no money for gas, logs that lack bids. It tries \
         again, after pauses of up to 30 s.",
        "Put money into the wallet, raise `max_fee_gwei` or `max_cost_gwei`, or use another endpoint (`proophi doctor --for relayer`).";
    CANNOT_ACCEPT: "R-301", "a connection of the intake cannot be accepted",
        "Most often the process has too many open files.",
        "Raise the limit (`LimitNOFILE`), and let the proxy hold fewer connections.";
    POSTING_LOST: "R-302", "posting signed bids ended without a result",
        "A fault of the program. The bids are on disk and are posted again.",
        "Keep the log and report it as a bug.";
    CANNOT_POST: "R-303", "signed bids cannot be posted",
        "The message says why. They are posted again after a pause, as long as their round is open.",
        "Put money into the wallet, raise `max_fee_gwei`, or mend the endpoint; the rounds close soon.";
    CANNOT_NOTE: "R-304", "the database does not take a note",
        "What went wrong with a bid could not be written down. The bid itself is safe.",
        "Look at `database`: room on the disk of a file, the server of a URL.";
    CANNOT_CATCH_UP: "R-305", "what has become of signed bids cannot be read yet",
        "At the start the endpoint did not answer. It is read before anything is posted.",
        "Look at the endpoints if R-306 follows.";
    INTAKE_STUCK: "R-306", "the intake cannot go on",
        "Chain or database do not answer. It tries again by itself; queued bids may miss their round.",
        "See the message: endpoint, or the disk or server of `database`.";
    BIDS_CUT_OFF: "R-307", "the stop did not wait for signed bids on their way",
        "As R-104, of the intake.",
        "Nothing: the next start sees what came of them.";
    BID_REFUSED: "R-308", "the contract refused a signed bid",
        "Its requester lacks money, or its signature or terms do not fit. The requester reads why at `/v1/bids/{id}`.",
        "Nothing.";
    BIDS_MISSED: "R-309", "signed bids have missed their round",
        "They were accepted and not posted in time. Nobody has paid, and their requesters are told.",
        "Look for R-303 and R-306 before it. Raise `post_before` if blocks are slow or full.";
    CANNOT_ASK: "R-310", "the contract cannot be asked about a bid",
        "The endpoint does not answer. The client was told to try again (503).",
        "Look at the endpoints.";
    CANNOT_KEEP: "R-311", "bids cannot be kept safely",
        "The database does not answer. No bid is accepted (503).",
        "Look at `database`: room and permissions of a file, the server of a URL.";
    NO_SIGNALS: "S-101", "signals cannot be listened for",
        "The system refuses. The program stops rather than run without a way to stop it.",
        "Look at the limits of the process (open files).";
    NO_BALANCE: "S-102", "the wallet's balance cannot be read",
        "The endpoint does not answer. The metric keeps its last value.",
        "See P-101 or R-102, if they are there as well.";
    CANNOT_START: "S-103", "the program cannot start yet",
        "No endpoint answers, or the past cannot be read. It tries again by itself, after pauses of up to 30 s; `/health/ready` says no \
         until then.",
        "Look at the endpoints (`proophi doctor --for relayer` or `--for prover`).";
}
