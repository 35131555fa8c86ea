-- Changes that an assistant proposes to its own code, which a person reviews.

create table patch_requests (
    tenant_id text collate "C" not null references tenants (id) on delete cascade,
    id uuid not null,
    target_file text collate "C" not null check (octet_length(target_file) between 1 and 1024),
    reasoning text not null,
    diff text not null,
    new_code text not null,
    component text collate "C" not null check (octet_length(component) between 1 and 512),
    improvement_type text collate "C" not null check (octet_length(improvement_type) between 1 and 512),
    confidence double precision not null,
    status text collate "C" not null check (
        status in ('pending_approval', 'approved', 'denied', 'applied', 'failed')
    ),
    reviewed_by text collate "C" check (octet_length(reviewed_by) between 1 and 512),
    review_comment text,
    application_error text,
    -- An array of texts, in the order given.
    feedback_ids jsonb not null check (jsonb_typeof(feedback_ids) = 'array'),
    metrics jsonb not null check (jsonb_typeof(metrics) = 'object'),
    created_at timestamptz not null,
    reviewed_at timestamptz,
    applied_at timestamptz,
    primary key (tenant_id, id)
);

-- For the listings: of all, of one status, of one component, of both.
create index patch_requests_by_creation on patch_requests (tenant_id, created_at desc, id desc);
create index patch_requests_by_status
    on patch_requests (tenant_id, status, created_at desc, id desc);
create index patch_requests_by_component
    on patch_requests (tenant_id, component, created_at desc, id desc);
create index patch_requests_by_component_status
    on patch_requests (tenant_id, component, status, created_at desc, id desc);
