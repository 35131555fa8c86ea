drop function record_audit_events(
    text, timestamptz, uuid[], text[], text[], text[], text[], text[], text[], jsonb[], text[],
    text[], text[], timestamptz[]
);
drop table audit_events;
drop function refuse_change_of_audit_events();
drop function refuse_deletion_of_audit_events();
