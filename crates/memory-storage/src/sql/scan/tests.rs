use super::SqlDialect::{Postgres, Sqlite};
use super::{SqlDialect, scan, shape};

const BOTH: [SqlDialect; 2] = [Sqlite, Postgres];

/// The text with `<n>` for its parameters, or what was wrong with it.
fn read(sql: &str, dialect: SqlDialect) -> Result<String, String> {
    let scanned = scan(sql, dialect).map_err(|error| error.problem)?;
    let mut text = String::new();
    for (number, piece) in scanned.pieces.iter().enumerate() {
        if number > 0 {
            text.extend(["<", &number.to_string(), ">"]);
        }
        text.push_str(piece);
    }
    Ok(text)
}

fn parameters(sql: &str, dialect: SqlDialect) -> usize {
    scan(sql, dialect)
        .unwrap_or_else(|error| panic!("{sql}: {error}"))
        .parameters()
}

#[test]
fn a_lone_question_mark_is_a_parameter_wherever_it_stands() {
    for dialect in BOTH {
        let said = read("select ? where a=?and b in (?,?)", dialect).unwrap();
        assert_eq!(said, "select  <1>  where a= <2> and b in ( <3> , <4> )");
        assert_eq!(parameters("select ?||'x'", dialect), 1);
        assert_eq!(parameters("select -?", dialect), 1);
    }
    assert_eq!(parameters("select a[?]", Postgres), 1);
}

#[test]
fn what_both_quote_has_no_parameters() {
    for dialect in BOTH {
        for sql in [
            "select '?'",
            "select 'it''s ?'",
            "select '\\' || '?'",
            "select \"a?b\"",
            "select \"a\"\"?\"",
            "select 1 -- ? '\n",
            "select 1 /* ? ' \" */",
            "select 1 /* -- */",
            "select x'00' || '?'",
        ] {
            assert_eq!(parameters(sql, dialect), 0, "{sql}");
        }
        assert_eq!(parameters("select '-- ' || ?", dialect), 1);
        assert_eq!(parameters("select '/*' || ? || '*/'", dialect), 1);
        assert_eq!(parameters("select /* ' */ ? /* ' */", dialect), 1);
    }
}

#[test]
fn each_is_read_by_its_own_rules() {
    for (sql, sqlite, postgres) in [
        ("select `?`, 1", 0, 1),
        ("select [?], 1", 0, 1),
        ("select 1 /* /* */ ? --*/", 1, 0),
        ("select 1 -- \r ?", 0, 1),
    ] {
        // What is a comment to the end of one is not a whole one to the other.
        let count = |dialect| scan(sql, dialect).map(|scanned| scanned.parameters());
        assert_eq!(count(Sqlite).unwrap_or(0), sqlite, "{sql}");
        assert_eq!(count(Postgres).unwrap_or(0), postgres, "{sql}");
    }
    for sql in [
        "select $$?$$",
        "select $a$ ? $$ ? $b$ ? $a$",
        "select $ä1$?$ä1$",
        "select E'\\'?'",
        "select e'a\\\\\\'?'",
        "select E'a'\n  '\\'?'",
        "select E'a'\n -- '\n '\\'?'",
        "select U&'\\0041?'",
        "select 1 /* /* ? */ ? */",
    ] {
        assert_eq!(parameters(sql, Postgres), 0, "{sql}");
    }
    // Not an E'' but a name that ends with e, and a literal without escapes.
    assert_eq!(parameters("select name'\\', ?", Postgres), 1);
    assert_eq!(parameters("select E'a' '\\' || ?", Postgres), 1);
    assert_eq!(parameters("select a$1$b, ?", Postgres), 1);
    assert_eq!(
        read("select a ?? b, a ??| ?, a ??& c", Postgres).unwrap(),
        "select a ? b, a ?|  <1> , a ?& c"
    );
    assert_eq!(read("select ???", Postgres).unwrap(), "select ? <1> ");
}

#[test]
fn what_is_not_one_whole_statement_is_refused() {
    for dialect in BOTH {
        for (sql, said) in [
            ("select 1; drop table nodes", "one statement"),
            ("select 1;;select 2", "one statement"),
            ("select ';'; select 2", "one statement"),
            ("select 1; -- \n select 2", "one statement"),
            ("select '", "literal"),
            ("select 'a''", "literal"),
            ("select \"a", "name"),
            ("select 1 /* ", "comment"),
            ("select ?1", "numbers"),
            ("select $1", "written ?"),
            ("select \0", "U+0000"),
        ] {
            let error = read(sql, dialect).unwrap_err();
            assert!(error.contains(said), "{sql}: {error}");
        }
        for sql in ["", " ", "-- nothing", "/* */ ;"] {
            assert_eq!(read(sql, dialect).unwrap_err(), "give a statement");
        }
        for sql in [
            "select 1;",
            "select 1 ; ;\n-- end",
            "select 1 -- ; select 2",
        ] {
            assert_eq!(parameters(sql, dialect), 0);
        }
    }
    for sql in [
        "select :a",
        "select @a",
        "select $a",
        "select `a",
        "select [a",
        "select a ?? b",
    ] {
        assert!(read(sql, Sqlite).is_err(), "{sql}");
    }
    for sql in [
        "select $$ a",
        "select $a$ $b$",
        "select E'\\'",
        "select 1 /* /* */",
    ] {
        assert!(read(sql, Postgres).is_err(), "{sql}");
    }
    // One comment to PostgreSQL; to SQLite it ends early, and another statement follows.
    let sql = "select 1 /* /* */ ; drop table nodes -- */ */";
    assert_eq!(parameters(sql, Postgres), 0);
    assert!(read(sql, Sqlite).unwrap_err().contains("one statement"));
    // A quote that only one of them knows hides nothing from the other.
    assert!(read("select $$; drop table nodes; $$", Sqlite).is_err());
    assert!(
        read("select [; drop table nodes; ]", Postgres)
            .unwrap_err()
            .contains("one statement")
    );
}

#[test]
fn a_shape_has_no_literal() {
    let sql =
        "select 'secret', 42, 1.5e-3, $$secret$$, E'\\'secret', \"name\" /* secret */ -- secret";
    let said = shape(sql, Postgres);
    assert_eq!(said.trim_end(), "select ?, ?, ?, ?, E?, \"name\"");
    let said = shape("insert into t values ('it''s secret', x'00', ?, 7)", Sqlite);
    assert_eq!(said, "insert into t values (?, x?, ?, ?)");
    // As much of it as can be read.
    assert_eq!(shape("select 'secret", Sqlite), "select ");
}

#[test]
fn the_verb_is_the_first_word() {
    for dialect in BOTH {
        for sql in [
            "SELECT 1",
            " /* insert */ (select 1)",
            "-- drop\n((Select 1))",
        ] {
            assert_eq!(scan(sql, dialect).unwrap().verb, "select");
        }
    }
}
