-- Whoever is erasing a tenant ends first.
lock table tenants in share row exclusive mode;
drop function erase_tenant;
