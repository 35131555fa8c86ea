drop table goals;
