-- The knowledge graph.

create table nodes (
    tenant_id text collate "C" not null references tenants (id) on delete cascade,
    id uuid not null,
    context_type text collate "C" not null check (
        context_type in (
            'search_result', 'user_selection', 'tool_output', 'domain_entity',
            'completed_action', 'conversation_fact', 'temporary_state'
        )
    ),
    key_system text collate "C" check (octet_length(key_system) between 1 and 512),
    key_id text collate "C" check (octet_length(key_id) between 1 and 512),
    entity_type text collate "C" check (octet_length(entity_type) between 1 and 512),
    name text collate "C" check (octet_length(name) between 1 and 512),
    content jsonb not null check (jsonb_typeof(content) = 'object'),
    summary text not null,
    tags text[] collate "C" not null check (cardinality(tags) <= 64),
    metadata jsonb not null check (jsonb_typeof(metadata) = 'object'),
    base_relevance double precision not null check (base_relevance between 0 and 1),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    last_accessed_at timestamptz not null,
    access_count bigint not null,
    update_count bigint not null,
    primary key (tenant_id, id),
    -- A key has both its parts or none, so deduplication has no hole.
    check ((key_system is null) = (key_id is null))
);

-- Holds the deduplication, and serves the look-up by key.
create unique index nodes_by_key on nodes (tenant_id, key_system, key_id)
    where key_system is not null;
-- For the listings: of all, of one context type, of one entity type, by tag, by what is contained.
create index nodes_by_creation on nodes (tenant_id, created_at desc, id desc);
create index nodes_by_context_type on nodes (tenant_id, context_type, created_at desc, id desc);
create index nodes_by_entity_type on nodes (tenant_id, entity_type, created_at desc, id desc)
    where entity_type is not null;
create index nodes_by_tag on nodes using gin (tags);
create index nodes_by_content on nodes using gin (content jsonb_path_ops);
create index nodes_by_metadata on nodes using gin (metadata jsonb_path_ops);

create table relationships (
    tenant_id text collate "C" not null,
    id uuid not null,
    from_id uuid not null,
    to_id uuid not null,
    kind text collate "C" not null check (octet_length(kind) between 1 and 512),
    label text collate "C" not null check (octet_length(label) <= 512),
    directed boolean not null,
    strength double precision not null check (strength between 0 and 1),
    metadata jsonb not null check (jsonb_typeof(metadata) = 'object'),
    created_at timestamptz not null,
    last_reinforced_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, from_id) references nodes (tenant_id, id) on delete cascade,
    foreign key (tenant_id, to_id) references nodes (tenant_id, id) on delete cascade,
    -- What leads both ways starts at the smaller id, so it is stored once.
    check (directed or from_id <= to_id)
);

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

-- Remembers one node and says what came of it: 'stands' (under which id), 'conflict' (the id stands
-- with other content or another key) or 'tags' (merging gives too many, and how many). Nothing is
-- written but for 'stands', and no error of the database is raised, so a unit of work goes on.
--
-- A function, because merging looks at the row after waiting for its lock, and must refuse before
-- it writes. The merge is that of memory_domain::Node::merge.
create function remember_node(
    for_tenant text, moment timestamptz, new_id uuid, new_context_type text,
    new_key_system text, new_key_id text, new_entity_type text, new_name text,
    new_content jsonb, new_summary text, new_tags text[], new_metadata jsonb,
    new_relevance double precision
) returns table (outcome text, node_id uuid, tag_count integer)
language plpgsql volatile as $$
#variable_conflict use_column
declare
    old nodes%rowtype;
    united text[];
begin
    loop
        if new_key_system is not null then
            select * into old from nodes
            where tenant_id = for_tenant and key_system = new_key_system and key_id = new_key_id
            for no key update;
            if found then
                united := array(
                    select distinct tag collate "C" from unnest(old.tags || new_tags) as tag
                    order by 1
                );
                if cardinality(united) > 64 then
                    return query select 'tags', old.id, cardinality(united);
                    return;
                end if;
                update nodes set
                    content = old.content || new_content || case
                        when jsonb_typeof(old.content -> 'entity_data') = 'object'
                            and jsonb_typeof(new_content -> 'entity_data') = 'object'
                        then jsonb_build_object(
                            'entity_data',
                            (old.content -> 'entity_data') || (new_content -> 'entity_data')
                        )
                        else '{}'
                    end,
                    metadata = old.metadata || new_metadata,
                    tags = united,
                    summary = case when new_summary = '' then old.summary else new_summary end,
                    name = coalesce(new_name, old.name),
                    entity_type = coalesce(new_entity_type, old.entity_type),
                    updated_at = greatest(old.updated_at, moment),
                    update_count = old.update_count + 1
                where tenant_id = for_tenant and id = old.id;
                perform touch_tenant(for_tenant, moment);
                return query select 'stands', old.id, null::integer;
                return;
            end if;
        end if;
        -- The reference to the tenant is checked at the end of the insertion, not of this function.
        if not exists (select from tenants where id = for_tenant) then
            perform touch_tenant(for_tenant, moment);
        end if;
        insert into nodes (
            tenant_id, id, context_type, key_system, key_id, entity_type, name, content, summary,
            tags, metadata, base_relevance, created_at, updated_at, last_accessed_at,
            access_count, update_count
        ) values (
            for_tenant, new_id, new_context_type, new_key_system, new_key_id, new_entity_type,
            new_name, new_content, new_summary, new_tags, new_metadata, new_relevance, moment,
            moment, moment, 1, 0
        )
        on conflict do nothing;
        if found then
            perform touch_tenant(for_tenant, moment);
            return query select 'stands', new_id, null::integer;
            return;
        end if;
        -- Held, so that nobody changes it before the statement has written its index.
        select * into old from nodes where tenant_id = for_tenant and id = new_id
        for no key update;
        if found and (old.key_system, old.key_id) is distinct from (new_key_system, new_key_id) then
            return query select 'conflict', new_id, null::integer;
            return;
        elsif found and new_key_system is null then
            return query select
                case
                    when old.context_type = new_context_type
                        and old.entity_type is not distinct from new_entity_type
                        and old.name is not distinct from new_name
                        and old.content = new_content
                        and old.summary = new_summary
                        and old.tags = new_tags
                        and old.metadata = new_metadata
                        and old.base_relevance = new_relevance
                    then 'stands'
                    else 'conflict'
                end,
                new_id, null::integer;
            return;
        end if;
        -- What stood in the way was written, or has gone, since we looked: look again.
    end loop;
end
$$;

-- Remembers several nodes, all or none, and returns for each place in the batch what remember_node
-- says of it; if one is refused, that one row. In the order of keys, so that two batches that share
-- keys do not wait for each other in turn; of one key, in the order given.
create function remember_nodes(
    for_tenant text, moment timestamptz, ids uuid[], context_types text[],
    key_systems text[], key_ids text[], entity_types text[], names text[],
    contents jsonb[], summaries text[], tag_lists jsonb[], metadatas jsonb[],
    relevances double precision[]
) returns table (outcome text, node_id uuid, tag_count integer, place bigint)
language plpgsql volatile as $$
#variable_conflict use_column
declare
    new record;
    one record;
begin
    for new in
        select * from unnest(
            ids, context_types, key_systems, key_ids, entity_types, names, contents, summaries,
            tag_lists, metadatas, relevances
        ) with ordinality as given (
            id, context_type, key_system, key_id, entity_type, name, content, summary, tag_list,
            metadata, relevance, place
        )
        order by key_system collate "C", key_id collate "C",
            case when key_system is null then id end, place
    loop
        select * into one from remember_node(
            for_tenant, moment, new.id, new.context_type, new.key_system, new.key_id,
            new.entity_type, new.name, new.content, new.summary,
            array(select jsonb_array_elements_text(new.tag_list)), new.metadata, new.relevance
        );
        if one.outcome <> 'stands' then
            -- Undoes this block, and no more.
            raise sqlstate 'MM001';
        end if;
        return query select one.outcome, one.node_id, one.tag_count, new.place;
    end loop;
exception
    when sqlstate 'MM001' then
        return query select one.outcome, one.node_id, one.tag_count, new.place;
end
$$;
