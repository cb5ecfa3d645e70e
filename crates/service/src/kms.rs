//! A key in AWS KMS, which signs there and never leaves it.
//!
//! Region, credentials and endpoint are those that every AWS tool uses: environment, profile, or the machine's role.

use crate::KeyError;
use alloy_signer_aws::AwsSigner;
use aws_config::BehaviorVersion;
use aws_sdk_kms::Client;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

/// The signer of an asymmetric key of the kind `ECC_SECG_P256K1` for signing, named by its id, its ARN or an alias. Asks KMS for its public
/// key.
///
/// # Errors
/// [`KeyError::Kms`].
pub(crate) async fn signer(key: &str) -> Result<AwsSigner, KeyError> {
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let config = aws_config::defaults(BehaviorVersion::latest()).http_client(http).load().await;
    let signer = AwsSigner::new(Client::new(&config), key.to_owned(), None).await;
    signer.map_err(|error| KeyError::Kms { key: key.to_owned(), reason: Box::new(error) })
}
