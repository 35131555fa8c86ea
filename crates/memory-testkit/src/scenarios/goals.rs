use memory_domain::{ActiveGoalCursor, Goal, GoalCursor, GoalFilter, GoalStatus, Limit, NewGoal};
use memory_storage::MemoryStore;

use crate::support::{ada, assert_refused, at, goal_id, limit, new_goal, tenant};

async fn save(store: &dyn MemoryStore, new: NewGoal, seconds: i64) -> Goal {
    store.save_goal(&ada(), new, at(seconds)).await.unwrap()
}

async fn the_goal(store: &dyn MemoryStore, id: u128) -> Goal {
    store.goal(&ada(), goal_id(id)).await.unwrap().unwrap()
}

fn numbers(goals: &[Goal]) -> Vec<u128> {
    goals.iter().map(|it| it.id.uuid().as_u128()).collect()
}

/// The ids of the goals that a filter gives.
async fn ids(store: &dyn MemoryStore, filter: GoalFilter) -> Vec<u128> {
    numbers(&store.goals(&ada(), filter, Limit::MAX).await.unwrap())
}

pub(crate) async fn a_goal_is_saved_whole(store: &dyn MemoryStore) {
    let new = NewGoal::new("learn to swim 🏊", -3, "hard")
        .with_id(goal_id(1))
        .with_estimated_value(0.1 + 0.2)
        .with_status(GoalStatus::InProgress)
        .with_deadline(at(99));
    let wanted = Goal {
        tenant_id: ada(),
        id: goal_id(1),
        description: "learn to swim 🏊".into(),
        importance: -3,
        complexity: "hard".into(),
        estimated_value: Some(0.300_000_000_000_000_04),
        status: GoalStatus::InProgress,
        deadline: Some(at(99)),
        created_at: at(7),
        completed_at: None,
    };
    assert_eq!(save(store, new, 7).await, wanted);
    assert_eq!(the_goal(store, 1).await, wanted);
    assert_eq!(store.goal(&ada(), goal_id(2)).await.unwrap(), None);
    assert_eq!(store.goal(&tenant("bea"), goal_id(1)).await.unwrap(), None);
    let tenant = store.tenant(&ada()).await.unwrap().unwrap();
    assert_eq!(tenant.created_at, at(7));
}

pub(crate) async fn saving_again_replaces_all_but_id_and_creation(store: &dyn MemoryStore) {
    let first = new_goal(1, "a").with_estimated_value(1.5);
    save(store, first.with_deadline(at(5)), 0).await;
    let changes: [fn(NewGoal) -> NewGoal; 6] = [
        |new| NewGoal {
            description: "b".into(),
            ..new
        },
        |new| NewGoal {
            importance: 6,
            ..new
        },
        |new| NewGoal {
            complexity: "easy".into(),
            ..new
        },
        |new| new.with_estimated_value(2.5),
        |new| new.with_status(GoalStatus::Deferred),
        |new| new.with_deadline(at(9)),
    ];
    // Each by itself, so that a difference in any of them is seen.
    let mut new = new_goal(1, "a");
    let mut wanted = Goal {
        estimated_value: None,
        deadline: None,
        ..the_goal(store, 1).await
    };
    assert_eq!(save(store, new.clone(), 1).await, wanted);
    for (change, seconds) in changes.into_iter().zip(2..) {
        new = change(new);
        wanted = Goal {
            created_at: at(0),
            ..new.clone().into_goal(ada(), at(seconds))
        };
        assert_eq!(save(store, new.clone(), seconds).await, wanted);
        assert_eq!(the_goal(store, 1).await, wanted);
    }
    assert_eq!(&*wanted.description, "b");
    assert_eq!((wanted.importance, &*wanted.complexity), (6, "easy"));
    assert_eq!(wanted.estimated_value, Some(2.5));
    assert_eq!(wanted.status, GoalStatus::Deferred);
    assert_eq!(wanted.deadline, Some(at(9)));
    assert_eq!(ids(store, GoalFilter::default()).await, [1]);
}

pub(crate) async fn saving_the_same_goal_again_is_the_same_write(store: &dyn MemoryStore) {
    let new = || new_goal(1, "a").with_status(GoalStatus::Completed);
    let first = save(store, new(), 1).await;
    assert_eq!(first.completed_at, Some(at(1)));
    assert_eq!(save(store, new(), 1_000).await, first);
    assert_eq!(the_goal(store, 1).await, first);
}

pub(crate) async fn completing_sets_a_time_and_anything_else_clears_it(store: &dyn MemoryStore) {
    save(store, new_goal(1, "a"), 0).await;
    let set = async |status, seconds| {
        let id = goal_id(1);
        let set = store.set_goal_status(&ada(), id, status, at(seconds)).await;
        let goal = set.unwrap();
        assert_eq!(the_goal(store, 1).await, goal);
        assert_eq!((goal.status, goal.created_at), (status, at(0)));
        goal.completed_at
    };
    for (status, seconds) in GoalStatus::ALL.into_iter().zip(1..) {
        let wanted = (status == GoalStatus::Completed).then_some(at(seconds));
        assert_eq!(set(status, seconds).await, wanted);
    }
    assert_eq!(set(GoalStatus::Completed, 20).await, Some(at(20)));
    assert_eq!(set(GoalStatus::Completed, 21).await, Some(at(20)));
    // Saving does the same.
    let completed = || new_goal(1, "b").with_status(GoalStatus::Completed);
    let saved = save(store, completed(), 22).await;
    assert_eq!(saved.completed_at, Some(at(20)));
    assert_eq!(save(store, new_goal(1, "b"), 23).await.completed_at, None);
    let saved = save(store, completed(), 24).await;
    assert_eq!(saved.completed_at, Some(at(24)));
}

pub(crate) async fn the_status_of_a_goal_that_is_not_there_is_not_found(store: &dyn MemoryStore) {
    let (id, done) = (goal_id(1), GoalStatus::Completed);
    let set = store.set_goal_status(&ada(), id, done, at(0)).await;
    assert_refused!(set, NotFound);
    assert_eq!(store.tenant(&ada()).await.unwrap(), None);
    let bea = tenant("bea");
    store
        .save_goal(&bea, new_goal(1, "a"), at(0))
        .await
        .unwrap();
    let set = store.set_goal_status(&ada(), id, done, at(0)).await;
    assert_refused!(set, NotFound);
}

/// Goals 1 to 6: two without a deadline, and two with the same.
async fn given_goals(store: &dyn MemoryStore) {
    let goals = [
        (1, GoalStatus::Active, Some(30)),
        (2, GoalStatus::Active, None),
        (3, GoalStatus::Paused, Some(20)),
        (4, GoalStatus::Active, Some(20)),
        (5, GoalStatus::Paused, None),
        (6, GoalStatus::Active, Some(10)),
    ];
    for (id, status, deadline) in goals {
        let mut new = new_goal(id, "a").with_status(status);
        new.deadline = deadline.map(at);
        save(store, new, 0).await;
    }
}

pub(crate) async fn goals_are_listed_by_deadline_then_the_smaller_id(store: &dyn MemoryStore) {
    given_goals(store).await;
    let any = GoalFilter::default;
    let paused = GoalFilter {
        status: Some(GoalStatus::Paused),
        ..any()
    };
    let between = GoalFilter {
        deadline_from: Some(at(20)),
        deadline_to: Some(at(20)),
        ..any()
    };
    let late = GoalFilter {
        deadline_from: Some(at(20)),
        ..any()
    };
    let early = GoalFilter {
        deadline_to: Some(at(20)),
        ..any()
    };
    let soon = GoalFilter {
        status: Some(GoalStatus::Active),
        ..early
    };
    let wanted: [(GoalFilter, &[u128]); 6] = [
        (any(), &[6, 3, 4, 1, 2, 5]),
        (paused, &[3, 5]),
        (between, &[3, 4]),
        (late, &[3, 4, 1]),
        (early, &[6, 3, 4]),
        (soon, &[6, 4]),
    ];
    for (filter, wanted) in wanted {
        assert_eq!(ids(store, filter).await, wanted, "{filter:?}");
        for rows in [1, 2, 4] {
            let (mut filter, mut found) = (filter, Vec::new());
            loop {
                let page = store.goals(&ada(), filter, limit(rows)).await.unwrap();
                let Some(last) = page.last() else { break };
                filter.after = Some(last.cursor());
                found.extend(numbers(&page));
            }
            assert_eq!(found, wanted, "{filter:?} by {rows}");
        }
    }
    // A place need not be that of a goal, and the later of two ends holds.
    let place = |deadline: Option<i64>, id| GoalFilter {
        deadline_from: Some(at(20)),
        after: Some(GoalCursor {
            deadline: deadline.map(at),
            id: goal_id(id),
        }),
        ..any()
    };
    assert_eq!(ids(store, place(Some(20), 3)).await, [4, 1]);
    assert_eq!(ids(store, place(Some(5), 99)).await, [3, 4, 1]);
    assert_eq!(ids(store, place(Some(25), 1)).await, [1]);
    assert_eq!(ids(store, place(None, 1)).await, [0; 0]);
}

pub(crate) async fn active_goals_come_by_importance_then_the_newest(store: &dyn MemoryStore) {
    let goals = [
        (1, 2, 10),
        (2, 9, 10),
        (3, 2, 20),
        (4, 2, 20),
        (5, i64::MIN, 30),
    ];
    for (id, importance, seconds) in goals {
        let mut new = new_goal(id, "a");
        new.importance = importance;
        save(store, new, seconds).await;
    }
    for (id, status) in (6..).zip(&GoalStatus::ALL[1..]) {
        save(store, new_goal(id, "a").with_status(*status), 40).await;
    }
    for rows in [1, 2, 1_000] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = store.active_goals(&ada(), limit(rows), after).await;
            let page = page.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.active_cursor());
            found.extend(numbers(&page));
        }
        assert_eq!(found, [2, 4, 3, 1, 5], "by {rows}");
    }
    let place = ActiveGoalCursor {
        importance: 2,
        created_at: at(15),
        id: goal_id(99),
    };
    let rest = store.active_goals(&ada(), Limit::MAX, Some(place)).await;
    assert_eq!(numbers(&rest.unwrap()), [1, 5]);
}

pub(crate) async fn goals_are_listed_by_50_when_nothing_is_said(store: &dyn MemoryStore) {
    for id in 1..=51 {
        save(store, new_goal(id, "a"), 0).await;
    }
    for (rows, wanted) in [(Limit::default(), 50), (limit(0), 0), (Limit::MAX, 51)] {
        let any = GoalFilter::default();
        let found = store.goals(&ada(), any, rows).await.unwrap();
        assert_eq!(found.len(), wanted);
        let found = store.active_goals(&ada(), rows, None).await.unwrap();
        assert_eq!(found.len(), wanted);
    }
}

pub(crate) async fn a_bad_goal_is_refused(store: &dyn MemoryStore) {
    let complexity = |complexity: String| NewGoal {
        complexity,
        ..new_goal(1, "a")
    };
    let bad = [
        new_goal(1, "\u{0}"),
        complexity(String::new()),
        complexity("x".repeat(513)),
        new_goal(1, "a").with_estimated_value(f64::NAN),
        new_goal(1, "a").with_estimated_value(f64::NEG_INFINITY),
    ];
    for new in bad {
        assert_refused!(store.save_goal(&ada(), new, at(0)).await, Invalid);
    }
    assert_eq!(store.tenant(&ada()).await.unwrap(), None);
    let longest = complexity("x".repeat(512)).with_estimated_value(-0.0);
    let saved = save(store, longest, 0).await;
    assert_eq!(saved.estimated_value.map(f64::to_bits), Some(0));
    assert_eq!(the_goal(store, 1).await, saved);
}
