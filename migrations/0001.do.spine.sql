-- The spine of the service: who may call, what was delivered, what is to do, what came of it, and the trail.
--
-- Large things (uploads, tokens, link maps, parts, releases) are sealed objects in the vault; the rows here name them.
-- An effect, the job that follows from it and the leaf that proves it are written in one transaction or not at all.
-- Times are the database's. Identifiers are random uuids made by the service. No row here holds a key, a token, a
-- person number, a serial or a payload value.

create schema gyeol;

-- Which migrations ran, and with what text: a release starts only on the schema it was written for.
create table gyeol.schema_version (
  number integer primary key,
  name text not null,
  sha256 bytea not null,
  applied_at timestamptz not null default now()
);

-- People ---------------------------------------------------------------------------------------------------------

create table gyeol.account (
  account_id uuid primary key,
  name text not null constraint account_name_is_short check (name ~ '^[a-z][a-z0-9._-]{0,62}$'),
  password_hash text not null, -- argon2id in PHC form
  roles text[] not null
    constraint account_roles_are_known
    check (roles <@ array['operator', 'custodian', 'reviewer', 'head', 'auditor', 'recipient']),
  disabled_at timestamptz,
  created_at timestamptz not null default now(),
  constraint account_name_is_unique unique (name)
);

create table gyeol.session (
  token_mac bytea primary key, -- HMAC-SHA-256 of the bearer token under the API's session key; 32 bytes
  account_id uuid not null references gyeol.account,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);

-- Agencies and projects ------------------------------------------------------------------------------------------

create table gyeol.agency (
  agency_id uuid primary key,
  name text not null constraint agency_name_is_short check (name ~ '^[a-z][a-z0-9-]{0,62}$'),
  title jsonb not null, -- {"en": …, "ko": …}
  spki_sha256 bytea not null constraint agency_certificate_key_is_a_digest check (length(spki_sha256) = 32),
  disabled_at timestamptz,
  created_at timestamptz not null default now(),
  constraint agency_name_is_unique unique (name),
  constraint agency_certificate_key_is_unique unique (spki_sha256)
);

create table gyeol.project (
  project_id uuid primary key,
  name text not null constraint project_name_is_short check (name ~ '^[a-z][a-z0-9-]{0,62}$'),
  purpose text not null,
  state text not null default 'proposed'
    constraint project_state_is_known check (state in ('proposed', 'approved', 'open', 'closed')),
  -- json, not jsonb: the order of a catalogue's columns is part of it.
  catalogue json not null, -- tables and columns; src/catalogue/schema.ts
  recipe json not null, -- how keys are made; src/core/recipe.ts
  canaries json not null, -- the canary table of the key ceremony: keys of published dummies only
  rules json not null, -- linkage settings; src/core/passes.ts
  mac_algorithm text not null
    constraint project_mac_is_known check (mac_algorithm in ('cmac-aes-256', 'cmac-aria-256', 'hmac-sha-256')),
  created_by uuid not null references gyeol.account,
  approved_by uuid references gyeol.account,
  created_at timestamptz not null default now(),
  approved_at timestamptz,
  constraint project_name_is_unique unique (name),
  constraint project_is_approved_by_another check (approved_by <> created_by)
);

create table gyeol.project_agency (
  project_id uuid not null references gyeol.project,
  agency_id uuid not null references gyeol.agency,
  is_spine boolean not null,
  is_duplicate_free boolean not null, -- the agency declares one serial a person
  key_types text[] not null
    constraint project_agency_key_types_are_known check (key_types <@ array['K1', 'K2', 'K3', 'K4', 'K5']),
  primary key (project_id, agency_id)
);
create unique index project_has_one_spine on gyeol.project_agency (project_id) where is_spine;

-- The public halves to which uploads and results are sealed. The private halves are in the keyrings.
create table gyeol.sealing_key (
  sealing_key_id uuid primary key,
  project_id uuid references gyeol.project, -- null for the delivery desk's own key
  side text not null constraint sealing_key_side_is_known check (side in ('key', 'data', 'desk')),
  public_key bytea not null constraint sealing_key_is_a_p256_point check (length(public_key) = 65),
  created_at timestamptz not null default now(),
  retired_at timestamptz
);
create unique index sealing_key_is_one_a_side on gyeol.sealing_key (project_id, side)
  nulls not distinct where retired_at is null;

-- The newest revision of each keyring that the service has seen, so that an older copy put back is noticed.
create table gyeol.keyring_revision (
  side text not null constraint keyring_side_is_known check (side in ('api', 'key', 'data', 'sign')),
  revision bigint not null,
  sha256 bytea not null,
  created_at timestamptz not null default now(),
  primary key (side, revision)
);

-- The vault --------------------------------------------------------------------------------------------------------

create table gyeol.vault_object (
  object_id uuid primary key,
  project_id uuid not null references gyeol.project,
  kind text not null constraint vault_object_kind_is_known check (
    kind in ('key-upload', 'table-upload', 'tokens', 'typed-part', 'persons', 'link-map', 'key-index',
             'cohort-part', 'release-persons', 'release-file', 'desk-file')),
  sealing_key_id uuid not null references gyeol.sealing_key, -- the side that may open it
  bytes bigint not null, -- of the sealed file
  created_at timestamptz not null default now(),
  destroyed_at timestamptz -- set when no row may name it any more; the sweep then removes the file
);

-- Jobs -------------------------------------------------------------------------------------------------------------

create table gyeol.job (
  job_id uuid primary key,
  project_id uuid not null references gyeol.project,
  parent_id uuid references gyeol.job, -- a parent is done when its last child is
  side text not null constraint job_side_is_known check (side in ('key', 'data')),
  kind text not null,
  subject jsonb not null, -- ids only
  state text not null default 'queued'
    constraint job_state_is_known check (state in ('queued', 'running', 'waiting', 'done', 'failed', 'cancelled')),
  attempts integer not null default 0,
  lease_token uuid, -- what a worker must still hold to write its effect
  lease_until timestamptz,
  run_after timestamptz not null default now(), -- pushed back after an outage
  progress jsonb not null default '{}', -- counts only
  result jsonb, -- counts and ids only
  refusal jsonb, -- {"code", "sentence", "details"} of a job that was refused
  created_at timestamptz not null default now(),
  started_at timestamptz,
  ended_at timestamptz,
  constraint job_that_runs_is_leased check ((state = 'running') = (lease_token is not null))
);
create index job_by_parent on gyeol.job (parent_id) where parent_id is not null;
create index job_to_do on gyeol.job (side, created_at) where state in ('queued', 'running');

-- Deliveries -------------------------------------------------------------------------------------------------------

create table gyeol.delivery (
  delivery_id uuid primary key,
  project_id uuid not null references gyeol.project,
  agency_id uuid not null references gyeol.agency,
  wave integer not null constraint delivery_wave_is_counted_from_one check (wave between 1 and 999),
  state text not null default 'open'
    constraint delivery_state_is_known check (state in ('open', 'submitted', 'taken', 'refused', 'withdrawn')),
  manifest jsonb, -- as submitted
  manifest_sha256 bytea,
  job_id uuid, -- the job that takes it in
  created_at timestamptz not null default now(),
  submitted_at timestamptz,
  ended_at timestamptz, -- taken, refused or withdrawn
  foreign key (project_id, agency_id) references gyeol.project_agency
);
create unique index delivery_is_one_a_wave on gyeol.delivery (project_id, agency_id, wave)
  where state in ('open', 'submitted', 'taken');

create table gyeol.part (
  delivery_id uuid not null references gyeol.delivery,
  table_name text not null, -- '' for a part of keys
  number integer not null constraint part_number_is_bounded check (number between 1 and 99999),
  state text not null default 'uploaded'
    constraint part_state_is_known check (state in ('uploaded', 'taken', 'refused')),
  media_type text not null
    constraint part_media_type_is_known check (media_type in ('text/csv', 'application/vnd.apache.parquet')),
  bytes bigint not null, -- as uploaded, unsealed
  sha256 bytea not null, -- of the uploaded bytes
  upload_object_id uuid references gyeol.vault_object, -- null once destroyed
  taken_object_id uuid references gyeol.vault_object, -- tokens or typed part
  rows bigint, -- counted at intake
  rows_taken bigint,
  refusals jsonb, -- reason → {"rows": n, "firstLine": n}
  report jsonb, -- counts of the intake
  primary key (delivery_id, table_name, number)
);

-- Linkages, cohorts, releases --------------------------------------------------------------------------------------

create table gyeol.linkage (
  linkage_id uuid primary key,
  project_id uuid not null references gyeol.project,
  state text not null default 'queued'
    constraint linkage_state_is_known check (state in ('queued', 'linked', 'failed')),
  rules_version text not null,
  job_id uuid references gyeol.job,
  persons_object_id uuid references gyeol.vault_object, -- ordinal → person, sealed to the data side
  persons bigint,
  persons_sha256 bytea, -- of the list, unsealed
  report jsonb, -- masked counts
  created_by uuid not null references gyeol.account,
  created_at timestamptz not null default now(),
  ended_at timestamptz
);

create table gyeol.link_map (
  linkage_id uuid not null references gyeol.linkage,
  delivery_id uuid not null references gyeol.delivery,
  object_id uuid not null references gyeol.vault_object, -- serial → ordinal, sealed to the data side
  serials bigint not null,
  linked bigint not null,
  primary key (linkage_id, delivery_id)
);

create table gyeol.cohort (
  cohort_id uuid primary key,
  project_id uuid not null references gyeol.project,
  linkage_id uuid not null references gyeol.linkage,
  state text not null default 'queued'
    constraint cohort_state_is_known check (state in ('queued', 'assembled', 'failed')),
  job_id uuid references gyeol.job,
  created_by uuid not null references gyeol.account,
  created_at timestamptz not null default now(),
  ended_at timestamptz
);

create table gyeol.cohort_part (
  cohort_id uuid not null references gyeol.cohort,
  delivery_id uuid not null,
  table_name text not null,
  number integer not null,
  object_id uuid not null references gyeol.vault_object,
  rows bigint not null, -- of the typed part
  rows_kept bigint not null,
  rows_outside bigint not null, -- of persons outside the spine: dropped
  rows_unknown bigint not null, -- of serials that no key part names: dropped
  primary key (cohort_id, delivery_id, table_name, number),
  foreign key (delivery_id, table_name, number) references gyeol.part
);

create table gyeol.release (
  release_id uuid primary key,
  project_id uuid not null references gyeol.project,
  cohort_id uuid not null references gyeol.cohort,
  domain text not null, -- names the pseudonym key; one a release unless asked otherwise
  state text not null default 'queued' constraint release_state_is_known check (
    state in ('queued', 'built', 'approved', 'ready', 'recalled', 'expired', 'destroyed', 'failed')),
  policy json not null,
  policy_sha256 bytea not null,
  job_id uuid references gyeol.job,
  persons_object_id uuid references gyeol.vault_object, -- ordinal → pseudonym and anchors, sealed to the data side
  manifest json,
  manifest_sha256 bytea,
  signature_key bytea, -- Ed25519 public key under which the manifest is signed; 32 bytes
  recipient_id uuid not null references gyeol.account,
  purpose text not null,
  place text not null,
  valid_from timestamptz,
  valid_until timestamptz,
  created_by uuid not null references gyeol.account,
  approved_by uuid references gyeol.account,
  created_at timestamptz not null default now(),
  built_at timestamptz,
  approved_at timestamptz,
  constraint release_is_approved_by_another check (approved_by <> created_by)
);

create table gyeol.release_file (
  release_id uuid not null references gyeol.release,
  name text not null, -- path inside the package
  object_id uuid not null references gyeol.vault_object, -- sealed to the data side
  desk_object_id uuid references gyeol.vault_object, -- sealed to the delivery desk, after approval
  bytes bigint not null,
  rows bigint, -- of a table file
  sha256 bytea not null,
  primary key (release_id, name)
);

create table gyeol.finding (
  release_id uuid not null references gyeol.release,
  kind text not null
    constraint finding_kind_is_known check (kind in ('relevance', 'recognisability', 'safety')),
  reviewer_id uuid not null references gyeol.account,
  verdict text not null constraint finding_verdict_is_known check (verdict in ('pass', 'fail')),
  reason text not null,
  manifest_sha256 bytea not null,
  created_at timestamptz not null default now(),
  primary key (release_id, kind, reviewer_id)
);

-- The trail --------------------------------------------------------------------------------------------------------

-- One row. Locked at the end of every transaction that writes a leaf, so leaves are numbered without gaps and there
-- is no moment at which a committed leaf has no number.
create table gyeol.audit_head (
  only_row boolean primary key default true constraint audit_head_is_one_row check (only_row),
  size bigint not null
);
insert into gyeol.audit_head (size) values (0);

create table gyeol.audit_leaf (
  number bigint primary key, -- from 0
  entry bytea not null, -- canonical JSON, UTF-8: exactly the bytes that are hashed
  leaf_hash bytea not null, -- SHA-256 of 0x00 and the entry (RFC 6962 section 2.1)
  project_id uuid, -- for search, as are the next four; the entry is the truth
  actor text not null,
  action text not null,
  object text not null,
  at timestamptz not null
);
create index audit_leaf_by_project on gyeol.audit_leaf (project_id, number);
create index audit_leaf_by_action on gyeol.audit_leaf (action, number);

create table gyeol.audit_checkpoint (
  size bigint primary key, -- leaves covered
  root bytea not null, -- 32 bytes
  note text not null, -- C2SP signed note
  verifier_key text not null, -- name+hash+key of its signer: for convenience, a verifier brings its own copy
  created_at timestamptz not null default now()
);

-- The only way to write a leaf. Computes the hash itself, so the caller cannot name another.
create function gyeol.append_leaf(
  p_entry bytea, p_project_id uuid, p_actor text, p_action text, p_object text, p_at timestamptz
) returns bigint
language sql
security definer
set search_path = gyeol, pg_temp
as $$
  with head as (
    update gyeol.audit_head set size = size + 1 where only_row returning size - 1 as number
  )
  insert into gyeol.audit_leaf (number, entry, leaf_hash, project_id, actor, action, object, at)
  select head.number, p_entry, sha256('\x00'::bytea || p_entry), p_project_id, p_actor, p_action, p_object, p_at
  from head
  returning number
$$;

-- Leaves and checkpoints are written once. This stops every runtime role and every mistake; a superuser who removes
-- the trigger is what the signed checkpoints and the witnesses are for.
create function gyeol.refuse_change() returns trigger
language plpgsql
set search_path = gyeol, pg_temp
as $$
begin
  raise exception 'the trail is written once' using errcode = 'insufficient_privilege';
end
$$;
create trigger audit_leaf_is_written_once before update or delete or truncate on gyeol.audit_leaf
  for each statement execute function gyeol.refuse_change();
create trigger audit_checkpoint_is_written_once before update or delete or truncate on gyeol.audit_checkpoint
  for each statement execute function gyeol.refuse_change();
