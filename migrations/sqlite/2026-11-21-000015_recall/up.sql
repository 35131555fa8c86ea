-- For recall: the node of a name, folded.
create index node_chunks_by_name on node_chunks (tenant_id, text) where place = 0;
