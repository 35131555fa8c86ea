//! The named rules by which a reader changes a value, and when.
//!
//! A row that no rule touched is *carried identical*: [`inverse`](crate::inverse) gives its values
//! back, JSON compared by value and times in the form in which they were written. Three things are
//! no change: an integer id or the name of a conversation that became the UUID v5 of source, table and
//! id (whoever has the id has the UUID), the spelling of JSON and of a time's zone, and the order
//! of what has none: tags, the two ends of what leads both ways, the components of a compound.
//!
//! What no rule covers is not carried but quarantined, and stays to be mended by a person: a time
//! that cannot be read, or that the clocks of its zone showed twice or never; NaN, infinities, lone
//! surrogates, U+0000, doubled keys and integers beyond 64 bits in JSON; JSON that is no object;
//! a value of another storage class than the column's; invalid UTF-8; a reference to nothing.

/// A time finer than a microsecond went to the nearest microsecond, halves up.
pub const TIME_ROUNDED: &str = "time-rounded-to-microseconds";

/// A time without a zone was read as UTC, although the system is not known to write such times.
pub const NAIVE_AS_UTC: &str = "naive-time-read-as-utc";

/// A time without a zone was read in the zone that the caller gave, which is not the one that the
/// system is documented to write.
pub const NAIVE_AS_GIVEN: &str = "naive-time-read-as-source-timezone";

/// A JSON number with a fraction or exponent and an integral value, such as `1.0` or `1e2`, became
/// that integer: PostgreSQL and SQLite would not agree on the other spelling. So did `-0`.
pub const INTEGRAL_DOUBLE: &str = "integral-double-became-integer";

/// A JSON number has more digits than a double holds, and became the nearest double.
pub const JSON_NUMBER_ROUNDED: &str = "json-number-rounded-to-double";

/// A number is −0.0, which stores do not tell from 0.0, and became that.
pub const NEGATIVE_ZERO: &str = "negative-zero-became-zero";

/// Metadata that is NULL became `{}`, in a table where the two mean the same.
pub const NULL_METADATA: &str = "null-metadata-became-empty-object";

/// Metadata that is the empty text became `{}`.
pub const EMPTY_METADATA: &str = "empty-text-became-empty-object";

/// Metadata that is the JSON text `null` became `{}`.
pub const JSON_NULL_METADATA: &str = "json-null-became-empty-object";

/// Metadata is `{"source_null": true}` in the source itself, which is how NULL is carried.
pub const NULL_MARKER_IN_SOURCE: &str = "null-marker-was-in-source";

/// A title that is NULL became empty.
pub const NULL_TITLE: &str = "null-title-became-empty";

/// A user that is NULL became the tenant of rows that name none, as the empty user does.
pub const NULL_USER: &str = "null-user-became-unnamed-tenant";

/// A user is called like the tenant of rows that name none, and now shares it with them.
pub const USER_SHARES_UNNAMED: &str = "user-shares-unnamed-tenant";

/// A summary that is NULL became empty.
pub const NULL_SUMMARY: &str = "null-summary-became-empty";

/// A count or share that is NULL became what the system itself puts where nothing is said.
pub const NULL_DEFAULT: &str = "null-became-default";

/// Tags that are NULL became none.
pub const NULL_TAGS: &str = "null-tags-became-none";

/// Tags that are the empty text became none.
pub const EMPTY_TAGS: &str = "empty-text-became-no-tags";

/// A tag was lower-cased, as all tags are.
pub const TAG_LOWERED: &str = "tag-lower-cased";

/// A tag stood twice, where need be once lower-cased, and is kept once.
pub const TAG_REPEATED: &str = "repeated-tag-dropped";

/// Half a key, a system without an id or an id without a system, went to the metadata.
pub const HALF_KEY: &str = "half-key-kept-in-metadata";

/// A row of a full-text table belongs to a node, for which the store makes its own index.
pub const SEARCH_REBUILT: &str = "search-index-is-rebuilt";

/// An id that should be a UUID is none, and became the UUID v5 of source, table and id.
pub const ID_HASHED: &str = "id-became-uuid-v5";

/// An id is a UUID in another spelling than lower case with hyphens, and became that UUID.
pub const ID_RESPELLED: &str = "uuid-respelled";

/// A tenant that is NULL became the tenant of rows that name none.
pub const NULL_TENANT: &str = "null-tenant-became-unnamed-tenant";

/// A conversation that is NULL became the one without a name.
pub const NULL_SESSION: &str = "null-session-became-unnamed-session";

/// A time that is NULL became the other one of the row: the last one the first, or the first the
/// last.
pub const NULL_TIME: &str = "null-time-became-other-time";

/// A message's number in the source has a gap before it, is not counted from 1, stands twice, or
/// another table's messages come between: the order stays, the numbers are counted anew.
pub const MESSAGE_RENUMBERED: &str = "message-numbered-anew";

/// A turn's two texts stand as messages of their own in the source too, and are those messages.
pub const TURN_STANDS: &str = "turn-stands-in-auto-messages";

/// What the turn of a message said beyond its texts went to the metadata's `turn`.
pub const TURN_KEPT: &str = "turn-kept-in-metadata";

/// A concept's name differs from that of an earlier row in nothing but case, and both are one node,
/// which keeps the row in its content's `merged`.
pub const CONCEPT_MERGED: &str = "concept-of-same-name-merged";

/// A concept that was only named was made.
pub const CONCEPT_MADE: &str = "missing-concept-made";

/// A concept was named in another case than it has.
pub const CONCEPT_RESPELLED: &str = "concept-named-in-its-own-spelling";

/// A component of a compound concept stood twice, and is a member once.
pub const COMPONENT_REPEATED: &str = "repeated-component-dropped";

/// A compound concept has the name of an earlier row, and both are one: their counts are added,
/// their components joined, and the later time is kept.
pub const COMPOUND_MERGED: &str = "compound-of-same-name-merged";

/// A severity in another case became the lower-cased word.
pub const SEVERITY_LOWERED: &str = "severity-lower-cased";

/// A user that is the empty text became the tenant of rows that name none, as NULL does.
pub const EMPTY_USER: &str = "empty-user-became-unnamed-tenant";

/// A list that is NULL became empty.
pub const NULL_LIST: &str = "null-became-empty-list";

/// A result that is no JSON is kept as a text.
pub const PLAIN_RESULT: &str = "result-is-plain-text";

/// A result that is the JSON text `null` became none.
pub const NULL_RESULT: &str = "json-null-became-no-result";

/// Every rule.
pub const ALL: [&str; 39] = [
    TIME_ROUNDED,
    NAIVE_AS_UTC,
    NAIVE_AS_GIVEN,
    INTEGRAL_DOUBLE,
    JSON_NUMBER_ROUNDED,
    NEGATIVE_ZERO,
    NULL_METADATA,
    EMPTY_METADATA,
    JSON_NULL_METADATA,
    NULL_MARKER_IN_SOURCE,
    NULL_TITLE,
    NULL_USER,
    USER_SHARES_UNNAMED,
    NULL_SUMMARY,
    NULL_DEFAULT,
    NULL_TAGS,
    EMPTY_TAGS,
    TAG_LOWERED,
    TAG_REPEATED,
    HALF_KEY,
    SEARCH_REBUILT,
    ID_HASHED,
    ID_RESPELLED,
    NULL_TENANT,
    NULL_SESSION,
    NULL_TIME,
    MESSAGE_RENUMBERED,
    TURN_STANDS,
    TURN_KEPT,
    CONCEPT_MERGED,
    CONCEPT_MADE,
    CONCEPT_RESPELLED,
    COMPONENT_REPEATED,
    COMPOUND_MERGED,
    SEVERITY_LOWERED,
    EMPTY_USER,
    NULL_LIST,
    PLAIN_RESULT,
    NULL_RESULT,
];
