//! Signs transactions, and reads signed ones back. Pure.

use super::fees::{CANCEL_GAS, Fees};
use super::journal::{Account, Form};
use alloy::consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy::eips::Decodable2718;
use alloy::eips::eip2718::Encodable2718;
use alloy::network::{TransactionBuilder, TxSigner};
use alloy::primitives::{Bytes, Signature, TxKind, U256};
use alloy::rpc::types::TransactionRequest;
use std::sync::Arc;
use thiserror::Error;

/// Signs transactions, wherever its key is: in memory, or in a service that never shows it.
pub type TransactionSigner = Arc<dyn TxSigner<Signature> + Send + Sync>;

/// Why there is no signed transaction.
#[derive(Debug, Error)]
pub enum SignError {
    /// The key does not sign.
    #[error("cannot sign the transaction: {0}")]
    Key(#[from] alloy::signers::Error),
    /// What was read is no transaction of the account with that nonce.
    #[error("the journal holds no transaction of {0} with nonce {1} where it should; use another database")]
    Foreign(alloy::primitives::Address, u64),
}

/// What a transaction does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) to: TxKind,
    pub(super) input: Bytes,
    /// In wei.
    pub(super) value: U256,
    pub(super) gas: u64,
}

impl Call {
    /// Nothing, at the least cost.
    pub(super) fn cancel(account: Account) -> Self {
        Self { to: account.address.into(), input: Bytes::new(), value: U256::ZERO, gas: CANCEL_GAS }
    }

    /// To ask a node what it would do.
    pub(super) fn request(&self, account: Account) -> TransactionRequest {
        TransactionRequest::default()
            .with_from(account.address)
            .with_kind(self.to)
            .with_input(self.input.clone())
            .with_value(self.value)
    }

    /// Whether both do the same. How much gas they have does not matter.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        (self.to, &self.input, self.value) == (other.to, &other.input, other.value)
    }

    /// Signs it as `account`, whose key `signer` is.
    pub(super) async fn sign(
        &self,
        signer: &(dyn TxSigner<Signature> + Send + Sync),
        account: Account,
        nonce: u64,
        fees: Fees,
    ) -> Result<Form, SignError> {
        let mut transaction = TxEip1559 {
            chain_id: account.chain_id,
            nonce,
            gas_limit: self.gas,
            max_fee_per_gas: fees.max,
            max_priority_fee_per_gas: fees.tip,
            to: self.to,
            value: self.value,
            access_list: alloy::eips::eip2930::AccessList::default(),
            input: self.input.clone(),
        };
        let signature = signer.sign_transaction(&mut transaction).await?;
        let envelope = TxEnvelope::from(transaction.into_signed(signature));
        let cancels = self.is_same(&Self::cancel(account));
        let (hash, raw) = (*envelope.tx_hash(), envelope.encoded_2718().into());
        Ok(Form { hash, raw, max_fee: fees.max, tip: fees.tip, cancels })
    }

    /// What a form does, once it is sure that `account` signed it with this nonce.
    pub(super) fn of(form: &Form, account: Account, nonce: u64) -> Result<Self, SignError> {
        let foreign = || SignError::Foreign(account.address, nonce);
        let envelope = TxEnvelope::decode_2718_exact(&form.raw).map_err(|_| foreign())?;
        let TxEnvelope::Eip1559(signed) = &envelope else { return Err(foreign()) };
        let signed_by = signed.signature().recover_address_from_prehash(&signed.signature_hash());
        let signed_by = signed_by.map_err(|_| foreign())?;
        let transaction = signed.tx();
        let (chain_id, found) = (transaction.chain_id, transaction.nonce);
        let expected = (account.address, account.chain_id, nonce, form.hash);
        if (signed_by, chain_id, found, *envelope.tx_hash()) != expected {
            return Err(foreign());
        }
        Ok(Self {
            to: transaction.to,
            input: transaction.input.clone(),
            value: transaction.value,
            gas: transaction.gas_limit,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::{Address, B256};
    use alloy::signers::local::PrivateKeySigner;

    #[tokio::test]
    async fn what_was_signed_is_read_back_and_nothing_else_passes() {
        let signer = PrivateKeySigner::from_bytes(&B256::repeat_byte(7)).unwrap();
        let account = Account { chain_id: 5, genesis: B256::ZERO, address: signer.address() };
        let input = Bytes::from_static(b"input");
        let call = Call { to: Address::repeat_byte(1).into(), input, value: U256::from(3), gas: 50_000 };
        let form = call.sign(&signer, account, 9, Fees { max: 20, tip: 2 }).await.unwrap();
        assert!(!form.cancels);
        assert_eq!(Call::of(&form, account, 9).unwrap(), call);
        let cancel = Call::cancel(account).sign(&signer, account, 9, Fees { max: 1, tip: 1 }).await.unwrap();
        assert!(cancel.cancels);

        assert!(Call::of(&form, account, 8).is_err());
        assert!(Call::of(&form, Account { chain_id: 6, ..account }, 9).is_err());
        assert!(Call::of(&form, Account { address: Address::ZERO, ..account }, 9).is_err());
        assert!(Call::of(&Form { hash: B256::ZERO, ..form.clone() }, account, 9).is_err());
        for length in 0..form.raw.len() {
            let torn = Form { raw: form.raw.slice(..length), ..form.clone() };
            assert!(Call::of(&torn, account, 9).is_err(), "{length}");
        }
    }
}
