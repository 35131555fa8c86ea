//! What each mode of TLS accepts, against servers without it, with good certificates and bad ones.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod certificates;
mod cluster;
#[path = "../common/mod.rs"]
mod common;

use std::path::{Path, PathBuf};
use std::time::Duration;

use certificates::{Authority, Pair, self_signed};
use cluster::Cluster;
use memory_domain::{NewMessage, NewSession, TenantId, Timestamp};
use memory_postgres::PostgresStorage;
use memory_storage::{
    Config, ConversationStore, OpenError, RootCertificates, SchemaPolicy, Storage, Target, TlsMode,
    TlsOptions,
};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

/// The certificates of a server that is to be trusted, of those that are not, and of clients.
struct Files {
    folder: TempDir,
    authority: Authority,
}

impl Files {
    fn new() -> Files {
        let authority = Authority::new("the authority");
        let folder = tempfile::tempdir().unwrap();
        let files = Files { folder, authority };
        files.write("root.crt", &files.authority.certificate);
        files.write("other.crt", &Authority::new("another one").certificate);
        files
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn write_pair(&self, name: &str, pair: &Pair) -> (PathBuf, PathBuf) {
        let certificate = self.write(&format!("{name}.crt"), &pair.certificate);
        (certificate, self.write(&format!("{name}.key"), &pair.key))
    }

    fn root(&self, name: &str) -> RootCertificates {
        RootCertificates::File(self.folder.path().join(name))
    }

    async fn cluster(&self) -> Cluster {
        let right = self.authority.server(&["localhost"]);
        Cluster::start(&right, &self.authority.certificate).await
    }
}

fn config(cluster: &Cluster, user: &str, tls: TlsOptions) -> Config {
    let url = format!("postgres://{user}@localhost:{}/memory", cluster.port);
    with_tls(Config::from_url(&url).unwrap(), tls)
}

fn with_tls(mut config: Config, tls: TlsOptions) -> Config {
    if let Target::Postgres(target) = &mut config.target {
        target.tls = tls;
    }
    config.with_schema(SchemaPolicy::Ignore)
}

/// Whether the connection came to be with TLS; the error's words, if it did not.
async fn outcome(config: &Config) -> Result<bool, OpenError> {
    let store = PostgresStorage::open(config).await?;
    let encrypted = store.info().await.unwrap().options["encrypted"] == "true";
    store.close(Duration::from_secs(5)).await.unwrap();
    Ok(encrypted)
}

/// Asserts what came of each mode: `tls`, `plain`, or words of the error.
async fn assert_outcomes(config: impl Fn(TlsMode) -> Config, expected: &[(TlsMode, &str)]) {
    for (mode, expected) in expected {
        let said = match outcome(&config(*mode)).await {
            Ok(true) => "tls".to_owned(),
            Ok(false) => "plain".to_owned(),
            Err(error) => format!("{error} {error:?}"),
        };
        match *expected {
            "tls" | "plain" => assert_eq!(said, *expected, "{mode:?}"),
            words => assert!(said.contains(words), "{mode:?}: {said}"),
        }
    }
}

use TlsMode::{Allow, Disable, Prefer, Require, VerifyCa, VerifyFull};

#[tokio::test]
async fn a_server_without_tls_serves_only_modes_that_do_without() {
    let fresh = common::Fresh::new();
    let files = Files::new();
    let with = |mode| {
        let tls = TlsOptions::new(mode).with_root(files.root("root.crt"));
        with_tls(fresh.config(), tls)
    };
    let expected = [
        (Disable, "plain"),
        (Allow, "plain"),
        (Prefer, "plain"),
        (Require, "does not offer TLS"),
        (VerifyCa, "does not offer TLS"),
        (VerifyFull, "does not offer TLS"),
    ];
    assert_outcomes(with, &expected).await;
}

#[tokio::test]
async fn each_mode_checks_of_a_certificate_what_libpq_checks() {
    let files = Files::new();
    let cluster = files.cluster().await;
    let trusting = |root: &'static str| {
        let (files, cluster) = (&files, &cluster);
        move |mode| {
            let tls = TlsOptions::new(mode).with_root(files.root(root));
            config(cluster, "memory", tls)
        }
    };
    let without_root = |mode| config(&cluster, "memory", TlsOptions::new(mode));

    let all_fine = [
        (Disable, "plain"),
        (Allow, "plain"),
        (Prefer, "tls"),
        (Require, "tls"),
        (VerifyCa, "tls"),
        (VerifyFull, "tls"),
    ];
    assert_outcomes(trusting("root.crt"), &all_fine).await;
    let unchecked = [
        (Prefer, "tls"),
        (Require, "tls"),
        // The system's authorities did not sign it.
        (VerifyFull, "leads to no authority"),
    ];
    assert_outcomes(without_root, &unchecked).await;
    let untrusted = [
        (Prefer, "plain"),
        (Require, "leads to no authority"),
        (VerifyCa, "leads to no authority"),
        (VerifyFull, "leads to no authority"),
    ];
    assert_outcomes(trusting("other.crt"), &untrusted).await;

    cluster
        .show(&files.authority.server(&["elsewhere.example"]))
        .await;
    let wrong_name = [
        (Prefer, "tls"),
        (Require, "tls"),
        (VerifyCa, "tls"),
        (VerifyFull, "another name than the host"),
    ];
    assert_outcomes(trusting("root.crt"), &wrong_name).await;

    cluster.show(&files.authority.expired(&["localhost"])).await;
    let expired = [
        (Prefer, "plain"),
        (Require, "has expired"),
        (VerifyCa, "has expired"),
        (VerifyFull, "has expired"),
    ];
    assert_outcomes(trusting("root.crt"), &expired).await;
    assert_outcomes(without_root, &[(Prefer, "tls"), (Require, "tls")]).await;
}

#[tokio::test]
async fn what_the_manual_of_postgres_has_one_make_serves() {
    let files = Files::new();
    let cluster = files.cluster().await;
    let trusting = |root: &'static str| {
        let (files, cluster) = (&files, &cluster);
        move |mode| {
            let tls = TlsOptions::new(mode).with_root(files.root(root));
            config(cluster, "memory", tls)
        }
    };
    let without_root = |mode| config(&cluster, "memory", TlsOptions::new(mode));
    let first = files.authority.first_version(&["localhost"]);
    cluster.show(&first).await;
    assert_outcomes(without_root, &[(Prefer, "tls"), (Require, "tls")]).await;
    let unchecked = [
        (Require, "first version of X.509"),
        (VerifyCa, "first version of X.509"),
        (VerifyFull, "first version of X.509"),
    ];
    assert_outcomes(trusting("root.crt"), &unchecked).await;

    let own = self_signed(&["localhost"], false);
    files.write("own.crt", &own.certificate);
    cluster.show(&own).await;
    let all_fine = [
        (Prefer, "tls"),
        (Require, "tls"),
        (VerifyCa, "tls"),
        (VerifyFull, "tls"),
    ];
    assert_outcomes(trusting("own.crt"), &all_fine).await;
    let another = [(Require, "that very one"), (VerifyFull, "that very one")];
    assert_outcomes(trusting("root.crt"), &another).await;

    let elsewhere = self_signed(&["elsewhere.example"], false);
    files.write("elsewhere.crt", &elsewhere.certificate);
    cluster.show(&elsewhere).await;
    let wrong_name = [
        (VerifyCa, "tls"),
        (VerifyFull, "another name than the host"),
    ];
    assert_outcomes(trusting("elsewhere.crt"), &wrong_name).await;
    let old = self_signed(&["localhost"], true);
    files.write("old.crt", &old.certificate);
    cluster.show(&old).await;
    let expired = [(VerifyCa, "has expired"), (VerifyFull, "has expired")];
    assert_outcomes(trusting("old.crt"), &expired).await;

    // The older TLS proves the holding of the key in another way.
    let older = "alter system set ssl_max_protocol_version = 'TLSv1.2'";
    let client = cluster.client("memory").await;
    client.batch_execute(older).await.unwrap();
    cluster.show(&first).await;
    assert_outcomes(without_root, &[(Prefer, "tls"), (Require, "tls")]).await;
    cluster.show(&own).await;
    assert_outcomes(trusting("own.crt"), &all_fine).await;
}

#[tokio::test]
async fn a_servers_rules_choose_the_other_way_where_the_mode_allows_it() {
    let files = Files::new();
    let cluster = files.cluster().await;
    let secure = |mode| config(&cluster, "secure", TlsOptions::new(mode));
    let plain = |mode| config(&cluster, "plain", TlsOptions::new(mode));
    let only_tls = [(Disable, "pg_hba.conf"), (Allow, "tls"), (Prefer, "tls")];
    assert_outcomes(secure, &only_tls).await;
    let only_plain = [
        (Allow, "plain"),
        (Prefer, "plain"),
        (Require, "pg_hba.conf"),
    ];
    assert_outcomes(plain, &only_plain).await;
}

#[tokio::test]
async fn a_client_certificate_is_shown_where_it_is_demanded() {
    let files = Files::new();
    let cluster = files.cluster().await;
    let (ours, key) = files.write_pair("ours", &files.authority.client("guarded"));
    let (others, others_key) = files.write_pair("others", &files.authority.client("somebody"));
    let stranger = Authority::new("a stranger").client("guarded");
    let (strange, strange_key) = files.write_pair("strange", &stranger);
    let tls = || TlsOptions::new(VerifyFull).with_root(files.root("root.crt"));
    let open = async |tls| outcome(&config(&cluster, "guarded", tls)).await;

    assert!(open(tls().with_client(&ours, &key)).await.unwrap());
    let error = open(tls()).await.unwrap_err();
    assert!(matches!(error, OpenError::Refused { .. }), "{error:?}");
    let error = open(tls().with_client(&others, &others_key))
        .await
        .unwrap_err();
    assert!(matches!(error, OpenError::Refused { .. }), "{error:?}");
    let error = open(tls().with_client(&strange, &strange_key))
        .await
        .unwrap_err();
    assert!(matches!(error, OpenError::Tls { .. }), "{error:?}");
    assert!(error.to_string().contains("sslcert"), "{error}");

    // Files that do not serve are named, before anything is sent.
    let nowhere = Path::new("/no/such.pem");
    let empty = files.write("empty.pem", "");
    let locked = files.write(
        "locked.key",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAo=\n-----END ENCRYPTED PRIVATE KEY-----\n",
    );
    for (tls, words) in [
        (
            tls().with_client(nowhere, &key),
            "sslcert /no/such.pem: it cannot be read",
        ),
        (
            tls().with_client(&ours, nowhere),
            "sslkey /no/such.pem: it cannot be read",
        ),
        (tls().with_client(&empty, &key), "holds no certificate"),
        (tls().with_client(&ours, &empty), "holds no key"),
        (tls().with_client(&ours, &locked), "it is encrypted"),
        (
            tls().with_client(&ours, &others_key),
            "does not serve with sslcert",
        ),
        (
            TlsOptions::new(VerifyCa).with_root(files.root("empty.pem")),
            "sslrootcert",
        ),
    ] {
        let error = open(tls).await.unwrap_err();
        assert!(matches!(error, OpenError::Tls { .. }), "{error:?}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[tokio::test]
async fn verbs_transfers_and_requests_to_stop_go_over_tls() {
    let files = Files::new();
    let cluster = files.cluster().await;
    let tls = TlsOptions::new(VerifyFull).with_root(files.root("root.crt"));
    let config = config(&cluster, "secure", tls).with_schema(SchemaPolicy::Apply);
    let store = PostgresStorage::open(&config).await.unwrap();
    let ada = TenantId::new("ada").unwrap();
    let now: Timestamp = "2026-11-21T03:41:19Z".parse().unwrap();
    let session = NewSession::new("talk");
    let session = store.create_session(&ada, session, now).await.unwrap();
    let work = store.begin().await.unwrap();
    let batch = || vec![NewMessage::user("hello")];
    work.append(&ada, session.id, batch(), now).await.unwrap();
    work.commit().await.unwrap();
    // A transfer has a connection of its own.
    let writer = store.writer().await.unwrap();

    let watching = cluster.client("memory").await;
    let sql = "select count(*) from pg_stat_ssl as s join pg_stat_activity as a using (pid)
        where a.usename = 'secure' and not s.ssl";
    let unencrypted: i64 = watching.query_one(sql, &[]).await.unwrap().get(0);
    assert_eq!(unencrypted, 0);
    drop(writer);

    let holder = cluster.client("memory").await;
    let lock = format!(
        "begin; select from memory.sessions where id = '{}' for update",
        session.id
    );
    holder.batch_execute(&lock).await.unwrap();
    let waiting = async || -> i64 {
        let row = watching.query_one("select count(*) from pg_locks where not granted", &[]);
        row.await.unwrap().get(0)
    };
    let appending = store.append(&ada, session.id, batch(), now);
    assert!(
        timeout(Duration::from_millis(300), appending)
            .await
            .is_err()
    );
    let stopped = async {
        while waiting().await > 0 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(5), stopped).await.unwrap();
    holder.batch_execute("rollback").await.unwrap();
    store.close(Duration::from_secs(5)).await.unwrap();
}
