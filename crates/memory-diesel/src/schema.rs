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
    use diesel::sql_types::{BigInt, Text};
    use crate::sql_types::{Id, Ids, Instant};

    /// Concepts that occur together.
    compounds (tenant_id, id) {
        /// Whose it is.
        tenant_id -> Text,
        /// Its id.
        id -> Id,
        /// Its name.
        name -> Text,
        /// The nodes that occur together, sorted.
        members -> Ids,
        /// How often they did.
        occurrences -> BigInt,
        /// When they did last.
        last_seen_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::Text;
    use crate::sql_types::Id;

    /// The members of compounds once more, a row each.
    compound_members (tenant_id, node_id, compound_id) {
        /// Whose it is.
        tenant_id -> Text,
        /// The member.
        node_id -> Id,
        /// The compound.
        compound_id -> Id,
    }
}

diesel::table! {
    use diesel::sql_types::{Binary, Text};
    use crate::sql_types::{Id, Ids, Instant};

    /// Turns that were learned.
    turns (tenant_id, id) {
        /// Whose it is.
        tenant_id -> Text,
        /// Its id.
        id -> Id,
        /// Tells another turn under the same id.
        digest -> Binary,
        /// The nodes of its concepts.
        concepts -> Ids,
        /// When it was learned.
        learned_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use crate::sql_types::{Id, Instant};

    /// What people thought of answers.
    feedback (tenant_id, id) {
        /// Whose it is.
        tenant_id -> Text,
        /// Its id.
        id -> Id,
        /// The session it is about.
        session_id -> Nullable<Id>,
        /// The message it is about.
        message_id -> Nullable<Id>,
        /// How good it was.
        rating -> BigInt,
        /// What the person said.
        comment -> Nullable<Text>,
        /// What the answer should have been.
        correction -> Nullable<Text>,
        /// When it was recorded.
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::sql_types::{Id, Instant};

    /// What was settled in conversations.
    decisions (tenant_id, id) {
        /// Whose it is.
        tenant_id -> Text,
        /// Its id.
        id -> Id,
        /// The session, as the application calls it.
        session_id -> Nullable<Text>,
        /// What was decided.
        text -> Text,
        /// What it was about.
        context -> Nullable<Text>,
        /// The words from which it was taken.
        extracted_from -> Nullable<Text>,
        /// When it was decided.
        decided_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::sql_types::{Id, Instant, Json};

    /// What was done, by whom, and how it ended.
    audit_events (tenant_id, id) {
        /// Whose it is.
        tenant_id -> Text,
        /// Its id.
        id -> Id,
        /// What kind of event it is.
        event_type -> Text,
        /// How grave it is.
        severity -> Text,
        /// The session, as the application calls it.
        session_id -> Nullable<Text>,
        /// Who did it.
        actor -> Nullable<Text>,
        /// The part of the application that did it.
        component -> Nullable<Text>,
        /// What was done.
        action -> Nullable<Text>,
        /// What else there is to say.
        details -> Json,
        /// How it ended.
        result -> Nullable<Text>,
        /// From where.
        ip_address -> Nullable<Text>,
        /// To what it was done.
        resource -> Nullable<Text>,
        /// When it happened.
        at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use crate::sql_types::{AnyJson, Id, Instant, Json};

    /// Work that is queued.
    tasks (tenant_id, id) {
        /// Whose it is.
        tenant_id -> Text,
        /// Its id.
        id -> Id,
        /// What is to be done.
        name -> Text,
        /// What kind of work it is.
        task_type -> Text,
        /// How far it is.
        status -> Text,
        /// The higher, the sooner it is claimed.
        priority -> BigInt,
        /// How often a worker got it.
        attempts -> BigInt,
        /// How often it may be tried again after a failure.
        max_retries -> BigInt,
        /// What it is done with.
        arguments -> Json,
        /// What came of it.
        result -> Nullable<AnyJson>,
        /// What went wrong when it last failed.
        error -> Nullable<Text>,
        /// Where that was.
        traceback -> Nullable<Text>,
        /// Its id in another queue.
        external_id -> Nullable<Text>,
        /// Who has it, or had it last.
        claimed_by -> Nullable<Text>,
        /// Until when.
        claimed_until -> Nullable<Instant>,
        /// When it was created.
        created_at -> Instant,
        /// When its latest attempt began.
        started_at -> Nullable<Instant>,
        /// When it was over.
        completed_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Double, Nullable, Text};
    use crate::sql_types::{Id, Instant, Json};

    /// Pieces of work that an assistant was sent on.
    missions (tenant_id, id) {
        /// Whose it is.
        tenant_id -> Text,
        /// Its id.
        id -> Id,
        /// The id that the world outside knows.
        key -> Text,
        /// How it ended.
        status -> Text,
        /// The field of work.
        domain -> Nullable<Text>,
        /// What it cost, in US dollars.
        cost_usd -> Nullable<Double>,
        /// How many rounds it took.
        iterations -> Nullable<BigInt>,
        /// How long it took.
        duration_seconds -> Nullable<Double>,
        /// How many files it modified.
        files_modified -> Nullable<BigInt>,
        /// What the application keeps about it.
        metadata -> Json,
        /// When it was first logged.
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use crate::sql_types::{Id, Instant, Json};

    /// What files were like at a moment.
    file_snapshots (tenant_id, id) {
        /// Whose it is.
        tenant_id -> Text,
        /// Its id.
        id -> Id,
        /// Where the file is.
        path -> Text,
        /// The mission that it was taken for.
        mission_key -> Nullable<Text>,
        /// How large the file was.
        size_bytes -> Nullable<BigInt>,
        /// How many lines of code it had.
        lines_of_code -> Nullable<BigInt>,
        /// The hash of its content.
        hash -> Nullable<Text>,
        /// What the application keeps about it.
        metadata -> Json,
        /// When it was taken.
        taken_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{Double, Nullable, Text};
    use crate::sql_types::{AnyJson, Id, Instant, Json};

    /// Changes that an assistant proposes to its own code.
    patch_requests (tenant_id, id) {
        /// Whose it is.
        tenant_id -> Text,
        /// Its id.
        id -> Id,
        /// The file that it changes.
        target_file -> Text,
        /// Why it should be made.
        reasoning -> Text,
        /// The change.
        diff -> Text,
        /// The code after the change.
        new_code -> Text,
        /// The part of the system that it belongs to.
        component -> Text,
        /// What kind of improvement it is.
        improvement_type -> Text,
        /// How sure the assistant is of it.
        confidence -> Double,
        /// How far it is.
        status -> Text,
        /// Who reviewed it.
        reviewed_by -> Nullable<Text>,
        /// What the reviewer said.
        review_comment -> Nullable<Text>,
        /// Why it could not be applied.
        application_error -> Nullable<Text>,
        /// The feedback that it answers.
        feedback_ids -> AnyJson,
        /// The measurements that speak for it.
        metrics -> Json,
        /// When it was requested.
        created_at -> Instant,
        /// When it was reviewed.
        reviewed_at -> Nullable<Instant>,
        /// When it was applied.
        applied_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Double, Nullable, Text};
    use crate::sql_types::{Id, Instant};

    /// What somebody wants to reach.
    goals (tenant_id, id) {
        /// Whose it is.
        tenant_id -> Text,
        /// Its id.
        id -> Id,
        /// What is to be reached.
        description -> Text,
        /// How much it matters.
        importance -> BigInt,
        /// How hard it is.
        complexity -> Text,
        /// What reaching it is worth.
        estimated_value -> Nullable<Double>,
        /// What has become of it.
        status -> Text,
        /// By when it is to be reached.
        deadline -> Nullable<Instant>,
        /// When it was first saved.
        created_at -> Instant,
        /// When it was completed.
        completed_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::{Double, Nullable, Text};
    use crate::sql_types::{Id, Instant};

    /// How an assistant affects what a person decides and can do.
    agency_snapshots (tenant_id, id) {
        /// Whose it is.
        tenant_id -> Text,
        /// Its id.
        id -> Id,
        /// How good the person's decisions were.
        decision_quality -> Double,
        /// How much the person learned.
        skill_development -> Double,
        /// How much the person relied on the assistant.
        ai_reliance -> Double,
        /// How far bottlenecks were overcome.
        bottleneck_resolution -> Double,
        /// How confident the person was.
        user_confidence -> Double,
        /// How engaged the person was.
        engagement -> Double,
        /// How independent the person felt.
        autonomy_perception -> Double,
        /// How much independence was kept.
        autonomy_retention -> Double,
        /// The change of agency.
        delta_agency -> Double,
        /// What the person was doing.
        task_description -> Nullable<Text>,
        /// How hard that was.
        task_complexity -> Nullable<Text>,
        /// When it was taken.
        taken_at -> Instant,
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
    compounds,
    compound_members,
    turns,
    feedback,
    decisions,
    audit_events,
    tasks,
    missions,
    file_snapshots,
    patch_requests,
    goals,
    agency_snapshots,
    transfer_runs,
    transfer_ledger,
);
