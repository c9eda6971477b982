-- What the migrations come to. Generated: run `npx tap --snapshot test/store/schema.test.ts` after adding one.
-- Do not edit, do not run.

create table gyeol.account (
  account_id uuid not null,
  name text not null,
  password_hash text not null,
  roles text[] not null,
  disabled_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  constraint account_name_is_unique UNIQUE (name),
  constraint account_pkey PRIMARY KEY (account_id),
  constraint account_name_is_short CHECK ((name ~ '^[a-z][a-z0-9._-]{0,62}$'::text)),
  constraint account_roles_are_known CHECK ((roles <@ ARRAY['operator'::text, 'custodian'::text, 'reviewer'::text, 'head'::text, 'auditor'::text, 'recipient'::text]))
);

create table gyeol.agency (
  agency_id uuid not null,
  name text not null,
  title jsonb not null,
  spki_sha256 bytea not null,
  disabled_at timestamp with time zone,
  created_at timestamp with time zone not null default now(),
  constraint agency_certificate_key_is_unique UNIQUE (spki_sha256),
  constraint agency_name_is_unique UNIQUE (name),
  constraint agency_pkey PRIMARY KEY (agency_id),
  constraint agency_certificate_key_is_a_digest CHECK ((length(spki_sha256) = 32)),
  constraint agency_name_is_short CHECK ((name ~ '^[a-z][a-z0-9-]{0,62}$'::text))
);

create table gyeol.audit_checkpoint (
  size bigint not null,
  root bytea not null,
  note text not null,
  verifier_key text not null,
  created_at timestamp with time zone not null default now(),
  constraint audit_checkpoint_pkey PRIMARY KEY (size)
);

create table gyeol.audit_head (
  only_row boolean not null default true,
  size bigint not null,
  constraint audit_head_pkey PRIMARY KEY (only_row),
  constraint audit_head_is_one_row CHECK (only_row)
);

create table gyeol.audit_leaf (
  number bigint not null,
  entry bytea not null,
  leaf_hash bytea not null,
  project_id uuid,
  actor text not null,
  action text not null,
  object text not null,
  at timestamp with time zone not null,
  constraint audit_leaf_pkey PRIMARY KEY (number)
);

create table gyeol.case_decision (
  decision_id uuid not null,
  project_id uuid not null,
  case_id uuid not null,
  verdict text not null,
  first_opinion_id uuid not null,
  first_by uuid not null,
  second_opinion_id uuid not null,
  second_by uuid not null,
  created_at timestamp with time zone not null default now(),
  constraint case_opinion_decides_once UNIQUE (second_opinion_id),
  constraint case_decision_pkey PRIMARY KEY (decision_id),
  constraint case_decision_first_by_fkey FOREIGN KEY (first_by) REFERENCES gyeol.account(account_id),
  constraint case_decision_first_opinion_id_fkey FOREIGN KEY (first_opinion_id) REFERENCES gyeol.case_opinion(opinion_id),
  constraint case_decision_project_id_fkey FOREIGN KEY (project_id) REFERENCES gyeol.project(project_id),
  constraint case_decision_second_by_fkey FOREIGN KEY (second_by) REFERENCES gyeol.account(account_id),
  constraint case_decision_second_opinion_id_fkey FOREIGN KEY (second_opinion_id) REFERENCES gyeol.case_opinion(opinion_id),
  constraint case_decision_verdict_is_known CHECK ((verdict = ANY (ARRAY['must-link'::text, 'cannot-link'::text, 'undecided'::text]))),
  constraint case_is_decided_by_two_people CHECK ((first_by <> second_by))
);

create table gyeol.case_opinion (
  opinion_id uuid not null,
  project_id uuid not null,
  case_id uuid not null,
  account_id uuid not null,
  verdict text not null,
  reason text not null,
  created_at timestamp with time zone not null default now(),
  constraint case_opinion_pkey PRIMARY KEY (opinion_id),
  constraint case_opinion_account_id_fkey FOREIGN KEY (account_id) REFERENCES gyeol.account(account_id),
  constraint case_opinion_project_id_fkey FOREIGN KEY (project_id) REFERENCES gyeol.project(project_id),
  constraint case_opinion_verdict_is_known CHECK ((verdict = ANY (ARRAY['must-link'::text, 'cannot-link'::text, 'undecided'::text])))
);

create table gyeol.cohort (
  cohort_id uuid not null,
  project_id uuid not null,
  linkage_id uuid not null,
  state text not null default 'queued'::text,
  job_id uuid,
  created_by uuid not null,
  created_at timestamp with time zone not null default now(),
  ended_at timestamp with time zone,
  quality jsonb,
  quality_counted_at timestamp with time zone,
  constraint cohort_pkey PRIMARY KEY (cohort_id),
  constraint cohort_created_by_fkey FOREIGN KEY (created_by) REFERENCES gyeol.account(account_id),
  constraint cohort_job_id_fkey FOREIGN KEY (job_id) REFERENCES gyeol.job(job_id),
  constraint cohort_linkage_id_fkey FOREIGN KEY (linkage_id) REFERENCES gyeol.linkage(linkage_id),
  constraint cohort_project_id_fkey FOREIGN KEY (project_id) REFERENCES gyeol.project(project_id),
  constraint cohort_state_is_known CHECK ((state = ANY (ARRAY['queued'::text, 'assembled'::text, 'failed'::text])))
);

create table gyeol.cohort_part (
  cohort_id uuid not null,
  delivery_id uuid not null,
  table_name text not null,
  number integer not null,
  object_id uuid not null,
  rows bigint not null,
  rows_kept bigint not null,
  rows_outside bigint not null,
  rows_unknown bigint not null,
  serial_in jsonb not null default '{}'::jsonb,
  constraint cohort_part_pkey PRIMARY KEY (cohort_id, delivery_id, table_name, number),
  constraint cohort_part_cohort_id_fkey FOREIGN KEY (cohort_id) REFERENCES gyeol.cohort(cohort_id),
  constraint cohort_part_delivery_id_table_name_number_fkey FOREIGN KEY (delivery_id, table_name, number) REFERENCES gyeol.part(delivery_id, table_name, number),
  constraint cohort_part_object_id_fkey FOREIGN KEY (object_id) REFERENCES gyeol.vault_object(object_id)
);

create table gyeol.cosignature (
  size bigint not null,
  verifier_key text not null,
  line text not null,
  signed_at timestamp with time zone not null,
  created_at timestamp with time zone not null default now(),
  constraint cosignature_pkey PRIMARY KEY (size, verifier_key),
  constraint cosignature_size_fkey FOREIGN KEY (size) REFERENCES gyeol.audit_checkpoint(size)
);

create table gyeol.delivery (
  delivery_id uuid not null,
  project_id uuid not null,
  agency_id uuid not null,
  wave integer not null,
  state text not null default 'open'::text,
  manifest jsonb,
  manifest_sha256 bytea,
  job_id uuid,
  created_at timestamp with time zone not null default now(),
  submitted_at timestamp with time zone,
  ended_at timestamp with time zone,
  keys_delivery_id uuid,
  epoch integer not null default 1,
  constraint delivery_is_of_one_wave UNIQUE (delivery_id, project_id, agency_id, wave),
  constraint delivery_pkey PRIMARY KEY (delivery_id),
  constraint delivery_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES gyeol.agency(agency_id),
  constraint delivery_project_id_agency_id_fkey FOREIGN KEY (project_id, agency_id) REFERENCES gyeol.project_agency(project_id, agency_id),
  constraint delivery_project_id_fkey FOREIGN KEY (project_id) REFERENCES gyeol.project(project_id),
  constraint delivery_rests_on_keys_of_its_wave FOREIGN KEY (keys_delivery_id, project_id, agency_id, wave) REFERENCES gyeol.delivery(delivery_id, project_id, agency_id, wave),
  constraint delivery_state_is_known CHECK ((state = ANY (ARRAY['open'::text, 'submitted'::text, 'taken'::text, 'refused'::text, 'withdrawn'::text]))),
  constraint delivery_wave_is_counted_from_one CHECK (((wave >= 1) AND (wave <= 999)))
);

create table gyeol.destruction_certificate (
  release_id uuid not null,
  certificate text not null,
  signature bytea not null,
  signature_key bytea not null,
  created_at timestamp with time zone not null default now(),
  constraint destruction_certificate_pkey PRIMARY KEY (release_id),
  constraint destruction_certificate_release_id_fkey FOREIGN KEY (release_id) REFERENCES gyeol.release(release_id),
  constraint destruction_certificate_is_signed CHECK ((length(signature) = 64))
);

create table gyeol.doubt (
  object_id uuid not null,
  project_id uuid not null,
  agency_id uuid not null,
  serials integer not null,
  sha256 bytea not null,
  created_at timestamp with time zone not null default now(),
  constraint doubt_pkey PRIMARY KEY (object_id),
  constraint doubt_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES gyeol.agency(agency_id),
  constraint doubt_object_id_fkey FOREIGN KEY (object_id) REFERENCES gyeol.vault_object(object_id),
  constraint doubt_project_id_fkey FOREIGN KEY (project_id) REFERENCES gyeol.project(project_id),
  constraint doubt_counts_serials CHECK ((serials >= 0)),
  constraint doubt_has_a_digest CHECK ((length(sha256) = 32))
);

create table gyeol.download (
  download_id uuid not null,
  release_id uuid not null,
  name text not null,
  account_id uuid not null,
  address text not null,
  reason text not null,
  reason_salt bytea not null,
  range_start bigint not null,
  range_end bigint not null,
  started_at timestamp with time zone not null default now(),
  ended_at timestamp with time zone,
  bytes_sent bigint,
  outcome text,
  constraint download_pkey PRIMARY KEY (download_id),
  constraint download_account_id_fkey FOREIGN KEY (account_id) REFERENCES gyeol.account(account_id),
  constraint download_release_id_fkey FOREIGN KEY (release_id) REFERENCES gyeol.release(release_id),
  constraint download_ends_with_an_outcome CHECK (((ended_at IS NULL) = (outcome IS NULL))),
  constraint download_outcome_is_known CHECK ((outcome = ANY (ARRAY['complete'::text, 'cut'::text, 'lost'::text]))),
  constraint download_salt_is_16_bytes CHECK ((length(reason_salt) = 16))
);

create table gyeol.epoch_change (
  project_id uuid not null,
  epoch integer not null,
  reason text not null,
  proposed_by uuid not null,
  approved_by uuid,
  job_id uuid,
  created_at timestamp with time zone not null default now(),
  approved_at timestamp with time zone,
  constraint epoch_change_pkey PRIMARY KEY (project_id, epoch),
  constraint epoch_change_approved_by_fkey FOREIGN KEY (approved_by) REFERENCES gyeol.account(account_id),
  constraint epoch_change_job_id_fkey FOREIGN KEY (job_id) REFERENCES gyeol.job(job_id),
  constraint epoch_change_project_id_fkey FOREIGN KEY (project_id) REFERENCES gyeol.project(project_id),
  constraint epoch_change_proposed_by_fkey FOREIGN KEY (proposed_by) REFERENCES gyeol.account(account_id),
  constraint epoch_change_follows_the_first CHECK ((epoch >= 2)),
  constraint epoch_change_is_approved_by_another CHECK ((approved_by <> proposed_by))
);

create table gyeol.extraction (
  linkage_id uuid not null,
  agency_id uuid not null,
  object_id uuid not null,
  serials bigint not null,
  bytes bigint not null,
  sha256 bytea not null,
  created_at timestamp with time zone not null default now(),
  constraint extraction_pkey PRIMARY KEY (linkage_id, agency_id),
  constraint extraction_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES gyeol.agency(agency_id),
  constraint extraction_linkage_id_fkey FOREIGN KEY (linkage_id) REFERENCES gyeol.linkage(linkage_id),
  constraint extraction_object_id_fkey FOREIGN KEY (object_id) REFERENCES gyeol.vault_object(object_id),
  constraint extraction_has_a_digest CHECK ((length(sha256) = 32))
);

create table gyeol.finding (
  release_id uuid not null,
  kind text not null,
  reviewer_id uuid not null,
  verdict text not null,
  reason text not null,
  manifest_sha256 bytea not null,
  created_at timestamp with time zone not null default now(),
  declares_no_interest boolean not null default true,
  constraint finding_pkey PRIMARY KEY (release_id, kind, reviewer_id),
  constraint finding_release_id_fkey FOREIGN KEY (release_id) REFERENCES gyeol.release(release_id),
  constraint finding_reviewer_id_fkey FOREIGN KEY (reviewer_id) REFERENCES gyeol.account(account_id),
  constraint finding_is_given_without_interest CHECK (declares_no_interest),
  constraint finding_kind_is_known CHECK ((kind = ANY (ARRAY['relevance'::text, 'recognisability'::text, 'safety'::text]))),
  constraint finding_verdict_is_known CHECK ((verdict = ANY (ARRAY['pass'::text, 'fail'::text])))
);

create table gyeol.job (
  job_id uuid not null,
  project_id uuid not null,
  parent_id uuid,
  side text not null,
  kind text not null,
  subject jsonb not null,
  state text not null default 'queued'::text,
  attempts integer not null default 0,
  lease_token uuid,
  lease_until timestamp with time zone,
  run_after timestamp with time zone not null default now(),
  progress jsonb not null default '{}'::jsonb,
  result jsonb,
  refusal jsonb,
  created_at timestamp with time zone not null default now(),
  started_at timestamp with time zone,
  ended_at timestamp with time zone,
  outages integer not null default 0,
  constraint job_pkey PRIMARY KEY (job_id),
  constraint job_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES gyeol.job(job_id),
  constraint job_project_id_fkey FOREIGN KEY (project_id) REFERENCES gyeol.project(project_id),
  constraint job_side_is_known CHECK ((side = ANY (ARRAY['key'::text, 'data'::text]))),
  constraint job_state_is_known CHECK ((state = ANY (ARRAY['queued'::text, 'running'::text, 'waiting'::text, 'done'::text, 'failed'::text, 'cancelled'::text]))),
  constraint job_that_runs_is_leased CHECK (((state = 'running'::text) = (lease_token IS NOT NULL)))
);

create table gyeol.keyring_revision (
  side text not null,
  revision bigint not null,
  sha256 bytea not null,
  created_at timestamp with time zone not null default now(),
  constraint keyring_revision_pkey PRIMARY KEY (side, revision),
  constraint keyring_side_is_known CHECK ((side = ANY (ARRAY['api'::text, 'key'::text, 'data'::text, 'sign'::text])))
);

create table gyeol.link_case (
  linkage_id uuid not null,
  case_id uuid not null,
  project_id uuid not null,
  kind text not null,
  agency text not null,
  wave integer not null,
  pass integer,
  pattern text,
  candidates integer not null,
  name_shared integer,
  sex text,
  age_band text,
  year integer,
  record_sex text,
  record_age_band text,
  constraint link_case_pkey PRIMARY KEY (linkage_id, case_id),
  constraint link_case_linkage_id_fkey FOREIGN KEY (linkage_id) REFERENCES gyeol.linkage(linkage_id),
  constraint link_case_project_id_fkey FOREIGN KEY (project_id) REFERENCES gyeol.project(project_id),
  constraint link_case_kind_is_known CHECK ((kind = ANY (ARRAY['possible'::text, 'conflict'::text, 'merge'::text, 'doubted'::text]))),
  constraint link_case_record_sex_is_known CHECK ((record_sex = ANY (ARRAY['M'::text, 'F'::text]))),
  constraint link_case_sex_is_known CHECK ((sex = ANY (ARRAY['M'::text, 'F'::text])))
);

create table gyeol.link_map (
  linkage_id uuid not null,
  delivery_id uuid not null,
  object_id uuid not null,
  serials bigint not null,
  linked bigint not null,
  key_object_id uuid,
  constraint link_map_pkey PRIMARY KEY (linkage_id, delivery_id),
  constraint link_map_delivery_id_fkey FOREIGN KEY (delivery_id) REFERENCES gyeol.delivery(delivery_id),
  constraint link_map_key_object_id_fkey FOREIGN KEY (key_object_id) REFERENCES gyeol.vault_object(object_id),
  constraint link_map_linkage_id_fkey FOREIGN KEY (linkage_id) REFERENCES gyeol.linkage(linkage_id),
  constraint link_map_object_id_fkey FOREIGN KEY (object_id) REFERENCES gyeol.vault_object(object_id)
);

create table gyeol.linkage (
  linkage_id uuid not null,
  project_id uuid not null,
  state text not null default 'queued'::text,
  rules_version text not null,
  job_id uuid,
  persons_object_id uuid,
  persons bigint,
  persons_sha256 bytea,
  report jsonb,
  created_by uuid not null,
  created_at timestamp with time zone not null default now(),
  ended_at timestamp with time zone,
  is_trial boolean not null default false,
  previous_id uuid,
  index_version integer,
  index_object_id uuid,
  changes_object_id uuid,
  released_versions integer[] not null default '{}'::integer[],
  late_wave integer,
  epoch integer not null default 1,
  case_list_object_id uuid,
  constraint linkage_index_is_one_a_version UNIQUE (project_id, index_version),
  constraint linkage_pkey PRIMARY KEY (linkage_id),
  constraint linkage_case_list_object_id_fkey FOREIGN KEY (case_list_object_id) REFERENCES gyeol.vault_object(object_id),
  constraint linkage_changes_object_id_fkey FOREIGN KEY (changes_object_id) REFERENCES gyeol.vault_object(object_id),
  constraint linkage_created_by_fkey FOREIGN KEY (created_by) REFERENCES gyeol.account(account_id),
  constraint linkage_index_object_id_fkey FOREIGN KEY (index_object_id) REFERENCES gyeol.vault_object(object_id),
  constraint linkage_job_id_fkey FOREIGN KEY (job_id) REFERENCES gyeol.job(job_id),
  constraint linkage_persons_object_id_fkey FOREIGN KEY (persons_object_id) REFERENCES gyeol.vault_object(object_id),
  constraint linkage_previous_id_fkey FOREIGN KEY (previous_id) REFERENCES gyeol.linkage(linkage_id),
  constraint linkage_project_id_fkey FOREIGN KEY (project_id) REFERENCES gyeol.project(project_id),
  constraint linkage_for_trial_gives_no_persons CHECK (((NOT is_trial) OR (persons_object_id IS NULL))),
  constraint linkage_for_trial_leaves_no_index CHECK (((NOT is_trial) OR (index_object_id IS NULL))),
  constraint linkage_index_is_counted_from_one CHECK ((index_version >= 1)),
  constraint linkage_state_is_known CHECK ((state = ANY (ARRAY['queued'::text, 'linked'::text, 'failed'::text])))
);

create table gyeol.part (
  delivery_id uuid not null,
  table_name text not null,
  number integer not null,
  state text not null default 'uploaded'::text,
  media_type text not null,
  bytes bigint not null,
  sha256 bytea not null,
  upload_object_id uuid,
  taken_object_id uuid,
  rows bigint,
  rows_taken bigint,
  refusals jsonb,
  report jsonb,
  constraint part_pkey PRIMARY KEY (delivery_id, table_name, number),
  constraint part_delivery_id_fkey FOREIGN KEY (delivery_id) REFERENCES gyeol.delivery(delivery_id),
  constraint part_taken_object_id_fkey FOREIGN KEY (taken_object_id) REFERENCES gyeol.vault_object(object_id),
  constraint part_upload_object_id_fkey FOREIGN KEY (upload_object_id) REFERENCES gyeol.vault_object(object_id),
  constraint part_media_type_is_known CHECK ((media_type = ANY (ARRAY['text/csv'::text, 'application/vnd.apache.parquet'::text]))),
  constraint part_number_is_bounded CHECK (((number >= 1) AND (number <= 99999))),
  constraint part_state_is_known CHECK ((state = ANY (ARRAY['uploaded'::text, 'taken'::text, 'refused'::text])))
);

create table gyeol.processing_record (
  release_id uuid not null,
  project_id uuid not null,
  purpose text not null,
  items jsonb not null,
  use text not null,
  recipient text not null,
  place text not null,
  valid_from timestamp with time zone not null,
  valid_until timestamp with time zone not null,
  created_at timestamp with time zone not null default now(),
  destroyed_at timestamp with time zone,
  constraint processing_record_pkey PRIMARY KEY (release_id),
  constraint processing_record_project_id_fkey FOREIGN KEY (project_id) REFERENCES gyeol.project(project_id),
  constraint processing_record_release_id_fkey FOREIGN KEY (release_id) REFERENCES gyeol.release(release_id)
);

create table gyeol.project (
  project_id uuid not null,
  name text not null,
  purpose text not null,
  state text not null default 'proposed'::text,
  catalogue json not null,
  recipe json not null,
  canaries json not null,
  rules json not null,
  mac_algorithm text not null,
  created_by uuid not null,
  approved_by uuid,
  created_at timestamp with time zone not null default now(),
  approved_at timestamp with time zone,
  risk_grade text not null default 'controlled-room'::text,
  reviewers_min integer,
  legal_basis text,
  notice_version text,
  irb_number text,
  board_number text,
  cosignatures_min integer not null default 0,
  epoch integer not null default 1,
  retired_epoch integer not null default 0,
  constraint project_name_is_unique UNIQUE (name),
  constraint project_pkey PRIMARY KEY (project_id),
  constraint project_approved_by_fkey FOREIGN KEY (approved_by) REFERENCES gyeol.account(account_id),
  constraint project_created_by_fkey FOREIGN KEY (created_by) REFERENCES gyeol.account(account_id),
  constraint project_cosignatures_are_at_most_16 CHECK (((cosignatures_min >= 0) AND (cosignatures_min <= 16))),
  constraint project_epochs_follow_each_other CHECK (((epoch >= 1) AND (retired_epoch < epoch))),
  constraint project_is_approved_by_another CHECK ((approved_by <> created_by)),
  constraint project_mac_is_known CHECK ((mac_algorithm = ANY (ARRAY['cmac-aes-256'::text, 'cmac-aria-256'::text, 'hmac-sha-256'::text]))),
  constraint project_name_is_short CHECK ((name ~ '^[a-z][a-z0-9-]{0,62}$'::text)),
  constraint project_of_high_risk_has_three_reviewers CHECK (((risk_grade <> 'high-risk'::text) OR (COALESCE(reviewers_min, 3) >= 3))),
  constraint project_reviewers_are_one_to_seven CHECK (((reviewers_min >= 1) AND (reviewers_min <= 7))),
  constraint project_risk_grade_is_known CHECK ((risk_grade = ANY (ARRAY['controlled-room'::text, 'third-party'::text, 'high-risk'::text]))),
  constraint project_state_is_known CHECK ((state = ANY (ARRAY['proposed'::text, 'approved'::text, 'open'::text, 'closed'::text])))
);

create table gyeol.project_agency (
  project_id uuid not null,
  agency_id uuid not null,
  is_spine boolean not null,
  is_duplicate_free boolean not null,
  key_types text[] not null,
  constraint project_agency_pkey PRIMARY KEY (project_id, agency_id),
  constraint project_agency_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES gyeol.agency(agency_id),
  constraint project_agency_project_id_fkey FOREIGN KEY (project_id) REFERENCES gyeol.project(project_id),
  constraint project_agency_key_types_are_known CHECK ((key_types <@ ARRAY['K1'::text, 'K2'::text, 'K3'::text, 'K4'::text, 'K5'::text]))
);

create table gyeol.release (
  release_id uuid not null,
  project_id uuid not null,
  cohort_id uuid not null,
  domain text not null,
  state text not null default 'queued'::text,
  policy json not null,
  policy_sha256 bytea not null,
  job_id uuid,
  persons_object_id uuid,
  manifest json,
  manifest_sha256 bytea,
  signature_key bytea,
  recipient_id uuid not null,
  purpose text not null,
  place text not null,
  valid_from timestamp with time zone,
  valid_until timestamp with time zone,
  created_by uuid not null,
  approved_by uuid,
  created_at timestamp with time zone not null default now(),
  built_at timestamp with time zone,
  approved_at timestamp with time zone,
  approval_leaf bigint,
  audit_proof text,
  recalled_by uuid,
  recall_reason text,
  ended_at timestamp with time zone,
  end_report_due_at timestamp with time zone,
  destruction_due_at timestamp with time zone,
  destruction_requested_by uuid,
  destruction_job_id uuid,
  destroyed_at timestamp with time zone,
  disclosure jsonb,
  utility jsonb,
  constraint release_pkey PRIMARY KEY (release_id),
  constraint release_approved_by_fkey FOREIGN KEY (approved_by) REFERENCES gyeol.account(account_id),
  constraint release_cohort_id_fkey FOREIGN KEY (cohort_id) REFERENCES gyeol.cohort(cohort_id),
  constraint release_created_by_fkey FOREIGN KEY (created_by) REFERENCES gyeol.account(account_id),
  constraint release_destruction_job_id_fkey FOREIGN KEY (destruction_job_id) REFERENCES gyeol.job(job_id),
  constraint release_destruction_requested_by_fkey FOREIGN KEY (destruction_requested_by) REFERENCES gyeol.account(account_id),
  constraint release_job_id_fkey FOREIGN KEY (job_id) REFERENCES gyeol.job(job_id),
  constraint release_persons_object_id_fkey FOREIGN KEY (persons_object_id) REFERENCES gyeol.vault_object(object_id),
  constraint release_project_id_fkey FOREIGN KEY (project_id) REFERENCES gyeol.project(project_id),
  constraint release_recalled_by_fkey FOREIGN KEY (recalled_by) REFERENCES gyeol.account(account_id),
  constraint release_recipient_id_fkey FOREIGN KEY (recipient_id) REFERENCES gyeol.account(account_id),
  constraint release_is_approved_by_another CHECK ((approved_by <> created_by)),
  constraint release_is_approved_by_no_recipient CHECK ((approved_by <> recipient_id)),
  constraint release_state_is_known CHECK ((state = ANY (ARRAY['queued'::text, 'built'::text, 'approved'::text, 'ready'::text, 'recalled'::text, 'expired'::text, 'ended'::text, 'destroyed'::text, 'failed'::text])))
);

create table gyeol.release_file (
  release_id uuid not null,
  name text not null,
  object_id uuid not null,
  desk_object_id uuid,
  bytes bigint not null,
  rows bigint,
  sha256 bytea not null,
  constraint release_file_pkey PRIMARY KEY (release_id, name),
  constraint release_file_desk_object_id_fkey FOREIGN KEY (desk_object_id) REFERENCES gyeol.vault_object(object_id),
  constraint release_file_object_id_fkey FOREIGN KEY (object_id) REFERENCES gyeol.vault_object(object_id),
  constraint release_file_release_id_fkey FOREIGN KEY (release_id) REFERENCES gyeol.release(release_id)
);

create table gyeol.release_statement (
  release_id uuid not null,
  kind text not null,
  account_id uuid not null,
  text text not null,
  created_at timestamp with time zone not null default now(),
  constraint release_statement_pkey PRIMARY KEY (release_id, kind),
  constraint release_statement_account_id_fkey FOREIGN KEY (account_id) REFERENCES gyeol.account(account_id),
  constraint release_statement_release_id_fkey FOREIGN KEY (release_id) REFERENCES gyeol.release(release_id),
  constraint release_statement_kind_is_known CHECK ((kind = ANY (ARRAY['end-report'::text, 'destruction-confirmation'::text])))
);

create table gyeol.schema_version (
  number integer not null,
  name text not null,
  sha256 bytea not null,
  applied_at timestamp with time zone not null default now(),
  constraint schema_version_pkey PRIMARY KEY (number)
);

create table gyeol.sealing_key (
  sealing_key_id uuid not null,
  project_id uuid,
  side text not null,
  public_key bytea not null,
  created_at timestamp with time zone not null default now(),
  retired_at timestamp with time zone,
  release_id uuid,
  destroyed_at timestamp with time zone,
  constraint sealing_key_pkey PRIMARY KEY (sealing_key_id),
  constraint sealing_key_project_id_fkey FOREIGN KEY (project_id) REFERENCES gyeol.project(project_id),
  constraint sealing_key_release_id_fkey FOREIGN KEY (release_id) REFERENCES gyeol.release(release_id),
  constraint sealing_key_is_a_p256_point CHECK ((length(public_key) = 65)),
  constraint sealing_key_side_is_known CHECK ((side = ANY (ARRAY['key'::text, 'data'::text, 'desk'::text])))
);

create table gyeol.session (
  token_mac bytea not null,
  account_id uuid not null,
  created_at timestamp with time zone not null default now(),
  expires_at timestamp with time zone not null,
  constraint session_pkey PRIMARY KEY (token_mac),
  constraint session_account_id_fkey FOREIGN KEY (account_id) REFERENCES gyeol.account(account_id)
);

create table gyeol.ticket (
  ticket_id uuid not null,
  project_id uuid not null,
  linkage_id uuid not null,
  agency_id uuid not null,
  state text not null default 'queued'::text,
  job_id uuid not null,
  object_id uuid,
  bytes bigint,
  sha256 bytea,
  created_by uuid not null,
  created_at timestamp with time zone not null default now(),
  opened_at timestamp with time zone,
  closed_at timestamp with time zone,
  constraint ticket_pkey PRIMARY KEY (ticket_id),
  constraint ticket_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES gyeol.agency(agency_id),
  constraint ticket_created_by_fkey FOREIGN KEY (created_by) REFERENCES gyeol.account(account_id),
  constraint ticket_job_id_fkey FOREIGN KEY (job_id) REFERENCES gyeol.job(job_id),
  constraint ticket_linkage_id_fkey FOREIGN KEY (linkage_id) REFERENCES gyeol.linkage(linkage_id),
  constraint ticket_object_id_fkey FOREIGN KEY (object_id) REFERENCES gyeol.vault_object(object_id),
  constraint ticket_project_id_fkey FOREIGN KEY (project_id) REFERENCES gyeol.project(project_id),
  constraint ticket_has_a_digest CHECK ((length(sha256) = 32)),
  constraint ticket_state_is_known CHECK ((state = ANY (ARRAY['queued'::text, 'open'::text, 'answered'::text, 'closed'::text, 'failed'::text]))),
  constraint ticket_that_is_open_has_a_list CHECK (((state = ANY (ARRAY['queued'::text, 'closed'::text, 'failed'::text])) OR (object_id IS NOT NULL)))
);

create table gyeol.ticket_answer (
  ticket_id uuid not null,
  case_id uuid not null,
  round integer not null,
  answer text not null,
  created_at timestamp with time zone not null default now(),
  constraint ticket_answer_pkey PRIMARY KEY (ticket_id, case_id, round),
  constraint ticket_answer_is_of_a_case_of_the_ticket FOREIGN KEY (ticket_id, case_id) REFERENCES gyeol.ticket_case(ticket_id, case_id),
  constraint ticket_answer_is_known CHECK ((answer = ANY (ARRAY['same'::text, 'not-same'::text, 'unknown'::text]))),
  constraint ticket_answer_round_is_counted_from_one CHECK ((round >= 1))
);

create table gyeol.ticket_case (
  ticket_id uuid not null,
  case_id uuid not null,
  is_asked boolean,
  constraint ticket_case_pkey PRIMARY KEY (ticket_id, case_id),
  constraint ticket_case_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES gyeol.ticket(ticket_id)
);

create table gyeol.vault_object (
  object_id uuid not null,
  project_id uuid not null,
  kind text not null,
  sealing_key_id uuid not null,
  bytes bigint not null,
  created_at timestamp with time zone not null default now(),
  destroyed_at timestamp with time zone,
  constraint vault_object_pkey PRIMARY KEY (object_id),
  constraint vault_object_project_id_fkey FOREIGN KEY (project_id) REFERENCES gyeol.project(project_id),
  constraint vault_object_sealing_key_id_fkey FOREIGN KEY (sealing_key_id) REFERENCES gyeol.sealing_key(sealing_key_id),
  constraint vault_object_kind_is_known CHECK ((kind = ANY (ARRAY['key-upload'::text, 'table-upload'::text, 'tokens'::text, 'typed-part'::text, 'persons'::text, 'link-map'::text, 'key-index'::text, 'key-map'::text, 'person-changes'::text, 'cohort-part'::text, 'release-persons'::text, 'release-file'::text, 'desk-file'::text, 'extraction'::text, 'questions'::text, 'case-list'::text, 'doubts'::text])))
);

create table gyeol.witness (
  project_id uuid not null,
  verifier_key text not null,
  name text not null,
  registered_by uuid not null,
  created_at timestamp with time zone not null default now(),
  retired_at timestamp with time zone,
  constraint witness_pkey PRIMARY KEY (project_id, verifier_key),
  constraint witness_project_id_fkey FOREIGN KEY (project_id) REFERENCES gyeol.project(project_id),
  constraint witness_registered_by_fkey FOREIGN KEY (registered_by) REFERENCES gyeol.account(account_id)
);

CREATE INDEX audit_leaf_by_action ON gyeol.audit_leaf USING btree (action, number);
CREATE INDEX audit_leaf_by_project ON gyeol.audit_leaf USING btree (project_id, number);
CREATE INDEX case_decision_by_case ON gyeol.case_decision USING btree (project_id, case_id, created_at);
CREATE INDEX case_opinion_by_case ON gyeol.case_opinion USING btree (project_id, case_id, created_at);
CREATE UNIQUE INDEX delivery_of_keys_is_one_a_wave ON gyeol.delivery USING btree (project_id, agency_id, wave) WHERE ((keys_delivery_id IS NULL) AND (state = ANY (ARRAY['open'::text, 'submitted'::text, 'taken'::text])));
CREATE UNIQUE INDEX delivery_of_tables_is_one_a_wave ON gyeol.delivery USING btree (project_id, agency_id, wave) WHERE ((keys_delivery_id IS NOT NULL) AND (state = ANY (ARRAY['open'::text, 'submitted'::text, 'taken'::text])));
CREATE INDEX doubt_by_project ON gyeol.doubt USING btree (project_id, agency_id);
CREATE INDEX download_by_release ON gyeol.download USING btree (release_id, started_at);
CREATE INDEX download_not_ended ON gyeol.download USING btree (started_at) WHERE (ended_at IS NULL);
CREATE INDEX job_by_parent ON gyeol.job USING btree (parent_id) WHERE (parent_id IS NOT NULL);
CREATE INDEX job_to_do ON gyeol.job USING btree (side, created_at) WHERE (state = ANY (ARRAY['queued'::text, 'running'::text]));
CREATE INDEX link_case_by_number ON gyeol.link_case USING btree (case_id);
CREATE UNIQUE INDEX linkage_is_one_at_a_time ON gyeol.linkage USING btree (project_id) WHERE ((state = 'queued'::text) AND (NOT is_trial));
CREATE UNIQUE INDEX project_has_one_spine ON gyeol.project_agency USING btree (project_id) WHERE is_spine;
CREATE UNIQUE INDEX sealing_key_is_one_a_side ON gyeol.sealing_key USING btree (project_id, release_id, side) NULLS NOT DISTINCT WHERE (retired_at IS NULL);
CREATE INDEX ticket_answer_by_case ON gyeol.ticket_answer USING btree (case_id);
CREATE INDEX ticket_by_project ON gyeol.ticket USING btree (project_id, created_at);
CREATE INDEX witness_by_name ON gyeol.witness USING btree (name) WHERE (retired_at IS NULL);
CREATE UNIQUE INDEX witness_name_is_unique ON gyeol.witness USING btree (project_id, name) WHERE (retired_at IS NULL);

CREATE OR REPLACE FUNCTION gyeol.append_leaf(p_entry bytea, p_project_id uuid, p_actor text, p_action text, p_object text, p_at timestamp with time zone)
 RETURNS bigint
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'gyeol', 'pg_temp'
AS $function$
  with head as (
    update gyeol.audit_head set size = size + 1 where only_row returning size - 1 as number
  )
  insert into gyeol.audit_leaf (number, entry, leaf_hash, project_id, actor, action, object, at)
  select head.number, p_entry, sha256('\x00'::bytea || p_entry), p_project_id, p_actor, p_action, p_object, p_at
  from head
  returning number
$function$;
-- owner: gyeol_owner
CREATE OR REPLACE FUNCTION gyeol.keep_processing_record()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'gyeol', 'pg_temp'
AS $function$
begin
  if tg_op = 'UPDATE' then
    if old.destroyed_at is null and new.destroyed_at = now()
      and to_jsonb(new) - 'destroyed_at' = to_jsonb(old) - 'destroyed_at' then
      return new;
    end if;
  elsif tg_op = 'DELETE' then
    if old.destroyed_at + interval '3 years' <= now() then
      return old;
    end if;
  end if;
  raise exception 'the record is kept until three years after destruction' using errcode = 'insufficient_privilege';
end
$function$;
-- owner: gyeol_owner
CREATE OR REPLACE FUNCTION gyeol.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'gyeol', 'pg_temp'
AS $function$
begin
  raise exception 'the trail is written once' using errcode = 'insufficient_privilege';
end
$function$;
-- owner: gyeol_owner
CREATE OR REPLACE FUNCTION gyeol.refuse_own_finding()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'gyeol', 'pg_temp'
AS $function$
begin
  if exists (
    select from gyeol.release r join gyeol.project p on p.project_id = r.project_id
    where r.release_id = new.release_id and new.reviewer_id in (r.created_by, r.recipient_id, p.created_by)
  ) then
    raise exception 'nobody reviews their own release' using errcode = 'check_violation', constraint = 'finding_is_no_own_act';
  end if;
  return new;
end
$function$;
-- owner: gyeol_owner
CREATE OR REPLACE FUNCTION gyeol.require_release_order()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'gyeol', 'pg_temp'
AS $function$
begin
  if (old.state, new.state) not in (
    ('queued', 'built'), ('queued', 'failed'), ('queued', 'recalled'),
    ('built', 'approved'), ('built', 'recalled'), ('built', 'expired'),
    ('approved', 'ready'), ('approved', 'recalled'), ('approved', 'expired'),
    ('ready', 'recalled'), ('ready', 'expired'), ('ready', 'ended'),
    ('recalled', 'ended'), ('expired', 'ended'),
    ('recalled', 'destroyed'), ('expired', 'destroyed'), ('ended', 'destroyed'), ('failed', 'destroyed')
  ) then
    raise exception 'a release does not go from % to %', old.state, new.state
      using errcode = 'check_violation', constraint = 'release_keeps_its_order';
  end if;
  return new;
end
$function$;
-- owner: gyeol_owner

CREATE TRIGGER audit_checkpoint_is_written_once BEFORE DELETE OR UPDATE OR TRUNCATE ON gyeol.audit_checkpoint FOR EACH STATEMENT EXECUTE FUNCTION gyeol.refuse_change();
CREATE TRIGGER audit_leaf_is_written_once BEFORE DELETE OR UPDATE OR TRUNCATE ON gyeol.audit_leaf FOR EACH STATEMENT EXECUTE FUNCTION gyeol.refuse_change();
CREATE TRIGGER case_decision_is_written_once BEFORE DELETE OR UPDATE OR TRUNCATE ON gyeol.case_decision FOR EACH STATEMENT EXECUTE FUNCTION gyeol.refuse_change();
CREATE TRIGGER case_opinion_is_written_once BEFORE DELETE OR UPDATE OR TRUNCATE ON gyeol.case_opinion FOR EACH STATEMENT EXECUTE FUNCTION gyeol.refuse_change();
CREATE TRIGGER cosignature_is_written_once BEFORE DELETE OR UPDATE OR TRUNCATE ON gyeol.cosignature FOR EACH STATEMENT EXECUTE FUNCTION gyeol.refuse_change();
CREATE TRIGGER destruction_certificate_is_written_once BEFORE DELETE OR UPDATE OR TRUNCATE ON gyeol.destruction_certificate FOR EACH STATEMENT EXECUTE FUNCTION gyeol.refuse_change();
CREATE TRIGGER finding_is_no_own_act BEFORE INSERT ON gyeol.finding FOR EACH ROW EXECUTE FUNCTION gyeol.refuse_own_finding();
CREATE TRIGGER processing_record_is_kept BEFORE DELETE OR UPDATE ON gyeol.processing_record FOR EACH ROW EXECUTE FUNCTION gyeol.keep_processing_record();
CREATE TRIGGER processing_record_is_not_emptied BEFORE TRUNCATE ON gyeol.processing_record FOR EACH STATEMENT EXECUTE FUNCTION gyeol.keep_processing_record();
CREATE TRIGGER release_keeps_its_order BEFORE UPDATE OF state ON gyeol.release FOR EACH ROW WHEN ((old.state IS DISTINCT FROM new.state)) EXECUTE FUNCTION gyeol.require_release_order();
CREATE TRIGGER ticket_answer_is_written_once BEFORE DELETE OR UPDATE OR TRUNCATE ON gyeol.ticket_answer FOR EACH STATEMENT EXECUTE FUNCTION gyeol.refuse_change();

alter table gyeol.job enable row level security;
alter table gyeol.keyring_revision enable row level security;
alter table gyeol.part enable row level security;
alter table gyeol.project enable row level security;
alter table gyeol.sealing_key enable row level security;
alter table gyeol.vault_object enable row level security;
create policy job_is_seen on gyeol.job for select to public using (true);
create policy job_is_stored_by_the_data_side on gyeol.job for insert to gyeol_data with check ((side = 'data'::text));
create policy job_is_stored_by_the_key_side on gyeol.job for insert to gyeol_key with check ((side = 'key'::text));
create policy job_of_the_api on gyeol.job for all to gyeol_api using (true);
create policy job_of_the_data_side on gyeol.job for update to gyeol_data using (((side = 'data'::text) OR (state = 'waiting'::text))) with check (((side = 'data'::text) OR (state = 'queued'::text)));
create policy job_of_the_key_side on gyeol.job for update to gyeol_key using (((side = 'key'::text) OR (state = 'waiting'::text))) with check (((side = 'key'::text) OR (state = 'queued'::text)));
create policy keyring_revision_is_seen on gyeol.keyring_revision for select to public using (true);
create policy keyring_revision_of_the_api on gyeol.keyring_revision for insert to gyeol_api with check ((side = 'api'::text));
create policy keyring_revision_of_the_data_side on gyeol.keyring_revision for insert to gyeol_data with check ((side = 'data'::text));
create policy keyring_revision_of_the_key_side on gyeol.keyring_revision for insert to gyeol_key with check ((side = 'key'::text));
create policy keyring_revision_of_the_signer on gyeol.keyring_revision for insert to gyeol_sign with check ((side = 'sign'::text));
create policy part_is_forgotten_by_the_api on gyeol.part for update to gyeol_api using (true);
create policy part_is_seen on gyeol.part for select to public using (true);
create policy part_is_uploaded_to_the_api on gyeol.part for insert to gyeol_api with check ((state = 'uploaded'::text));
create policy part_of_keys on gyeol.part for update to gyeol_key using ((table_name = ANY (ARRAY[''::text, '#notices'::text])));
create policy part_of_tables on gyeol.part for update to gyeol_data using ((table_name <> ALL (ARRAY[''::text, '#notices'::text])));
create policy project_is_decided_by_the_api on gyeol.project for update to gyeol_api using (true);
create policy project_is_opened_by_the_workers on gyeol.project for update to gyeol_data, gyeol_key using ((state = ANY (ARRAY['approved'::text, 'open'::text]))) with check ((state = 'open'::text));
create policy project_is_proposed_by_the_api on gyeol.project for insert to gyeol_api with check ((state = 'proposed'::text));
create policy project_is_seen on gyeol.project for select to public using (true);
create policy sealing_key_is_seen on gyeol.sealing_key for select to public using (true);
create policy sealing_key_of_the_data_side on gyeol.sealing_key for all to gyeol_data using ((side = 'data'::text));
create policy sealing_key_of_the_desk on gyeol.sealing_key for all to gyeol_api using ((side = 'desk'::text));
create policy sealing_key_of_the_key_side on gyeol.sealing_key for all to gyeol_key using ((side = 'key'::text));
create policy vault_object_is_ended on gyeol.vault_object for update to gyeol_api, gyeol_data, gyeol_key using (true) with check ((destroyed_at IS NOT NULL));
create policy vault_object_is_seen on gyeol.vault_object for select to public using (true);
create policy vault_object_of_the_api on gyeol.vault_object for insert to gyeol_api with check ((kind = ANY (ARRAY['key-upload'::text, 'table-upload'::text, 'doubts'::text])));
create policy vault_object_of_the_data_side on gyeol.vault_object for insert to gyeol_data with check ((kind = ANY (ARRAY['typed-part'::text, 'cohort-part'::text, 'release-persons'::text, 'release-file'::text, 'desk-file'::text])));
create policy vault_object_of_the_key_side on gyeol.vault_object for insert to gyeol_key with check ((kind = ANY (ARRAY['tokens'::text, 'persons'::text, 'link-map'::text, 'key-index'::text, 'key-map'::text, 'person-changes'::text, 'extraction'::text, 'questions'::text, 'case-list'::text])));

grant select, insert, update (password_hash, roles, disabled_at) on gyeol.account to gyeol_api;
grant select (account_id, name, roles, disabled_at, created_at) on gyeol.account to gyeol_auditor;
grant select (account_id, name) on gyeol.account to gyeol_data;
grant select, insert, update (title, spki_sha256, disabled_at) on gyeol.agency to gyeol_api;
grant select on gyeol.agency to gyeol_auditor;
grant select (agency_id, name, title) on gyeol.agency to gyeol_data;
grant select (agency_id, name, title) on gyeol.agency to gyeol_key;
grant select on gyeol.audit_checkpoint to gyeol_api;
grant select on gyeol.audit_checkpoint to gyeol_auditor;
grant select, insert on gyeol.audit_checkpoint to gyeol_sign;
grant select on gyeol.audit_head to gyeol_api;
grant select on gyeol.audit_head to gyeol_auditor;
grant select on gyeol.audit_head to gyeol_sign;
grant select on gyeol.audit_leaf to gyeol_api;
grant select on gyeol.audit_leaf to gyeol_auditor;
grant select on gyeol.audit_leaf to gyeol_sign;
grant select, insert on gyeol.case_decision to gyeol_api;
grant select on gyeol.case_decision to gyeol_auditor;
grant select on gyeol.case_decision to gyeol_key;
grant select, insert on gyeol.case_opinion to gyeol_api;
grant select on gyeol.case_opinion to gyeol_auditor;
grant select, insert on gyeol.cohort to gyeol_api;
grant select on gyeol.cohort to gyeol_auditor;
grant select, update (state, ended_at, quality, quality_counted_at) on gyeol.cohort to gyeol_data;
grant select on gyeol.cohort_part to gyeol_api;
grant select on gyeol.cohort_part to gyeol_auditor;
grant select, insert on gyeol.cohort_part to gyeol_data;
grant select, insert on gyeol.cosignature to gyeol_api;
grant select on gyeol.cosignature to gyeol_auditor;
grant select, insert, update (state, manifest, manifest_sha256, job_id, submitted_at, ended_at) on gyeol.delivery to gyeol_api;
grant select on gyeol.delivery to gyeol_auditor;
grant select, update (state, ended_at) on gyeol.delivery to gyeol_data;
grant select, update (state, ended_at) on gyeol.delivery to gyeol_key;
grant select on gyeol.destruction_certificate to gyeol_api;
grant select on gyeol.destruction_certificate to gyeol_auditor;
grant select, insert on gyeol.destruction_certificate to gyeol_data;
grant select, insert on gyeol.doubt to gyeol_api;
grant select on gyeol.doubt to gyeol_auditor;
grant select on gyeol.doubt to gyeol_key;
grant select, insert, update (ended_at, bytes_sent, outcome) on gyeol.download to gyeol_api;
grant select on gyeol.download to gyeol_auditor;
grant select, insert, update (approved_by, job_id, approved_at) on gyeol.epoch_change to gyeol_api;
grant select on gyeol.epoch_change to gyeol_auditor;
grant select on gyeol.epoch_change to gyeol_key;
grant select on gyeol.extraction to gyeol_api;
grant select on gyeol.extraction to gyeol_auditor;
grant select, insert on gyeol.extraction to gyeol_key;
grant select, insert on gyeol.finding to gyeol_api;
grant select on gyeol.finding to gyeol_auditor;
grant select on gyeol.finding to gyeol_data;
grant select, insert, update (state, lease_token, lease_until, ended_at) on gyeol.job to gyeol_api;
grant select on gyeol.job to gyeol_auditor;
grant select, insert, update (state, attempts, lease_token, lease_until, run_after, progress, result, refusal, started_at, ended_at, outages) on gyeol.job to gyeol_data;
grant select, insert, update (state, attempts, lease_token, lease_until, run_after, progress, result, refusal, started_at, ended_at, outages) on gyeol.job to gyeol_key;
grant select, insert on gyeol.keyring_revision to gyeol_api;
grant select on gyeol.keyring_revision to gyeol_auditor;
grant select, insert on gyeol.keyring_revision to gyeol_data;
grant select, insert on gyeol.keyring_revision to gyeol_key;
grant select, insert on gyeol.keyring_revision to gyeol_sign;
grant select on gyeol.link_case to gyeol_api;
grant select on gyeol.link_case to gyeol_auditor;
grant select (linkage_id, case_id), update (sex, age_band, year, record_sex, record_age_band) on gyeol.link_case to gyeol_data;
grant select (linkage_id, case_id, kind), insert (linkage_id, case_id, project_id, kind, agency, wave, pass, pattern, candidates, name_shared) on gyeol.link_case to gyeol_key;
grant select on gyeol.link_map to gyeol_api;
grant select on gyeol.link_map to gyeol_auditor;
grant select on gyeol.link_map to gyeol_data;
grant select, insert, update (key_object_id) on gyeol.link_map to gyeol_key;
grant select, insert on gyeol.linkage to gyeol_api;
grant select on gyeol.linkage to gyeol_auditor;
grant select on gyeol.linkage to gyeol_data;
grant select, update (state, persons_object_id, persons, persons_sha256, report, ended_at, previous_id, index_version, index_object_id, changes_object_id, late_wave, epoch, case_list_object_id) on gyeol.linkage to gyeol_key;
grant select, insert, update (upload_object_id, taken_object_id) on gyeol.part to gyeol_api;
grant select on gyeol.part to gyeol_auditor;
grant select, update (state, upload_object_id, taken_object_id, rows, rows_taken, refusals, report) on gyeol.part to gyeol_data;
grant select, update (state, upload_object_id, taken_object_id, rows, rows_taken, refusals, report) on gyeol.part to gyeol_key;
grant select, insert on gyeol.processing_record to gyeol_api;
grant select on gyeol.processing_record to gyeol_auditor;
grant select, update (destroyed_at) on gyeol.processing_record to gyeol_data;
grant select, insert, update (state, approved_by, approved_at) on gyeol.project to gyeol_api;
grant select on gyeol.project to gyeol_auditor;
grant select, update (state) on gyeol.project to gyeol_data;
grant select, update (state, epoch, retired_epoch) on gyeol.project to gyeol_key;
grant select, insert on gyeol.project_agency to gyeol_api;
grant select on gyeol.project_agency to gyeol_auditor;
grant select on gyeol.project_agency to gyeol_data;
grant select on gyeol.project_agency to gyeol_key;
grant select, insert, update (state, job_id, valid_from, valid_until, approved_by, approved_at, approval_leaf, audit_proof, recalled_by, recall_reason, ended_at, end_report_due_at, destruction_due_at, destruction_requested_by, destruction_job_id) on gyeol.release to gyeol_api;
grant select on gyeol.release to gyeol_auditor;
grant select, update (state, persons_object_id, manifest, manifest_sha256, signature_key, built_at, destroyed_at, disclosure, utility) on gyeol.release to gyeol_data;
grant select on gyeol.release_file to gyeol_api;
grant select on gyeol.release_file to gyeol_auditor;
grant select, insert, update (desk_object_id) on gyeol.release_file to gyeol_data;
grant select, insert on gyeol.release_statement to gyeol_api;
grant select on gyeol.release_statement to gyeol_auditor;
grant select on gyeol.schema_version to gyeol_api;
grant select on gyeol.schema_version to gyeol_auditor;
grant select on gyeol.schema_version to gyeol_data;
grant select on gyeol.schema_version to gyeol_key;
grant select on gyeol.schema_version to gyeol_sign;
grant select, insert, update (retired_at, destroyed_at) on gyeol.sealing_key to gyeol_api;
grant select on gyeol.sealing_key to gyeol_auditor;
grant select, insert, update (retired_at, destroyed_at) on gyeol.sealing_key to gyeol_data;
grant select, insert, update (retired_at) on gyeol.sealing_key to gyeol_key;
grant select, insert, delete on gyeol.session to gyeol_api;
grant select, insert, update (state) on gyeol.ticket to gyeol_api;
grant select on gyeol.ticket to gyeol_auditor;
grant select, update (state, object_id, bytes, sha256, opened_at, closed_at) on gyeol.ticket to gyeol_key;
grant select, insert on gyeol.ticket_answer to gyeol_api;
grant select on gyeol.ticket_answer to gyeol_auditor;
grant select, insert on gyeol.ticket_case to gyeol_api;
grant select on gyeol.ticket_case to gyeol_auditor;
grant select, update (is_asked) on gyeol.ticket_case to gyeol_key;
grant select, insert, update (destroyed_at) on gyeol.vault_object to gyeol_api;
grant select on gyeol.vault_object to gyeol_auditor;
grant select, insert, update (destroyed_at) on gyeol.vault_object to gyeol_data;
grant select, insert, update (destroyed_at) on gyeol.vault_object to gyeol_key;
grant select, insert, update (retired_at) on gyeol.witness to gyeol_api;
grant select on gyeol.witness to gyeol_auditor;
grant execute on function gyeol.append_leaf to gyeol_api;
grant execute on function gyeol.append_leaf to gyeol_data;
grant execute on function gyeol.append_leaf to gyeol_key;
grant execute on function gyeol.append_leaf to gyeol_sign;
