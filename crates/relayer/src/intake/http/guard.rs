//! Rate, number and duration of requests.

use super::answer::Refusal;
use super::rates::{Rates, Wait};
use crate::intake::options::IntakeOptions;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use intake_api::{Code, Problem};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Requests that are answered at once.
const AT_ONCE: usize = 256;
/// How long a request may take, with the reading of its body.
const WITHIN: Duration = Duration::from_secs(20);

/// What keeps requests within their limits.
#[derive(Debug)]
pub(super) struct Guard {
    rates: Mutex<Rates>,
    places: Semaphore,
    behind_proxy: bool,
}

impl Guard {
    pub(super) fn new(options: &IntakeOptions) -> Self {
        let rates = Mutex::new(Rates::new(options.requests_per_minute));
        Self { rates, places: Semaphore::new(AT_ONCE), behind_proxy: options.behind_proxy }
    }

    fn check_rate(&self, client: IpAddr) -> Result<(), Refusal> {
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        rates.ask(client, Instant::now()).map_err(|wait| {
            let seconds = |wait: Duration| wait.as_secs().saturating_add(1);
            match wait {
                Wait::TooMany(wait) => {
                    let wait = seconds(wait);
                    let detail = format!("too many requests from this address; try again in {wait} s");
                    Refusal::after(Problem::new(Code::TooManyRequests, detail), wait)
                }
                Wait::Full(wait) => {
                    let detail = "too many clients at once; try again in a moment";
                    Refusal::after(Problem::new(Code::Busy, detail), seconds(wait))
                }
            }
        })
    }
}

/// Lets a request pass, or answers for it.
pub(super) async fn pass(
    State(guard): State<Arc<Guard>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let client = client_of(peer.ip(), request.headers(), guard.behind_proxy);
    if let Err(refusal) = guard.check_rate(client) {
        return refusal.into_response();
    }
    let Ok(_place) = guard.places.try_acquire() else {
        return Refusal::after(
            Problem::new(Code::Busy, "too many requests at once; try again in a moment"),
            1,
        )
        .into_response();
    };
    match timeout(WITHIN, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let detail = "the request took too long; send it again, the same bid is never taken twice";
            Refusal::from(Problem::new(Code::Timeout, detail)).into_response()
        }
    }
}

/// Who asks: an address of version 4, or a network of version 6, as those are handed out by the network.
fn client_of(peer: IpAddr, headers: &HeaderMap, behind_proxy: bool) -> IpAddr {
    // The last one is the proxy's own word, whatever the client has written before it.
    let last = headers.get_all("x-forwarded-for").iter().next_back();
    let told = last.and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
    match told.filter(|_| behind_proxy).unwrap_or(peer).to_canonical() {
        IpAddr::V6(address) => {
            let network = u128::from(address) & (u128::MAX << 64);
            IpAddr::V6(Ipv6Addr::from(network))
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::http::StatusCode;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use std::future::pending;
    use std::num::NonZeroU32;
    use tower_service::Service;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn forwarded(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| ("x-forwarded-for".parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_client_cannot_pretend_to_be_another() {
        let (peer, headers) = (ip("10.0.0.1"), forwarded(&["1.1.1.1", "2.2.2.2, 3.3.3.3"]));
        assert_eq!(client_of(peer, &headers, false), peer);
        assert_eq!(client_of(peer, &headers, true), ip("3.3.3.3"), "what the proxy says");
        assert_eq!(client_of(peer, &forwarded(&["nonsense"]), true), peer);
        assert_eq!(client_of(peer, &HeaderMap::new(), true), peer);
    }

    #[test]
    fn a_network_of_version_6_is_one_client() {
        let of = |text: &str| client_of(ip(text), &HeaderMap::new(), false);
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2:ffff::"));
        assert_ne!(of("2001:db8:1:2::"), of("2001:db8:1:3::"));
        assert_eq!(of("::ffff:9.9.9.9"), ip("9.9.9.9"));
    }

    #[test]
    fn each_client_has_a_rate_of_its_own() {
        let mut options = IntakeOptions::new("127.0.0.1:0".parse().unwrap());
        options.requests_per_minute = NonZeroU32::new(2).unwrap();
        let guard = Guard::new(&options);
        let allowed = |text: &str| guard.check_rate(ip(text)).is_ok();
        assert!(allowed("1.1.1.1") && allowed("1.1.1.1") && !allowed("1.1.1.1"));
        assert!(allowed("2.2.2.2"));
    }

    /// A request to a server behind the guard: for something that is there at once, or that never comes.
    async fn ask(guard: &Arc<Guard>, path: &str) -> (StatusCode, Option<Code>) {
        let mut router: Router = Router::new()
            .route("/at-once", get(|| async { "null" }))
            .route("/never", get(pending::<()>))
            .layer(from_fn_with_state(Arc::clone(guard), pass));
        let mut request = Request::builder().uri(path).body(Body::empty()).unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 1))));
        let response = router.call(request).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        (status, serde_json::from_slice(&body).ok().map(|problem: Problem| problem.code))
    }

    fn guard() -> Arc<Guard> {
        let mut options = IntakeOptions::new("127.0.0.1:0".parse().unwrap());
        options.requests_per_minute = NonZeroU32::new(10_000).unwrap();
        Arc::new(Guard::new(&options))
    }

    #[tokio::test]
    async fn more_requests_at_once_than_there_are_places_are_told_to_come_back() {
        let guard = guard();
        let others = guard.places.try_acquire_many(u32::try_from(AT_ONCE).unwrap()).unwrap();
        assert_eq!(ask(&guard, "/at-once").await, (StatusCode::SERVICE_UNAVAILABLE, Some(Code::Busy)));
        drop(others);
        assert_eq!(ask(&guard, "/at-once").await.0, StatusCode::OK);
        assert_eq!(guard.places.available_permits(), AT_ONCE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_takes_too_long_is_ended_and_leaves_its_place() {
        let guard = guard();
        let begun = tokio::time::Instant::now();
        assert_eq!(ask(&guard, "/never").await, (StatusCode::REQUEST_TIMEOUT, Some(Code::Timeout)));
        assert_eq!(begun.elapsed().as_secs(), WITHIN.as_secs());
        assert_eq!(guard.places.available_permits(), AT_ONCE);
    }
}
