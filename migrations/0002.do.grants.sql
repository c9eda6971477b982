-- Who may do what to which table. Each process logs in under a role of its own, owns nothing and gets exactly this; the
-- roles themselves are the cluster's and are made by src/store/roles.ts. test/grants.test.ts holds the whole matrix.
--
--   gyeol_api      what callers ask for; opens no object, writes no result of a worker
--   gyeol_key      sees tokens; nothing of cohorts and releases
--   gyeol_data     sees tables, cohorts and releases; writes no linkage
--   gyeol_sign     reads leaves, writes checkpoints
--   gyeol_auditor  reads everything but credentials
--
-- Leaves are written by nobody: they go through gyeol.append_leaf alone.

grant usage on schema gyeol to gyeol_api, gyeol_key, gyeol_data, gyeol_sign, gyeol_auditor;
grant select on gyeol.schema_version to gyeol_api, gyeol_key, gyeol_data, gyeol_sign, gyeol_auditor;

-- People ---------------------------------------------------------------------------------------------------------

grant select, insert on gyeol.account to gyeol_api;
grant update (password_hash, roles, disabled_at) on gyeol.account to gyeol_api;
grant select, insert, delete on gyeol.session to gyeol_api;
grant select (account_id, name) on gyeol.account to gyeol_data;
grant select (account_id, name, roles, disabled_at, created_at) on gyeol.account to gyeol_auditor;

-- Agencies and projects ------------------------------------------------------------------------------------------

grant select, insert on gyeol.agency to gyeol_api;
grant update (title, spki_sha256, disabled_at) on gyeol.agency to gyeol_api;
grant select (agency_id, name, title) on gyeol.agency to gyeol_key, gyeol_data;
grant select on gyeol.agency to gyeol_auditor;

grant select, insert on gyeol.project to gyeol_api;
grant update (state, approved_by, approved_at) on gyeol.project to gyeol_api;
grant select, update (state) on gyeol.project to gyeol_key, gyeol_data;
grant select on gyeol.project to gyeol_auditor;

grant select, insert on gyeol.project_agency to gyeol_api;
grant select on gyeol.project_agency to gyeol_key, gyeol_data, gyeol_auditor;

grant select, insert on gyeol.sealing_key to gyeol_api, gyeol_key, gyeol_data;
grant update (retired_at) on gyeol.sealing_key to gyeol_api, gyeol_key, gyeol_data;
grant select on gyeol.sealing_key to gyeol_auditor;

grant select, insert on gyeol.keyring_revision to gyeol_api, gyeol_key, gyeol_data, gyeol_sign;
grant select on gyeol.keyring_revision to gyeol_auditor;

-- The vault --------------------------------------------------------------------------------------------------------

grant select, insert on gyeol.vault_object to gyeol_api, gyeol_key, gyeol_data;
grant update (destroyed_at) on gyeol.vault_object to gyeol_api, gyeol_key, gyeol_data;
grant select on gyeol.vault_object to gyeol_auditor;

-- Deliveries and jobs ----------------------------------------------------------------------------------------------

grant select, insert on gyeol.delivery to gyeol_api;
grant update (state, manifest, manifest_sha256, job_id, submitted_at, ended_at) on gyeol.delivery to gyeol_api;
grant select, update (state, ended_at) on gyeol.delivery to gyeol_key, gyeol_data;
grant select on gyeol.delivery to gyeol_auditor;

grant select, insert, update (upload_object_id, taken_object_id) on gyeol.part to gyeol_api;
grant select on gyeol.part to gyeol_key, gyeol_data, gyeol_auditor;
grant update (state, upload_object_id, taken_object_id, rows, rows_taken, refusals, report) on gyeol.part
  to gyeol_key, gyeol_data;

grant select, insert, update (state, lease_token, lease_until, ended_at) on gyeol.job to gyeol_api; -- cancels
grant select, insert on gyeol.job to gyeol_key, gyeol_data;
grant update (state, attempts, lease_token, lease_until, run_after, progress, result, refusal, started_at, ended_at)
  on gyeol.job to gyeol_key, gyeol_data;
grant select on gyeol.job to gyeol_auditor;

-- Linkages, cohorts, releases --------------------------------------------------------------------------------------

grant select, insert on gyeol.linkage to gyeol_api;
grant select, update (state, persons_object_id, persons, persons_sha256, report, ended_at) on gyeol.linkage
  to gyeol_key;
grant select on gyeol.linkage to gyeol_data, gyeol_auditor;

grant select, insert on gyeol.link_map to gyeol_key;
grant select on gyeol.link_map to gyeol_api, gyeol_data, gyeol_auditor;

grant select, insert on gyeol.cohort to gyeol_api;
grant select, update (state, ended_at) on gyeol.cohort to gyeol_data;
grant select on gyeol.cohort to gyeol_auditor;

grant select, insert on gyeol.cohort_part to gyeol_data;
grant select on gyeol.cohort_part to gyeol_api, gyeol_auditor;

grant select, insert, update (state, job_id, valid_from, valid_until, approved_by, approved_at) on gyeol.release
  to gyeol_api;
grant select, update (state, persons_object_id, manifest, manifest_sha256, signature_key, built_at)
  on gyeol.release to gyeol_data;
grant select on gyeol.release to gyeol_auditor;

grant select, insert, update (desk_object_id) on gyeol.release_file to gyeol_data;
grant select on gyeol.release_file to gyeol_api, gyeol_auditor;

grant select, insert on gyeol.finding to gyeol_api;
grant select on gyeol.finding to gyeol_data, gyeol_auditor;

-- The trail --------------------------------------------------------------------------------------------------------

revoke execute on all functions in schema gyeol from public;
grant execute on function gyeol.append_leaf to gyeol_api, gyeol_key, gyeol_data, gyeol_sign;
grant select on gyeol.audit_head, gyeol.audit_leaf to gyeol_api, gyeol_sign, gyeol_auditor;
grant select on gyeol.audit_checkpoint to gyeol_api, gyeol_auditor;
grant select, insert on gyeol.audit_checkpoint to gyeol_sign;

-- Which rows -------------------------------------------------------------------------------------------------------
--
-- Rows may be seen by whoever may see the table: they name and count, and what they name is sealed to one side. Written
-- they are only by the side they belong to.

alter table gyeol.project enable row level security;
create policy project_is_seen on gyeol.project for select using (true);
create policy project_is_proposed_by_the_api on gyeol.project for insert to gyeol_api with check (state = 'proposed');
create policy project_is_decided_by_the_api on gyeol.project for update to gyeol_api using (true);
create policy project_is_opened_by_the_workers on gyeol.project for update to gyeol_key, gyeol_data
  using (state in ('approved', 'open')) with check (state = 'open');

alter table gyeol.sealing_key enable row level security;
create policy sealing_key_is_seen on gyeol.sealing_key for select using (true);
create policy sealing_key_of_the_desk on gyeol.sealing_key for all to gyeol_api using (side = 'desk');
create policy sealing_key_of_the_key_side on gyeol.sealing_key for all to gyeol_key using (side = 'key');
create policy sealing_key_of_the_data_side on gyeol.sealing_key for all to gyeol_data using (side = 'data');

alter table gyeol.keyring_revision enable row level security;
create policy keyring_revision_is_seen on gyeol.keyring_revision for select using (true);
create policy keyring_revision_of_the_api on gyeol.keyring_revision for insert to gyeol_api with check (side = 'api');
create policy keyring_revision_of_the_key_side on gyeol.keyring_revision for insert to gyeol_key with check (side = 'key');
create policy keyring_revision_of_the_data_side on gyeol.keyring_revision for insert to gyeol_data
  with check (side = 'data');
create policy keyring_revision_of_the_signer on gyeol.keyring_revision for insert to gyeol_sign with check (side = 'sign');

alter table gyeol.vault_object enable row level security;
create policy vault_object_is_seen on gyeol.vault_object for select using (true);
create policy vault_object_is_ended on gyeol.vault_object for update to gyeol_api, gyeol_key, gyeol_data
  using (true) with check (destroyed_at is not null);
create policy vault_object_of_the_api on gyeol.vault_object for insert to gyeol_api
  with check (kind in ('key-upload', 'table-upload'));
create policy vault_object_of_the_key_side on gyeol.vault_object for insert to gyeol_key
  with check (kind in ('tokens', 'persons', 'link-map', 'key-index'));
create policy vault_object_of_the_data_side on gyeol.vault_object for insert to gyeol_data
  with check (kind in ('typed-part', 'cohort-part', 'release-persons', 'release-file', 'desk-file'));

alter table gyeol.part enable row level security;
create policy part_is_seen on gyeol.part for select using (true);
create policy part_is_uploaded_to_the_api on gyeol.part for insert to gyeol_api with check (state = 'uploaded');
create policy part_is_forgotten_by_the_api on gyeol.part for update to gyeol_api using (true);
create policy part_of_keys on gyeol.part for update to gyeol_key using (table_name = '');
create policy part_of_tables on gyeol.part for update to gyeol_data using (table_name <> '');

-- A worker runs its own side's jobs, and wakes a parent of either side when its last child has ended.
alter table gyeol.job enable row level security;
create policy job_is_seen on gyeol.job for select using (true);
create policy job_of_the_api on gyeol.job for all to gyeol_api using (true);
create policy job_is_stored_by_the_key_side on gyeol.job for insert to gyeol_key with check (side = 'key');
create policy job_is_stored_by_the_data_side on gyeol.job for insert to gyeol_data with check (side = 'data');
create policy job_of_the_key_side on gyeol.job for update to gyeol_key
  using (side = 'key' or state = 'waiting') with check (side = 'key' or state = 'queued');
create policy job_of_the_data_side on gyeol.job for update to gyeol_data
  using (side = 'data' or state = 'waiting') with check (side = 'data' or state = 'queued');
