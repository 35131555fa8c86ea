-- Concepts that occur together, and an index for forgetting.

create table compounds (
    tenant_id text collate "C" not null references tenants (id) on delete cascade,
    id uuid not null,
    name text collate "C" not null check (octet_length(name) between 1 and 512),
    -- Sorted.
    members uuid[] not null check (cardinality(members) >= 2),
    occurrences bigint not null check (occurrences >= 1),
    last_seen_at timestamptz not null,
    primary key (tenant_id, id)
);

-- Holds that a name is known once, and serves the look-up by name.
create unique index compounds_by_name on compounds (tenant_id, name);
-- For the listing, most frequent first.
create index compounds_by_occurrences on compounds (tenant_id, occurrences desc, id desc);

-- The members once more, a row each, kept by the triggers: they refer to the nodes, and serve the
-- listing by member.
create table compound_members (
    tenant_id text collate "C" not null,
    node_id uuid not null,
    compound_id uuid not null,
    primary key (tenant_id, node_id, compound_id),
    foreign key (tenant_id, node_id) references nodes (tenant_id, id) on delete cascade,
    foreign key (tenant_id, compound_id) references compounds (tenant_id, id) on delete cascade
);

-- For the cascade.
create index compound_members_by_compound on compound_members (tenant_id, compound_id);

-- Members are added, and never taken away. Only the new ones are inserted: one that stands may just
-- be going, and whoever deletes it waits for this compound.
create function add_compound_members() returns trigger
language plpgsql volatile as $$
begin
    insert into compound_members (tenant_id, node_id, compound_id)
    select new.tenant_id, member, new.id from unnest(new.members) as member
    where tg_op = 'INSERT' or member <> all (old.members)
    order by member
    on conflict do nothing;
    return null;
end
$$;

create trigger compound_members_after_insert after insert on compounds
for each row execute function add_compound_members();

create trigger compound_members_after_update after update of members on compounds
for each row when (new.members <> old.members) execute function add_compound_members();

-- A compound goes with any of its members.
create function delete_compound_of_member() returns trigger
language plpgsql volatile as $$
begin
    delete from compounds where tenant_id = old.tenant_id and id = old.compound_id;
    return null;
end
$$;

create trigger compounds_after_member_delete after delete on compound_members
for each row execute function delete_compound_of_member();

-- Counts one occurrence of a compound, which is known by its name, and returns it as it stands; or
-- says that a member is 'missing', or that the id stands for another compound ('conflict'). Nothing
-- is written then, and no error of the database is raised, so a unit of work goes on.
--
-- A function, because it looks at the row after waiting for its lock.
create function record_compound(
    for_tenant text, moment timestamptz, new_id uuid, new_name text, new_members uuid[]
) returns table (
    outcome text, compound_id uuid, compound_members uuid[], compound_occurrences bigint,
    compound_seen_at timestamptz
)
language plpgsql volatile as $$
#variable_conflict use_column
declare
    culprit uuid;
    old compounds%rowtype;
begin
    -- A member that is being forgotten is waited for, and missed without an error of the database.
    perform from nodes where tenant_id = for_tenant and id = any(new_members)
    order by id for key share;
    select member into culprit from unnest(new_members) as member
    where not exists (select from nodes where tenant_id = for_tenant and id = member)
    order by member limit 1;
    if found then
        return query select
            'missing', culprit, null::uuid[], null::bigint, null::timestamptz;
        return;
    end if;
    loop
        update compounds set
            members = case
                when members @> new_members then members
                else array(select distinct unnest(members || new_members) order by 1)
            end,
            occurrences = occurrences + 1,
            last_seen_at = greatest(last_seen_at, moment)
        where tenant_id = for_tenant and name = new_name
        returning * into old;
        exit when found;
        insert into compounds (tenant_id, id, name, members, occurrences, last_seen_at)
        values (for_tenant, new_id, new_name, new_members, 1, moment)
        on conflict do nothing
        returning * into old;
        exit when found;
        if exists (
            select from compounds where tenant_id = for_tenant and id = new_id and name <> new_name
        ) then
            return query select
                'conflict', new_id, null::uuid[], null::bigint, null::timestamptz;
            return;
        end if;
        -- What stood in the way was written, or has gone, since we looked: look again.
    end loop;
    perform touch_tenant(for_tenant, moment);
    return query select 'stands', old.id, old.members, old.occurrences, old.last_seen_at;
end
$$;

-- For forgetting what was not accessed for long.
create index nodes_by_access on nodes (tenant_id, last_accessed_at);
