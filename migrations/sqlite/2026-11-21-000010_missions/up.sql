-- Missions that an assistant was sent on, and what files were like when it worked on them.

create table missions (
    tenant_id text not null references tenants (id) on delete cascade,
    id blob not null check (length(id) = 16),
    -- What the world outside calls it. Its node in the graph, if it has one, has the key
    -- ('mission', key).
    key text not null check (length(cast(key as blob)) between 1 and 512),
    status text not null check (length(cast(status as blob)) between 1 and 512),
    domain text check (length(cast(domain as blob)) <= 512),
    cost_usd real,
    iterations integer,
    duration_seconds real,
    files_modified integer,
    metadata text not null check (json_type(metadata) = 'object'),
    created_at integer not null,
    primary key (tenant_id, id)
) strict;

-- Holds that a mission is stored once, and serves the look-up by key.
create unique index missions_by_key on missions (tenant_id, key);
-- For the listings: of all, of one status, of one field of work.
create index missions_by_creation on missions (tenant_id, created_at desc, id desc);
create index missions_by_status on missions (tenant_id, status, created_at desc, id desc);
create index missions_by_domain on missions (tenant_id, domain, created_at desc, id desc)
    where domain is not null;

create table file_snapshots (
    tenant_id text not null references tenants (id) on delete cascade,
    id blob not null check (length(id) = 16),
    path text not null check (length(cast(path as blob)) between 1 and 1024),
    -- Of a mission that need not be there.
    mission_key text check (length(cast(mission_key as blob)) between 1 and 512),
    size_bytes integer,
    lines_of_code integer,
    hash text,
    metadata text not null check (json_type(metadata) = 'object'),
    taken_at integer not null,
    primary key (tenant_id, id)
) strict;

-- For the history of a file, and for what was taken for a mission.
create index file_snapshots_by_path on file_snapshots (tenant_id, path, taken_at desc, id desc);
create index file_snapshots_by_mission
    on file_snapshots (tenant_id, mission_key, taken_at desc, id desc)
    where mission_key is not null;
