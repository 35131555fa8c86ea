-- The knowledge graph.

create table nodes (
    tenant_id text not null references tenants (id) on delete cascade,
    id blob not null check (length(id) = 16),
    context_type text not null check (
        context_type in (
            'search_result', 'user_selection', 'tool_output', 'domain_entity',
            'completed_action', 'conversation_fact', 'temporary_state'
        )
    ),
    key_system text check (length(cast(key_system as blob)) between 1 and 512),
    key_id text check (length(cast(key_id as blob)) between 1 and 512),
    entity_type text check (length(cast(entity_type as blob)) between 1 and 512),
    name text check (length(cast(name as blob)) between 1 and 512),
    content text not null check (json_type(content) = 'object'),
    summary text not null,
    -- A text array of texts, sorted.
    tags text not null check (json_type(tags) = 'array' and json_array_length(tags) <= 64),
    metadata text not null check (json_type(metadata) = 'object'),
    base_relevance real not null check (base_relevance between 0 and 1),
    created_at integer not null,
    updated_at integer not null,
    last_accessed_at integer not null,
    access_count integer not null,
    update_count integer not null,
    primary key (tenant_id, id),
    -- A key has both its parts or none, so deduplication has no hole.
    check ((key_system is null) = (key_id is null))
) strict;

-- Holds the deduplication, and serves the look-up by key.
create unique index nodes_by_key on nodes (tenant_id, key_system, key_id)
    where key_system is not null;
-- For the listings: of all, of one context type, of one entity type.
create index nodes_by_creation on nodes (tenant_id, created_at desc, id desc);
create index nodes_by_context_type on nodes (tenant_id, context_type, created_at desc, id desc);
create index nodes_by_entity_type on nodes (tenant_id, entity_type, created_at desc, id desc)
    where entity_type is not null;

-- The tags once more, a row each, in the order of a listing by tag; kept by the triggers, and
-- created_at never changes. PostgreSQL indexes the array itself.
create table node_tags (
    tenant_id text not null,
    tag text not null,
    created_at integer not null,
    node_id blob not null,
    primary key (tenant_id, tag, created_at desc, node_id desc),
    foreign key (tenant_id, node_id) references nodes (tenant_id, id) on delete cascade
) strict, without rowid;

-- For the cascade.
create index node_tags_by_node on node_tags (tenant_id, node_id);

create trigger node_tags_after_insert after insert on nodes
when new.tags <> '[]'
begin
    insert into node_tags (tenant_id, tag, created_at, node_id)
    select new.tenant_id, value, new.created_at, new.id from json_each(new.tags);
end;

create trigger node_tags_after_update after update of tags on nodes
when new.tags <> old.tags
begin
    delete from node_tags where tenant_id = old.tenant_id and node_id = old.id;
    insert into node_tags (tenant_id, tag, created_at, node_id)
    select new.tenant_id, value, new.created_at, new.id from json_each(new.tags);
end;

create table relationships (
    tenant_id text not null,
    id blob not null check (length(id) = 16),
    from_id blob not null,
    to_id blob not null,
    kind text not null check (length(cast(kind as blob)) between 1 and 512),
    label text not null check (length(cast(label as blob)) <= 512),
    directed integer not null check (directed in (0, 1)),
    strength real not null check (strength between 0 and 1),
    metadata text not null check (json_type(metadata) = 'object'),
    created_at integer not null,
    last_reinforced_at integer not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, from_id) references nodes (tenant_id, id) on delete cascade,
    foreign key (tenant_id, to_id) references nodes (tenant_id, id) on delete cascade,
    -- What leads both ways starts at the smaller id, so it is stored once.
    check (directed or from_id <= to_id)
) strict;

-- Holds that the same relationship is stored once.
create unique index relationships_by_ends on relationships (tenant_id, from_id, to_id, kind, label);
-- For the neighbours, strongest first, in both directions.
create index relationships_from on relationships (tenant_id, from_id, strength desc, id);
create index relationships_to on relationships (tenant_id, to_id, strength desc, id);
-- For the listings: of all, of one kind.
create index relationships_by_creation on relationships (tenant_id, created_at desc, id desc);
create index relationships_by_kind on relationships (tenant_id, kind, created_at desc, id desc);
-- For pruning what is weak.
create index relationships_by_strength on relationships (tenant_id, strength);
