-- What search finds: texts, folded and in bounded parts, and the terms that are in them. The terms
-- are made by the domain, so that no parser, dictionary or locale decides anything.

create table message_chunks (
    tenant_id text collate "C" not null,
    message_id uuid not null,
    part integer not null,
    -- The message's, which never changes: the order of hits needs no look at the message.
    created_at timestamptz not null,
    text text collate "C" not null,
    words tsvector not null,
    -- Trigrams as numbers, because pg_trgm needs a right to be installed and folds by the locale.
    grams integer[] not null,
    primary key (tenant_id, message_id, part),
    foreign key (tenant_id, message_id) references messages (tenant_id, id) on delete cascade
);

-- Led by the tenant too: each term begins with the tenant's mark, and each number is the tenant's.
create index message_chunks_by_words on message_chunks using gin (words);
create index message_chunks_by_grams on message_chunks using gin (grams);

create table node_chunks (
    tenant_id text collate "C" not null,
    node_id uuid not null,
    -- A digest of the field's name.
    field uuid not null,
    part integer not null,
    -- 0 name, 1 summary, 2 tags, 3 content, 4 content.entity_data.
    place smallint not null,
    created_at timestamptz not null,
    text text collate "C" not null,
    words tsvector not null,
    grams integer[] not null,
    primary key (tenant_id, node_id, field, part),
    foreign key (tenant_id, node_id) references nodes (tenant_id, id) on delete cascade
);

create index node_chunks_by_words on node_chunks using gin (words);
create index node_chunks_by_grams on node_chunks using gin (grams);

-- Takes away what merging replaces: these fields of these nodes, where the greatest id stands for
-- all of content.entity_data. Returns the nodes that it was told of, with what their chunks need. A
-- function, because it must see what was committed, or written by the same statement, before the
-- lock of the node was had, which the statement that calls it does not.
create function clear_node_fields(
    for_tenant text, ids uuid[], of_nodes uuid[], fields uuid[]
) returns table (node_id uuid, created_at timestamptz)
language plpgsql volatile as $$
#variable_conflict use_column
begin
    if fields is not null then
        delete from node_chunks as old
        using unnest(of_nodes, fields) as gone (node_id, field)
        where old.tenant_id = for_tenant and old.node_id = gone.node_id
            and (
                old.field = gone.field
                or (gone.field = 'ffffffff-ffff-ffff-ffff-ffffffffffff' and old.place = 4)
            );
    end if;
    return query
    select id, created_at from nodes where tenant_id = for_tenant and id = any(ids);
end
$$;

-- Takes away all that is indexed of a node in these places; a function for the same reason.
create function clear_node_places(for_tenant text, of_node uuid, places smallint[]) returns boolean
language plpgsql volatile as $$
begin
    delete from node_chunks
    where tenant_id = for_tenant and node_id = of_node and place = any(places);
    return true;
end
$$;

-- What is still to be indexed: everything of a table behind this place. Rows written from now on
-- are indexed as they are written.
create table search_backlog (
    owner text collate "C" not null primary key check (owner in ('messages', 'nodes')),
    -- Not the name that says whose a row is: it is nobody's, and stays when a tenant is erased.
    after_tenant text collate "C" not null,
    after_id uuid not null
);

insert into search_backlog (owner, after_tenant, after_id)
select 'messages', '', '00000000-0000-0000-0000-000000000000'
where exists (select from messages);
insert into search_backlog (owner, after_tenant, after_id)
select 'nodes', '', '00000000-0000-0000-0000-000000000000'
where exists (select from nodes);
