use serde_json::{Map, Number, Value};

use crate::InvalidInput;
use crate::limits::JSON_DEPTH;

/// A free-form JSON object.
pub type JsonObject = Map<String, Value>;

/// Brings an object into the one form that both backends give back unchanged.
///
/// Integral doubles that fit 64 bits become integers (so −0.0 becomes 0). An integer beyond 64 bits
/// that serde_json read has become a double before it gets here, unless its `arbitrary_precision` is
/// on; who must not lose its digits keeps it as a text.
///
/// # Errors
/// Integers beyond 64 bits, where they can still be told, U+0000 in a text or key, and nesting over 64 levels are refused, with
/// the path of the value, led by `field`.
pub fn normalise(field: &str, object: &mut JsonObject) -> Result<(), InvalidInput> {
    let mut path = Path::new(field);
    normalise_object(&mut path, object)
}

/// Brings a value of any kind into that form.
pub(crate) fn normalise_any(field: &str, value: &mut Value) -> Result<(), InvalidInput> {
    normalise_value(&mut Path::new(field), value)
}

/// Whether `whole` contains `part` in the sense of PostgreSQL's `jsonb @>`: every key of an object
/// is there with a value that contains the part's; every element of an array is contained in some
/// element; scalars are equal.
///
/// Source: PostgreSQL documentation, "jsonb Containment and Existence". The exception for a lone
/// scalar against a top-level array cannot arise, because both are objects.
pub fn contains(whole: &JsonObject, part: &JsonObject) -> bool {
    part.iter().all(|(key, part)| {
        whole
            .get(key)
            .is_some_and(|whole| value_contains(whole, part))
    })
}

fn value_contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => contains(whole, part),
        (Value::Array(whole), Value::Array(part)) => part
            .iter()
            .all(|part| whole.iter().any(|whole| value_contains(whole, part))),
        (whole, part) => whole == part,
    }
}

/// The way from the field down to the value at hand; rendered only when something is refused.
struct Path<'a> {
    field: &'a str,
    steps: Vec<String>,
}

impl<'a> Path<'a> {
    fn new(field: &'a str) -> Self {
        let steps = Vec::new();
        Path { field, steps }
    }

    fn refuse(&self, value: impl std::fmt::Display, problem: &str) -> InvalidInput {
        InvalidInput::new(
            format!("{}{}", self.field, self.steps.concat()),
            value,
            problem,
        )
    }

    fn depth(&self) -> usize {
        self.steps.len() + 1
    }
}

fn normalise_object(path: &mut Path<'_>, object: &mut JsonObject) -> Result<(), InvalidInput> {
    check_depth(path)?;
    for (key, value) in object {
        if key.contains('\0') {
            return Err(path.refuse(key, "remove the character U+0000 from the key"));
        }
        path.steps.push(format!(".{key}"));
        normalise_value(path, value)?;
        path.steps.pop();
    }
    Ok(())
}

fn normalise_value(path: &mut Path<'_>, value: &mut Value) -> Result<(), InvalidInput> {
    match value {
        Value::String(text) if text.contains('\0') => {
            Err(path.refuse(text, "remove the character U+0000"))
        }
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
        Value::Number(number) => normalise_number(path, number),
        Value::Object(object) => normalise_object(path, object),
        Value::Array(values) => {
            check_depth(path)?;
            for (index, value) in values.iter_mut().enumerate() {
                path.steps.push(format!("[{index}]"));
                normalise_value(path, value)?;
                path.steps.pop();
            }
            Ok(())
        }
    }
}

fn check_depth(path: &Path<'_>) -> Result<(), InvalidInput> {
    if path.depth() <= JSON_DEPTH {
        return Ok(());
    }
    let problem = format!("nest at most {JSON_DEPTH} levels");
    Err(InvalidInput::new(
        path.field,
        format!("{} levels deep", path.depth()),
        problem,
    ))
}

/// 2⁶³ and 2⁶⁴ as doubles: the ends of what 64 bits hold.
const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;
const TWO_TO_64: f64 = 18_446_744_073_709_551_616.0;

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the ranges were compared just before, and the fraction is zero"
)]
fn normalise_number(path: &Path<'_>, number: &mut Number) -> Result<(), InvalidInput> {
    if number.is_i64() || number.is_u64() {
        return Ok(());
    }
    // Only with serde_json's `arbitrary_precision`, which another crate may switch on, does an
    // integer that fits neither i64 nor u64 get this far.
    if !number.to_string().contains(['.', 'e', 'E']) {
        return Err(path.refuse(&number, "give an integer of at most 64 bits, or a text"));
    }
    let double = number
        .as_f64()
        .filter(|double| double.is_finite())
        .ok_or_else(|| path.refuse(&number, "give a finite number"))?;
    *number = if double.fract() != 0.0 || !(-TWO_TO_63..TWO_TO_64).contains(&double) {
        Number::from_f64(double).expect("finite, as checked")
    } else if double < TWO_TO_63 {
        Number::from(double as i64)
    } else {
        Number::from(double as u64)
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{JsonObject, contains, normalise};

    fn object(value: Value) -> JsonObject {
        match value {
            Value::Object(object) => object,
            other => panic!("{other} is no object"),
        }
    }

    #[test]
    fn integral_doubles_become_integers() {
        let mut given = object(json!({"a": 1.0, "b": -0.0, "c": 1.5, "d": 1e300, "e": 1.8e19}));
        normalise("metadata", &mut given).unwrap();
        let wanted =
            json!({"a": 1, "b": 0, "c": 1.5, "d": 1e300, "e": 18_000_000_000_000_000_000_u64});
        assert_eq!(Value::Object(given), wanted);
    }

    #[test]
    fn u0000_is_refused_with_its_path() {
        let mut given = object(json!({"a": [1, {"b": "x\0"}]}));
        let error = normalise("metadata", &mut given).unwrap_err();
        assert_eq!(error.field, "metadata.a[1].b");
        let mut given = object(json!({"a": {"k\0": 1}}));
        assert_eq!(
            normalise("content", &mut given).unwrap_err().field,
            "content.a"
        );
    }

    #[test]
    fn nesting_is_bounded_at_64() {
        let nested = |levels: usize| {
            let inner = (1..levels).fold(json!(1), |inner, _| json!([inner]));
            object(json!({"a": inner}))
        };
        assert!(normalise("metadata", &mut nested(64)).is_ok());
        let error = normalise("metadata", &mut nested(65)).unwrap_err();
        assert!(error.problem.contains("64"), "{error}");
    }

    #[test]
    fn containment_is_that_of_jsonb() {
        let whole = object(json!({"a": {"b": 1, "c": [1, 2, {"d": 3}]}, "e": null}));
        for part in [
            json!({}),
            json!({"a": {}}),
            json!({"a": {"b": 1}}),
            json!({"a": {"c": [2]}}),
            json!({"a": {"c": []}}),
            json!({"a": {"c": [{"d": 3}, 1, 1]}}),
            json!({"e": null}),
        ] {
            assert!(contains(&whole, &object(part.clone())), "{part}");
        }
        for part in [
            json!({"a": {"b": 2}}),
            json!({"a": {"c": 1}}),
            json!({"a": {"c": [3]}}),
            json!({"x": null}),
            json!({"e": {}}),
        ] {
            assert!(!contains(&whole, &object(part.clone())), "{part}");
        }
    }
}
