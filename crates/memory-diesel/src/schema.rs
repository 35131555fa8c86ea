//! The tables as diesel sees them. A drift test in each adapter holds them to the catalog.

diesel::table! {
    use diesel::sql_types::Text;
    use crate::sql_types::{Instant, Json};

    /// Who has a memory here.
    tenants (id) {
        /// The tenant's name.
        id -> Text,
        /// When it first wrote.
        created_at -> Instant,
        /// When it last wrote, to the minute.
        last_active_at -> Instant,
        /// What the application keeps about it.
        metadata -> Json,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Text};
    use crate::sql_types::{Id, Instant, Json};

    /// Conversations.
    sessions (tenant_id, id) {
        /// Whose it is.
        tenant_id -> Text,
        /// Its id.
        id -> Id,
        /// Its title.
        title -> Text,
        /// What the application keeps about it.
        metadata -> Json,
        /// When it was created.
        created_at -> Instant,
        /// When it last changed.
        updated_at -> Instant,
        /// How many messages it has.
        message_count -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Text};
    use crate::sql_types::{Id, Instant, Json};

    /// What was said in conversations.
    messages (tenant_id, id) {
        /// Whose it is.
        tenant_id -> Text,
        /// Its id.
        id -> Id,
        /// The conversation.
        session_id -> Id,
        /// Its place there.
        number -> BigInt,
        /// Who speaks.
        role -> Text,
        /// What is said.
        content -> Text,
        /// What the application keeps about it.
        metadata -> Json,
        /// When it was appended.
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Double, Nullable, Text};
    use crate::sql_types::{Id, Instant, Json, Tags};

    /// Pieces of knowledge.
    nodes (tenant_id, id) {
        /// Whose it is.
        tenant_id -> Text,
        /// Its id.
        id -> Id,
        /// What it is.
        context_type -> Text,
        /// The system that knows it.
        key_system -> Nullable<Text>,
        /// Its id there.
        key_id -> Nullable<Text>,
        /// What kind of thing it stands for.
        entity_type -> Nullable<Text>,
        /// The name that is shown.
        name -> Nullable<Text>,
        /// The knowledge itself.
        content -> Json,
        /// The knowledge in a sentence.
        summary -> Text,
        /// Its tags.
        tags -> Tags,
        /// What the application keeps about it.
        metadata -> Json,
        /// How relevant it is.
        base_relevance -> Double,
        /// When it was first remembered.
        created_at -> Instant,
        /// When its content last changed.
        updated_at -> Instant,
        /// When it was last accessed.
        last_accessed_at -> Instant,
        /// How often it was accessed.
        access_count -> BigInt,
        /// How often it was merged into or updated.
        update_count -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::{Bool, BigInt, Double, Text};
    use crate::sql_types::{Id, Instant, Json};

    /// How nodes are related.
    relationships (tenant_id, id) {
        /// Whose it is.
        tenant_id -> Text,
        /// Its id.
        id -> Id,
        /// Where it starts.
        from_id -> Id,
        /// Where it ends.
        to_id -> Id,
        /// How the two are related.
        kind -> Text,
        /// Tells parallel ones apart.
        label -> Text,
        /// Whether it leads one way only.
        directed -> Bool,
        /// How strong it is.
        strength -> Double,
        /// What the application keeps about it.
        metadata -> Json,
        /// When it was first recorded.
        created_at -> Instant,
        /// When its strength was last set.
        last_reinforced_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::sql_types::{Id, Instant, Json};

    /// Transfers into this store.
    transfer_runs (id) {
        /// Its id.
        id -> Id,
        /// The kind of source.
        source_kind -> Text,
        /// The name under which the source's ids were made ours.
        source_name -> Text,
        /// Where the source was.
        source_location -> Text,
        /// When it began.
        started_at -> Instant,
        /// When it ended.
        finished_at -> Nullable<Instant>,
        /// How far it is.
        status -> Text,
        /// The report.
        report -> Json,
    }
}

diesel::table! {
    use diesel::sql_types::{Binary, Text};
    use crate::sql_types::Id;

    /// The records that transfers inserted.
    transfer_ledger (run_id, table_name, tenant_id, record_id) {
        /// The transfer.
        run_id -> Id,
        /// The record's table.
        table_name -> Text,
        /// Whose it is.
        tenant_id -> Text,
        /// Its id; nil for a tenant.
        record_id -> Id,
        /// Its digest.
        digest -> Binary,
    }
}

// Only SQLite has it; it stands here because the permission to join it with `nodes`, below, must
// stand where `nodes` does.
diesel::table! {
    use diesel::sql_types::Text;
    use crate::sql_types::{Id, Instant};

    /// The tags of nodes once more, a row each.
    node_tags (tenant_id, tag, created_at, node_id) {
        /// Whose it is.
        tenant_id -> Text,
        /// The tag.
        tag -> Text,
        /// When the node was first remembered.
        created_at -> Instant,
        /// The node that has it.
        node_id -> Id,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    tenants,
    sessions,
    messages,
    nodes,
    node_tags,
    relationships,
    transfer_runs,
    transfer_ledger,
);
