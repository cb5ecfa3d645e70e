//! JSON-RPC over HTTP, of whose answers no more is read than has a bound.

use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use alloy::rpc::client::RpcClient;
use alloy::rpc::json_rpc::{ErrorPayload, Id, RequestPacket, Response, ResponsePacket, ResponsePayload};
use alloy::transports::{IntoBoxTransport, TransportError, TransportErrorKind, TransportFut};
use reqwest::{Client, Url};
use std::task::{Context, Poll};
use tower_service::Service;

/// What JSON-RPC leaves to servers. The code of EIP-1474 for limits (-32005) also stands for a node that has no time.
const SERVER_ERROR: i64 = -32000;

/// An endpoint. Cheap to clone.
///
/// An answer beyond the bound is read no further, and the caller told what a node with such a limit would say: whoever asked for a
/// range of logs asks for fewer.
#[derive(Debug, Clone)]
pub(crate) struct Transport {
    client: Client,
    url: Url,
    most: usize,
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
        let mut answer = request.send().await.map_err(TransportErrorKind::custom)?;
        let (status, mut body) = (answer.status(), Vec::new());
        while let Some(part) = answer.chunk().await.map_err(TransportErrorKind::custom)? {
            if part.len() > self.most.saturating_sub(body.len()) {
                return Ok(self.too_large(&packet));
            }
            body.extend_from_slice(&part);
        }
        let text = || String::from_utf8_lossy(&body);
        match serde_json::from_slice::<ResponsePacket>(&body) {
            Ok(answer) if status.is_success() || answer.is_error() => Ok(answer),
            Err(error) if status.is_success() => Err(TransportError::deser_err(error, text())),
            _ => Err(TransportErrorKind::http_error(status.as_u16(), text().into_owned())),
        }
    }

    fn too_large(&self, packet: &RequestPacket) -> ResponsePacket {
        let message = format!("response is too large: this program reads at most {} bytes of one", self.most);
        let refusal = |id: &Id| Response {
            id: id.clone(),
            payload: ResponsePayload::Failure(ErrorPayload {
                code: SERVER_ERROR,
                message: message.clone().into(),
                data: None,
            }),
        };
        match packet {
            RequestPacket::Single(request) => ResponsePacket::Single(refusal(request.id())),
            RequestPacket::Batch(all) => {
                ResponsePacket::Batch(all.iter().map(|request| refusal(request.id())).collect())
            }
        }
    }
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
