-- What was carried into this store, by which run. The operator's, not a tenant's.

create table transfer_runs (
    id uuid not null primary key,
    source_kind text not null,
    source_name text not null,
    source_location text not null,
    started_at timestamptz not null,
    finished_at timestamptz,
    status text collate "C" not null check (status in ('running', 'completed', 'rolled_back')),
    report jsonb not null check (jsonb_typeof(report) = 'object')
);

-- For the listing of runs.
create index transfer_runs_by_start on transfer_runs (started_at desc, id desc);

-- The records that a run inserted, with the digests that their source had.
create table transfer_ledger (
    run_id uuid not null references transfer_runs (id) on delete cascade,
    table_name text collate "C" not null,
    tenant_id text collate "C" not null,
    -- The record's id; the nil UUID for a tenant itself, which has none beside its name.
    record_id uuid not null,
    digest bytea not null check (octet_length(digest) = 32),
    primary key (run_id, table_name, tenant_id, record_id)
);
