//! What search finds, written in the statement that writes the message or node that it is in.

use std::collections::BTreeMap;

use diesel::sql_types::{BigInt, Integer, SmallInt, Text};
use memory_diesel::sql_types::{Id, IdValue, Instant, InstantValue};
use memory_domain::{
    ALL_ENTITY_DATA, EntityKey, FieldId, IndexChunk, IndexPlace, Indexed, NewNode, Record,
    RecordKind, TenantId, TenantTerms, Timestamp, message_chunks, node_chunks, replaced_fields,
};
use uuid::Uuid;

use crate::copy::CopyRows;
use crate::statement::Statement;
use crate::tsvector::{Lexemes, TsVector};

/// Chunks as columns, each with whom it belongs to. The trigrams of all are one array, because an
/// array of arrays of different lengths is none in SQL.
#[derive(Debug)]
pub(crate) struct Chunks<O> {
    owners: Vec<O>,
    chunks: Vec<IndexChunk>,
}

impl<O> Default for Chunks<O> {
    fn default() -> Chunks<O> {
        Chunks {
            owners: Vec::new(),
            chunks: Vec::new(),
        }
    }
}

impl<O> Chunks<O> {
    fn push(&mut self, owner: &O, chunks: Vec<IndexChunk>)
    where
        O: Clone,
    {
        self.owners.extend(chunks.iter().map(|_| owner.clone()));
        self.chunks.extend(chunks);
    }

    fn places(&self) -> Vec<i16> {
        self.chunks
            .iter()
            .map(|chunk| chunk.place.number())
            .collect()
    }

    fn fields(&self) -> Vec<IdValue> {
        self.chunks
            .iter()
            .map(|chunk| IdValue(chunk.field.0))
            .collect()
    }

    fn parts(&self) -> Vec<i32> {
        self.chunks.iter().map(|chunk| chunk.part).collect()
    }

    fn texts(&self) -> Vec<&str> {
        self.chunks
            .iter()
            .map(|chunk| chunk.text.as_str())
            .collect()
    }

    fn words(&self) -> Vec<Lexemes<'_>> {
        let lexemes = |chunk| {
            let IndexChunk { words, marks, .. }: &IndexChunk = chunk;
            Lexemes { words, marks }
        };
        self.chunks.iter().map(lexemes).collect()
    }

    /// Where the trigrams of each chunk end in the array of all, counting from 1.
    fn gram_ends(&self) -> Vec<i32> {
        let mut end = 0;
        let ends = self.chunks.iter().map(|chunk| {
            end += i32::try_from(chunk.grams.len()).expect("a statement holds less than 2 GB");
            end
        });
        ends.collect()
    }

    fn gram_counts(&self) -> Vec<i32> {
        let counts = self.chunks.iter().map(|chunk| chunk.grams.len());
        counts
            .map(|count| i32::try_from(count).expect("a chunk is bounded"))
            .collect()
    }

    fn grams(&self) -> Vec<i32> {
        let grams = self.chunks.iter().flat_map(|chunk| &chunk.grams);
        grams.copied().collect()
    }

    /// Gives the columns that both kinds have, the last of each.
    fn bind<'a>(&'a self, statement: Statement<'a>) -> Statement<'a> {
        statement
            .array::<Integer, _>(self.parts())
            .array::<Text, _>(self.texts())
            .array::<TsVector, _>(self.words())
            .array::<Integer, _>(self.gram_counts())
            .array::<Integer, _>(self.gram_ends())
    }
}

/// The chunks of messages, by the message's id.
pub(crate) type MessageChunks = Chunks<Uuid>;

impl MessageChunks {
    pub(crate) fn of<'m>(
        tenant: &TenantId,
        messages: impl Iterator<Item = (Uuid, &'m str)>,
    ) -> MessageChunks {
        let terms = TenantTerms::of(tenant);
        let mut chunks = MessageChunks::default();
        for (id, content) in messages {
            chunks.push(&id, message_chunks(&terms, content));
        }
        chunks
    }

    /// Gives seven parameters: all grams; and the columns ids, parts, texts, words, gram counts and
    /// gram ends.
    pub(crate) fn bind_to<'a>(&'a self, statement: Statement<'a>) -> Statement<'a> {
        let owners = self.owners.iter().map(|id| IdValue(*id)).collect();
        let statement = statement.array::<Integer, _>(self.grams());
        self.bind(statement.array::<Id, _>(owners))
    }
}

/// The chunks of nodes, by a number that says which node.
pub(crate) type NodeChunks = Chunks<i64>;

impl NodeChunks {
    /// The chunks of one node, or of what a patch gives.
    pub(crate) fn of_one(tenant: &TenantId, node: Indexed<'_>) -> NodeChunks {
        let mut chunks = NodeChunks::default();
        chunks.push(&1, node_chunks(&TenantTerms::of(tenant), node, true));
        chunks
    }

    /// Gives nine parameters: all grams; and the columns numbers, places, fields, parts, texts,
    /// words, gram counts and gram ends.
    pub(crate) fn bind_to<'a>(&'a self, statement: Statement<'a>) -> Statement<'a> {
        let statement = statement
            .array::<Integer, _>(self.grams())
            .array::<BigInt, _>(self.owners.clone())
            .array::<SmallInt, _>(self.places())
            .array::<Id, _>(self.fields());
        self.bind(statement)
    }
}

/// The chunks of records that stand as they are given.
pub(crate) type RecordChunks = Chunks<(TenantId, Uuid, Timestamp)>;

const INDEX_MESSAGES: &str = "insert into message_chunks
        (tenant_id, message_id, part, created_at, text, words, grams)
    select tenant_id, id, part, created_at, text, words,
        ($1::integer[])[gram_end - gram_count + 1 : gram_end]
    from unnest($2, $3, $4, $5, $6, $7, $8, $9)
        as new (tenant_id, id, created_at, part, text, words, gram_count, gram_end)";

const INDEX_NODES: &str = "insert into node_chunks
        (tenant_id, node_id, part, created_at, text, words, grams, place, field)
    select tenant_id, id, part, created_at, text, words,
        ($1::integer[])[gram_end - gram_count + 1 : gram_end], place, field
    from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11) as new (
        tenant_id, id, created_at, part, text, words, gram_count, gram_end, place, field
    )";

impl RecordChunks {
    pub(crate) fn of<'r>(records: impl Iterator<Item = &'r Record>) -> RecordChunks {
        let mut all = RecordChunks::default();
        let mut last: Option<(&TenantId, TenantTerms)> = None;
        for record in records {
            let tenant = record.tenant_id();
            if last.as_ref().is_none_or(|(of, _)| *of != tenant) {
                last = Some((tenant, TenantTerms::of(tenant)));
            }
            let Some((_, terms)) = &last else {
                continue;
            };
            match record {
                Record::Message(message) => {
                    let id = message.id.uuid();
                    let owner = (message.tenant_id.clone(), id, message.created_at);
                    all.push(&owner, message_chunks(terms, &message.content));
                }
                Record::Node(node) => {
                    let owner = (node.tenant_id.clone(), node.id.uuid(), node.created_at);
                    all.push(&owner, node_chunks(terms, Indexed::from(node), true));
                }
                _ => {}
            }
        }
        all
    }

    /// The table and the columns that [`RecordChunks::copy`] gives, where records of a kind have
    /// chunks.
    pub(crate) const fn copied(kind: RecordKind) -> Option<&'static str> {
        match kind {
            RecordKind::Message => {
                Some("message_chunks (tenant_id, message_id, created_at, part, text, words, grams)")
            }
            RecordKind::Node => Some(
                "node_chunks (tenant_id, node_id, created_at, part, text, words, grams, place, field)",
            ),
            _ => None,
        }
    }

    /// Adds them to what is copied; all are of one kind.
    pub(crate) fn copy(&self, kind: RecordKind, rows: &mut CopyRows) {
        for ((tenant, id, at), chunk) in std::iter::zip(&self.owners, &self.chunks) {
            let IndexChunk { words, marks, .. } = chunk;
            let is_node = kind == RecordKind::Node;
            rows.begin(if is_node { 9 } else { 7 });
            rows.value(tenant.as_str());
            rows.value(id);
            rows.value(&InstantValue(*at));
            rows.value(&chunk.part);
            rows.value(&chunk.text);
            rows.value(&Lexemes { words, marks });
            rows.value(chunk.grams.as_slice());
            if is_node {
                rows.value(&chunk.place.number());
                rows.value(&chunk.field.0);
            }
        }
    }

    /// The statement that writes them, if there are any: all are of one kind.
    pub(crate) fn statement(&self, kind: RecordKind) -> Option<Statement<'_>> {
        let sql = match kind {
            RecordKind::Message => INDEX_MESSAGES,
            RecordKind::Node => INDEX_NODES,
            _ => return None,
        };
        if self.chunks.is_empty() {
            return None;
        }
        let owners = || self.owners.iter();
        let statement = Statement::writing("indexing records", sql)
            .array::<Integer, _>(self.grams())
            .array::<Text, _>(owners().map(|(tenant, ..)| tenant.as_str()).collect())
            .array::<Id, _>(owners().map(|(_, id, _)| IdValue(*id)).collect())
            .array::<Instant, _>(owners().map(|(.., at)| InstantValue(*at)).collect());
        let statement = self.bind(statement);
        Some(match kind {
            RecordKind::Node => statement
                .array::<SmallInt, _>(self.places())
                .array::<Id, _>(self.fields()),
            _ => statement,
        })
    }
}

/// What remembering a batch writes: the chunks as they stand when all of it is merged, and the
/// fields that merging takes away before. Both name a node by its place in the batch, from 1.
#[derive(Debug, Default)]
pub(crate) struct RememberedIndex {
    chunks: NodeChunks,
    replaced: Vec<(i64, FieldId)>,
}

impl RememberedIndex {
    pub(crate) fn of(tenant: &TenantId, nodes: &[NewNode]) -> RememberedIndex {
        let terms = TenantTerms::of(tenant);
        let mut remembered = RememberedIndex::default();
        let mut by_key: BTreeMap<(&str, &str), (i64, Fields)> = BTreeMap::new();
        for (place, node) in (1..).zip(nodes) {
            let chunks = node_chunks(&terms, Indexed::from(node), true);
            let Some(key) = &node.key else {
                remembered.chunks.push(&place, chunks);
                continue;
            };
            let replaced = replaced_fields(node);
            let key = (EntityKey::system(key), EntityKey::id(key));
            let (place, fields) = by_key.entry(key).or_insert((place, Fields::default()));
            remembered
                .replaced
                .extend(replaced.iter().map(|field| (*place, *field)));
            fields.merge(&replaced, chunks);
        }
        for (place, fields) in by_key.into_values() {
            for chunks in fields.0.into_values() {
                remembered.chunks.push(&place, chunks);
            }
        }
        remembered
    }

    /// Gives eleven parameters: the columns of what is replaced, numbers and fields, and the chunks.
    pub(crate) fn bind_to<'a>(&'a self, statement: Statement<'a>) -> Statement<'a> {
        let numbers = self.replaced.iter().map(|(number, _)| *number).collect();
        let fields = self.replaced.iter().map(|(_, field)| IdValue(field.0));
        let statement = statement
            .array::<BigInt, _>(numbers)
            .array::<Id, _>(fields.collect());
        self.chunks.bind_to(statement)
    }
}

/// The fields of several nodes of one key, as they are when those are merged in their order.
#[derive(Debug, Default)]
struct Fields(BTreeMap<(IndexPlace, FieldId), Vec<IndexChunk>>);

impl Fields {
    fn merge(&mut self, replaced: &[FieldId], chunks: Vec<IndexChunk>) {
        self.0.retain(|(place, field), _| {
            let entity_data = *place == IndexPlace::EntityData;
            !(replaced.contains(field) || entity_data && replaced.contains(&ALL_ENTITY_DATA))
        });
        // A tag that is there already is the same tag.
        let mut new: BTreeMap<(IndexPlace, FieldId), Vec<IndexChunk>> = BTreeMap::new();
        for chunk in chunks {
            new.entry((chunk.place, chunk.field))
                .or_default()
                .push(chunk);
        }
        self.0.extend(new);
    }
}
