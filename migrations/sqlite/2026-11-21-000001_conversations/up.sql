-- Who has a memory here, and what was said. Times are microseconds since 1970, UTC; ids are the 16
-- bytes of a UUID; JSON is text, already normalised. Text compares by bytes (BINARY, the default).

create table tenants (
    id text not null primary key check (length(cast(id as blob)) between 1 and 255),
    created_at integer not null,
    last_active_at integer not null,
    metadata text not null check (json_type(metadata) = 'object')
) strict;

-- For the listing of tenants.
create index tenants_by_activity on tenants (last_active_at desc, id);

create table sessions (
    tenant_id text not null references tenants (id) on delete cascade,
    id blob not null check (length(id) = 16),
    title text not null,
    metadata text not null check (json_type(metadata) = 'object'),
    created_at integer not null,
    updated_at integer not null,
    -- Also the number of the last message: messages are only appended, or cleared all at once.
    message_count integer not null check (message_count >= 0),
    primary key (tenant_id, id)
) strict;

-- For the listing of sessions.
create index sessions_by_update on sessions (tenant_id, updated_at desc, id desc);

create table messages (
    tenant_id text not null,
    id blob not null check (length(id) = 16),
    session_id blob not null,
    number integer not null check (number >= 1),
    role text not null check (length(cast(role as blob)) between 1 and 512),
    content text not null,
    metadata text not null check (json_type(metadata) = 'object'),
    created_at integer not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, session_id) references sessions (tenant_id, id) on delete cascade
) strict;

-- Holds the numbering, and serves the history.
create unique index messages_by_number on messages (tenant_id, session_id, number);
-- For messages between two moments, of all sessions and of one.
create index messages_by_time on messages (tenant_id, created_at, id);
create index messages_by_session_time on messages (tenant_id, session_id, created_at, id);
