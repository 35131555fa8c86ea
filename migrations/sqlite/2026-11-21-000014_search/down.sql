drop table search_backlog;
drop table node_chunks;
drop table node_terms;
drop table node_grams;
drop table message_chunks;
drop table message_terms;
drop table message_grams;
