//! From a name to a connection: resolve once, check every address, connect to a checked one, and
//! TLS for the name of the URL.

use super::{
    OutboundError,
    policy::{Admitted, Policy},
    target::{Host, Target},
};
use base::{Error, Kind};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use std::{future::Future, io, net::IpAddr, path::Path, pin::Pin, sync::Arc, time::Duration};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// As many addresses of a name are tried.
const TRIED: usize = 4;

/// The answer of a [`Resolve`] on its way.
pub type Resolving<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Finds the addresses of a name. Asked once for each request.
pub trait Resolve: Send + Sync + 'static {
    /// The addresses of `host`, best first.
    fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a>;
}

/// Names as the machine resolves them.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a> {
        Box::pin(
            async move { Ok(tokio::net::lookup_host((host, 0)).await?.map(|socket| socket.ip()).collect()) },
        )
    }
}

/// The addresses of the target, all of them admitted. One that is not refuses the whole target:
/// an honest name does not mix them.
pub(super) async fn checked(
    policy: &Policy,
    resolver: &dyn Resolve,
    target: &Target,
    quiet: bool,
) -> Result<Vec<IpAddr>, OutboundError> {
    let addresses = match &target.host {
        Host::Address(address) => vec![*address],
        Host::Name(name) => resolver.resolve(name).await.map_err(|_| OutboundError::Unresolved)?,
    };
    let addresses: Vec<IpAddr> = addresses.iter().map(IpAddr::to_canonical).collect();
    for address in &addresses {
        let (host, port) = (&target.host, target.port);
        match policy.admit(target, *address) {
            Some(Admitted::Ordinary) => {}
            Some(Admitted::ByException) => {
                tell!(quiet, info, %host, %address, port, "an outward request allowed by an exception");
            }
            None => {
                tell!(quiet, warn, %host, %address, port, "an outward request to a forbidden address refused");
                return Err(OutboundError::Refused);
            }
        }
    }
    if addresses.is_empty() { Err(OutboundError::Unresolved) } else { Ok(addresses) }
}

/// A connection to the first of these addresses that takes it; each has its share of the time.
pub(super) async fn tcp(
    addresses: &[IpAddr],
    port: u16,
    within: Duration,
) -> Result<TcpStream, OutboundError> {
    let tried = addresses.len().clamp(1, TRIED);
    let share = within / u32::try_from(tried).unwrap_or(1);
    let mut failure = OutboundError::Unreachable;
    for address in addresses.iter().take(tried) {
        match timeout(share, TcpStream::connect((*address, port))).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(_)) => failure = OutboundError::Unreachable,
            Err(_) => failure = OutboundError::Timeout,
        }
    }
    Err(failure)
}

/// TLS on a connection, with a certificate for the host of the URL.
pub(super) async fn secured(
    tls: &TlsConnector,
    target: &Target,
    stream: TcpStream,
    within: Duration,
    quiet: bool,
) -> Result<TlsStream<TcpStream>, OutboundError> {
    let name = match &target.host {
        Host::Name(name) => ServerName::try_from(name.clone()).map_err(|_| OutboundError::Url)?,
        Host::Address(address) => ServerName::IpAddress((*address).into()),
    };
    match timeout(within, tls.connect(name, stream)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => {
            tell!(quiet, info, host = %target.host, %error, "no TLS for an outward request");
            Err(OutboundError::Tls)
        }
        Err(_) => Err(OutboundError::Timeout),
    }
}

/// TLS that trusts the machine's authorities and those of `ca_file`.
pub(super) fn tls(ca_file: Option<&Path>) -> Result<TlsConnector, Error> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(file) = ca_file {
        add_file(&mut roots, file)?;
    }
    if roots.is_empty() {
        tracing::warn!("this machine has no certificate authorities: no outward request can succeed");
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::internal(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

fn add_file(roots: &mut RootCertStore, file: &Path) -> Result<(), Error> {
    let unusable = |why: String| {
        let public = format!("The certificate authorities in {} cannot be read: {why}", file.display());
        Error::new(Kind::Invalid, "error-outbound-settings", public)
    };
    let before = roots.len();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| unusable(error.to_string()))? {
        let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
        roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
    }
    if roots.len() == before { Err(unusable("it holds none".to_owned())) } else { Ok(()) }
}
