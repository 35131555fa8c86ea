-- What people thought of answers.

create table feedback (
    tenant_id text not null references tenants (id) on delete cascade,
    id blob not null check (length(id) = 16),
    -- Neither is a reference: feedback may outlive or precede what it names.
    session_id blob check (length(session_id) = 16),
    message_id blob check (length(message_id) = 16),
    rating integer not null,
    comment text,
    correction text,
    created_at integer not null,
    primary key (tenant_id, id)
) strict;

-- For the listing of feedback: all of it, on a session, on a message, with a rating.
create index feedback_by_time on feedback (tenant_id, created_at desc, id desc);
create index feedback_by_session on feedback (tenant_id, session_id, created_at desc, id desc);
create index feedback_by_message on feedback (tenant_id, message_id, created_at desc, id desc);
create index feedback_by_rating on feedback (tenant_id, rating, created_at desc, id desc);
