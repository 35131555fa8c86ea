//! AI-PAL: measurements of a person's agency (`ari_snapshots`), goals (`ffe_goals`), background tasks
//! (`background_tasks`) and requests to patch its own code (`patch_requests`).
//!
//! The system made its tables over several starts, so a file may have any of them. The business key
//! (`snapshot_id`, `goal_id`, `task_id`, `request_id`) is the id; the integer id has no place. `user_id` is the tenant, NULL
//! the tenant of rows that name none. Times have no zone and are local times of the machine.

mod agency;
pub(crate) mod audit;
mod goal;
mod patch;
mod task;

use memory_domain::{InvalidInput, Record, TenantId, Timestamp};

use crate::catalog::Place;
use crate::cells::Cells;
use crate::format::{Format, MappedColumn, MappedTable};
use crate::inverse::SourceValue;
use crate::reading::{Reading, Sink, Stop};
use crate::rules;
use crate::standing::{self, Rows};

use agency::Snapshots;
use goal::Goals;
use patch::Patches;
use task::Tasks;

/// The reader of AI-PAL's databases.
pub(crate) struct AiPal;

const SNAPSHOTS: usize = 0;
const GOALS: usize = 1;
const TASKS: usize = 2;
const PATCHES: usize = 3;

/// Where an integer id goes.
const BY_KEY: &str = "no place: the other id identifies";

/// Where a duration goes.
const BY_TIMES: &str = "no place: the difference of two times";

static TABLES: [MappedTable; 4] = [
    MappedTable {
        name: "ari_snapshots",
        columns: &[
            MappedColumn::required("snapshot_id", "agency_snapshots.id"),
            MappedColumn::optional("id", BY_KEY),
            MappedColumn::required("user_id", "agency_snapshots.tenant_id"),
            MappedColumn::required("timestamp", "agency_snapshots.taken_at"),
            MappedColumn::required("decision_quality", "agency_snapshots.decision_quality"),
            MappedColumn::required("skill_development", "agency_snapshots.skill_development"),
            MappedColumn::required("ai_reliance", "agency_snapshots.ai_reliance"),
            MappedColumn::required(
                "bottleneck_resolution",
                "agency_snapshots.bottleneck_resolution",
            ),
            MappedColumn::required("user_confidence", "agency_snapshots.user_confidence"),
            MappedColumn::required("engagement", "agency_snapshots.engagement"),
            MappedColumn::required(
                "autonomy_perception",
                "agency_snapshots.autonomy_perception",
            ),
            MappedColumn::required("autonomy_retention", "agency_snapshots.autonomy_retention"),
            MappedColumn::required("delta_agency", "agency_snapshots.delta_agency"),
            MappedColumn::optional("task_description", "agency_snapshots.task_description"),
            MappedColumn::optional("task_complexity", "agency_snapshots.task_complexity"),
        ],
    },
    MappedTable {
        name: "ffe_goals",
        columns: &[
            MappedColumn::required("goal_id", "goals.id"),
            MappedColumn::optional("id", BY_KEY),
            MappedColumn::required("user_id", "goals.tenant_id"),
            MappedColumn::required("created_at", "goals.created_at"),
            MappedColumn::required("description", "goals.description"),
            MappedColumn::required("importance", "goals.importance"),
            MappedColumn::required("complexity_level", "goals.complexity"),
            MappedColumn::optional("estimated_value", "goals.estimated_value"),
            MappedColumn::optional("status", "goals.status"),
            MappedColumn::optional("completed_at", "goals.completed_at"),
            MappedColumn::optional("deadline", "goals.deadline"),
        ],
    },
    MappedTable {
        name: "background_tasks",
        columns: &[
            MappedColumn::required("task_id", "tasks.id"),
            MappedColumn::optional("id", BY_KEY),
            MappedColumn::required("task_name", "tasks.name"),
            MappedColumn::optional("user_id", "tasks.tenant_id"),
            MappedColumn::required("task_type", "tasks.task_type"),
            MappedColumn::required("status", "tasks.status"),
            MappedColumn::required("priority", "tasks.priority"),
            MappedColumn::required("created_at", "tasks.created_at"),
            MappedColumn::optional("started_at", "tasks.started_at"),
            MappedColumn::optional("completed_at", "tasks.completed_at"),
            MappedColumn::optional("result", "tasks.result"),
            MappedColumn::optional("error_message", "tasks.error"),
            MappedColumn::optional("error_traceback", "tasks.traceback"),
            MappedColumn::required("attempts", "tasks.attempts"),
            MappedColumn::required("max_retries", "tasks.max_retries"),
            MappedColumn::optional("args", "tasks.arguments.args"),
            MappedColumn::optional("kwargs", "tasks.arguments.kwargs"),
            MappedColumn::optional("duration_seconds", BY_TIMES),
            MappedColumn::optional("celery_task_id", "tasks.external_id"),
        ],
    },
    MappedTable {
        name: "patch_requests",
        columns: &[
            MappedColumn::required("request_id", "patch_requests.id"),
            MappedColumn::optional("id", BY_KEY),
            MappedColumn::required("created_at", "patch_requests.created_at"),
            MappedColumn::required("target_file", "patch_requests.target_file"),
            MappedColumn::required("reasoning", "patch_requests.reasoning"),
            MappedColumn::required("diff", "patch_requests.diff"),
            MappedColumn::required("new_code_blob", "patch_requests.new_code"),
            MappedColumn::required("component", "patch_requests.component"),
            MappedColumn::required("improvement_type", "patch_requests.improvement_type"),
            MappedColumn::required("confidence", "patch_requests.confidence"),
            MappedColumn::required("status", "patch_requests.status"),
            MappedColumn::optional("reviewed_at", "patch_requests.reviewed_at"),
            MappedColumn::optional("reviewed_by", "patch_requests.reviewed_by"),
            MappedColumn::optional("review_comment", "patch_requests.review_comment"),
            MappedColumn::optional("applied_at", "patch_requests.applied_at"),
            MappedColumn::optional("application_error", "patch_requests.application_error"),
            MappedColumn::optional("feedback_ids", "patch_requests.feedback_ids"),
            MappedColumn::optional("metrics", "patch_requests.metrics"),
        ],
    },
];

impl Format for AiPal {
    fn tables(&self) -> &'static [MappedTable] {
        &TABLES
    }

    fn one_table_is_enough(&self) -> bool {
        true
    }

    fn read(&self, reading: &Reading<'_>, sink: &mut Sink) -> Result<(), Stop> {
        let mut tables: Vec<Box<dyn Rows<'_> + '_>> = Vec::new();
        if let Some(mapped) = reading.optional_table(SNAPSHOTS)? {
            tables.push(Box::new(Snapshots::new(reading, mapped)));
        }
        if let Some(mapped) = reading.optional_table(GOALS)? {
            tables.push(Box::new(Goals::new(reading, mapped)));
        }
        if let Some(mapped) = reading.optional_table(TASKS)? {
            tables.push(Box::new(Tasks::new(reading, mapped)));
        }
        if let Some(mapped) = reading.optional_table(PATCHES)? {
            tables.push(Box::new(Patches::new(reading, mapped)));
        }
        standing::read(reading, &tables, sink)
    }

    fn inverse<'r>(
        &self,
        record: &'r Record,
        unnamed: &TenantId,
    ) -> Vec<(&'static str, SourceValue<'r>)> {
        match record {
            Record::AgencySnapshot(snapshot) => agency::inverse(snapshot, unnamed),
            Record::Goal(goal) => goal::inverse(goal, unnamed),
            Record::Task(task) => task::inverse(task, unnamed),
            Record::PatchRequest(patch) => patch::inverse(patch),
            _ => Vec::new(),
        }
    }
}

/// The tenant that a row's user is.
fn tenant(
    cells: &mut Cells<'_>,
    user_id: Place,
    unnamed: &TenantId,
) -> Result<TenantId, InvalidInput> {
    let Some(user) = cells.optional_text(user_id)? else {
        return Ok(unnamed.clone());
    };
    if user.is_empty() {
        cells.rule(rules::EMPTY_USER, user_id, "", unnamed.as_str());
        return Ok(unnamed.clone());
    }
    if user == unnamed.as_str() {
        cells.rule(rules::USER_SHARES_UNNAMED, user_id, user, user);
    }
    TenantId::new(user).map_err(|error| InvalidInput::new(user_id.name, user, error.problem))
}

/// The user that a tenant was.
fn user<'r>(tenant: &'r TenantId, unnamed: &TenantId) -> SourceValue<'r> {
    if tenant == unnamed {
        SourceValue::Null
    } else {
        SourceValue::Text(tenant.as_str())
    }
}

fn text(text: Option<&str>) -> SourceValue<'_> {
    text.map_or(SourceValue::Null, SourceValue::Text)
}

fn time(time: Option<Timestamp>) -> SourceValue<'static> {
    time.map_or(SourceValue::Null, SourceValue::Time)
}
