drop index nodes_by_access;
drop function record_compound;
drop table compound_members;
drop table compounds;
drop function add_compound_members;
drop function delete_compound_of_member;
