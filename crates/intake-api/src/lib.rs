//! What requesters and relayers say to each other over HTTP about signed bids. The relayer's OpenAPI document is made from these types.
//!
//! | module | what is in it |
//! |---|---|
//! | `submission` | [`Submission`]: a signed bid, as it is posted and as it lies in files |
//! | `parcel` | [`Parcel`]: a submission that was read, and the call that submits many |
//! | `status` | [`BidStatus`]: what has become of it, with the [`Receipt`] of its inclusion |
//! | `open_round` | [`OpenRound`]: what a requester needs to sign |
//! | [`forms`] | how values are written that JSON has no type for |
//! | `problem` | [`Problem`] (RFC 9457) with a stable [`Code`] |
//!
//! JSON throughout. Amounts that may pass 2^53 are decimal strings; hashes, addresses, bytes, tickets and public inputs are hexadecimal
//! strings with 0x; times are seconds since the epoch by the chain's clock. Unknown members of a request are an error.

pub mod forms;
mod open_round;
mod parcel;
mod problem;
mod status;
mod submission;

pub use open_round::{Domain, Limits, Member, OpenRound, TypedData};
pub use parcel::{Parcel, submit_call};
pub use problem::{Code, Problem};
pub use status::{BidStatus, Health, Receipt, Refused, Status};
pub use submission::{MAX_SIGNATURE, SignedEntry, Signer, StatementJson, Submission, SubmissionError, id_of};
