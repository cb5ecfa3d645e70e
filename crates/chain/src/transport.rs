//! JSON-RPC over HTTP, with a bound on what is read of an answer.

use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use alloy::rpc::client::RpcClient;
use alloy::rpc::json_rpc::{RequestPacket, ResponsePacket};
use alloy::transports::{IntoBoxTransport, RpcError, TransportError, TransportErrorKind, TransportFut};
use reqwest::{Client, Response, Url};
use std::fmt;
use std::task::{Context, Poll};
use thiserror::Error;
use tower_service::Service;

/// Most of an answer that an error repeats (bytes).
const MAX_TEXT: usize = 4096;

/// An answer has more than so many bytes, and was read no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the answer is too large: this program reads at most {0} bytes of one")]
pub(crate) struct TooLarge(usize);

impl TooLarge {
    /// Whether that is what went wrong.
    pub(crate) fn is(error: &RpcError<TransportErrorKind>) -> bool {
        matches!(error, RpcError::Transport(TransportErrorKind::Custom(error)) if error.is::<Self>())
    }
}

/// An endpoint. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Transport {
    client: Client,
    url: Url,
    most: usize,
}

impl fmt::Debug for Transport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Transport").field("name", &self.name()).finish_non_exhaustive()
    }
}

impl Transport {
    /// The endpoint at `url`, of whose answers at most `most` bytes are read.
    pub(crate) const fn new(client: Client, url: Url, most: usize) -> Self {
        Self { client, url, most }
    }

    /// The endpoint as a provider that signs nothing and fills nothing in.
    pub(crate) fn provider(&self) -> DynProvider {
        provider_over(self.clone())
    }

    /// Host and port; the rest of a URL often holds a key.
    pub(crate) fn name(&self) -> String {
        let (host, port) = (self.url.host_str().unwrap_or_default(), self.url.port_or_known_default());
        format!("{host}:{}", port.unwrap_or(0))
    }

    async fn ask(self, packet: RequestPacket) -> Result<ResponsePacket, TransportError> {
        let request = self.client.post(self.url.clone()).json(&packet).headers(packet.headers());
        let answer = request.send().await.map_err(lost)?;
        let status = answer.status();
        let body = self.body(answer).await?;
        let text = || String::from_utf8_lossy(body.get(..MAX_TEXT).unwrap_or(&body));
        match serde_json::from_slice::<ResponsePacket>(&body) {
            Ok(answer) if status.is_success() || answer.is_error() => Ok(answer),
            Err(error) if status.is_success() => Err(TransportError::deser_err(error, text())),
            _ => Err(TransportErrorKind::http_error(status.as_u16(), text().into_owned())),
        }
    }

    async fn body(&self, mut answer: Response) -> Result<Vec<u8>, TransportError> {
        let too_large = || TransportErrorKind::custom(TooLarge(self.most));
        let said = usize::try_from(answer.content_length().unwrap_or(0)).unwrap_or(usize::MAX);
        if said > self.most {
            return Err(too_large());
        }
        let mut body = Vec::with_capacity(said);
        while let Some(part) = answer.chunk().await.map_err(lost)? {
            if part.len() > self.most.saturating_sub(body.len()) {
                return Err(too_large());
            }
            body.extend_from_slice(&part);
        }
        Ok(body)
    }
}

/// An answer that did not come, without the endpoint's URL.
fn lost(error: reqwest::Error) -> TransportError {
    TransportErrorKind::custom(error.without_url())
}

/// Whatever answers requests as a provider that signs nothing and fills nothing in.
pub(crate) fn provider_over(transport: impl IntoBoxTransport) -> DynProvider {
    let client = RpcClient::new(transport, false);
    ProviderBuilder::new().disable_recommended_fillers().connect_client(client).erased()
}

impl Service<RequestPacket> for Transport {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, packet: RequestPacket) -> TransportFut<'static> {
        Box::pin(self.clone().ask(packet))
    }
}
