//! Random use: the same operations on the model and on stores, everything readable compared.

mod activity;
mod agreement;
mod call;
mod compare;
mod goals;
mod open;
mod recorded;
mod strategy;

use memory_storage::MemoryStore;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

pub use agreement::agrees_with_model;
pub use call::{Call, Operation};
pub use strategy::operations;

use crate::run::runtime;
use crate::support::{at, tenant};
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

/// Writes messages and nodes at random: the same for the same seed. What is refused is refused.
pub async fn use_at_random(store: &dyn MemoryStore, seed: u8) {
    let seed = [seed; 32];
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    let tenant = tenant("ada");
    for step in 0..120 {
        let call = strategy::writes().new_tree(&mut runner);
        let call = call.expect("nothing is filtered").current();
        // A refusal writes nothing, which is what is looked at.
        let _ = call.make(store, &tenant, at(step * 86_400)).await;
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
    const OUTCOMES: &str = "CreateTenant Conflict, CreateTenant Ok, SetTenantMetadata NotFound,
        SetTenantMetadata Ok, CreateSession Conflict, CreateSession Ok, RenameSession NotFound,
        RenameSession Ok, SetSessionMetadata NotFound, SetSessionMetadata Ok,
        DeleteSession NotFound, DeleteSession Ok, ClearSession NotFound, ClearSession Ok,
        Append Conflict, Append MissingReference, Append Ok, Remember Conflict, Remember Ok,
        UpdateNode Invalid, UpdateNode NotFound, UpdateNode Ok, ForgetNode NotFound,
        ForgetNode Ok, ForgetOlderThan Ok, RecordAccess NotFound, RecordAccess Ok,
        Relate Conflict, Relate MissingReference, Relate Ok, Reinforce Conflict,
        Reinforce MissingReference, Reinforce Ok, Unrelate NotFound, Unrelate Ok,
        Prune Invalid, Prune Ok, RecordCompound Conflict, RecordCompound Invalid,
        RecordCompound MissingReference, RecordCompound Ok, Learn Conflict, Learn Invalid,
        Learn Ok, RecordFeedback Conflict, RecordFeedback Ok, RecordDecision Conflict,
        RecordDecision Invalid, RecordDecision Ok, RecordEvents Conflict, RecordEvents Invalid,
        RecordEvents Ok, CreateTask Conflict, CreateTask Ok, ClaimTask Ok, StartTask NotFound,
        StartTask WrongState, StartTask Ok, ExtendLease NotFound, ExtendLease WrongState,
        ExtendLease Ok, FinishTask NotFound, FinishTask WrongState, FinishTask Ok,
        FailTask NotFound, FailTask WrongState, FailTask Ok, CancelTask NotFound,
        CancelTask WrongState, CancelTask Ok, DeleteFinishedTasks Ok, LogMission Conflict,
        LogMission Ok, RecordFileSnapshot Conflict, RecordFileSnapshot Ok,
        RequestPatch Conflict, RequestPatch Ok, ReviewPatch NotFound, ReviewPatch WrongState,
        ReviewPatch Ok, ApplyPatch NotFound, ApplyPatch WrongState, ApplyPatch Ok,
        FailPatch NotFound, FailPatch WrongState, FailPatch Ok, SaveGoal Invalid, SaveGoal Ok,
        SetGoalStatus NotFound, SetGoalStatus Ok, RecordAgencySnapshot Conflict,
        RecordAgencySnapshot Ok, AgencySnapshots Invalid, AgencySnapshots Ok";

    fn first_word(text: &str) -> String {
        let end = text.find(|letter: char| !letter.is_alphanumeric());
        text[..end.unwrap_or(text.len())].to_owned()
    }

    #[tokio::test]
    async fn random_use_comes_upon_every_outcome() {
        let mut runner = TestRunner::deterministic();
        let mut seen: BTreeMap<String, u32> = BTreeMap::new();
        for _ in 0..1_600 {
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
