-- Work that is queued, claimed by one worker at a time, and done, retried or given up.

create table tasks (
    tenant_id text collate "C" not null references tenants (id) on delete cascade,
    id uuid not null,
    name text collate "C" not null check (octet_length(name) between 1 and 512),
    task_type text collate "C" not null check (octet_length(task_type) between 1 and 512),
    status text collate "C" not null check (
        status in ('pending', 'running', 'completed', 'failed', 'cancelled')
    ),
    priority bigint not null,
    attempts bigint not null check (attempts >= 0),
    max_retries bigint not null check (max_retries >= 0),
    arguments jsonb not null check (jsonb_typeof(arguments) = 'object'),
    result jsonb check (jsonb_typeof(result) <> 'null'),
    error text,
    traceback text,
    external_id text collate "C" check (octet_length(external_id) between 1 and 512),
    -- Who has it, or had it last; and until when, while somebody has it.
    claimed_by text collate "C" check (octet_length(claimed_by) between 1 and 512),
    claimed_until timestamptz,
    created_at timestamptz not null,
    started_at timestamptz,
    completed_at timestamptz,
    primary key (tenant_id, id),
    check (claimed_until is null or (status = 'running' and claimed_by is not null))
);

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
