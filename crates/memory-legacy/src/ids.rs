use std::cell::RefCell;
use std::rc::Rc;

use memory_domain::{InvalidInput, key_text};
use uuid::Uuid;

/// The namespace under which all ids made from legacy ids lie. It never changes: ids in existing
/// stores were made from it.
pub const NAMESPACE: Uuid = Uuid::from_u128(0x8f0b_7d52_3c1e_4a86_9d2f_61e4_c05b_7a93);

/// The id that a legacy id becomes: the UUID v5 of source name, table and id, each the name in the
/// namespace of the one before, `uuid5(uuid5(uuid5(NAMESPACE, source), table), id)`. Integers are
/// spelled in decimal.
pub fn legacy_id(source: &str, table: &str, id: &str) -> Uuid {
    let source = Uuid::new_v5(&NAMESPACE, source.as_bytes());
    TableIds::new(source, table).id(id)
}

/// The ids of one source.
pub(crate) struct SourceIds {
    namespace: Uuid,
    tables: RefCell<Vec<(&'static str, Rc<TableIds>)>>,
}

impl SourceIds {
    pub(crate) fn new(source: &str) -> SourceIds {
        SourceIds {
            namespace: Uuid::new_v5(&NAMESPACE, source.as_bytes()),
            tables: RefCell::default(),
        }
    }

    /// The ids of a table; the same ones, with what they remember, at every call.
    pub(crate) fn table(&self, table: &'static str) -> Rc<TableIds> {
        let mut tables = self.tables.borrow_mut();
        if let Some((_, ids)) = tables.iter().find(|(name, _)| *name == table) {
            return Rc::clone(ids);
        }
        let ids = Rc::new(TableIds::new(self.namespace, table));
        tables.push((table, Rc::clone(&ids)));
        ids
    }
}

/// The ids of one table of a source.
pub(crate) struct TableIds {
    namespace: Uuid,
    /// Ids made before, each at the place that its number leads to. A hash costs as much as the
    /// rest of a row, and a graph names the same entities again and again.
    recent: RefCell<Vec<Option<(i64, Uuid)>>>,
}

/// How many ids are remembered: 2 MB.
const RECENT: i64 = 65_536;

impl TableIds {
    fn new(source: Uuid, table: &str) -> TableIds {
        TableIds {
            namespace: Uuid::new_v5(&source, table.as_bytes()),
            recent: RefCell::default(),
        }
    }

    pub(crate) fn id(&self, id: &str) -> Uuid {
        Uuid::new_v5(&self.namespace, id.as_bytes())
    }

    pub(crate) fn integer(&self, id: i64) -> Uuid {
        let mut recent = self.recent.borrow_mut();
        let place = usize::try_from(id.rem_euclid(RECENT)).unwrap_or_default();
        if recent.len() <= place {
            // No more room than the ids need: most tables are small.
            recent.resize(place + 1, None);
        }
        match recent[place] {
            Some((known, uuid)) if known == id => uuid,
            _ => {
                let uuid = self.id(&id.to_string());
                recent[place] = Some((id, uuid));
                uuid
            }
        }
    }
}

/// Accepts the name of a source: a key text without control characters.
pub(crate) fn check_source_name(name: &str) -> Result<(), InvalidInput> {
    key_text("source-name", name)?;
    if name.chars().any(char::is_control) {
        let problem = "remove the control characters";
        return Err(InvalidInput::new("source-name", name, problem));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{RECENT, SourceIds, legacy_id};

    #[test]
    fn ids_made_from_legacy_ids_never_change() {
        // Computed with Python's uuid.uuid5.
        assert_eq!(
            legacy_id("jarvis", "entities", "42").to_string(),
            "4e1c63f1-4130-5176-8021-71a5bb392e83"
        );
    }

    #[test]
    fn a_remembered_id_is_the_one_that_was_asked_for() {
        let ids = SourceIds::new("jarvis").table("entities");
        for id in [42, 42 + RECENT, 42, 42 - RECENT, i64::MIN, i64::MAX, -1, 42] {
            let made = legacy_id("jarvis", "entities", &id.to_string());
            assert_eq!([ids.integer(id), ids.integer(id)], [made, made], "{id}");
        }
    }

    #[test]
    fn source_table_and_id_each_tell_apart() {
        let id = legacy_id("jarvis", "entities", "1");
        assert_ne!(id, legacy_id("jarvis-2", "entities", "1"));
        assert_ne!(id, legacy_id("jarvis", "relationships", "1"));
        assert_ne!(id, legacy_id("jarvis", "entities", "11"));
        assert_ne!(legacy_id("a", "bc", "d"), legacy_id("ab", "c", "d"));
    }
}
