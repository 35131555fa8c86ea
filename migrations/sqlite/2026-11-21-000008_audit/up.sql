-- What was done, by whom, and how it ended. The database itself sees to it that events are only
-- ever added.
--
-- An event may be deleted only while a row of one of the two tables below says so, written by the
-- transaction that deletes, which also takes it away again before it commits:
--   * erasure of a tenant:  insert into tenants_being_erased values (<tenant id>);
--     then delete from tenants where id = …, or the events themselves;
--     then delete from tenants_being_erased;
--   * rollback of a transfer:  insert into transfers_being_taken_back values (<run id>); it permits
--     just the events that the run's ledger names, and those of tenants that it names;
--     then delete from transfers_being_taken_back.
-- The trigger fires for the cascade from `tenants` too.

create table tenants_being_erased (tenant_id text not null primary key) strict;

create table transfers_being_taken_back (
    run_id blob not null primary key check (length(run_id) = 16)
) strict;

-- Without a rowid there is no second key by which `insert or replace` could take another row away.
create table audit_events (
    tenant_id text not null references tenants (id) on delete cascade,
    id blob not null check (length(id) = 16),
    event_type text not null check (length(cast(event_type as blob)) between 1 and 512),
    severity text not null
        check (severity in ('debug', 'info', 'warning', 'error', 'critical')),
    -- As the application calls it; no reference.
    session_id text check (length(cast(session_id as blob)) between 1 and 512),
    actor text,
    component text,
    action text,
    details text not null check (json_type(details) = 'object'),
    result text,
    ip_address text,
    resource text,
    at integer not null,
    primary key (tenant_id, id)
) strict, without rowid;

-- For the listing of events: all, of a severity, of a type, of a session.
create index audit_events_by_time on audit_events (tenant_id, at desc, id desc);
create index audit_events_by_severity on audit_events (tenant_id, severity, at desc, id desc);
create index audit_events_by_type on audit_events (tenant_id, event_type, at desc, id desc);
create index audit_events_by_session on audit_events (tenant_id, session_id, at desc, id desc);

create trigger audit_events_never_change before update on audit_events begin
    select raise(abort, 'audit events are never changed');
end;

-- What stands, stands: `insert or replace` would delete it without firing the trigger below.
create trigger audit_events_never_replaced before insert on audit_events
when exists (select 1 from audit_events where tenant_id = new.tenant_id and id = new.id) begin
    select raise(ignore);
end;

create trigger audit_events_deleted_by_permit_only before delete on audit_events
when not exists (select 1 from tenants_being_erased where tenant_id = old.tenant_id)
    and not exists (
        select 1 from transfers_being_taken_back as taken
        join transfer_ledger as brought on brought.run_id = taken.run_id
        where brought.tenant_id = old.tenant_id
            and (brought.table_name, brought.record_id) in (
                values ('audit_events', old.id), ('tenants', zeroblob(16))
            )
    )
begin
    select raise(abort, 'audit events are deleted only with their tenant or their transfer');
end;
