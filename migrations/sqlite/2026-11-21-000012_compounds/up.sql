-- Concepts that occur together, and an index for forgetting.

create table compounds (
    tenant_id text not null references tenants (id) on delete cascade,
    id blob not null check (length(id) = 16),
    name text not null check (length(cast(name as blob)) between 1 and 512),
    -- Ids as an array of texts, sorted.
    members text not null check (json_type(members) = 'array' and json_array_length(members) >= 2),
    occurrences integer not null check (occurrences >= 1),
    last_seen_at integer not null,
    primary key (tenant_id, id)
) strict;

-- Holds that a name is known once, and serves the look-up by name.
create unique index compounds_by_name on compounds (tenant_id, name);
-- For the listing, most frequent first.
create index compounds_by_occurrences on compounds (tenant_id, occurrences desc, id desc);

-- The members once more, a row each, kept by the triggers: they refer to the nodes, and serve the
-- listing by member.
create table compound_members (
    tenant_id text not null,
    node_id blob not null,
    compound_id blob not null,
    primary key (tenant_id, node_id, compound_id),
    foreign key (tenant_id, node_id) references nodes (tenant_id, id) on delete cascade,
    foreign key (tenant_id, compound_id) references compounds (tenant_id, id) on delete cascade
) strict, without rowid;

-- For the cascade.
create index compound_members_by_compound on compound_members (tenant_id, compound_id);

create trigger compound_members_after_insert after insert on compounds
begin
    insert into compound_members (tenant_id, node_id, compound_id)
    select new.tenant_id, unhex(value, '-'), new.id from json_each(new.members);
end;

-- Members are added, and never taken away.
create trigger compound_members_after_update after update of members on compounds
when new.members <> old.members
begin
    insert into compound_members (tenant_id, node_id, compound_id)
    select new.tenant_id, unhex(value, '-'), new.id from json_each(new.members)
    where true on conflict do nothing;
end;

-- A compound goes with any of its members.
create trigger compounds_after_member_delete after delete on compound_members
begin
    delete from compounds where tenant_id = old.tenant_id and id = old.compound_id;
end;

-- For forgetting what was not accessed for long.
create index nodes_by_access on nodes (tenant_id, last_accessed_at);
