drop index node_chunks_by_name;
