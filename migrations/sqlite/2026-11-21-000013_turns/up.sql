-- The turns that were learned, so that each counts once.
create table turns (
    tenant_id text not null references tenants (id) on delete cascade,
    id blob not null check (length(id) = 16),
    digest blob not null check (length(digest) = 32),
    -- Ids as an array of texts.
    concepts text not null check (json_type(concepts) = 'array'),
    learned_at integer not null,
    primary key (tenant_id, id)
) strict;
