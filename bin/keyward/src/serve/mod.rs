//! The accept loop: takes connections, protects them, hands their requests on and lets
//! them finish when the server stops. Must not know any page or tenant.

mod answers;
mod connection;
mod room;
mod shutdown;
mod stall;
mod strict;
#[cfg(test)]
mod tests;
mod tls;
mod trailers;

pub(crate) use answers::Answers;
pub(crate) use shutdown::{Shutdown, on_hangup, on_signals, shutdown};
pub(crate) use tls::{Certificate, TlsError};

use crate::config;
use base::net::Network;
use room::Room;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinSet;

/// The other end of the connection that a request came by: an extension of every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PeerAddr(pub(crate) SocketAddr);

/// What one connection may take.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// Most connections at a time.
    pub(crate) connections: usize,
    /// Most of them from one network, other than that of a named proxy.
    pub(crate) share: usize,
    /// For the TLS handshake.
    pub(crate) handshake: Duration,
    /// For a connection without requests that was told to close.
    pub(crate) linger: Duration,
    /// For the head of a request to arrive, counted from the answer before.
    pub(crate) headers: Duration,
    /// The same where few connections are left.
    pub(crate) hurried: Duration,
    /// The same for a named proxy, which keeps connections for later requests of others.
    pub(crate) proxy_headers: Duration,
    /// For a client to take some of what was written to it.
    pub(crate) stall: Duration,
    /// For requests under way when the server stops.
    pub(crate) drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            share: 2_500,
            handshake: Duration::from_secs(10),
            linger: Duration::from_secs(5),
            headers: Duration::from_secs(10),
            hurried: Duration::from_secs(2),
            proxy_headers: Duration::from_secs(75),
            stall: Duration::from_secs(30),
            drain: Duration::from_secs(20),
        }
    }
}

/// How to listen.
#[derive(Debug)]
pub(crate) struct Options {
    /// Address and port; port 0 takes a free one.
    pub(crate) listen: SocketAddr,
    /// The certificate, where the server speaks TLS itself.
    pub(crate) tls: Option<Arc<Certificate>>,
    /// Named proxies, whose idle connections are kept longer.
    pub(crate) proxies: Vec<Network>,
    /// What one connection may take.
    pub(crate) limits: Limits,
}

impl Options {
    /// As the configuration says.
    ///
    /// # Errors
    /// If the certificate or its key cannot be used.
    pub(crate) fn of(server: &config::Server) -> Result<Self, TlsError> {
        let tls = server.tls.clone().map(Certificate::load).transpose()?.map(Arc::new);
        let connections = server.max_connections;
        let share = (connections / 4).max(1);
        let limits = Limits { connections, share, drain: server.shutdown, ..Limits::default() };
        Ok(Self { listen: server.listen, tls, proxies: server.proxies.clone(), limits })
    }
}

/// How the server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drained {
    /// Every request under way was answered.
    Clean,
    /// The time limit ended this many connections.
    Cut(usize),
}

/// A bound address that serves when [`Server::run`] is called.
pub(crate) struct Server {
    listener: TcpListener,
    address: SocketAddr,
    shared: Arc<connection::Shared>,
}

impl Server {
    /// Binds the address.
    ///
    /// # Errors
    /// If the address is taken or not ours, or the certificate cannot be used.
    pub(crate) fn bind(options: Options) -> io::Result<Self> {
        let socket = if options.listen.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        socket.bind(options.listen)?;
        let listener = socket.listen(1024)?;
        let address = listener.local_addr()?;
        let acceptor = options.tls.map(tls::acceptor).transpose().map_err(io::Error::other)?;
        let further = Room::new(options.limits.connections, options.limits.share);
        let shared =
            connection::Shared { acceptor, proxies: options.proxies, limits: options.limits, further };
        Ok(Self { listener, address, shared: Arc::new(shared) })
    }

    /// The address in use, with the true port.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until told to stop, then lets requests under way finish within the time limit.
    pub(crate) async fn run(self, app: impl Answers, mut stop: Shutdown) -> Drained {
        let room = Room::new(self.shared.limits.connections, self.shared.limits.share);
        let mut open = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                () = stop.requested() => break,
                accepted = accept(&self.listener, &room) => accepted,
            };
            if let Some((stream, peer, permit)) = accepted
                && let Some(place) = room.take(permit, peer.ip(), self.shared.is_proxy(peer))
            {
                let clock = self.shared.clock(peer, room.is_narrow());
                let shared = Arc::clone(&self.shared);
                let connection = connection::serve((stream, peer), clock, shared, app.clone(), stop.clone());
                open.spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
            while open.try_join_next().is_some() {}
        }
        drop(self.listener);
        drain(open, self.shared.limits.drain).await
    }
}

/// The next connection, once there is room for it. None if accepting failed, after a rest: the
/// usual cause is a lack of file descriptors, which others have to give back first.
async fn accept(
    listener: &TcpListener,
    room: &Room,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = room.free().await?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, permit)),
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}

async fn drain(mut open: JoinSet<()>, limit: Duration) -> Drained {
    let all = async { while open.join_next().await.is_some() {} };
    if tokio::time::timeout(limit, all).await.is_ok() {
        return Drained::Clean;
    }
    let cut = open.len();
    open.shutdown().await;
    Drained::Cut(cut)
}
