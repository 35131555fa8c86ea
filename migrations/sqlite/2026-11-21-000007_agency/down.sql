drop table agency_snapshots;
