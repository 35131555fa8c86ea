drop table patch_requests;
