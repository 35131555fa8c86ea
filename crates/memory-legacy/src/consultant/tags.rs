use std::collections::BTreeSet;

use memory_domain::{InvalidInput, key_text, limits};

use crate::catalog::Place;
use crate::cells::Cells;
use crate::rules;

/// A JSON array of texts as tags: lower-cased, each once.
pub(super) fn tags(cells: &mut Cells<'_>, place: Place) -> Result<BTreeSet<String>, InvalidInput> {
    let mut tags = BTreeSet::new();
    let Some(text) = cells.optional_text(place)? else {
        cells.rule(rules::NULL_TAGS, place, "NULL", "[]");
        return Ok(tags);
    };
    if text.is_empty() {
        cells.rule(rules::EMPTY_TAGS, place, "", "[]");
        return Ok(tags);
    }
    let refuse = |problem: String| InvalidInput::new(place.name, text, problem);
    let given: Vec<String> = serde_json::from_str(text)
        .map_err(|error| refuse(format!("give an array of texts: {error}")))?;
    for tag in given {
        let lowered = tag.to_lowercase();
        key_text(place.name, &lowered)?;
        if lowered != tag {
            cells.rule(rules::TAG_LOWERED, place, tag, lowered.clone());
        }
        if tags.contains(&lowered) {
            cells.rule(rules::TAG_REPEATED, place, lowered.clone(), lowered.clone());
        }
        tags.insert(lowered);
    }
    if tags.len() > limits::TAGS {
        let problem = format!("it has {} tags; keep {}", tags.len(), limits::TAGS);
        return Err(refuse(problem));
    }
    Ok(tags)
}
