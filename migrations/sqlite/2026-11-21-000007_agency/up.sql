-- How an assistant affects what a person decides and can do without it, measured.

create table agency_snapshots (
    tenant_id text not null references tenants (id) on delete cascade,
    id blob not null check (length(id) = 16),
    decision_quality real not null,
    skill_development real not null,
    ai_reliance real not null,
    bottleneck_resolution real not null,
    user_confidence real not null,
    engagement real not null,
    autonomy_perception real not null,
    autonomy_retention real not null,
    delta_agency real not null,
    task_description text,
    task_complexity text check (length(cast(task_complexity as blob)) <= 512),
    taken_at integer not null,
    primary key (tenant_id, id)
) strict;

-- For the listings: the newest first, which has the latest too, and the greatest score first.
create index agency_snapshots_by_time on agency_snapshots (tenant_id, taken_at desc, id desc);
create index agency_snapshots_by_score
    on agency_snapshots (tenant_id, delta_agency desc, taken_at desc, id desc);
