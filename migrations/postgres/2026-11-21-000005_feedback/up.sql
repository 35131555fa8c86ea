-- What people thought of answers.

create table feedback (
    tenant_id text collate "C" not null references tenants (id) on delete cascade,
    id uuid not null,
    -- Neither is a reference: feedback may outlive or precede what it names.
    session_id uuid,
    message_id uuid,
    rating bigint not null,
    comment text,
    correction text,
    created_at timestamptz not null,
    primary key (tenant_id, id)
);

-- For the listing of feedback: all of it, on a session, on a message, with a rating.
create index feedback_by_time on feedback (tenant_id, created_at desc, id desc);
create index feedback_by_session on feedback (tenant_id, session_id, created_at desc, id desc);
create index feedback_by_message on feedback (tenant_id, message_id, created_at desc, id desc);
create index feedback_by_rating on feedback (tenant_id, rating, created_at desc, id desc);
