drop table relationships;
drop table node_tags;
drop table nodes;
