//! Takes signed bids over HTTP, keeps them safely, and posts them before their round closes.
//!
//! | module | what is in it |
//! |---|---|
//! | [`options`] | how the intake works |
//! | [`http`] | the server: routes, limits, the OpenAPI document |
//! | `check` | whether a bid is accepted |
//! | [`plan`](mod@plan) | which bids to post in which transaction, and when: a pure function |
//! | `weight` | what a bid takes of a transaction |
//! | `post` | makes and sends one transaction of bids |
//! | `wallets` | contracts that are turned away, as they said one thing and did another |
//! | `desk` | the service: reads what was included, asks the plan, posts |
//! | [`feed`] | what the relayer tells the intake of the chain |
//!
//! A bid is answered for once it is in the database ([`store::bids`]), which relayers may share. What has become of it is decided by the chain's logs alone, whoever posted it, and decided
//! anew when blocks are undone; so a relayer can be killed at any time and goes on with the same database. It is trusted with no money:
//! it can fail to post a bid, and cannot change one.

mod check;
mod desk;
pub mod feed;
pub mod http;
pub mod options;
pub mod plan;
mod post;
mod wallets;
mod weight;

use crate::intake::desk::Desk;
use crate::intake::feed::{Feed, Seen};
use crate::intake::options::IntakeOptions;
use crate::intake::wallets::Wallets;
use chain::{Client, Follower};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use store::bids::{Bids, BidsError};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tracing::info;

/// Why the intake does not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {reason}; choose another with --listen")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        #[source]
        reason: io::Error,
    },
    /// The database cannot be used.
    #[error("cannot keep signed bids (--database): {0}")]
    Bids(#[from] BidsError),
}

/// What requests and the desk share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) client: Client,
    pub(crate) bids: Bids,
    pub(crate) seen: watch::Receiver<Seen>,
    pub(crate) options: IntakeOptions,
    pub(crate) wallets: Wallets,
    /// Told when a bid was accepted.
    pub(crate) wake: Notify,
}

/// A running intake.
#[derive(Debug)]
pub struct Intake {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    tasks: [JoinHandle<()>; 2],
}

impl Intake {
    /// Opens the database, reads what has become of the bids in it, and begins to listen. The feed is for the relay to tell of the
    /// chain.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(options: IntakeOptions, follower: &Follower) -> Result<(Self, Feed), StartError> {
        let client = follower.client().clone();
        let bids = Bids::open(&options.database, client.chain_id(), client.contract()).await?;
        let requested = options.listen;
        let listen = |reason| StartError::Listen { address: requested, reason };
        let listener = TcpListener::bind(requested).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let (feed, seen, changes) = Feed::new(follower);
        let (wake, wallets) = (Notify::new(), Wallets::default());
        let shared = Arc::new(Shared { client, bids, seen, options, wallets, wake });
        let (stop, stopped) = watch::channel(false);
        let mut desk = Desk::new(Arc::clone(&shared), changes).await?;
        // What is known of old bids is read before anyone can ask for it.
        desk.catch_up().await;
        let tasks =
            [tokio::spawn(desk.run(stopped.clone())), tokio::spawn(http::serve(listener, shared, stopped))];
        info!(%address, "taking signed bids");
        Ok((Self { address, stop, tasks }, feed))
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops taking bids, and waits a moment for requests and transactions that are under way.
    pub async fn stop(self) {
        // Who is gone already needs no telling.
        let _ = self.stop.send(true);
        for task in self.tasks {
            let _ = task.await;
        }
    }
}

/// Resolves when the intake is to stop, also because nobody is left to say so.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
