use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use uuid::Uuid;

use super::chunk::{IndexChunk, chunks};
use super::hit::SearchPlace;
use super::tenant::TenantTerms;
use crate::{JsonObject, NewNode, Node, NodePatch};

/// In which part of an entity an indexed field is; the number is what a backend stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i16)]
pub enum IndexPlace {
    /// A node's name.
    Name = 0,
    /// A node's summary.
    Summary = 1,
    /// A node's tags.
    Tags = 2,
    /// A message's text, or a value of a node's content.
    Content = 3,
    /// A value of a node's `content.entity_data`, which a merge treats apart.
    EntityData = 4,
}

impl IndexPlace {
    /// Every place.
    pub const ALL: [IndexPlace; 5] = [
        IndexPlace::Name,
        IndexPlace::Summary,
        IndexPlace::Tags,
        IndexPlace::Content,
        IndexPlace::EntityData,
    ];

    /// The number that a backend stores.
    pub const fn number(self) -> i16 {
        self as i16
    }

    /// Where a hit says that it was found.
    pub const fn of_hit(self) -> SearchPlace {
        match self {
            IndexPlace::Name => SearchPlace::Name,
            IndexPlace::Summary => SearchPlace::Summary,
            IndexPlace::Tags => SearchPlace::Tags,
            IndexPlace::Content | IndexPlace::EntityData => SearchPlace::Content,
        }
    }
}

/// Names a field within an entity, whatever the length of its key: a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldId(pub Uuid);

impl FieldId {
    fn of(kind: &str, key: &str) -> FieldId {
        let mut hasher = blake3::Hasher::new();
        hasher
            .update(kind.as_bytes())
            .update(&[0])
            .update(key.as_bytes());
        let mut id = [0; 16];
        id.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        FieldId(Uuid::from_bytes(id))
    }
}

/// Stands for all of `content.entity_data` where fields to be replaced are listed.
pub const ALL_ENTITY_DATA: FieldId = FieldId(Uuid::max());

const ENTITY_DATA: &str = "entity_data";

/// The texts of a node, or those that a new node or a patch gives.
#[derive(Debug, Clone, Copy, Default)]
pub struct Indexed<'a> {
    name: Option<&'a str>,
    summary: Option<&'a str>,
    tags: Option<&'a BTreeSet<String>>,
    content: Option<&'a JsonObject>,
}

impl<'a> From<&'a Node> for Indexed<'a> {
    fn from(node: &'a Node) -> Indexed<'a> {
        Indexed {
            name: node.name.as_deref(),
            summary: Some(&node.summary),
            tags: Some(&node.tags),
            content: Some(&node.content),
        }
    }
}

impl<'a> From<&'a NewNode> for Indexed<'a> {
    fn from(node: &'a NewNode) -> Indexed<'a> {
        Indexed {
            name: node.name.as_deref(),
            summary: Some(&node.summary),
            tags: Some(&node.tags),
            content: Some(&node.content),
        }
    }
}

impl<'a> From<&'a NodePatch> for Indexed<'a> {
    fn from(patch: &'a NodePatch) -> Indexed<'a> {
        Indexed {
            name: patch.name.as_ref().and_then(Option::as_deref),
            summary: patch.summary.as_deref(),
            tags: patch.tags.as_ref(),
            content: patch.content.as_ref(),
        }
    }
}

struct Field<'a> {
    place: IndexPlace,
    id: FieldId,
    values: Vec<Cow<'a, str>>,
}

impl<'a> Indexed<'a> {
    /// One field for each thing that a merge replaces by itself.
    fn fields(self) -> Vec<Field<'a>> {
        let field = |place, id, text: &'a str| Field {
            place,
            id,
            values: vec![Cow::Borrowed(text)],
        };
        let name = self
            .name
            .map(|name| field(IndexPlace::Name, name_id(), name));
        let summary = self
            .summary
            .map(|summary| field(IndexPlace::Summary, summary_id(), summary));
        let tags = self.tags.into_iter().flatten();
        let tags = tags.map(|tag| field(IndexPlace::Tags, FieldId::of("tag", tag), tag));
        let content = self.content.into_iter().flatten();
        let content = content.flat_map(|(key, value)| match (key.as_str(), value) {
            (ENTITY_DATA, Value::Object(data)) => data
                .iter()
                .map(|(key, value)| {
                    value_field(IndexPlace::EntityData, FieldId::of("entity", key), value)
                })
                .collect(),
            (ENTITY_DATA, value) => {
                vec![value_field(IndexPlace::EntityData, content_id(key), value)]
            }
            _ => vec![value_field(IndexPlace::Content, content_id(key), value)],
        });
        let fields = name.into_iter().chain(summary).chain(tags).chain(content);
        let mut fields: Vec<Field<'a>> = fields.collect();
        fields.sort_by_key(|field| (field.place, field.id));
        fields
    }

    /// The texts in which something can be found, each with its place.
    fn values(self) -> Vec<(SearchPlace, Cow<'a, str>)> {
        let with_place = |field: Field<'a>| {
            let place = field.place.of_hit();
            field.values.into_iter().map(move |value| (place, value))
        };
        self.fields().into_iter().flat_map(with_place).collect()
    }
}

fn name_id() -> FieldId {
    FieldId::of("name", "")
}

fn summary_id() -> FieldId {
    FieldId::of("summary", "")
}

fn content_id(key: &str) -> FieldId {
    FieldId::of("content", key)
}

fn value_field(place: IndexPlace, id: FieldId, value: &Value) -> Field<'_> {
    let mut values = Vec::new();
    collect(value, &mut values);
    Field { place, id, values }
}

/// Texts and numbers, objects in the order of their keys; what is true, false or null says nothing
/// by itself.
fn collect<'a>(value: &'a Value, into: &mut Vec<Cow<'a, str>>) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(number) => into.push(Cow::Owned(number.to_string())),
        Value::String(text) => into.push(Cow::Borrowed(text)),
        Value::Array(values) => values.iter().for_each(|value| collect(value, into)),
        Value::Object(object) => {
            let sorted: BTreeMap<&String, &Value> = object.iter().collect();
            for value in sorted.into_values() {
                collect(value, into);
            }
        }
    }
}

/// The chunks of a message's text.
pub fn message_chunks(tenant: &TenantTerms, content: &str) -> Vec<IndexChunk> {
    let field = FieldId(Uuid::nil());
    chunks(tenant, IndexPlace::Content, field, std::iter::once(content))
}

/// The chunks of a node's texts, field by field, so that a merge can replace what it replaces.
/// Whoever indexes a node anew as a whole wants fewer chunks: all fields of one place in one.
pub fn node_chunks(tenant: &TenantTerms, node: Indexed<'_>, by_field: bool) -> Vec<IndexChunk> {
    let mut fields = node.fields();
    if !by_field {
        let mut places: BTreeMap<SearchPlace, Field<'_>> = BTreeMap::new();
        for field in fields {
            match places.get_mut(&field.place.of_hit()) {
                Some(place) => place.values.extend(field.values),
                None => {
                    places.insert(field.place.of_hit(), field);
                }
            }
        }
        fields = places.into_values().collect();
    }
    fields
        .into_iter()
        .flat_map(|field| {
            let values = field.values.iter().map(AsRef::as_ref);
            chunks(tenant, field.place, field.id, values)
        })
        .collect()
}

/// The fields of a standing node that merging a new one replaces, which may leave them empty.
/// Tags are united, so none is replaced.
pub fn replaced_fields(new: &NewNode) -> Vec<FieldId> {
    let name = new.name.as_ref().map(|_| name_id());
    let summary = (!new.summary.is_empty()).then(summary_id);
    let mut replaced: Vec<FieldId> = name.into_iter().chain(summary).collect();
    for (key, value) in &new.content {
        match (key.as_str(), value) {
            // Key by key if an object stands, and else instead of what stands.
            (ENTITY_DATA, Value::Object(data)) => {
                replaced.push(content_id(key));
                replaced.extend(data.keys().map(|key| FieldId::of("entity", key)));
            }
            (ENTITY_DATA, _) => replaced.push(ALL_ENTITY_DATA),
            _ => replaced.push(content_id(key)),
        }
    }
    replaced
}

/// The texts of a message in which something can be found.
pub fn message_values(content: &str) -> Vec<(SearchPlace, Cow<'_, str>)> {
    vec![(SearchPlace::Content, Cow::Borrowed(content))]
}

/// The texts of a node in which something can be found, each with its place.
pub fn node_values(node: &Node) -> Vec<(SearchPlace, Cow<'_, str>)> {
    Indexed::from(node).values()
}
