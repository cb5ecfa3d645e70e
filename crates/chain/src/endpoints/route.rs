//! Hands requests to endpoints.

use super::Endpoints;
use super::health::order;
use crate::transport::TooLarge;
use alloy::rpc::json_rpc::{RequestPacket, ResponsePacket, ResponsePayload};
use alloy::transports::{TransportError, TransportErrorKind, TransportFut};
use futures_util::future::join_all;
use serde::Deserialize;
use std::task::{Context, Poll};
use tokio::time::Instant;
use tower_service::Service;
use tracing::{debug, warn};

impl Service<RequestPacket> for Endpoints {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, packet: RequestPacket) -> TransportFut<'static> {
        let endpoints = self.clone();
        Box::pin(async move {
            endpoints.look_if_due().await;
            match Asked::of(&packet) {
                Asked::Send => endpoints.broadcast(packet).await,
                asked => endpoints.ask(packet, asked).await,
            }
        })
    }
}

/// What kind of request it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// For the newest block.
    Newest,
    /// To take a transaction.
    Send,
    /// Anything else.
    Other,
}

impl Asked {
    fn of(packet: &RequestPacket) -> Self {
        let RequestPacket::Single(request) = packet else { return Self::Other };
        let newest = || request.params().is_some_and(|params| params.get().starts_with("[\"latest\""));
        match request.method() {
            "eth_sendRawTransaction" => Self::Send,
            "eth_blockNumber" => Self::Newest,
            "eth_getBlockByNumber" if newest() => Self::Newest,
            _ => Self::Other,
        }
    }
}

impl Endpoints {
    /// Asks the best, and the next one if that does not answer.
    async fn ask(&self, packet: RequestPacket, asked: Asked) -> Result<ResponsePacket, TransportError> {
        let (mut tried, mut trouble) = (Vec::new(), None);
        for number in self.order() {
            tried.push(number);
            if let Some(answer) = self.try_one(number, &packet, asked, &mut trouble).await {
                return Ok(answer);
            }
        }
        // Others may have come as far since they were looked at.
        self.look().await;
        let usable = self.order();
        for number in usable.iter().filter(|number| !tried.contains(number)) {
            if let Some(answer) = self.try_one(*number, &packet, asked, &mut trouble).await {
                return Ok(answer);
            }
        }
        match trouble {
            Some(answer) if !usable.is_empty() => answer,
            _ => {
                let floor = self.state().floor;
                Err(TransportErrorKind::custom_str(&format!(
                    "no endpoint that answers and can be trusted has come to block {floor}, which was seen before"
                )))
            }
        }
    }

    /// The answer of one endpoint, unless it is of no use.
    async fn try_one(
        &self,
        number: usize,
        packet: &RequestPacket,
        asked: Asked,
        trouble: &mut Option<Result<ResponsePacket, TransportError>>,
    ) -> Option<ResponsePacket> {
        match self.call_one(number, packet.clone()).await {
            Ok(answer) if asked == Asked::Newest && !self.is_new(number, &answer) => {
                debug!(endpoint = number + 1, "the endpoint has gone back behind what was told before");
            }
            Ok(answer) if is_busy(&answer) => {
                debug!(endpoint = number + 1, "the endpoint has no time");
                self.failed(number);
                *trouble = Some(Ok(answer));
            }
            Ok(answer) => return Some(answer),
            Err(error) => {
                warn!(endpoint = number + 1, %error, "no answer, asking the next endpoint");
                if !TooLarge::is(&error) {
                    self.failed(number);
                }
                *trouble = Some(Err(error));
            }
        }
        None
    }

    /// Hands a transaction to all that can be trusted, also those that lag; the best answer counts.
    async fn broadcast(&self, packet: RequestPacket) -> Result<ResponsePacket, TransportError> {
        let trusted = order(&self.state().healths, 0);
        let sent = trusted.into_iter().map(|number| self.call_one(number, packet.clone()));
        let (mut refused, mut lost) = (None, None);
        for answer in join_all(sent).await {
            match answer {
                Ok(answer) if is_success(&answer) => return Ok(answer),
                Ok(answer) => refused = refused.or(Some(answer)),
                Err(error) => lost = lost.or(Some(error)),
            }
        }
        // Where an answer was lost, the transaction may have been taken.
        match (lost, refused) {
            (Some(error), _) => Err(error),
            (None, Some(answer)) => Ok(answer),
            (None, None) => Err(TransportErrorKind::custom_str("no endpoint answers and can be trusted")),
        }
    }

    async fn call_one(&self, number: usize, packet: RequestPacket) -> Result<ResponsePacket, TransportError> {
        let Some(endpoint) = self.0.endpoints.get(number) else {
            return Err(TransportErrorKind::backend_gone());
        };
        let start = Instant::now();
        let answer = endpoint.transport.clone().call(packet).await;
        if let (Ok(_), Some(health)) = (&answer, self.state().healths.get_mut(number)) {
            health.answered(u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX));
        }
        answer
    }

    fn order(&self) -> Vec<usize> {
        let state = self.state();
        order(&state.healths, state.floor)
    }

    fn failed(&self, number: usize) {
        if let Some(health) = self.state().healths.get_mut(number) {
            health.failed();
        }
    }

    /// Whether an answer about the newest block is not older than another before it.
    fn is_new(&self, number: usize, answer: &ResponsePacket) -> bool {
        let Some(head) = head_of(answer) else { return true };
        let mut state = self.state();
        if let Some(health) = state.healths.get_mut(number) {
            health.head = Some(head);
        }
        // What it says by now may be far beyond all others.
        if head < state.floor || !order(&state.healths, state.floor).contains(&number) {
            return false;
        }
        state.floor = head;
        true
    }
}

/// The block number in an answer.
fn head_of(answer: &ResponsePacket) -> Option<u64> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Head {
        Number(alloy::primitives::U64),
        Block { number: alloy::primitives::U64 },
    }
    let ResponsePacket::Single(response) = answer else { return None };
    let ResponsePayload::Success(payload) = &response.payload else { return None };
    match serde_json::from_str(payload.get()).ok()? {
        Head::Number(number) | Head::Block { number } => Some(number.to()),
    }
}

fn is_success(answer: &ResponsePacket) -> bool {
    matches!(answer, ResponsePacket::Single(response) if response.payload.is_success())
}

/// Whether it was asked too often.
fn is_busy(answer: &ResponsePacket) -> bool {
    let ResponsePacket::Single(response) = answer else { return false };
    let ResponsePayload::Failure(error) = &response.payload else { return false };
    error.code == 429 || error.is_retry_err()
}
