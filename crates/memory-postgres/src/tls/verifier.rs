//! Checks of a server's certificate, as much of it as a mode asks for, as libpq makes them.

use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use tokio_rustls::rustls::crypto::{
    WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
    verify_tls13_signature_with_raw_key,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{
    CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use super::key::{public_key, signed_by};

/// Whom to believe.
#[derive(Debug)]
pub(super) struct Roots {
    pub(super) store: RootCertStore,
    /// The same as they were given; those of the system are left out.
    pub(super) given: Vec<CertificateDer<'static>>,
}

/// Believes a certificate that leads to an authority; without authorities, any.
#[derive(Debug)]
pub(super) struct Verifier {
    pub(super) roots: Option<Roots>,
    /// Whether it must name the host, too.
    pub(super) names: bool,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(roots) = &self.roots {
            let parsed = ParsedCertificate::try_from(certificate)?;
            let led = verify_server_cert_signed_by_trust_anchor(
                &parsed,
                &roots.store,
                intermediates,
                now,
                self.algorithms.all,
            );
            match led {
                // Itself what is to be believed; that it is not too old was checked before.
                Err(Error::InvalidCertificate(problem))
                    if is(&problem, AUTHORITY) && roots.given.contains(certificate) => {}
                led => led?,
            }
            if self.names {
                verify_server_name(&parsed, name)?;
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    // That the server holds the key of what it showed is always checked.

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if self.roots.is_some() {
            return verify_tls12_signature(message, certificate, signed, &self.algorithms);
        }
        if signed_by(&public_key(certificate)?, message, signed, &self.algorithms) {
            Ok(HandshakeSignatureValid::assertion())
        } else {
            Err(Error::InvalidCertificate(CertificateError::BadSignature))
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if self.roots.is_some() {
            return verify_tls13_signature(message, certificate, signed, &self.algorithms);
        }
        let key = public_key(certificate)?;
        verify_tls13_signature_with_raw_key(message, &key, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// What webpki calls a certificate of an authority that is shown as a server's.
pub(super) const AUTHORITY: &str = "CaUsedAsEndEntity";
/// What it calls a certificate without extensions.
pub(super) const FIRST_VERSION: &str = "UnsupportedCertVersion";

/// Whether a problem is one that rustls has no name for, and that webpki calls so.
pub(super) fn is(problem: &CertificateError, name: &str) -> bool {
    matches!(problem, CertificateError::Other(other) if format!("{:?}", other.0) == name)
}
