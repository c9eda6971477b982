-- The life of a release from its review to its destruction: on what legal ground and how strictly a project's releases are
-- reviewed; who stopped a release, when it ended and what is then owed; every taking of a file, from its first byte to its
-- last; the record of Article 28-4(3), which outlives the release by three years; and the certificate that remains.
--
-- A release has sealing keys of its own on the data side and at the desk, so that destroying them destroys its files
-- wherever a copy of the vault may lie.

alter table gyeol.project
  add column risk_grade text not null default 'controlled-room'
    constraint project_risk_grade_is_known check (risk_grade in ('controlled-room', 'third-party', 'high-risk')),
  add column reviewers_min integer -- null: by the grade, 1, 2 or 3
    constraint project_reviewers_are_one_to_seven check (reviewers_min between 1 and 7),
  add column legal_basis text,
  add column notice_version text, -- of the notice under which the agencies give
  add column irb_number text,
  add column board_number text, -- of the data review board
  add constraint project_of_high_risk_has_three_reviewers
    check (risk_grade <> 'high-risk' or coalesce(reviewers_min, 3) >= 3);

alter table gyeol.release drop constraint release_state_is_known;
alter table gyeol.release
  add constraint release_state_is_known check (
    state in ('queued', 'built', 'approved', 'ready', 'recalled', 'expired', 'ended', 'destroyed', 'failed')),
  add column approval_leaf bigint, -- number of the leaf that holds the manifest's digest
  add column audit_proof text, -- C2SP tlog-proof of that leaf, once a checkpoint covers it
  add column recalled_by uuid references gyeol.account,
  add column recall_reason text,
  add column ended_at timestamptz, -- recalled, expired or reported as ended, whichever came first
  add column end_report_due_at timestamptz,
  add column destruction_due_at timestamptz, -- for the recipient's copies and for ours
  add column destruction_requested_by uuid references gyeol.account,
  add column destruction_job_id uuid references gyeol.job,
  add column destroyed_at timestamptz,
  add constraint release_is_approved_by_no_recipient check (approved_by <> recipient_id);

-- The same table as src/core/states.ts; a test holds them against each other.
create function gyeol.require_release_order() returns trigger
language plpgsql
set search_path = gyeol, pg_temp
as $$
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
$$;
create trigger release_keeps_its_order before update of state on gyeol.release
  for each row when (old.state is distinct from new.state) execute function gyeol.require_release_order();

create table gyeol.release_statement (
  release_id uuid not null references gyeol.release,
  kind text not null constraint release_statement_kind_is_known check (kind in ('end-report', 'destruction-confirmation')),
  account_id uuid not null references gyeol.account,
  text text not null,
  created_at timestamptz not null default now(),
  primary key (release_id, kind)
);

-- Findings ---------------------------------------------------------------------------------------------------------

alter table gyeol.finding
  add column declares_no_interest boolean not null default true
    constraint finding_is_given_without_interest check (declares_no_interest);

create function gyeol.refuse_own_finding() returns trigger
language plpgsql
set search_path = gyeol, pg_temp
as $$
begin
  if exists (
    select from gyeol.release r join gyeol.project p on p.project_id = r.project_id
    where r.release_id = new.release_id and new.reviewer_id in (r.created_by, r.recipient_id, p.created_by)
  ) then
    raise exception 'nobody reviews their own release' using errcode = 'check_violation', constraint = 'finding_is_no_own_act';
  end if;
  return new;
end
$$;
create trigger finding_is_no_own_act before insert on gyeol.finding
  for each row execute function gyeol.refuse_own_finding();

-- Takings ----------------------------------------------------------------------------------------------------------

create table gyeol.download (
  download_id uuid primary key,
  release_id uuid not null references gyeol.release,
  name text not null, -- path inside the package
  account_id uuid not null references gyeol.account,
  address text not null, -- from where
  reason text not null,
  reason_salt bytea not null constraint download_salt_is_16_bytes check (length(reason_salt) = 16),
  range_start bigint not null, -- bytes of the file, from and up to but without
  range_end bigint not null,
  started_at timestamptz not null default now(),
  ended_at timestamptz,
  bytes_sent bigint, -- handed to the connection
  outcome text constraint download_outcome_is_known check (outcome in ('complete', 'cut', 'lost')),
  constraint download_ends_with_an_outcome check ((ended_at is null) = (outcome is null))
);
create index download_by_release on gyeol.download (release_id, started_at);
create index download_not_ended on gyeol.download (started_at) where ended_at is null;

-- The record of Article 28-4(3) -----------------------------------------------------------------------------------------

create table gyeol.processing_record (
  release_id uuid primary key references gyeol.release,
  project_id uuid not null references gyeol.project,
  purpose text not null,
  items jsonb not null, -- table → columns that leave
  use text not null, -- legal basis and numbers under which it is used
  recipient text not null, -- account name
  place text not null,
  valid_from timestamptz not null,
  valid_until timestamptz not null,
  created_at timestamptz not null default now(),
  destroyed_at timestamptz -- of the release; the record may go three years later
);

create function gyeol.keep_processing_record() returns trigger
language plpgsql
set search_path = gyeol, pg_temp
as $$
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
$$;
create trigger processing_record_is_kept before update or delete on gyeol.processing_record
  for each row execute function gyeol.keep_processing_record();
create trigger processing_record_is_not_emptied before truncate on gyeol.processing_record
  for each statement execute function gyeol.keep_processing_record();

-- Destruction ------------------------------------------------------------------------------------------------------

create table gyeol.destruction_certificate (
  release_id uuid primary key references gyeol.release,
  certificate text not null, -- canonical JSON and a newline: exactly the bytes that are signed
  signature bytea not null constraint destruction_certificate_is_signed check (length(signature) = 64),
  signature_key bytea not null, -- Ed25519, 32 bytes
  created_at timestamptz not null default now()
);
create trigger destruction_certificate_is_written_once before update or delete or truncate on gyeol.destruction_certificate
  for each statement execute function gyeol.refuse_change();

alter table gyeol.sealing_key
  add column release_id uuid references gyeol.release, -- of one release alone
  add column destroyed_at timestamptz; -- the private half is gone
drop index gyeol.sealing_key_is_one_a_side;
create unique index sealing_key_is_one_a_side on gyeol.sealing_key (project_id, release_id, side)
  nulls not distinct where retired_at is null;

-- Grants -----------------------------------------------------------------------------------------------------------

grant update (
  approval_leaf, audit_proof, recalled_by, recall_reason, ended_at, end_report_due_at, destruction_due_at,
  destruction_requested_by, destruction_job_id
) on gyeol.release to gyeol_api;
grant update (destroyed_at) on gyeol.release to gyeol_data;
grant select, insert on gyeol.release_statement to gyeol_api;
grant select on gyeol.release_statement to gyeol_auditor;
grant select, insert, update (ended_at, bytes_sent, outcome) on gyeol.download to gyeol_api;
grant select on gyeol.download to gyeol_auditor;
grant select, insert on gyeol.processing_record to gyeol_api;
grant select, update (destroyed_at) on gyeol.processing_record to gyeol_data;
grant select on gyeol.processing_record to gyeol_auditor;
grant select, insert on gyeol.destruction_certificate to gyeol_data;
grant select on gyeol.destruction_certificate to gyeol_api, gyeol_auditor;
grant update (destroyed_at) on gyeol.sealing_key to gyeol_api, gyeol_data;
revoke execute on function gyeol.require_release_order, gyeol.refuse_own_finding, gyeol.keep_processing_record from public;
