drop table file_snapshots;
drop table missions;
