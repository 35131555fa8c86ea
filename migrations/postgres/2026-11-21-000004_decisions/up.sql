-- What was settled in conversations.

create table decisions (
    tenant_id text collate "C" not null references tenants (id) on delete cascade,
    id uuid not null,
    -- As the application calls it; no reference.
    session_id text collate "C" check (octet_length(session_id) between 1 and 512),
    text text not null,
    context text,
    extracted_from text,
    decided_at timestamptz not null,
    primary key (tenant_id, id)
);

-- For the listing of decisions, of all sessions and of one.
create index decisions_by_time on decisions (tenant_id, decided_at desc, id desc);
create index decisions_by_session on decisions (tenant_id, session_id, decided_at desc, id desc);
