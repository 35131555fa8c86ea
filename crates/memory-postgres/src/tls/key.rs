//! The public key of a certificate, read without whatever else it says: so of a certificate that nobody
//! checks, too, such as one of the first version of X.509.

use tokio_rustls::rustls::crypto::WebPkiSupportedAlgorithms;
use tokio_rustls::rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use tokio_rustls::rustls::{CertificateError, DigitallySignedStruct, Error};

/// The key, as DER.
pub(super) fn public_key<'a>(
    certificate: &'a CertificateDer<'_>,
) -> Result<SubjectPublicKeyInfoDer<'a>, Error> {
    let key = find(certificate).ok_or(Error::InvalidCertificate(CertificateError::BadEncoding))?;
    Ok(SubjectPublicKeyInfoDer::from(key))
}

/// Whether the holder of the key signed a message, by the rules of TLS 1.2.
pub(super) fn signed_by(
    key: &SubjectPublicKeyInfoDer<'_>,
    message: &[u8],
    signed: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> bool {
    let Some((identifier, bits)) = parts(key.as_ref()) else {
        return false;
    };
    let named = algorithms
        .mapping
        .iter()
        .filter(|(scheme, _)| *scheme == signed.scheme);
    named.flat_map(|(_, algorithms)| *algorithms).any(|one| {
        one.public_key_alg_id().as_ref() == identifier
            && one
                .verify_signature(bits, message, signed.signature())
                .is_ok()
    })
}

/// Source: RFC 5280, 4.1: the version, which the first one leaves out, then the serial number, the
/// algorithm, the issuer, the validity and the subject stand before the key.
fn find(certificate: &[u8]) -> Option<&[u8]> {
    const VERSION: u8 = 0xa0;
    const BEFORE: usize = 5;
    let certificate = Element::read(certificate)?;
    let mut rest = Element::read(certificate.content)?.content;
    if rest.first() == Some(&VERSION) {
        rest = Element::read(rest)?.rest;
    }
    for _ in 0..BEFORE {
        rest = Element::read(rest)?.rest;
    }
    Some(Element::read(rest)?.whole)
}

/// The algorithm's identifier, and the bits of the key.
fn parts(key: &[u8]) -> Option<(&[u8], &[u8])> {
    let identifier = Element::read(Element::read(key)?.content)?;
    // The first byte says how many bits of the last are unused: none.
    let (0, bits) = Element::read(identifier.rest)?.content.split_first()? else {
        return None;
    };
    Some((identifier.content, bits))
}

/// An element of DER, and what comes after it.
struct Element<'a> {
    whole: &'a [u8],
    content: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Element<'a> {
    fn read(input: &'a [u8]) -> Option<Element<'a>> {
        const LONG: u8 = 0x80;
        let first = *input.get(1)?;
        let (begin, length) = if first < LONG {
            (2, usize::from(first))
        } else {
            let bytes = input.get(2..2 + usize::from(first - LONG))?;
            let length = bytes.iter().try_fold(0_usize, |length, byte| {
                length.checked_mul(256)?.checked_add((*byte).into())
            })?;
            (2 + bytes.len(), length)
        };
        let end = begin.checked_add(length)?;
        Some(Element {
            whole: input.get(..end)?,
            content: input.get(begin..end)?,
            rest: input.get(end..)?,
        })
    }
}
