-- What search finds: texts, folded and in bounded parts, and the terms that are in them. The terms
-- are made by the domain, so that no tokenizer decides anything: here they are only told apart by
-- the spaces between them. What is in the indexes goes with its chunk, and that with its owner.

create table message_chunks (
    -- The indexes' own key, which a VACUUM must not renumber.
    id integer primary key,
    tenant_id text not null,
    message_id blob not null,
    part integer not null,
    -- The message's, which never changes: the order of hits needs no look at the message.
    created_at integer not null,
    text text not null,
    unique (tenant_id, message_id, part),
    foreign key (tenant_id, message_id) references messages (tenant_id, id) on delete cascade
) strict;

-- Contentless, because the terms can be made again from the text. Every ASCII symbol that is part
-- of a term is a character of words here; all else that is not ASCII is one anyway.
create virtual table message_terms using fts5 (
    words, marks, content = '', contentless_delete = 1,
    tokenize = "ascii tokenchars '#%&*@_/\$+<=>|~'"
);
create virtual table message_grams using fts5 (
    grams, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii'
);

create trigger message_chunks_after_delete after delete on message_chunks
begin
    delete from message_terms where rowid = old.id;
    delete from message_grams where rowid = old.id;
end;

create table node_chunks (
    id integer primary key,
    tenant_id text not null,
    node_id blob not null,
    -- A digest of the field's name.
    field blob not null,
    part integer not null,
    -- 0 name, 1 summary, 2 tags, 3 content, 4 content.entity_data.
    place integer not null,
    created_at integer not null,
    text text not null,
    unique (tenant_id, node_id, field, part),
    foreign key (tenant_id, node_id) references nodes (tenant_id, id) on delete cascade
) strict;

create virtual table node_terms using fts5 (
    words, marks, content = '', contentless_delete = 1,
    tokenize = "ascii tokenchars '#%&*@_/\$+<=>|~'"
);
create virtual table node_grams using fts5 (
    grams, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii'
);

create trigger node_chunks_after_delete after delete on node_chunks
begin
    delete from node_terms where rowid = old.id;
    delete from node_grams where rowid = old.id;
end;

-- What is still to be indexed: everything of a table behind this place. Rows written from now on
-- are indexed as they are written.
create table search_backlog (
    owner text not null primary key check (owner in ('messages', 'nodes')),
    -- Not the name that says whose a row is: it is nobody's, and stays when a tenant is erased.
    after_tenant text not null,
    after_id blob not null
) strict;

insert into search_backlog (owner, after_tenant, after_id)
select 'messages', '', zeroblob(16) where exists (select 1 from messages);
insert into search_backlog (owner, after_tenant, after_id)
select 'nodes', '', zeroblob(16) where exists (select 1 from nodes);
