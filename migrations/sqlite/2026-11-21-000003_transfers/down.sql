drop table transfer_ledger;
drop table transfer_runs;
