//! Signed transfers, batches of them, and the reasons to refuse one.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, PrimeField};
use thiserror::Error;

use super::{AccountIndex, RollupId};
use crate::schnorr::{KeyPair, Signature};

/// Bit positions of the fields of a signed message; the sender is at 0. Shared with the circuit.
pub(crate) mod offset {
    pub(crate) const RECEIVER: u32 = 8;
    pub(crate) const AMOUNT: u32 = 16;
    pub(crate) const NONCE: u32 = 80;
    pub(crate) const ROLLUP: u32 = 112;
    pub(crate) const TAG: u32 = 176;
}

const MESSAGE_TAG: &[u8; 9] = b"proophi.1";

/// What a sender signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Payment {
    pub(crate) rollup: RollupId,
    pub(crate) sender: AccountIndex,
    pub(crate) receiver: AccountIndex,
    pub(crate) amount: u64,
    pub(crate) nonce: u32,
}

impl Payment {
    /// `sender | receiver << 8 | amount << 16 | nonce << 80 | rollup << 112 | "proophi.1" << 176`, 248 bits.
    pub(crate) fn message(&self) -> Fr {
        let low = u128::from(self.sender.get())
            | (u128::from(self.receiver.get()) << offset::RECEIVER)
            | (u128::from(self.amount) << offset::AMOUNT)
            | (u128::from(self.nonce) << offset::NONCE);
        Fr::from(low) + Fr::from(self.rollup.get()) * power_of_two(offset::ROLLUP) + message_tag()
    }
}

/// The domain tag in its place within a message: a signature made for another protocol never fits.
pub(crate) fn message_tag() -> Fr {
    Fr::from_be_bytes_mod_order(MESSAGE_TAG) * power_of_two(offset::TAG)
}

/// `2^exponent` as a field element.
pub(crate) fn power_of_two(exponent: u32) -> Fr {
    (0..exponent).fold(Fr::from(1u64), |value, _| value.double())
}

/// A transfer with its sender's signature.
///
/// A sender may name itself as receiver: the balance stays and the nonce is consumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// The paying account.
    pub sender: AccountIndex,
    /// The paid account; it must be registered.
    pub receiver: AccountIndex,
    /// Amount in the rollup's smallest denomination.
    pub amount: u64,
    /// The sender's nonce at the moment of execution.
    pub nonce: u32,
    /// The sender's signature over everything above and the rollup.
    pub signature: Signature,
}

impl Transfer {
    /// Signs a transfer of `amount` from `sender` to `receiver`, valid in `rollup` at `nonce`.
    #[must_use]
    pub fn sign(
        key: &KeyPair,
        rollup: RollupId,
        sender: AccountIndex,
        receiver: AccountIndex,
        amount: u64,
        nonce: u32,
    ) -> Self {
        let payment = Payment { rollup, sender, receiver, amount, nonce };
        Self { sender, receiver, amount, nonce, signature: key.sign(payment.message()) }
    }

    pub(crate) fn payment(&self, rollup: RollupId) -> Payment {
        let Self { sender, receiver, amount, nonce, signature: _ } = *self;
        Payment { rollup, sender, receiver, amount, nonce }
    }
}

/// Transfers in the order in which they are executed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The transfers, first to last.
    pub transfers: Vec<Transfer>,
}

/// Why a transfer cannot be executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TransferError {
    /// No account has this index.
    #[error("account {0} is not registered")]
    Unregistered(AccountIndex),
    /// The sender does not own the amount.
    #[error("account {account} holds {balance}, less than the amount {amount}")]
    Overspend {
        /// The sender.
        account: AccountIndex,
        /// What it holds.
        balance: u64,
        /// What it would pay.
        amount: u64,
    },
    /// The receiver's balance would pass 2^64 - 1.
    #[error("the balance of account {0} would pass 2^64 - 1")]
    BalanceOverflow(AccountIndex),
    /// The transfer was made for another moment of the account: a replay, or out of order.
    #[error("the transfer carries nonce {given}, account {account} is at {expected}")]
    WrongNonce {
        /// The sender.
        account: AccountIndex,
        /// The account's nonce.
        expected: u32,
        /// The transfer's nonce.
        given: u32,
    },
    /// The account has sent 2^32 - 1 transfers and can send no more.
    #[error("the nonces of account {0} are used up")]
    NonceExhausted(AccountIndex),
    /// The signature is not the sender's signature on this transfer.
    #[error("the signature of account {0} does not verify")]
    BadSignature(AccountIndex),
}

/// A batch that cannot be executed, with the first transfer at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("transfer {position} of the batch: {source}")]
pub struct BatchError {
    /// Position in the batch, from 0.
    pub position: usize,
    /// What is wrong with it.
    pub source: TransferError,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payment() -> Payment {
        Payment {
            rollup: RollupId::new(u64::MAX),
            sender: AccountIndex::new(1),
            receiver: AccountIndex::new(2),
            amount: 3,
            nonce: 4,
        }
    }

    #[test]
    fn every_field_is_bound_by_the_message() {
        let base = payment();
        let variants = [
            Payment { rollup: RollupId::new(5), ..base },
            Payment { sender: AccountIndex::new(9), ..base },
            Payment { receiver: AccountIndex::new(9), ..base },
            Payment { amount: 9, ..base },
            Payment { nonce: 9, ..base },
        ];
        for variant in variants {
            assert_ne!(variant.message(), base.message(), "{variant:?}");
        }
    }

    #[test]
    fn message_fits_the_field_with_its_tag_on_top() {
        let bytes = crate::word::to_word(&payment().message());
        assert_eq!(&bytes[..10], b"\0proophi.1");
    }
}
