-- What somebody wants to reach, how much it matters and by when.

create table goals (
    tenant_id text collate "C" not null references tenants (id) on delete cascade,
    id uuid not null,
    description text not null,
    importance bigint not null,
    complexity text collate "C" not null check (octet_length(complexity) between 1 and 512),
    estimated_value double precision,
    status text collate "C" not null check (
        status in (
            'active', 'pending', 'in_progress', 'completed', 'scoped', 'deferred', 'paused',
            'cancelled'
        )
    ),
    deadline timestamptz,
    created_at timestamptz not null,
    completed_at timestamptz,
    primary key (tenant_id, id)
);

-- For the listings by deadline, of all and of one status: goals without a deadline come last, as if
-- it were later than any.
create index goals_by_deadline on goals (tenant_id, coalesce(deadline, 'infinity'), id);
create index goals_by_status on goals (tenant_id, status, coalesce(deadline, 'infinity'), id);
-- For the listing of active goals.
create index goals_active on goals (tenant_id, importance desc, created_at desc, id desc)
    where status = 'active';
