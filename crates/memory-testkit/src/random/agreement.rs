use std::sync::Arc;

use memory_domain::{JsonObject, NodeId, TenantId, Timestamp};
use memory_storage::{MemoryStore, Storage, StorageError, UnitOfWork};

use super::call::Outcome;
use super::compare::compare_everything;
use super::open::is_left_open;
use super::strategy::TENANTS;
use super::{Call, Operation};
use crate::Model;
use crate::support::{at, tenant};

const SECONDS_PER_DAY: i64 = 86_400;

/// Makes the same calls on a model and on stores, and compares what each gives and, in the end,
/// everything that can be read. The tenants are new each time, so a store may hold other things.
///
/// # Errors
/// Where a store differs from the model, for a person to read.
pub async fn agrees_with_model(
    stores: &[Arc<dyn Storage>],
    operations: &[Operation],
) -> Result<(), String> {
    let mut world = World {
        // A new id tells this run's tenants from those of others.
        tenants: TENANTS.map(|name| tenant(&format!("{}/{name}", NodeId::generate()))),
        model: Model::new(),
        stores,
        work: None,
        day: 0,
    };
    for operation in operations {
        world.day += operation.days;
        world.step(operation).await?;
    }
    world.end_work(Call::Drop).await?;
    compare_everything(&world.model, stores, &world.tenants, world.now()).await
}

struct World<'a> {
    tenants: [TenantId; TENANTS.len()],
    model: Model,
    stores: &'a [Arc<dyn Storage>],
    work: Option<Work>,
    day: i64,
}

/// A unit of work on each store, and what the model would be if it were committed.
struct Work {
    model: Model,
    works: Vec<Box<dyn UnitOfWork>>,
}

impl World<'_> {
    fn now(&self) -> Timestamp {
        at(self.day * SECONDS_PER_DAY)
    }

    async fn step(&mut self, operation: &Operation) -> Result<(), String> {
        match &operation.call {
            Call::Begin if self.work.is_none() => self.begin().await,
            Call::Begin => Ok(()),
            Call::Commit | Call::Rollback | Call::Drop => {
                self.end_work(operation.call.clone()).await
            }
            call => self.call(operation.tenant, call).await,
        }
    }

    async fn begin(&mut self) -> Result<(), String> {
        let mut works = Vec::new();
        for store in self.stores {
            works.push(
                store
                    .begin()
                    .await
                    .map_err(|error| format!("begin: {error:?}"))?,
            );
        }
        let model = self.model.fork();
        self.work = Some(Work { model, works });
        Ok(())
    }

    async fn end_work(&mut self, how: Call) -> Result<(), String> {
        let Some(work) = self.work.take() else {
            return Ok(());
        };
        for (unit, store) in work.works.into_iter().zip(self.stores) {
            let ended = match how {
                Call::Commit => unit.commit().await,
                Call::Rollback => unit.rollback().await,
                _ => drop_and_wait(unit, &**store, self.now()).await,
            };
            ended.map_err(|error| format!("{how:?}: {error:?}"))?;
        }
        if matches!(how, Call::Commit) {
            self.model = work.model;
        }
        Ok(())
    }

    async fn call(&self, tenant: usize, call: &Call) -> Result<(), String> {
        let tenant = &self.tenants[tenant];
        let (model, stores): (&Model, Vec<&dyn MemoryStore>) = if let Some(work) = &self.work {
            let works = work.works.iter();
            (
                &work.model,
                works.map(|unit| &**unit as &dyn MemoryStore).collect(),
            )
        } else {
            let stores = self.stores.iter();
            (
                &self.model,
                stores.map(|store| &**store as &dyn MemoryStore).collect(),
            )
        };
        let open = is_left_open(model, tenant, call).await;
        if open.map_err(|error| format!("{call:?}: {error:?}"))? {
            return Ok(());
        }
        let wanted = answer(call.clone().make(model, tenant, self.now()).await);
        for (place, store) in stores.into_iter().enumerate() {
            let found = answer(call.clone().make(store, tenant, self.now()).await);
            if found != wanted {
                return Err(format!(
                    "store {place} differs on {call:#?}\nit gave {found:#?}\nwanted is {wanted:#?}"
                ));
            }
        }
        Ok(())
    }
}

/// Drops a work and waits until it is undone: nobody else does, but whoever claims a task passes over
/// those that a transaction holds.
async fn drop_and_wait(
    unit: Box<dyn UnitOfWork>,
    store: &dyn Storage,
    now: Timestamp,
) -> Result<(), StorageError> {
    let mark = tenant(&NodeId::generate().to_string());
    let held = unit.create_tenant(&mark, JsonObject::new(), now).await;
    drop(unit);
    if held.is_ok() {
        // It waits for the other one, which is undone.
        store.create_tenant(&mark, JsonObject::new(), now).await?;
    }
    Ok(())
}

/// What is compared of a result: of a refusal the variant, of another failure everything, so that
/// it is seen.
fn answer(result: Result<Outcome, StorageError>) -> Result<Outcome, String> {
    result.map_err(|error| match error {
        StorageError::Invalid(_) => "Invalid".to_owned(),
        StorageError::NotFound { .. } => "NotFound".to_owned(),
        StorageError::Conflict { .. } => "Conflict".to_owned(),
        StorageError::WrongState(error) => format!("{error:?}"),
        StorageError::MissingReference { .. } => "MissingReference".to_owned(),
        other => format!("{other:?}"),
    })
}
