//! Random use: the same operations on the model and on stores, everything readable compared.

mod agreement;
mod call;
mod compare;
mod open;
mod strategy;

use proptest::test_runner::{Config, TestCaseError, TestRunner};

pub use agreement::agrees_with_model;
pub use call::{Call, Operation};
pub use strategy::operations;

use crate::run::runtime;
use crate::{Backend, StoreOptions};

/// The variable that says how many cases are tried.
const CASES: &str = "MEMORY_PROPTEST_CASES";
/// How many are tried if it is not set: a few seconds' worth.
const FEW_CASES: u32 = 48;
/// How many steps are tried to make a failing case smaller.
const SHRINK_STEPS: u32 = 1_000;

/// Tries random operations on a store of a backend and on the model, and panics with the smallest
/// case found in which the two differ. `MEMORY_PROPTEST_CASES` says how many, by default 48.
pub fn random_use_agrees_with_model(backend: &dyn Backend) {
    random_use_of_all_agrees(&[backend]);
}

/// The same with a store of each backend: what one does, every one does.
pub fn random_use_of_all_agrees(backends: &[&dyn Backend]) {
    let cases = match std::env::var(CASES) {
        Ok(number) => number.parse().expect("MEMORY_PROPTEST_CASES is a number"),
        Err(_) => FEW_CASES,
    };
    let runtime = runtime();
    let stores: Vec<_> = backends
        .iter()
        .map(|backend| runtime.block_on(backend.open(StoreOptions::default())))
        .collect();
    let mut runner = TestRunner::new(Config {
        cases,
        max_shrink_iters: SHRINK_STEPS,
        failure_persistence: None,
        ..Config::default()
    });
    let result = runner.run(&operations(), |operations| {
        runtime
            .block_on(agrees_with_model(&stores, &operations))
            .map_err(TestCaseError::fail)
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::strategy::{Strategy, ValueTree};
    use proptest::test_runner::TestRunner;

    use super::open::is_left_open;
    use super::{Call, operations};
    use crate::Model;
    use crate::support::{at, tenant};

    /// What each verb that changes something must have been seen to give.
    const OUTCOMES: &str = "
        CreateTenant Conflict, CreateTenant Ok, SetTenantMetadata NotFound, SetTenantMetadata Ok,
        CreateSession Conflict, CreateSession Ok, RenameSession NotFound, RenameSession Ok,
        SetSessionMetadata NotFound, SetSessionMetadata Ok, DeleteSession NotFound,
        DeleteSession Ok, ClearSession NotFound, ClearSession Ok, Append Conflict,
        Append MissingReference, Append Ok, Remember Conflict, Remember Ok, UpdateNode Invalid,
        UpdateNode NotFound, UpdateNode Ok, ForgetNode NotFound, ForgetNode Ok,
        RecordAccess NotFound, RecordAccess Ok, Relate Conflict, Relate MissingReference,
        Relate Ok, Reinforce Conflict, Reinforce MissingReference, Reinforce Ok,
        Unrelate NotFound, Unrelate Ok, Prune Invalid, Prune Ok";

    fn first_word(text: &str) -> String {
        let end = text.find(|letter: char| !letter.is_alphanumeric());
        text[..end.unwrap_or(text.len())].to_owned()
    }

    #[tokio::test]
    async fn random_use_comes_upon_every_outcome() {
        let mut runner = TestRunner::deterministic();
        let mut seen: BTreeMap<String, u32> = BTreeMap::new();
        for _ in 0..200 {
            let model = Model::new();
            let mut day = 0;
            for step in operations().new_tree(&mut runner).unwrap().current() {
                day += step.days;
                let tenant = tenant(&step.tenant.to_string());
                let verb = first_word(&format!("{:?}", step.call));
                let outcome = if is_left_open(&model, &tenant, &step.call).await.unwrap() {
                    "left open".to_owned()
                } else {
                    let call: Call = step.call;
                    match call.make(&model, &tenant, at(day * 86_400)).await {
                        Ok(_) => "Ok".to_owned(),
                        Err(error) => first_word(&format!("{error:?}")),
                    }
                };
                *seen.entry(format!("{verb} {outcome}")).or_default() += 1;
            }
        }
        for wanted in OUTCOMES.split(',').map(str::trim) {
            let times = seen.get(wanted).copied().unwrap_or(0);
            assert!(times >= 10, "{wanted} was seen {times} times: {seen:#?}");
        }
    }
}
