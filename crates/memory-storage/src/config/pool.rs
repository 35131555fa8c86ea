use std::time::Duration;

/// How a pool of connections behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolOptions {
    /// Connections kept open though idle; by default 2.
    pub min_idle: u32,
    /// The most connections; by default 10.
    pub max_size: u32,
    /// How long a caller waits for a connection, or on SQLite for the writer; by default 30 s.
    pub acquire_timeout: Duration,
    /// When a connection is replaced; by default after an hour.
    pub max_lifetime: Duration,
    /// When an idle connection is closed; by default after 10 minutes.
    pub idle_timeout: Duration,
    /// A connection that lay idle for this long is checked before it is used; by default 30 s. On
    /// SQLite nothing is checked: a file does not go away as a server does.
    pub check_after_idle: Duration,
}

impl PoolOptions {
    /// A pool for one user or a command: at most 4 connections, none kept open.
    pub fn light() -> PoolOptions {
        PoolOptions {
            min_idle: 0,
            max_size: 4,
            ..PoolOptions::standard()
        }
    }

    /// A pool for one service: 2 to 10 connections. The default.
    pub fn standard() -> PoolOptions {
        PoolOptions {
            min_idle: 2,
            max_size: 10,
            acquire_timeout: Duration::from_secs(30),
            max_lifetime: Duration::from_hours(1),
            idle_timeout: Duration::from_mins(10),
            check_after_idle: Duration::from_secs(30),
        }
    }

    /// A pool for many callers at once: 10 to 50 connections. A PostgreSQL server allows 100 in all
    /// unless it is set up for more.
    pub fn heavy() -> PoolOptions {
        PoolOptions {
            min_idle: 10,
            max_size: 50,
            ..PoolOptions::standard()
        }
    }

    /// Sets how many connections are kept open though idle.
    pub fn with_min_idle(mut self, connections: u32) -> PoolOptions {
        self.min_idle = connections;
        self
    }

    /// Sets the most connections.
    pub fn with_max_size(mut self, connections: u32) -> PoolOptions {
        self.max_size = connections;
        self
    }

    /// Sets how long a caller waits for a connection.
    pub fn with_acquire_timeout(mut self, timeout: Duration) -> PoolOptions {
        self.acquire_timeout = timeout;
        self
    }

    /// Sets when a connection is replaced.
    pub fn with_max_lifetime(mut self, lifetime: Duration) -> PoolOptions {
        self.max_lifetime = lifetime;
        self
    }

    /// Sets when an idle connection is closed.
    pub fn with_idle_timeout(mut self, timeout: Duration) -> PoolOptions {
        self.idle_timeout = timeout;
        self
    }

    /// Sets after how long a connection is checked before it is used; zero checks always.
    pub fn with_check_after_idle(mut self, idle: Duration) -> PoolOptions {
        self.check_after_idle = idle;
        self
    }
}

impl Default for PoolOptions {
    fn default() -> Self {
        PoolOptions::standard()
    }
}
