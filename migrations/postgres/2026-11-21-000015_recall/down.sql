drop index node_chunks_by_name_grams;
drop index node_chunks_by_name;
