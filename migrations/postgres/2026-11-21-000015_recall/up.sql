-- For recall: the node of a name, folded, and those whose names have a term in them. By a hash,
-- because a name that is folded may be longer than what an index takes.
create index node_chunks_by_name on node_chunks (tenant_id, hashtextextended(text, 0))
    where place = 0;
create index node_chunks_by_name_grams on node_chunks using gin (grams) where place = 0;
