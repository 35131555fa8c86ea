drop function log_mission(
    text, timestamptz, uuid, text, text, text, double precision, bigint, double precision, bigint,
    jsonb, uuid
);
drop table file_snapshots;
drop table missions;
