//! One function for each route.

use super::answer::{Body, Refusal};
use crate::intake::Shared;
use crate::intake::check::{accept, round_at, storage};
use crate::intake::options::MAX_BODY;
use alloy::primitives::B256;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use chain::MarketId;
use intake_api::{BidStatus, Code, Health, Limits, OpenRound, Problem, Submission, TypedData, forms};
use std::sync::Arc;

/// The chain counts as read not long ago for so many seconds.
const FRESH: u64 = 60;

/// Hand in a signed bid
///
/// Once this is answered with 202 the bid is on disk, and the relayer posts it before its round closes. Follow it at the address in
/// `Location`: whether it is in the round only its receipt says. Handing in the same bid again is answered with 200 and how far it is.
#[utoipa::path(
    post,
    path = "/v1/bids",
    tag = "bids",
    request_body = Submission,
    responses(
        (status = 202, description = "The bid is kept", body = BidStatus),
        (status = 200, description = "The bid was kept before", body = BidStatus),
        (status = 400, description = "malformed", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "unknown_market", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "timeout: the same bid can be sent again", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "wrong_round, round_closing, bid_in_round or already_queued", body = Problem,
         content_type = "application/problem+json"),
        (status = 413, description = "too_large", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "other_contract, sealed_market, invalid_bid, other_statements, wrong_signature, \
                                      insufficient_balance or refused", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "too_many_requests; see Retry-After", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "busy, chain_unavailable or storage_unavailable; see Retry-After", body = Problem,
         content_type = "application/problem+json"),
    )
)]
pub(super) async fn post_bid(
    State(shared): State<Arc<Shared>>,
    Body(submission): Body<Submission>,
) -> Result<impl IntoResponse, Refusal> {
    let answer = accept(&shared, submission).await.inspect_err(|_| crate::watch::intake("rejected", 1))?;
    let status = if answer.is_new { StatusCode::ACCEPTED } else { StatusCode::OK };
    let location = [(header::LOCATION, format!("/v1/bids/{}", answer.bid.id))];
    Ok((status, location, Json(answer.bid)))
}

/// How far a bid is
///
/// Receipts follow the chain: if the block of one is undone, the bid is queued again. Bids are remembered for a week after their round.
#[utoipa::path(
    get,
    path = "/v1/bids/{id}",
    tag = "bids",
    params(("id" = inline(forms::Bytes32), Path, description = "The bid's id")),
    responses(
        (status = 200, description = "The bid", body = BidStatus),
        (status = 404, description = "unknown_bid", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "timeout", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "too_many_requests; see Retry-After", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "busy or storage_unavailable; see Retry-After", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn get_bid(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Result<Json<BidStatus>, Refusal> {
    let id: B256 = id.parse().map_err(|_| unknown_bid(&id))?;
    let bid = shared.bids.status(id).await.map_err(|error| storage(&error))?;
    Ok(Json(bid.ok_or_else(|| unknown_bid(&id.to_string()))?))
}

fn unknown_bid(id: &str) -> Problem {
    let id: String = id.chars().take(80).collect();
    Problem::new(
        Code::UnknownBid,
        format!("no bid {id:?} is known here; bids are forgotten a week after their round"),
    )
}

/// The open round of a market, and what to sign for it
#[utoipa::path(
    get,
    path = "/v1/markets/{market}/round",
    tag = "bids",
    params(("market" = inline(forms::Bytes32), Path, description = "The market's id")),
    responses(
        (status = 200, description = "The round that is open", body = OpenRound),
        (status = 404, description = "unknown_market", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "timeout", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "wrong_round: the market opens later", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "sealed_market", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "too_many_requests; see Retry-After", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "busy; see Retry-After", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn get_round(
    State(shared): State<Arc<Shared>>,
    Path(market): Path<String>,
) -> Result<Json<OpenRound>, Refusal> {
    let seen = shared.seen.borrow().clone();
    let id: Option<MarketId> = market.parse().ok();
    let open = id.and_then(|id| seen.markets.get(&id)).ok_or_else(|| {
        let market: String = market.chars().take(80).collect();
        Problem::new(
            Code::UnknownMarket,
            format!("market {market:?} is not served here; check its id, or find another relayer"),
        )
    })?;
    let id = open.market.id;
    if id.is_sealed() {
        let detail = "this market takes commitments, which nobody else can make; use `proophi bid`";
        return Err(Problem::new(Code::SealedMarket, detail).into());
    }
    let round = round_at(&seen, id)?;
    let hours = shared.options.hours(id, round);
    Ok(Json(OpenRound {
        market: id.get(),
        round: round.get(),
        closes_at: hours.closes_at,
        accepts_until: hours.accepts_until,
        posts_at: hours.posts_at,
        block_time: seen.head.timestamp,
        settlement_fee: id.settlement_fee(),
        tick: open.market.params.tick.to_string(),
        max_task_size: id.max_task_size(),
        reserve_price: open.terms.reserve.to_string(),
        limits: Limits {
            body_bytes: u64::try_from(MAX_BODY).unwrap_or(u64::MAX),
            bid_bytes: u64::try_from(shared.options.most_bytes()).unwrap_or(u64::MAX),
            requests_per_minute: shared.options.requests_per_minute.get(),
        },
        typed_data: TypedData::new(shared.client.chain_id(), shared.client.contract()),
    }))
}

/// Whether bids can be taken now
#[utoipa::path(
    get,
    path = "/v1/health",
    tag = "service",
    responses(
        (status = 200, description = "All is well", body = Health),
        (status = 408, description = "timeout", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "too_many_requests; see Retry-After", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The chain was not read for a minute, or the database does not answer (a Health); or busy (a Problem)",
         body = Health),
    )
)]
pub(super) async fn get_health(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    let queued = shared.bids.queued().await;
    let seen = shared.seen.borrow();
    let read_ago = seen.at.elapsed().as_secs();
    let healthy = queued.is_ok() && read_ago <= FRESH;
    let health = Health {
        healthy,
        chain_id: shared.client.chain_id(),
        contract: shared.client.contract(),
        block_number: seen.head.number,
        block_time: seen.head.timestamp,
        read_ago,
        queued: queued.unwrap_or_default(),
    };
    let status = if healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(health))
}

/// This document
#[utoipa::path(
    get,
    path = "/v1/openapi.json",
    tag = "service",
    responses(
        (status = 200, description = "The OpenAPI document", content_type = "application/json"),
        (status = 408, description = "timeout", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "too_many_requests; see Retry-After", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "busy; see Retry-After", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn get_openapi() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], super::openapi())
}
