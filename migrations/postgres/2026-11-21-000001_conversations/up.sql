-- Who has a memory here, and what was said. Ordered and unique text is COLLATE "C", so that its
-- order is that of its bytes, whatever the cluster's locale.

create table tenants (
    id text collate "C" not null primary key check (octet_length(id) between 1 and 255),
    created_at timestamptz not null,
    last_active_at timestamptz not null,
    metadata jsonb not null check (jsonb_typeof(metadata) = 'object')
);

-- For the listing of tenants.
create index tenants_by_activity on tenants (last_active_at desc, id);

create table sessions (
    tenant_id text collate "C" not null references tenants (id) on delete cascade,
    id uuid not null,
    title text not null,
    metadata jsonb not null check (jsonb_typeof(metadata) = 'object'),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    -- Also the number of the last message: messages are only appended, or cleared all at once.
    message_count bigint not null check (message_count >= 0),
    primary key (tenant_id, id)
);

-- For the listing of sessions.
create index sessions_by_update on sessions (tenant_id, updated_at desc, id desc);

create table messages (
    tenant_id text collate "C" not null,
    id uuid not null,
    session_id uuid not null,
    number bigint not null check (number >= 1),
    role text collate "C" not null check (octet_length(role) between 1 and 512),
    content text not null,
    metadata jsonb not null check (jsonb_typeof(metadata) = 'object'),
    created_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, session_id) references sessions (tenant_id, id) on delete cascade
);

-- Holds the numbering, and serves the history.
create unique index messages_by_number on messages (tenant_id, session_id, number);
-- For messages between two moments, of all sessions and of one.
create index messages_by_time on messages (tenant_id, created_at, id);
create index messages_by_session_time on messages (tenant_id, session_id, created_at, id);

-- Says that a tenant has written: makes the tenant with its first write, and moves its
-- last_active_at at most once a minute, so the row never becomes hot. Whoever finds another
-- writer moving it lets that be, instead of waiting for a unit of work to end.
create function touch_tenant(for_tenant text, moment timestamptz) returns boolean
language plpgsql volatile as $$
declare
    active timestamptz;
begin
    select last_active_at into active from tenants where id = for_tenant;
    if not found then
        insert into tenants (id, created_at, last_active_at, metadata)
        values (for_tenant, moment, moment, '{}')
        on conflict (id) do nothing;
    elsif active <= moment - interval '1 minute' then
        update tenants set last_active_at = moment
        where id = (
            select id from tenants
            where id = for_tenant and last_active_at <= moment - interval '1 minute'
            for no key update skip locked
        );
    end if;
    return true;
end
$$;

-- Appends messages to a session and returns them as they stand, or one row that says why not:
-- 'missing' (the session) or 'conflict' (which message). Nothing is written then, and no error of
-- the database is raised, so a unit of work goes on. No id may be given twice: the caller sees to
-- that, as it tells the caller's caller which of the two is wrong.
--
-- A function, because numbering needs a fresh snapshot after the session's lock: a plain
-- statement sees the messages as they were before it waited, and leaves a gap when the same message
-- is retried concurrently.
create function append_messages(
    for_tenant text, moment timestamptz, to_session uuid,
    ids uuid[], roles text[], contents text[], metadatas jsonb[]
) returns table (outcome text, message_id uuid, message_number bigint, message_at timestamptz)
language plpgsql volatile as $$
#variable_conflict use_column
declare
    base bigint;
    added bigint;
    culprit uuid;
begin
    select message_count into base from sessions
    where tenant_id = for_tenant and id = to_session
    for no key update;
    if not found then
        return query select 'missing', to_session, null::bigint, null::timestamptz;
        return;
    end if;
    -- In the order of ids, so that two batches that share ids do not wait for each other in turn.
    insert into messages (tenant_id, id, session_id, number, role, content, metadata, created_at)
    select for_tenant, new.id, to_session, base + row_number() over (order by new.place),
        new.role, new.content, new.metadata, moment
    from unnest(ids, roles, contents, metadatas)
        with ordinality as new (id, role, content, metadata, place)
    where not exists (
        select from messages as old where old.tenant_id = for_tenant and old.id = new.id
    )
    order by new.id
    on conflict (tenant_id, id) do nothing;
    get diagnostics added = row_count;
    if added < cardinality(ids) then
        -- What was not added must stand here with the same content. A row that another session
        -- took in the meantime is found here too, and what was added is taken back.
        select new.id into culprit
        from unnest(ids, roles, contents, metadatas)
            with ordinality as new (id, role, content, metadata, place)
        left join messages as old on old.tenant_id = for_tenant and old.id = new.id
        where (old.session_id = to_session and old.role = new.role
            and old.content = new.content and old.metadata = new.metadata) is not true
        order by new.place
        limit 1;
        if found then
            delete from messages
            where added > 0 and tenant_id = for_tenant and id = any(ids)
                and session_id = to_session and number > base;
            return query select 'conflict', culprit, null::bigint, null::timestamptz;
            return;
        end if;
    end if;
    if added > 0 then
        update sessions
        set message_count = base + added, updated_at = greatest(updated_at, moment)
        where tenant_id = for_tenant and id = to_session;
        perform touch_tenant(for_tenant, moment);
    end if;
    return query
    select 'stands', old.id, old.number, old.created_at from messages as old
    where old.tenant_id = for_tenant and old.id = any(ids);
end
$$;

-- Deletes a session's messages and returns how many there were; null if there is no such session.
-- A function, because what was appended while it waited for the session's lock must go too.
create function clear_session(for_tenant text, moment timestamptz, the_session uuid)
returns bigint
language plpgsql volatile as $$
declare
    gone bigint;
begin
    perform from sessions where tenant_id = for_tenant and id = the_session for no key update;
    if not found then
        return null;
    end if;
    delete from messages where tenant_id = for_tenant and session_id = the_session;
    get diagnostics gone = row_count;
    update sessions set message_count = 0, updated_at = greatest(updated_at, moment)
    where tenant_id = for_tenant and id = the_session;
    perform touch_tenant(for_tenant, moment);
    return gone;
end
$$;
