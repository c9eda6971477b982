-- What people cannot decide without identifiers becomes a ticket to the agency that holds them: pairs of that agency's own
-- serials, written by the key side and sealed to the desk. The agency says same, not same or unknown. An answer decides
-- nothing: two people still do. No serial is in the database.

alter table gyeol.vault_object
  drop constraint vault_object_kind_is_known,
  add constraint vault_object_kind_is_known check (
    kind in ('key-upload', 'table-upload', 'tokens', 'typed-part', 'persons', 'link-map', 'key-index', 'key-map',
             'person-changes', 'cohort-part', 'release-persons', 'release-file', 'desk-file',
             'extraction', 'questions'));
drop policy vault_object_of_the_key_side on gyeol.vault_object;
create policy vault_object_of_the_key_side on gyeol.vault_object for insert to gyeol_key
  with check (kind in ('tokens', 'persons', 'link-map', 'key-index', 'key-map', 'person-changes', 'extraction',
                       'questions'));

create table gyeol.ticket (
  ticket_id uuid primary key,
  project_id uuid not null references gyeol.project,
  linkage_id uuid not null references gyeol.linkage, -- whose cases they are
  agency_id uuid not null references gyeol.agency, -- who is asked
  state text not null default 'queued' constraint ticket_state_is_known check (
    state in ('queued', 'open', 'answered', 'closed', 'failed')),
  job_id uuid not null references gyeol.job,
  object_id uuid references gyeol.vault_object, -- CSV of pairs of serials, sealed to the desk; null before it is written
  bytes bigint, -- unsealed
  sha256 bytea constraint ticket_has_a_digest check (length(sha256) = 32), -- of the list, unsealed
  created_by uuid not null references gyeol.account,
  created_at timestamptz not null default now(),
  opened_at timestamptz,
  closed_at timestamptz, -- a newer linkage was there
  constraint ticket_that_is_open_has_a_list check (state in ('queued', 'closed', 'failed') or object_id is not null)
);
create index ticket_by_project on gyeol.ticket (project_id, created_at);

create table gyeol.ticket_case (
  ticket_id uuid not null references gyeol.ticket,
  case_id uuid not null,
  is_asked boolean, -- false: the agency does not hold two records of it; null before the list is written
  primary key (ticket_id, case_id)
);

create table gyeol.ticket_answer (
  ticket_id uuid not null,
  case_id uuid not null,
  round integer not null constraint ticket_answer_round_is_counted_from_one check (round >= 1), -- the last one counts
  answer text not null constraint ticket_answer_is_known check (answer in ('same', 'not-same', 'unknown')),
  created_at timestamptz not null default now(),
  primary key (ticket_id, case_id, round),
  constraint ticket_answer_is_of_a_case_of_the_ticket foreign key (ticket_id, case_id) references gyeol.ticket_case
);
create index ticket_answer_by_case on gyeol.ticket_answer (case_id);
create trigger ticket_answer_is_written_once before update or delete or truncate on gyeol.ticket_answer
  for each statement execute function gyeol.refuse_change();

grant select, insert, update (state) on gyeol.ticket to gyeol_api;
grant select, insert on gyeol.ticket_case, gyeol.ticket_answer to gyeol_api;
grant select, update (state, object_id, bytes, sha256, opened_at, closed_at) on gyeol.ticket to gyeol_key;
grant select, update (is_asked) on gyeol.ticket_case to gyeol_key;
grant select on gyeol.ticket, gyeol.ticket_case, gyeol.ticket_answer to gyeol_auditor;
