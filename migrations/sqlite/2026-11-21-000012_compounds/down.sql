drop index nodes_by_access;
drop table compound_members;
drop table compounds;
