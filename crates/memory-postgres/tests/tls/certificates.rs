//! Certificates, made for the test.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};

/// A certificate and its key, as PEM.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// Who signs certificates.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) certificate: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Authority {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap().pem();
        Authority {
            issuer: Issuer::new(params, key),
            certificate,
        }
    }

    /// A server's certificate for these names.
    pub(crate) fn server(&self, names: &[&str]) -> Pair {
        self.sign(&CertificateParams::new(owned(names)).unwrap())
    }

    /// One that was good until some years ago.
    pub(crate) fn expired(&self, names: &[&str]) -> Pair {
        let mut params = CertificateParams::new(owned(names)).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
        self.sign(&params)
    }

    /// A server's certificate of the first version of X.509. Its signature is of another version.
    pub(crate) fn first_version(&self, names: &[&str]) -> Pair {
        let pair = self.server(names);
        let third = pem::parse(&pair.certificate).unwrap();
        let content = elements(&elements(third.contents())[0].1);
        let (signed, rest) = content.split_first().unwrap();
        let is_of_the_third = |tag: u8| tag == 0xa0 || tag == 0xa3;
        let mut fields = elements(&signed.1);
        fields.retain(|(tag, _)| !is_of_the_third(*tag));
        let signed = element(0x30, &joined(&fields));
        let first = element(0x30, &[signed, joined(rest)].concat());
        let certificate = pem::encode(&pem::Pem::new("CERTIFICATE", first));
        Pair {
            certificate,
            ..pair
        }
    }

    /// A client's certificate for this user.
    pub(crate) fn client(&self, user: &str) -> Pair {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, user);
        self.sign(&params)
    }

    fn sign(&self, params: &CertificateParams) -> Pair {
        let key = KeyPair::generate().unwrap();
        Pair {
            certificate: params.signed_by(&key, &self.issuer).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }
}

/// An authority that shows its own certificate as a server's.
pub(crate) fn self_signed(names: &[&str], expired: bool) -> Pair {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(owned(names)).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    if expired {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    }
    Pair {
        certificate: params.self_signed(&key).unwrap().pem(),
        key: key.serialize_pem(),
    }
}

/// The elements of DER, each with its tag and its content.
fn elements(mut der: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut found = Vec::new();
    while let [tag, length, rest @ ..] = der {
        let more = usize::from(length.saturating_sub(0x80));
        let long = rest[..more]
            .iter()
            .fold(0, |length, byte| length * 256 + usize::from(*byte));
        let length = if more == 0 {
            usize::from(*length)
        } else {
            long
        };
        let (content, after) = rest[more..].split_at(length);
        found.push((*tag, content.to_vec()));
        der = after;
    }
    found
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let length = match content.len() {
        0..0x80 => vec![length[1]],
        0x80..0x100 => vec![0x81, length[1]],
        _ => vec![0x82, length[0], length[1]],
    };
    [vec![tag], length, content.to_vec()].concat()
}

fn joined(elements: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let written = elements.iter().map(|(tag, content)| element(*tag, content));
    written.collect::<Vec<_>>().concat()
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}
