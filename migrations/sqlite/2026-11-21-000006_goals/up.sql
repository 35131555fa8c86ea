-- What somebody wants to reach, how much it matters and by when.

create table goals (
    tenant_id text not null references tenants (id) on delete cascade,
    id blob not null check (length(id) = 16),
    description text not null,
    importance integer not null,
    complexity text not null check (length(cast(complexity as blob)) between 1 and 512),
    estimated_value real,
    status text not null check (
        status in (
            'active', 'pending', 'in_progress', 'completed', 'scoped', 'deferred', 'paused',
            'cancelled'
        )
    ),
    deadline integer,
    created_at integer not null,
    completed_at integer,
    primary key (tenant_id, id)
) strict;

-- For the listings by deadline, of all and of one status: goals without a deadline come last, as if
-- it were later than any.
create index goals_by_deadline
    on goals (tenant_id, coalesce(deadline, 9223372036854775807), id);
create index goals_by_status
    on goals (tenant_id, status, coalesce(deadline, 9223372036854775807), id);
-- For the listing of active goals.
create index goals_active on goals (tenant_id, importance desc, created_at desc, id desc)
    where status = 'active';
