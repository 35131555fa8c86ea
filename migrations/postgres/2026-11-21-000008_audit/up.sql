-- What was done, by whom, and how it ended. The database itself sees to it that events are only
-- ever added.
--
-- An event may be deleted only by a transaction that has said why, in a setting of its own:
--   * erasure of a tenant:  select set_config('memory.erased_tenant', <tenant id>, true);
--     then delete from tenants where id = …, or the events themselves;
--   * rollback of a transfer:  select set_config('memory.taken_back_run', <run id>, true); it
--     permits just the events that the run's ledger names, and those of tenants that it names.
-- `true` makes the setting end with the transaction. What goes on in the same transaction sets it
-- to '' after the deletion. The triggers fire for the cascade from `tenants` too.

create table audit_events (
    tenant_id text collate "C" not null references tenants (id) on delete cascade,
    id uuid not null,
    event_type text collate "C" not null check (octet_length(event_type) between 1 and 512),
    severity text collate "C" not null
        check (severity in ('debug', 'info', 'warning', 'error', 'critical')),
    -- As the application calls it; no reference.
    session_id text collate "C" check (octet_length(session_id) between 1 and 512),
    actor text,
    component text,
    action text,
    details jsonb not null check (jsonb_typeof(details) = 'object'),
    result text,
    ip_address text,
    resource text,
    at timestamptz not null,
    primary key (tenant_id, id)
);

-- For the listing of events: all, of a severity, of a type, of a session.
create index audit_events_by_time on audit_events (tenant_id, at desc, id desc);
create index audit_events_by_severity on audit_events (tenant_id, severity, at desc, id desc);
create index audit_events_by_type on audit_events (tenant_id, event_type, at desc, id desc);
create index audit_events_by_session on audit_events (tenant_id, session_id, at desc, id desc);

create function refuse_change_of_audit_events() returns trigger language plpgsql as $$
begin
    raise exception 'audit events are never changed' using errcode = 'restrict_violation';
end
$$;

create trigger audit_events_never_change before update on audit_events
for each row execute function refuse_change_of_audit_events();

-- Fires for no row, so it asks for no permit.
create trigger audit_events_never_emptied before truncate on audit_events
for each statement execute function refuse_change_of_audit_events();

create function refuse_deletion_of_audit_events() returns trigger language plpgsql as $$
declare
    run text := current_setting('memory.taken_back_run', true);
begin
    if old.tenant_id = current_setting('memory.erased_tenant', true) then
        return old;
    end if;
    -- Here, and not in one condition: what is not set is '' or null, and no id.
    if run <> '' then
        perform from transfer_ledger
        where run_id = run::uuid and tenant_id = old.tenant_id
            and (
                table_name = 'audit_events' and record_id = old.id
                or table_name = 'tenants'
                    and record_id = '00000000-0000-0000-0000-000000000000'
            );
        if found then
            return old;
        end if;
    end if;
    raise exception 'audit events are deleted only with their tenant or their transfer'
        using errcode = 'restrict_violation';
end
$$;

create trigger audit_events_deleted_by_permit_only before delete on audit_events
for each row execute function refuse_deletion_of_audit_events();

-- Records events, all or none, and gives one row: 'stands' with how many of them are new, or
-- 'conflict' with the one that stands with other content. No id may be given twice.
--
-- A function, because what was written by another while the insertion waited must be compared, and
-- the insertion be undone where it differs: by a subtransaction, as events cannot be deleted.
create function record_audit_events(
    for_tenant text, moment timestamptz, ids uuid[], event_types text[], severities text[],
    session_ids text[], actors text[], components text[], actions text[], detailses jsonb[],
    results text[], ip_addresses text[], resources text[], moments timestamptz[]
) returns table (outcome text, culprit uuid, added bigint)
language plpgsql volatile as $$
#variable_conflict use_column
declare
    new_rows bigint;
    touched boolean;
    differs uuid;
begin
    -- In the order of ids, so that two batches that share ids do not wait for each other in turn.
    with written as (
        insert into audit_events (
            tenant_id, id, event_type, severity, session_id, actor, component, action, details,
            result, ip_address, resource, at
        )
        select for_tenant, given.* from unnest(
            ids, event_types, severities, session_ids, actors, components, actions, detailses,
            results, ip_addresses, resources, moments
        ) as given (
            id, event_type, severity, session_id, actor, component, action, details, result,
            ip_address, resource, at
        )
        order by given.id
        on conflict (tenant_id, id) do nothing
        returning id
    )
    select count(*), case when count(*) > 0 then touch_tenant(for_tenant, moment) end
    into new_rows, touched from written;
    if new_rows < cardinality(ids) then
        select given.id into differs
        from unnest(
            ids, event_types, severities, session_ids, actors, components, actions, detailses,
            results, ip_addresses, resources, moments
        ) with ordinality as given (
            id, event_type, severity, session_id, actor, component, action, details, result,
            ip_address, resource, at, place
        )
        left join audit_events as old on old.tenant_id = for_tenant and old.id = given.id
        where (
            old.event_type, old.severity, old.session_id, old.actor, old.component, old.action,
            old.details, old.result, old.ip_address, old.resource, old.at
        ) is distinct from (
            given.event_type, given.severity, given.session_id, given.actor, given.component,
            given.action, given.details, given.result, given.ip_address, given.resource, given.at
        )
        order by given.place
        limit 1;
        if found then
            -- Ends the block, and so undoes what it inserted.
            raise exception 'conflict' using errcode = 'ME001';
        end if;
    end if;
    return query select 'stands', null::uuid, new_rows;
exception when sqlstate 'ME001' then
    return query select 'conflict', differs, 0::bigint;
end
$$;
