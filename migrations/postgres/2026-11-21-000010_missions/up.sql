-- Missions that an assistant was sent on, and what files were like when it worked on them.

create table missions (
    tenant_id text collate "C" not null references tenants (id) on delete cascade,
    id uuid not null,
    -- What the world outside calls it. Its node in the graph, if it has one, has the key
    -- ('mission', key).
    key text collate "C" not null check (octet_length(key) between 1 and 512),
    status text collate "C" not null check (octet_length(status) between 1 and 512),
    domain text collate "C" check (octet_length(domain) <= 512),
    cost_usd double precision,
    iterations bigint,
    duration_seconds double precision,
    files_modified bigint,
    metadata jsonb not null check (jsonb_typeof(metadata) = 'object'),
    created_at timestamptz not null,
    primary key (tenant_id, id)
);

-- Holds that a mission is stored once, and serves the look-up by key.
create unique index missions_by_key on missions (tenant_id, key);
-- For the listings: of all, of one status, of one field of work.
create index missions_by_creation on missions (tenant_id, created_at desc, id desc);
create index missions_by_status on missions (tenant_id, status, created_at desc, id desc);
create index missions_by_domain on missions (tenant_id, domain, created_at desc, id desc)
    where domain is not null;

create table file_snapshots (
    tenant_id text collate "C" not null references tenants (id) on delete cascade,
    id uuid not null,
    path text collate "C" not null check (octet_length(path) between 1 and 1024),
    -- Of a mission that need not be there.
    mission_key text collate "C" check (octet_length(mission_key) between 1 and 512),
    size_bytes bigint,
    lines_of_code bigint,
    hash text,
    metadata jsonb not null check (jsonb_typeof(metadata) = 'object'),
    taken_at timestamptz not null,
    primary key (tenant_id, id)
);

-- For the history of a file, and for what was taken for a mission.
create index file_snapshots_by_path on file_snapshots (tenant_id, path, taken_at desc, id desc);
create index file_snapshots_by_mission
    on file_snapshots (tenant_id, mission_key, taken_at desc, id desc)
    where mission_key is not null;

-- Logs a mission and says what came of it: 'stands', under which id and since when; or what has its
-- id already: 'mission' or 'node'. Nothing is written then, and no error of the database is raised, so a unit of work goes
-- on. Under a known key everything is replaced but the id and the time of creation.
--
-- A function, because whether the key is known and which ids are taken must be seen after waiting
-- for whoever logs the same mission.
create function log_mission(
    for_tenant text, moment timestamptz, new_id uuid, new_key text, new_status text,
    new_domain text, new_cost double precision, new_iterations bigint,
    new_duration double precision, new_files bigint, new_metadata jsonb, new_node uuid
) returns table (outcome text, mission_id uuid, logged_at timestamptz)
language plpgsql volatile as $$
#variable_conflict use_column
declare
    stands record;
    is_known boolean;
begin
    loop
        select id, created_at into stands from missions
        where tenant_id = for_tenant and key = new_key
        for no key update;
        is_known := found;
        exit when is_known;
        -- The reference to the tenant is checked at the end of the insertion, not of this function.
        if not exists (select from tenants where id = for_tenant) then
            perform touch_tenant(for_tenant, moment);
        end if;
        insert into missions (
            tenant_id, id, key, status, domain, cost_usd, iterations, duration_seconds,
            files_modified, metadata, created_at
        ) values (
            for_tenant, new_id, new_key, new_status, new_domain, new_cost, new_iterations,
            new_duration, new_files, new_metadata, moment
        )
        on conflict do nothing;
        exit when found;
        if exists (
            select from missions where tenant_id = for_tenant and id = new_id and key <> new_key
        ) then
            return query select 'mission', new_id, null::timestamptz;
            return;
        end if;
        -- What stood in the way was written, or has gone, since we looked: look again.
    end loop;
    if new_node is not null then
        insert into nodes (
            tenant_id, id, context_type, key_system, key_id, entity_type, name, content, summary,
            tags, metadata, base_relevance, created_at, updated_at, last_accessed_at,
            access_count, update_count
        ) values (
            for_tenant, new_node, 'domain_entity', 'mission', new_key, 'mission', new_key, '{}', '',
            '{}', '{}', 0.5, moment, moment, moment, 1, 0
        )
        on conflict do nothing;
        if not found and not exists (
            select from nodes
            where tenant_id = for_tenant and key_system = 'mission' and key_id = new_key
        ) then
            -- What was inserted above is taken back; what stood is as it was.
            delete from missions
            where not is_known and tenant_id = for_tenant and id = new_id;
            return query select 'node', new_node, null::timestamptz;
            return;
        end if;
    end if;
    if is_known then
        update missions set
            status = new_status,
            domain = new_domain,
            cost_usd = new_cost,
            iterations = new_iterations,
            duration_seconds = new_duration,
            files_modified = new_files,
            metadata = new_metadata
        where tenant_id = for_tenant and id = stands.id;
    end if;
    perform touch_tenant(for_tenant, moment);
    return query
    select 'stands', id, created_at from missions where tenant_id = for_tenant and key = new_key;
end
$$;
