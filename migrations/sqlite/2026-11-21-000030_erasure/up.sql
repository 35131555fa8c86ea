-- Erasing a tenant is written in Rust here; PostgreSQL needs a function for it.
select 1;
