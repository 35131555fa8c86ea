//! Texts and bytes.

use serde_json::json;

use super::trial::Ends::{Carried, Quarantined};
use super::trial::{AT, Trial};

const SESSION: &str = "insert into sessions values ('11111111-1111-4111-8111-111111111111', 'ada',
    'said', '2024-01-01T00:00:00', '2024-01-01T00:00:00', '{}');";

/// The key of the message of that number.
fn message(number: u32) -> String {
    format!("id=aaaaaaaa-0000-4000-8000-{number:012}")
}

/// Adds the message of that number, whose content is an expression.
fn says(number: u32, content: &str) -> String {
    let id = message(number);
    let id = id.trim_start_matches("id=");
    format!(
        "insert into messages values ('{id}', '11111111-1111-4111-8111-111111111111', 'user',
            {content}, '{{}}', '2024-01-01T00:00:0{number}');"
    )
}

#[test]
fn a_nul_inside_a_text_is_quarantined_whole() {
    let mut trial = Trial::flux_rag(
        &[
            SESSION,
            &says(1, "'before'"),
            &says(2, "'a' || char(0) || 'b'"),
        ]
        .concat(),
    );
    trial.ends(
        1,
        &[
            (
                "sessions",
                &[("id=11111111-1111-4111-8111-111111111111", Carried)],
            ),
            (
                "messages",
                &[
                    (&message(1), Carried),
                    (&message(2), Quarantined("remove the character U+0000")),
                ],
            ),
        ],
    );
    // What comes after the NUL is not lost.
    let left = trial.left("messages", &message(2));
    assert_eq!(left["values"]["content"], "a\0b");
    assert_eq!(trial.stands("message", &["content"]), [json!(["before"])]);
}

#[test]
fn a_text_that_is_not_utf8_is_quarantined_with_its_bytes() {
    let mut trial = Trial::flux_rag(
        &[
            SESSION,
            &says(1, "'é'"),
            &says(2, "cast(x'61e962' as text)"),
        ]
        .concat(),
    );
    trial.ends(
        1,
        &[
            (
                "sessions",
                &[("id=11111111-1111-4111-8111-111111111111", Carried)],
            ),
            (
                "messages",
                &[
                    (&message(1), Carried),
                    (&message(2), Quarantined("not UTF-8 from byte 1 on")),
                ],
            ),
        ],
    );
    let left = trial.left("messages", &message(2));
    assert_eq!(left["values"]["content"], json!({"text_hex": "61e962"}));
    assert_eq!(trial.stands("message", &["content"]), [json!(["é"])]);
}

#[test]
fn a_blob_is_quarantined_with_its_bytes() {
    let mut trial = Trial::jarvis(&format!(
        "insert into entities values (1, 'file', 'a', '{{}}', {AT}),
            (2, 'file', 'b', x'00ff', {AT});
        insert into file_snapshots values
            (1, 'a', null, 1, 1, 'abc', '2024-03-01T10:00:00Z', '{{}}'),
            (2, 'a', null, 1, 1, x'0001feff', '2024-03-01T10:00:00Z', '{{}}');"
    ));
    trial.ends(
        1,
        &[
            (
                "entities",
                &[
                    ("id=1", Carried),
                    ("id=2", Quarantined("a blob of 2 bytes")),
                ],
            ),
            (
                "file_snapshots",
                &[
                    ("id=1", Carried),
                    ("id=2", Quarantined("a blob of 4 bytes")),
                ],
            ),
        ],
    );
    let left = |table| trial.left(table, "id=2")["values"].clone();
    assert_eq!(left("entities")["metadata"], json!({"blob_hex": "00ff"}));
    assert_eq!(
        left("file_snapshots")["hash"],
        json!({"blob_hex": "0001feff"})
    );
    assert_eq!(trial.stands("node", &["name"]), [json!(["a"])]);
    assert_eq!(trial.stands("file_snapshot", &["hash"]), [json!(["abc"])]);
}

#[test]
fn a_text_in_a_blob_column_that_looks_like_base64_stays_that_text() {
    let mut trial = Trial::new(&[
        &crate::sources::JARVIS.replace("hash text", "hash blob"),
        "insert into file_snapshots values
            (1, 'a', null, 1, 1, 'aGVsbG8=', '2024-03-01T10:00:00Z', '{}'),
            (2, 'a', null, 1, 1, '\\x68656c6c6f', '2024-03-01T10:00:00Z', '{}');",
    ]);
    trial.ends(
        0,
        &[("file_snapshots", &[("id=1", Carried), ("id=2", Carried)])],
    );
    assert_eq!(
        trial.stands("file_snapshot", &["hash"]),
        [json!(["\\x68656c6c6f"]), json!(["aGVsbG8="])]
    );
}

#[test]
fn bytes_in_a_text_column_are_not_taken_for_the_text_that_they_spell() {
    let mut trial =
        Trial::flux_rag(&[SESSION, &says(1, "'hello'"), &says(2, "x'68656c6c6f'")].concat());
    trial.ends(
        1,
        &[
            (
                "sessions",
                &[("id=11111111-1111-4111-8111-111111111111", Carried)],
            ),
            (
                "messages",
                &[
                    (&message(1), Carried),
                    (&message(2), Quarantined("a blob of 5 bytes")),
                ],
            ),
        ],
    );
    let left = trial.left("messages", &message(2));
    assert_eq!(left["values"]["content"], json!({"blob_hex": "68656c6c6f"}));
    assert_eq!(trial.stands("message", &["content"]), [json!(["hello"])]);
}

#[test]
fn a_cell_of_60_mb_is_carried_whole() {
    let mut trial = Trial::flux_rag(&[SESSION, &says(1, "'small'"), &says(2, "''")].concat());
    // One word without an end, because cutting it is not what is tried here.
    let numbers: Vec<String> = (0..100_000).map(|n| format!("{n:07}é")).collect();
    let large = numbers.concat().repeat(67) + "the end";
    let sql = "update messages set content = ?1 where content = ''";
    trial.source().execute(sql, [&large]).unwrap();
    trial.ends(
        0,
        &[
            (
                "sessions",
                &[("id=11111111-1111-4111-8111-111111111111", Carried)],
            ),
            (
                "messages",
                &[(&message(1), Carried), (&message(2), Carried)],
            ),
        ],
    );
    let stands = trial.stands("message", &["content"]);
    let lengths: Vec<usize> = stands
        .iter()
        .map(|row| row[0].as_str().unwrap().len())
        .collect();
    assert_eq!(lengths, [60_300_007, 5]);
    // Without printing them.
    assert!(stands[0][0] == large.as_str());
}

#[test]
fn emoji_marks_tabs_and_the_words_of_copy_stay_what_they_are() {
    let texts = [
        "👩‍👩‍👧 🏳️‍🌈 𝒳",
        "e\u{301} is not é",
        "\\N",
        "\\.",
        "a\tb\r\nc\n",
        "\\t \\\\ C:\\new",
        "\u{feff}\u{202e}\u{7f}\u{1}",
    ];
    let mut trial = Trial::flux_rag(SESSION);
    let source = trial.source();
    for (number, text) in (1..).zip(texts) {
        source.execute_batch(&says(number, "''")).unwrap();
        let sql = "update messages set content = ?1, metadata = ?2 where content = ''";
        let metadata = json!({text: text}).to_string();
        source.execute(sql, [text, &metadata]).unwrap();
    }
    let keys: Vec<String> = (1..=7).map(message).collect();
    let rows: Vec<_> = keys.iter().map(|key| (key.as_str(), Carried)).collect();
    trial.ends(
        0,
        &[
            (
                "sessions",
                &[("id=11111111-1111-4111-8111-111111111111", Carried)],
            ),
            ("messages", &rows),
        ],
    );
    let mut stands = trial.stands("message", &["number", "content", "metadata"]);
    stands.sort_by_key(|row| row[0].as_i64());
    let wanted = (1..)
        .zip(texts)
        .map(|(number, text)| json!([number, text, {text: text}]));
    assert_eq!(stands, wanted.collect::<Vec<_>>());
    // Not only by what we give out ourselves, but as the databases hold it: `\N`.
    let asked = trial.asked(
        "select lower(hex(content)) from messages where number = 3",
        "select encode(convert_to(content, 'UTF8'), 'hex') from messages where number = 3",
    );
    assert_eq!(asked, ["5c4e", "5c4e"]);
}
