-- The turns that were learned, so that each counts once.
create table turns (
    tenant_id text collate "C" not null references tenants (id) on delete cascade,
    id uuid not null,
    digest bytea not null check (octet_length(digest) = 32),
    concepts uuid[] not null,
    learned_at timestamptz not null,
    primary key (tenant_id, id)
);

-- What a link gains: strength × decay^days + step, at most 1, as memory_domain::Reinforcement has
-- it. PostgreSQL refuses an underflow of the power, so it is zero from e⁻⁷⁰⁰ on.
create function reinforced(
    strength double precision, since timestamptz, moment timestamptz, decay double precision,
    step double precision
) returns double precision
language sql immutable as $$
    select least(1, step + case
        when strength = 0 then 0
        when ln(strength) + ln(decay) * greatest(0, extract(
            epoch from moment - since
        )::double precision / 86400) < -700 then 0
        else strength * power(decay, greatest(0, extract(
            epoch from moment - since
        )::double precision / 86400))
    end)
$$;

-- Learns a turn and returns what stands, and whether it is new; or says why not: 'turn' (other content under this id),
-- 'message', 'node', 'relationship', 'compound' or 'decision' (what stands with other content, and which), or
-- 'tags' (merging a node gives too many). Nothing is written then, and no error of the database is
-- raised, so a unit of work goes on. No message id may be given twice.
--
-- All that two turns may both write is locked in one order (the turn, the session, nodes by key,
-- links by their ends, the compound) and kept until the end, so turns that come at once are as if
-- one came after the other.
create function learn_turn(
    for_tenant text, moment timestamptz, turn uuid, turn_digest bytea, to_session uuid,
    message_ids uuid[], roles text[], contents text[], metadatas jsonb[],
    node_ids uuid[], entity_types text[], key_ids text[], names text[],
    relevance double precision,
    link_ids uuid[], link_kind text, link_froms bigint[], link_tos bigint[],
    step double precision, decay double precision,
    new_compound uuid, compound_name text,
    decision_ids uuid[], decision_texts text[], decision_contexts text[], decision_words text[]
) returns table (
    outcome text, culprit text, turn_concepts uuid[], turn_learned_at timestamptz, is_new boolean
)
language plpgsql volatile as $$
#variable_conflict use_column
declare
    old turns%rowtype;
    one record;
    known uuid[] := '{}';
    refusal text;
    refused text;
    how_many integer := cardinality(node_ids);
begin
    loop
        -- The reference to the tenant is checked at the end of the insertion, not of this function.
        if not exists (select from tenants where id = for_tenant) then
            perform touch_tenant(for_tenant, moment);
        end if;
        insert into turns (tenant_id, id, digest, concepts, learned_at)
        values (for_tenant, turn, turn_digest, '{}', moment)
        on conflict do nothing;
        exit when found;
        select * into old from turns where tenant_id = for_tenant and id = turn;
        if found and old.digest = turn_digest then
            return query select 'stands', null, old.concepts, old.learned_at, false;
            return;
        elsif found then
            return query select 'turn', turn::text, null::uuid[], null::timestamptz, false;
            return;
        end if;
        -- What stood in the way has gone since we looked: look again.
    end loop;

    if cardinality(message_ids) > 0 then
        loop
            insert into sessions (
                tenant_id, id, title, metadata, created_at, updated_at, message_count
            )
            values (for_tenant, to_session, '', '{}', moment, moment, 0)
            on conflict do nothing;
            select * into one from append_messages(
                for_tenant, moment, to_session, message_ids, roles, contents, metadatas
            ) where outcome <> 'stands' limit 1;
            -- One that stood and was deleted before it was locked is made anew.
            exit when not found or one.outcome <> 'missing';
        end loop;
        if one.outcome is not null then
            refusal := 'message';
            refused := one.message_id;
            raise sqlstate 'MM001';
        end if;
    end if;

    if how_many > 0 then
        known := array_fill(null::uuid, array[how_many]);
        for one in
            select * from remember_nodes(
                for_tenant, moment, node_ids, array_fill('domain_entity'::text, array[how_many]),
                entity_types, key_ids, entity_types, names,
                array_fill('{}'::jsonb, array[how_many]), array_fill(''::text, array[how_many]),
                array_fill('[]'::jsonb, array[how_many]), array_fill('{}'::jsonb, array[how_many]),
                array_fill(relevance, array[how_many])
            )
        loop
            if one.outcome <> 'stands' then
                refusal := case one.outcome when 'tags' then 'tags' else 'node' end;
                refused := case one.outcome
                    when 'tags' then one.tag_count::text else one.node_id::text
                end;
                raise sqlstate 'MM001';
            end if;
            known[one.place] := one.node_id;
        end loop;
    end if;

    if cardinality(link_ids) > 0 then
        select link.id into one
        from unnest(link_ids, link_froms, link_tos) as link (id, a, b)
        join relationships as other on other.tenant_id = for_tenant and other.id = link.id
        where (other.from_id, other.to_id, other.kind, other.label) <> (
            least(known[link.a], known[link.b]), greatest(known[link.a], known[link.b]),
            link_kind, ''
        )
        limit 1;
        if found then
            refusal := 'relationship';
            refused := one.id;
            raise sqlstate 'MM001';
        end if;
        insert into relationships as r (
            tenant_id, id, from_id, to_id, kind, label, directed, strength, metadata,
            created_at, last_reinforced_at
        )
        select for_tenant, link.id, link.from_id, link.to_id, link_kind, '', false, step, '{}',
            moment, moment
        from (
            select id, least(known[a], known[b]) as from_id, greatest(known[a], known[b]) as to_id
            from unnest(link_ids, link_froms, link_tos) as given (id, a, b)
        ) as link
        order by link.from_id, link.to_id
        on conflict (tenant_id, from_id, to_id, kind, label) do update set
            strength = reinforced(
                r.strength, r.last_reinforced_at, excluded.last_reinforced_at, decay, step
            ),
            last_reinforced_at = greatest(r.last_reinforced_at, excluded.last_reinforced_at);
    end if;

    if compound_name is not null then
        select * into one from record_compound(
            for_tenant, moment, new_compound, compound_name,
            array(select unnest(known) order by 1)
        );
        if one.outcome <> 'stands' then
            refusal := 'compound';
            refused := one.compound_id;
            raise sqlstate 'MM001';
        end if;
    end if;

    if cardinality(decision_ids) > 0 then
        insert into decisions (
            tenant_id, id, session_id, text, context, extracted_from, decided_at
        )
        select for_tenant, given.id, to_session::text, given.text, given.context, given.words, moment
        from unnest(decision_ids, decision_texts, decision_contexts, decision_words)
            as given (id, text, context, words)
        order by given.id
        on conflict do nothing;
        select d.id into one
        from unnest(decision_ids, decision_texts, decision_contexts, decision_words)
            as given (id, text, context, words)
        join decisions as d on d.tenant_id = for_tenant and d.id = given.id
        where (d.session_id, d.text, d.context, d.extracted_from)
            is distinct from (to_session::text, given.text, given.context, given.words)
        limit 1;
        if found then
            refusal := 'decision';
            refused := one.id;
            raise sqlstate 'MM001';
        end if;
    end if;

    if how_many > 0 then
        update turns set concepts = known where tenant_id = for_tenant and id = turn;
    end if;
    perform touch_tenant(for_tenant, moment);
    return query select 'stands', null, known, moment, true;
exception
    when sqlstate 'MM001' then
        return query select refusal, refused, null::uuid[], null::timestamptz, false;
end
$$;
