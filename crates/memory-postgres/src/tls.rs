//! Encrypting a connection before the driver gets it: so the driver's errors can be overheard within
//! the encryption, and a request to cancel goes the same way.

use std::error::Error;
use std::fmt::Display;
use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

use memory_storage::{PostgresTarget, RootCertificates, TlsMode, TlsOptions};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{self, CertificateError, ClientConfig, RootCertStore};

use self::verifier::{AUTHORITY, FIRST_VERSION, Roots, Verifier, is};
use crate::error::{ConnectError, chain};

mod key;
mod verifier;

/// What a connection goes over.
pub(crate) trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Socket for S {}

/// How one attempt to connect treats encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Plain,
    IfOffered,
    Encrypted,
}

/// How connections to a server are encrypted.
pub(crate) struct Tls {
    mode: TlsMode,
    /// `None` where nothing is ever encrypted.
    over: Option<(TlsConnector, ServerName<'static>)>,
}

impl Tls {
    /// Reads the files of certificates, and says what is wrong with one.
    pub(crate) fn new(target: &PostgresTarget) -> Result<Tls, String> {
        let mode = target.tls.mode;
        let is_local = target.host.starts_with('/');
        let over = if mode == TlsMode::Disable || is_local {
            None
        } else {
            let config = client_config(&target.tls)?;
            let connector = TlsConnector::from(Arc::new(config));
            Some((connector, server_name(target)?))
        };
        Ok(Tls { mode, over })
    }

    /// What to try, and what to try then if that failed of the encryption.
    pub(crate) fn ways(&self) -> (Way, Option<Way>) {
        match self.mode {
            _ if self.over.is_none() => (Way::Plain, None),
            TlsMode::Disable => (Way::Plain, None),
            TlsMode::Allow => (Way::Plain, Some(Way::Encrypted)),
            TlsMode::Prefer => (Way::IfOffered, Some(Way::Plain)),
            TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull => (Way::Encrypted, None),
        }
    }

    /// Encrypts a socket on which nothing was said yet, and says whether it is.
    pub(crate) async fn secure(
        &self,
        mut socket: Box<dyn Socket>,
        way: Way,
    ) -> Result<(Box<dyn Socket>, bool), ConnectError> {
        let Some((connector, name)) = self.over.as_ref().filter(|_| way != Way::Plain) else {
            return Ok((socket, false));
        };
        let offered = ask(&mut socket).await.map_err(ConnectError::unreachable)?;
        if !offered {
            return match way {
                Way::IfOffered => Ok((socket, false)),
                Way::Plain | Way::Encrypted => Err(ConnectError::Tls {
                    problem: "the server does not offer TLS; set `ssl = on` there, or give \
                              another sslmode"
                        .to_owned(),
                }),
            };
        }
        match connector.connect(name.clone(), socket).await {
            Ok(stream) => Ok((Box::new(stream), true)),
            Err(error) => Err(match problem(&error) {
                Some(problem) => ConnectError::Tls { problem },
                None => ConnectError::unreachable(error),
            }),
        }
    }
}

/// Asks whether the server speaks TLS. Source: PostgreSQL documentation, "SSLRequest". Exactly one
/// byte is read: what else came unencrypted could be somebody else's.
async fn ask(socket: &mut Box<dyn Socket>) -> io::Result<bool> {
    const LENGTH: u32 = 8;
    const CODE: u32 = 80_877_103;
    let mut request = LENGTH.to_be_bytes().to_vec();
    request.extend(CODE.to_be_bytes());
    socket.write_all(&request).await?;
    socket.flush().await?;
    match socket.read_u8().await? {
        b'S' => Ok(true),
        b'N' => Ok(false),
        _ => Err(io::Error::other("it does not answer as PostgreSQL does")),
    }
}

fn client_config(options: &TlsOptions) -> Result<ClientConfig, String> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let verifier = verifier(options, &provider)?;
    let builder = builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let (Some(certificate), Some(key)) = (&options.certificate, &options.key) else {
        return Ok(builder.with_no_client_auth());
    };
    builder
        .with_client_auth_cert(certificates("sslcert", certificate)?, private_key(key)?)
        .map_err(|error| {
            format!(
                "sslkey {} does not serve with sslcert {}: {error}",
                key.display(),
                certificate.display()
            )
        })
}

fn verifier(options: &TlsOptions, provider: &CryptoProvider) -> Result<Verifier, String> {
    let names = options.mode == TlsMode::VerifyFull;
    let system = names.then_some(&RootCertificates::System);
    let root = options.root.as_ref().or(system);
    Ok(Verifier {
        roots: root.map(roots).transpose()?,
        names,
        algorithms: provider.signature_verification_algorithms,
    })
}

fn roots(root: &RootCertificates) -> Result<Roots, String> {
    let mut store = RootCertStore::empty();
    let mut given = Vec::new();
    match root {
        RootCertificates::File(path) => {
            given = certificates("sslrootcert", path)?;
            for certificate in &given {
                store
                    .add(certificate.clone())
                    .map_err(|error| format!("sslrootcert {}: {error}", path.display()))?;
            }
        }
        RootCertificates::System => {
            let found = rustls_native_certs::load_native_certs();
            store.add_parsable_certificates(found.certs);
            if store.is_empty() {
                let why = found
                    .errors
                    .first()
                    .map_or_else(|| "none are installed".to_owned(), ToString::to_string);
                return Err(format!(
                    "the system's authorities cannot be read ({why}); give a file as sslrootcert"
                ));
            }
        }
    }
    Ok(Roots { store, given })
}

fn certificates(option: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let refuse = |problem: &dyn Display| format!("{option} {}: {problem}", path.display());
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(certificates) if certificates.is_empty() => {
            Err(refuse(&"it holds no certificate; give a PEM file"))
        }
        Ok(certificates) => Ok(certificates),
        Err(pem::Error::Io(error)) => Err(refuse(&format!("it cannot be read: {error}"))),
        Err(error) => Err(refuse(&format!("it is no PEM file: {error}"))),
    }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    let refuse = |problem: String| format!("sslkey {}: {problem}", path.display());
    PrivateKeyDer::from_pem_file(path).map_err(|error| match error {
        pem::Error::Io(error) => refuse(format!("it cannot be read: {error}")),
        _ if is_encrypted(path) => {
            refuse("it is encrypted; decrypt it, as with `openssl pkey`".to_owned())
        }
        pem::Error::NoItemsFound => refuse("it holds no key; give a PEM file".to_owned()),
        error => refuse(format!("it is no PEM file: {error}")),
    })
}

fn is_encrypted(key: &Path) -> bool {
    std::fs::read_to_string(key).is_ok_and(|text| text.contains("ENCRYPTED"))
}

/// The name that the certificate must have, and that is told to the server.
fn server_name(target: &PostgresTarget) -> Result<ServerName<'static>, String> {
    let host = target.host.clone();
    match ServerName::try_from(host) {
        Ok(name) => Ok(name),
        Err(_) if target.tls.mode == TlsMode::VerifyFull => Err(format!(
            "the host {:?} is no name that a certificate can have",
            target.host
        )),
        // Told to nobody: an address is not.
        Err(_) => Ok(ServerName::IpAddress(Ipv4Addr::UNSPECIFIED.into())),
    }
}

/// What an error of TLS says of the certificates and what to do; `None` for another error.
pub(crate) fn problem(error: &(dyn Error + 'static)) -> Option<String> {
    let wrapped = error
        .downcast_ref::<io::Error>()
        .and_then(|error| error.get_ref())
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let error = wrapped.or_else(|| error.downcast_ref::<rustls::Error>())?;
    Some(match error {
        rustls::Error::InvalidCertificate(problem) => match problem {
            CertificateError::UnknownIssuer => "the server's certificate leads to no authority \
                                                that is trusted; give its authority's as \
                                                sslrootcert"
                .to_owned(),
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                format!("the server's certificate has expired: {problem}")
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                format!("the server's certificate is for another name than the host: {problem}")
            }
            problem if is(problem, FIRST_VERSION) => "the server's certificate is of the first \
                                                      version of X.509, which cannot be checked; \
                                                      make it anew with extensions, or leave out \
                                                      sslrootcert"
                .to_owned(),
            problem if is(problem, AUTHORITY) => "the server shows an authority's certificate; \
                                                  give that very one as sslrootcert, or have it \
                                                  sign one for the server"
                .to_owned(),
            problem => format!("the server's certificate is not good: {problem}"),
        },
        rustls::Error::AlertReceived(alert) => format!(
            "the server ended the handshake ({alert:?}); check sslcert and sslkey, and its log"
        ),
        error => chain(error),
    })
}
