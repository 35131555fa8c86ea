use std::path::PathBuf;

/// Whether a connection to a server is encrypted, and whom it trusts. The meanings are libpq's; over
/// a Unix socket nothing is encrypted, whatever is said here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// Whether, and how far the server's certificate is checked.
    pub mode: TlsMode,
    /// The certificates of the authorities that are trusted to have signed the server's. Without
    /// one, `verify-full` trusts those of the system, and no other mode but `verify-ca`, which needs
    /// one, checks the certificate.
    pub root: Option<RootCertificates>,
    /// The client's own certificate with those that lead to its authority, as a PEM file.
    pub certificate: Option<PathBuf>,
    /// The key of the client's certificate, as a PEM file that is not encrypted.
    pub key: Option<PathBuf>,
}

/// Whether a connection is encrypted (`sslmode`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TlsMode {
    /// Never.
    Disable,
    /// Only if the server insists.
    Allow,
    /// If the server offers it. The default: it is no protection against somebody in between.
    #[default]
    Prefer,
    /// Always; the certificate is checked only if there are root certificates, and then like
    /// [`TlsMode::VerifyCa`].
    Require,
    /// Always, and the certificate leads to a trusted authority.
    VerifyCa,
    /// Always, the certificate leads to a trusted authority, and names the host.
    VerifyFull,
}

/// The authorities that are trusted (`sslrootcert`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootCertificates {
    /// Those of the system. Anybody can get a certificate of theirs, so they go with
    /// [`TlsMode::VerifyFull`] alone.
    System,
    /// Those of a PEM file.
    File(PathBuf),
}

impl TlsOptions {
    /// TLS of this mode, with every other default.
    pub fn new(mode: TlsMode) -> TlsOptions {
        TlsOptions {
            mode,
            ..TlsOptions::default()
        }
    }

    /// Sets the authorities that are trusted.
    pub fn with_root(mut self, root: RootCertificates) -> TlsOptions {
        self.root = Some(root);
        self
    }

    /// Sets the client's own certificate and its key.
    pub fn with_client(
        mut self,
        certificate: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> TlsOptions {
        self.certificate = Some(certificate.into());
        self.key = Some(key.into());
        self
    }
}

impl TlsMode {
    /// Every mode, from none to the strictest.
    pub const ALL: [TlsMode; 6] = [
        TlsMode::Disable,
        TlsMode::Allow,
        TlsMode::Prefer,
        TlsMode::Require,
        TlsMode::VerifyCa,
        TlsMode::VerifyFull,
    ];

    /// As `sslmode` says it.
    pub const fn as_str(self) -> &'static str {
        match self {
            TlsMode::Disable => "disable",
            TlsMode::Allow => "allow",
            TlsMode::Prefer => "prefer",
            TlsMode::Require => "require",
            TlsMode::VerifyCa => "verify-ca",
            TlsMode::VerifyFull => "verify-full",
        }
    }
}
