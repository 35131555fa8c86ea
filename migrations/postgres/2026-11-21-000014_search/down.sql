drop table search_backlog;
drop function clear_node_places(text, uuid, smallint[]);
drop function clear_node_fields(text, uuid[], uuid[], uuid[]);
drop table node_chunks;
drop table message_chunks;
