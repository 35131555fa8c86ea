-- There is nothing to take back.
select 1;
