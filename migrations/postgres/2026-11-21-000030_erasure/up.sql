-- Erases a tenant: the rows of the tables in `kinds` first, in that order, then whatever else says
-- whose it is, and the tenant itself. Returns how many rows went, by table, and nothing if there is
-- no such tenant.
--
-- A function, because it must see what was written until it has the tenant's lock, and because the
-- tables are looked up in the catalog: one that is added later cannot be forgotten.
create function erase_tenant(for_tenant text, kinds text[])
returns table (table_name text, erased bigint)
language plpgsql volatile as $$
#variable_conflict use_variable
declare
    home oid := (select relnamespace from pg_class where oid = 'tenants'::regclass);
    quoted text := to_jsonb(for_tenant)::text;
    inner_part text := substr(quoted, 2, length(quoted) - 2);
begin
    perform from tenants where id = for_tenant for update;
    if not found then
        return;
    end if;
    -- Else the database refuses to delete audit events.
    perform set_config('memory.erased_tenant', for_tenant, true);
    -- The reports of transfers quote keys and values.
    update transfer_runs set report = '{}'
    where id in (select run_id from transfer_ledger as l where l.tenant_id = for_tenant)
        or position(quoted in report::text) > 0
        -- As in `nodes ada/0198…`, and in `tenants ada`, at a text's end or before a reason.
        or position(' ' || inner_part || '/' in report::text) > 0
        or position('tenants ' || inner_part || '"' in report::text) > 0
        or position('tenants ' || inner_part || ':' in report::text) > 0;
    for table_name in
        select given.name from unnest(kinds) with ordinality as given (name, place)
        union all
        (
            select c.relname from pg_attribute as a join pg_class as c on c.oid = a.attrelid
            where c.relnamespace = home and c.relkind in ('r', 'p')
                and a.attname = 'tenant_id' and not a.attisdropped
                and c.relname <> all (kinds)
            order by c.relname
        )
    loop
        execute format('delete from %I where tenant_id = $1', table_name) using for_tenant;
        get diagnostics erased = row_count;
        return next;
    end loop;
    delete from tenants where id = for_tenant;
    perform set_config('memory.erased_tenant', '', true);
    table_name := 'tenants';
    erased := 1;
    return next;
end
$$;
