drop function clear_session(text, timestamptz, uuid);
drop function append_messages(text, timestamptz, uuid, uuid[], text[], text[], jsonb[]);
drop function touch_tenant(text, timestamptz);
drop table messages;
drop table sessions;
drop table tenants;
