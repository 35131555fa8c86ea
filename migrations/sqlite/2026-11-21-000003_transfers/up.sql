-- What was carried into this store, by which run. The operator's, not a tenant's.

create table transfer_runs (
    id blob not null primary key check (length(id) = 16),
    source_kind text not null,
    source_name text not null,
    source_location text not null,
    started_at integer not null,
    finished_at integer,
    status text not null check (status in ('running', 'completed', 'rolled_back')),
    report text not null check (json_type(report) = 'object')
) strict;

-- For the listing of runs.
create index transfer_runs_by_start on transfer_runs (started_at desc, id desc);

-- The records that a run inserted, with the digests that their source had.
create table transfer_ledger (
    run_id blob not null references transfer_runs (id) on delete cascade,
    table_name text not null,
    tenant_id text not null,
    -- The record's id; the nil UUID for a tenant itself, which has none beside its name.
    record_id blob not null,
    digest blob not null check (length(digest) = 32),
    primary key (run_id, table_name, tenant_id, record_id)
) strict, without rowid;
