//! TLS: one provider, named; TLS 1.2 and 1.3; a certificate that can be replaced while serving.

use crate::config::TlsFiles;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert, ServerConfig, ServerSessionMemoryCache};
use rustls::sign::CertifiedKey;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use tokio_rustls::TlsAcceptor;

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    /// A file is missing or is not PEM of the right kind.
    #[error("{0} cannot be read as PEM: {1}")]
    File(PathBuf, rustls::pki_types::pem::Error),
    /// The key is of no known kind or does not belong to the certificate.
    #[error("the certificate and its key cannot be used: {0}")]
    Key(#[from] rustls::Error),
}

/// A certificate with its key, and the files to read it from again.
#[derive(Debug)]
pub(crate) struct Certificate {
    files: TlsFiles,
    current: RwLock<Arc<CertifiedKey>>,
}

impl Certificate {
    /// Reads certificate and key.
    ///
    /// # Errors
    /// If a file cannot be read or the two do not belong together.
    pub(crate) fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let current = RwLock::new(Arc::new(read(&files)?));
        Ok(Self { files, current })
    }

    /// Reads the files again; new connections get what they hold now.
    ///
    /// # Errors
    /// As [`Certificate::load`]; the certificate in use then stays.
    pub(crate) fn reload(&self) -> Result<(), TlsError> {
        let fresh = Arc::new(read(&self.files)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// Reloads at every SIGHUP.
    #[cfg(unix)]
    pub(crate) fn reload_on_signal(self: &Arc<Self>) -> std::io::Result<()> {
        let certificate = Arc::clone(self);
        super::on_hangup(move || match certificate.reload() {
            Ok(()) => tracing::info!("the certificate was read anew"),
            Err(error) => tracing::error!(%error, "the old certificate stays in use"),
        })
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn read(files: &TlsFiles) -> Result<CertifiedKey, TlsError> {
    let chain = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| TlsError::File(files.certificate.clone(), error))?;
    let key =
        PrivateKeyDer::from_pem_file(&files.key).map_err(|error| TlsError::File(files.key.clone(), error))?;
    Ok(CertifiedKey::from_der(chain, key, &provider())?)
}

fn provider() -> CryptoProvider {
    aws_lc_rs::default_provider()
}

/// What turns a TCP stream into a TLS one, offering HTTP/2 and HTTP/1.1.
pub(super) fn acceptor(certificate: Arc<Certificate>) -> Result<TlsAcceptor, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider()))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_no_client_auth()
        .with_cert_resolver(certificate);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    config.session_storage = ServerSessionMemoryCache::new(4096);
    Ok(TlsAcceptor::from(Arc::new(config)))
}
