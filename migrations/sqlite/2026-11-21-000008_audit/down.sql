drop table audit_events;
drop table transfers_being_taken_back;
drop table tenants_being_erased;
