drop function remember_nodes(
    text, timestamptz, uuid[], text[], text[], text[], text[], text[], jsonb[], text[], jsonb[],
    jsonb[], double precision[]
);
drop function remember_node(
    text, timestamptz, uuid, text, text, text, text, text, jsonb, text, text[], jsonb,
    double precision
);
drop table relationships;
drop table nodes;
