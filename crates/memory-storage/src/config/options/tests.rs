use std::collections::BTreeMap;
use std::time::Duration;

use super::super::{
    Config, ConfigSource, PoolOptions, PostgresTarget, RootCertificates, SchemaPolicy,
    SqliteTarget, Synchronous, Target, TlsMode, TlsOptions,
};
use super::{ALL, OptionBackend};

fn read(url: &str, variables: &[(&str, &str)]) -> Result<Config, String> {
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    ConfigSource::new(url)
        .with_variables(variables)
        .read()
        .map_err(|error| error.to_string())
}

/// A value of each option that is not the default, and the same said from Rust.
fn of_a_server_said_from_rust() -> BTreeMap<&'static str, (&'static str, Config)> {
    let postgres = |target: PostgresTarget| Config::new(Target::Postgres(target));
    let server = || PostgresTarget::new("localhost", "postgres", "postgres");
    let tls = |tls: TlsOptions| postgres(server().with_tls(tls));
    let standard = PoolOptions::standard;
    let seconds = Duration::from_secs;
    BTreeMap::from([
        (
            "host",
            (
                "h",
                postgres(PostgresTarget::new("h", "postgres", "postgres")),
            ),
        ),
        ("port", ("1", postgres(server().with_port(1)))),
        (
            "database",
            (
                "d",
                postgres(PostgresTarget::new("localhost", "postgres", "d")),
            ),
        ),
        (
            "user",
            ("u", postgres(PostgresTarget::new("localhost", "u", "u"))),
        ),
        ("password", ("p", postgres(server().with_password("p")))),
        (
            "sslmode",
            ("require", tls(TlsOptions::new(TlsMode::Require))),
        ),
        (
            "sslrootcert",
            (
                "system",
                tls(TlsOptions::default().with_root(RootCertificates::System)),
            ),
        ),
        (
            "connect_timeout",
            ("3", postgres(server().with_connect_timeout(seconds(3)))),
        ),
        (
            "application_name",
            ("a", postgres(server().with_application_name("a"))),
        ),
        ("schema", ("s", postgres(server().with_schema("s")))),
        (
            "pool_check_after_idle",
            (
                "0",
                postgres(server()).with_pool(standard().with_check_after_idle(Duration::ZERO)),
            ),
        ),
    ])
}

/// The same for the options of a file and of both.
fn of_a_file_said_from_rust() -> BTreeMap<&'static str, (&'static str, Config)> {
    let sqlite = |target: SqliteTarget| Config::new(Target::Sqlite(target));
    let file = || SqliteTarget::file("m.db");
    let pool = |pool: PoolOptions| sqlite(file()).with_pool(pool);
    let standard = PoolOptions::standard;
    let seconds = Duration::from_secs;
    BTreeMap::from([
        ("mode", ("rw", sqlite(file().existing()))),
        (
            "synchronous",
            ("full", sqlite(file().with_synchronous(Synchronous::Full))),
        ),
        (
            "busy_timeout",
            ("7s", sqlite(file().with_busy_timeout(seconds(7)))),
        ),
        ("pool", ("heavy", pool(PoolOptions::heavy()))),
        ("pool_min_idle", ("1", pool(standard().with_min_idle(1)))),
        ("pool_max_size", ("11", pool(standard().with_max_size(11)))),
        (
            "pool_acquire_timeout",
            ("1s", pool(standard().with_acquire_timeout(seconds(1)))),
        ),
        (
            "pool_max_lifetime",
            ("1m", pool(standard().with_max_lifetime(seconds(60)))),
        ),
        (
            "pool_idle_timeout",
            ("1m", pool(standard().with_idle_timeout(seconds(60)))),
        ),
        (
            "statement_timeout",
            (
                "250ms",
                sqlite(file()).with_statement_timeout(Duration::from_millis(250)),
            ),
        ),
        (
            "idle_work_timeout",
            ("2m", sqlite(file()).with_idle_work_timeout(seconds(120))),
        ),
        (
            "schema_policy",
            ("apply", sqlite(file()).with_schema(SchemaPolicy::Apply)),
        ),
        (
            "slow_statement",
            ("off", sqlite(file()).with_slow_statement(None)),
        ),
        ("echo", ("on", sqlite(file()).with_echo(true))),
    ])
}

#[test]
fn rust_the_url_and_the_variable_say_the_same() {
    let mut said = of_a_server_said_from_rust();
    said.extend(of_a_file_said_from_rust());
    for option in ALL {
        let url = match option.backend {
            OptionBackend::Postgres => "postgres://",
            _ => "sqlite://m.db",
        };
        // Set together, by one method.
        if matches!(option.name, "sslcert" | "sslkey") {
            continue;
        }
        let (value, expected) = said.remove(option.name).expect(option.name);
        let by_url = read(&format!("{url}?{}={value}", option.name), &[]).unwrap();
        assert_eq!(by_url, expected, "{}", option.name);
        let by_variable = read(url, &[(&option.variable(), value)]).unwrap();
        assert_eq!(by_variable, expected, "{}", option.name);
        assert_ne!(read(url, &[]).unwrap(), expected, "{}", option.name);
    }
    assert!(said.is_empty(), "{said:?}");
    let both = read("postgres://?sslcert=c.pem", &[("MEMORY_SSLKEY", "k.pem")]).unwrap();
    let Target::Postgres(target) = both.target else {
        panic!("{both}");
    };
    assert_eq!(
        target.tls,
        TlsOptions::default().with_client("c.pem", "k.pem")
    );
}

#[test]
fn the_default_that_is_told_is_the_one_that_holds() {
    for (url, config) in [
        ("sqlite://m.db", read("sqlite://m.db", &[]).unwrap()),
        ("postgres://", read("postgres://", &[]).unwrap()),
    ] {
        for option in ALL
            .iter()
            .filter(|option| option.backend.has(&config.target))
        {
            match (option.name, option.default) {
                ("database" | "busy_timeout", _) => {}
                (name, "none") => assert!(!config.options().contains_key(name), "{name}"),
                (name, default) => {
                    let said = read(&format!("{url}?{name}={default}"), &[]).unwrap();
                    assert_eq!(said, config, "{name}");
                }
            }
        }
    }
}

#[test]
fn the_url_comes_before_the_variable_and_a_preset_before_every_single_option() {
    let variables = [
        ("MEMORY_POOL_MAX_SIZE", "20"),
        ("MEMORY_POOL_MIN_IDLE", "3"),
        ("MEMORY_ECHO", ""),
        ("MEMORY_POOL", "light"),
    ];
    let config = read("sqlite://m.db?pool_max_size=30&pool=heavy", &variables).unwrap();
    assert_eq!((config.pool.min_idle, config.pool.max_size), (3, 30));
    let config = read("m.db", &variables[3..]).unwrap();
    assert_eq!((config.pool.min_idle, config.pool.max_size), (0, 4));
    let config = read(
        "postgres://u@/d",
        &[("MEMORY_HOST", "h"), ("MEMORY_USER", "x")],
    );
    assert_eq!(config.unwrap().to_string(), "postgres://u@h:5432/d");
}

#[test]
fn what_is_wrong_is_named_with_what_is_allowed() {
    for (url, variable, value, said) in [
        ("m.db", "MEMORY_POOL_MAX_SISE", "1", "MEMORY_POOL_MAX_SIZE"),
        ("m.db", "MEMORY_POOL_MAX_SIZE", "many", "number"),
        ("m.db", "MEMORY_STATEMENT_TIMEOUT", "0", "millisecond"),
        ("m.db", "MEMORY_STATEMENT_TIMEOUT", "soon", "30s"),
        ("m.db", "MEMORY_POOL", "huge", "light, standard or heavy"),
        ("m.db", "MEMORY_ECHO", "maybe", "on or off"),
        ("m.db", "MEMORY_SSLMODE", "require", "PostgreSQL only"),
        (
            "postgres://h/d",
            "MEMORY_SYNCHRONOUS",
            "full",
            "SQLite only",
        ),
        ("postgres://h/d", "MEMORY_SSLMODE", "on", "verify-full"),
        ("postgres://h/d", "MEMORY_PORT", "0", "65535"),
        ("postgres://h/d", "MEMORY_SCHEMA_POLICY", "x", "require"),
    ] {
        let error = read(url, &[(variable, value)]).unwrap_err();
        assert!(error.contains(variable) && error.contains(said), "{error}");
    }
    for (url, said) in [
        ("sqlite://m.db?sslmode=require", "PostgreSQL only"),
        ("postgres://h/d?synchronous=full", "SQLite only"),
        ("sqlite://m.db?colour=red", "busy_timeout"),
        ("postgres://h/d?sslmode=on", "disable, allow, prefer"),
    ] {
        let error = read(url, &[]).unwrap_err();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn variables_of_others_are_left_alone() {
    let variables = [
        ("MEMORY_URL", "x"),
        ("MEMORY_TEST_POSTGRES_URL", "x"),
        ("MEMORY_PROPTEST_CASES", "x"),
        ("PATH", "x"),
        ("MY_MEMORY_ECHO", "x"),
    ];
    assert_eq!(read("m.db", &variables), read("m.db", &[]));
}

#[test]
fn a_variable_of_another_program_is_ignored_and_told_from_a_typo() {
    // The first is of a widespread MCP server, the others are Kubernetes' for a service.
    let foreign = [
        "MEMORY_FILE_PATH",
        "MEMORY_PORT_5432_TCP_ADDR",
        "MEMORY_SERVICE_HOST",
    ];
    let variables = foreign.map(|name| (name, "x"));
    assert_eq!(read("m.db", &variables), read("m.db", &[]));
    let owned = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let source = ConfigSource::new("m.db").with_variables(owned);
    assert_eq!(source.ignored_variables(), foreign);
    for (typo, meant) in [
        ("MEMORY_PASSWORT", "MEMORY_PASSWORD"),
        ("MEMORY_SSL_MODE", "MEMORY_SSLMODE"),
        ("MEMORY_SSL_ROOT_CERT", "MEMORY_SSLROOTCERT"),
        ("MEMORY_STATEMENT_TIME_OUT", "MEMORY_STATEMENT_TIMEOUT"),
    ] {
        let error = read("postgres://h/d", &[(typo, "x")]).unwrap_err();
        assert!(error.contains(typo), "{error}");
        assert!(error.contains(&format!("{meant}?")), "{error}");
    }
}

#[test]
fn the_port_that_kubernetes_sets_for_a_service_is_explained() {
    for url in ["m.db", "postgres://h/d"] {
        let error = read(url, &[("MEMORY_PORT", "tcp://10.0.0.1:5432")]).unwrap_err();
        assert!(error.contains("enableServiceLinks"), "{error}");
    }
}

#[test]
fn no_option_shows_a_password() {
    let variables = [("MEMORY_PASSWORD", "secret")];
    let config = read("postgres://h/d", &variables).unwrap();
    let shown = format!("{config:?} {config} {:?}", config.options());
    assert!(!shown.contains("secret"), "{shown}");
    for (url, variables) in [
        ("m.db", &variables[..]),
        ("postgres://h/d", &[("MEMORY_PASSWORT", "secret")]),
        ("postgres://h/d?password=secret%00", &[]),
        ("postgres://u:secret%ff@h/d", &[]),
    ] {
        let error = read(url, variables).unwrap_err();
        assert!(!error.contains("secret"), "{error}");
    }
}

#[test]
fn tls_that_only_seems_to_protect_is_refused() {
    for (url, said) in [
        ("postgres://h/d?sslmode=verify-ca", "sslrootcert"),
        (
            "postgres://h/d?sslmode=require&sslrootcert=system",
            "verify-full",
        ),
        ("postgres://h/d?sslcert=c.pem", "sslkey"),
        ("postgres://h/d?sslkey=k.pem", "sslcert"),
    ] {
        let error = read(url, &[]).unwrap().validated().unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    let url = "postgres://h/d?sslmode=verify-full&sslrootcert=system";
    read(url, &[]).unwrap().validated().unwrap();
}
