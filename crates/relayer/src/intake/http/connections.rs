//! Accepts connections, a limited number of them, and ends them cleanly.

use crate::intake::stopped;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use service::{CANNOT_ACCEPT, trouble};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::debug;

/// Connections that are open at once; others wait to be accepted.
pub(super) const AT_ONCE: usize = 1_024;
/// How long a client may take to say what it wants, also on a connection that it has used before.
const HEADERS_WITHIN: Duration = Duration::from_secs(10);

/// Serves so many connections at once until `stop` turns true, and then the requests that are under way, for at most `last_wait`.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    at_once: usize,
    mut stop: watch::Receiver<bool>,
    last_wait: Duration,
) {
    let places = Arc::new(Semaphore::new(at_once));
    let mut connections = JoinSet::new();
    loop {
        // What has ended is not kept.
        while connections.try_join_next().is_some() {}
        let place = tokio::select! {
            () = stopped(&mut stop) => break,
            place = Arc::clone(&places).acquire_owned() => place,
        };
        let accepted = tokio::select! {
            () = stopped(&mut stop) => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let (router, stop) = (router.clone(), stop.clone());
                connections.spawn(async move {
                    let _place = place;
                    connection(stream, peer, router, stop).await;
                });
            }
            // Most of these are the client's; those that are not, such as too many open files, pass when others end.
            Err(error) => {
                trouble!(warn, CANNOT_ACCEPT, %error, "cannot accept a connection");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
    let ended = async { while connections.join_next().await.is_some() {} };
    if timeout(last_wait, ended).await.is_err() {
        debug!("clients are cut off");
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, router: Router, mut stop: watch::Receiver<bool>) {
    let service = service_fn(move |request: Request<hyper::body::Incoming>| {
        let router = router.clone();
        async move {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            tower_service::Service::call(&mut router.clone(), request).await
        }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .serve_connection(TokioIo::new(stream), service);
    let mut served = pin!(served);
    let result = tokio::select! {
        result = served.as_mut() => result,
        () = stopped(&mut stop) => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = result {
        debug!(%error, %peer, "a connection ended badly");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// What a server says on a connection first, as long as it says it soon.
    async fn answer(stream: &mut TcpStream) -> Option<String> {
        stream.write_all(b"GET / HTTP/1.1\r\nhost: here\r\n\r\n").await.unwrap();
        let mut text = [0; 15];
        let read = timeout(Duration::from_millis(500), stream.read_exact(&mut text)).await.ok()?;
        read.ok()?;
        Some(String::from_utf8_lossy(&text).into_owned())
    }

    #[tokio::test]
    async fn a_connection_beyond_the_places_waits_until_another_ends() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let router = Router::new().route("/", get(|| async { "here" }));
        let server = tokio::spawn(serve(listener, router, 2, stopped, Duration::from_secs(1)));
        let connect = async || TcpStream::connect(address).await.unwrap();
        let (mut one, mut other, mut third) = (connect().await, connect().await, connect().await);
        let ok = Some("HTTP/1.1 200 OK".to_owned());
        assert_eq!((answer(&mut one).await, answer(&mut other).await), (ok.clone(), ok));
        assert_eq!(answer(&mut third).await, None);
        drop(one);
        let mut text = [0; 15];
        timeout(Duration::from_secs(5), third.read_exact(&mut text)).await.unwrap().unwrap();
        assert_eq!(&text, b"HTTP/1.1 200 OK");
        stop.send(true).unwrap();
        timeout(Duration::from_secs(5), server).await.unwrap().unwrap();
    }
}
