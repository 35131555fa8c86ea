-- How an assistant affects what a person decides and can do without it, measured.

create table agency_snapshots (
    tenant_id text collate "C" not null references tenants (id) on delete cascade,
    id uuid not null,
    decision_quality double precision not null,
    skill_development double precision not null,
    ai_reliance double precision not null,
    bottleneck_resolution double precision not null,
    user_confidence double precision not null,
    engagement double precision not null,
    autonomy_perception double precision not null,
    autonomy_retention double precision not null,
    delta_agency double precision not null,
    task_description text,
    task_complexity text collate "C" check (octet_length(task_complexity) <= 512),
    taken_at timestamptz not null,
    primary key (tenant_id, id)
);

-- For the listings: the newest first, which has the latest too, and the greatest score first.
create index agency_snapshots_by_time on agency_snapshots (tenant_id, taken_at desc, id desc);
create index agency_snapshots_by_score
    on agency_snapshots (tenant_id, delta_agency desc, taken_at desc, id desc);
