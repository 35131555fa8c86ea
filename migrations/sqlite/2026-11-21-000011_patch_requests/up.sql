-- Changes that an assistant proposes to its own code, which a person reviews.

create table patch_requests (
    tenant_id text not null references tenants (id) on delete cascade,
    id blob not null check (length(id) = 16),
    target_file text not null check (length(cast(target_file as blob)) between 1 and 1024),
    reasoning text not null,
    diff text not null,
    new_code text not null,
    component text not null check (length(cast(component as blob)) between 1 and 512),
    improvement_type text not null check (length(cast(improvement_type as blob)) between 1 and 512),
    confidence real not null,
    status text not null check (
        status in ('pending_approval', 'approved', 'denied', 'applied', 'failed')
    ),
    reviewed_by text check (length(cast(reviewed_by as blob)) between 1 and 512),
    review_comment text,
    application_error text,
    -- An array of texts, in the order given.
    feedback_ids text not null check (json_type(feedback_ids) = 'array'),
    metrics text not null check (json_type(metrics) = 'object'),
    created_at integer not null,
    reviewed_at integer,
    applied_at integer,
    primary key (tenant_id, id)
) strict;

-- For the listings: of all, of one status, of one component, of both.
create index patch_requests_by_creation on patch_requests (tenant_id, created_at desc, id desc);
create index patch_requests_by_status
    on patch_requests (tenant_id, status, created_at desc, id desc);
create index patch_requests_by_component
    on patch_requests (tenant_id, component, created_at desc, id desc);
create index patch_requests_by_component_status
    on patch_requests (tenant_id, component, status, created_at desc, id desc);
