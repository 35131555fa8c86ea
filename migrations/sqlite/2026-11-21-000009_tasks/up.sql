-- Work that is queued, claimed by one worker at a time, and done, retried or given up.

create table tasks (
    tenant_id text not null references tenants (id) on delete cascade,
    id blob not null check (length(id) = 16),
    name text not null check (length(cast(name as blob)) between 1 and 512),
    task_type text not null check (length(cast(task_type as blob)) between 1 and 512),
    status text not null check (
        status in ('pending', 'running', 'completed', 'failed', 'cancelled')
    ),
    priority integer not null,
    attempts integer not null check (attempts >= 0),
    max_retries integer not null check (max_retries >= 0),
    arguments text not null check (json_type(arguments) = 'object'),
    result text check (json_type(result) <> 'null'),
    error text,
    traceback text,
    external_id text check (length(cast(external_id as blob)) between 1 and 512),
    -- Who has it, or had it last; and until when, while somebody has it.
    claimed_by text check (length(cast(claimed_by as blob)) between 1 and 512),
    claimed_until integer,
    created_at integer not null,
    started_at integer,
    completed_at integer,
    primary key (tenant_id, id),
    check (claimed_until is null or (status = 'running' and claimed_by is not null))
) strict;

-- For the listings: of all, of one status.
create index tasks_by_creation on tasks (tenant_id, created_at desc, id desc);
create index tasks_by_status on tasks (tenant_id, status, created_at desc, id desc);
create index tasks_by_external_id on tasks (tenant_id, external_id, created_at desc, id desc)
    where external_id is not null;
-- For claiming: what waits or runs, in the order in which it is claimed.
create index tasks_to_claim on tasks (tenant_id, priority desc, created_at, id, task_type)
    where status in ('pending', 'running');
-- For deleting what has been over for long.
create index tasks_finished on tasks (tenant_id, coalesce(completed_at, created_at))
    where status in ('completed', 'failed', 'cancelled');
