-- Persons outlive deliveries. A linkage goes on from the key index that the last one left, sealed to the key side, and leaves
-- the next; the data side is told which person numbers were given up. The link maps lie with the key side as well until the
-- next linkage, so that it knows what changed.
--
-- What the rules leave open is a case. Cases are listed without identifiers, under numbers that tell nothing; two people
-- decide, and what they decided holds in every later linkage until two people decide otherwise.

alter table gyeol.linkage
  add column previous_id uuid references gyeol.linkage, -- whose key index it went on from
  add column index_version integer -- of the key index that it wrote, from 1; null before it ended, and of a trial
    constraint linkage_index_is_counted_from_one check (index_version >= 1),
  add column index_object_id uuid references gyeol.vault_object, -- sealed to the key side
  add column changes_object_id uuid references gyeol.vault_object, -- person numbers given up, sealed to the data side
  add column released_versions integer[] not null default '{}', -- index versions whose persons a release had shown by then
  add constraint linkage_for_trial_leaves_no_index check (not is_trial or index_object_id is null),
  add constraint linkage_index_is_one_a_version unique (project_id, index_version);
create unique index linkage_is_one_at_a_time on gyeol.linkage (project_id) where state = 'queued' and not is_trial;

alter table gyeol.link_map
  add column key_object_id uuid references gyeol.vault_object; -- the same map for the key side; null once a later linkage is there

alter table gyeol.vault_object
  drop constraint vault_object_kind_is_known,
  add constraint vault_object_kind_is_known check (
    kind in ('key-upload', 'table-upload', 'tokens', 'typed-part', 'persons', 'link-map', 'key-index', 'key-map',
             'person-changes', 'cohort-part', 'release-persons', 'release-file', 'desk-file',
             'extraction'));
drop policy vault_object_of_the_key_side on gyeol.vault_object;
create policy vault_object_of_the_key_side on gyeol.vault_object for insert to gyeol_key
  with check (kind in ('tokens', 'persons', 'link-map', 'key-index', 'key-map', 'person-changes', 'extraction'));

create table gyeol.link_case (
  linkage_id uuid not null references gyeol.linkage,
  case_id uuid not null, -- the same in every linkage; made of what only the key side knows
  project_id uuid not null references gyeol.project,
  kind text not null constraint link_case_kind_is_known check (kind in ('possible', 'conflict', 'merge')),
  agency text not null, -- of the record in question
  wave integer not null, -- that brought it last
  pass integer, -- null for two records of the spine
  pattern text, -- how the keys agree; src/core/passes.ts
  candidates integer not null, -- persons that the record may be
  name_shared integer, -- records that have the name key that agrees; null where none does
  primary key (linkage_id, case_id)
);
create index link_case_by_number on gyeol.link_case (case_id);

create table gyeol.case_opinion (
  opinion_id uuid primary key,
  project_id uuid not null references gyeol.project,
  case_id uuid not null,
  account_id uuid not null references gyeol.account,
  verdict text not null
    constraint case_opinion_verdict_is_known check (verdict in ('must-link', 'cannot-link', 'undecided')),
  reason text not null,
  created_at timestamptz not null default now()
);
create index case_opinion_by_case on gyeol.case_opinion (project_id, case_id, created_at);
create trigger case_opinion_is_written_once before update or delete or truncate on gyeol.case_opinion
  for each statement execute function gyeol.refuse_change();

-- Two opinions that agree, by two people. The newest decision of a case is the one in force.
create table gyeol.case_decision (
  decision_id uuid primary key,
  project_id uuid not null references gyeol.project,
  case_id uuid not null,
  verdict text not null
    constraint case_decision_verdict_is_known check (verdict in ('must-link', 'cannot-link', 'undecided')),
  first_opinion_id uuid not null references gyeol.case_opinion,
  first_by uuid not null references gyeol.account,
  second_opinion_id uuid not null references gyeol.case_opinion,
  second_by uuid not null references gyeol.account,
  created_at timestamptz not null default now(),
  constraint case_is_decided_by_two_people check (first_by <> second_by),
  constraint case_opinion_decides_once unique (second_opinion_id)
);
create index case_decision_by_case on gyeol.case_decision (project_id, case_id, created_at);
create trigger case_decision_is_written_once before update or delete or truncate on gyeol.case_decision
  for each statement execute function gyeol.refuse_change();

grant update (previous_id, index_version, index_object_id, changes_object_id) on gyeol.linkage to gyeol_key;
grant update (key_object_id) on gyeol.link_map to gyeol_key;
grant select, insert on gyeol.link_case to gyeol_key;
grant select on gyeol.link_case to gyeol_api, gyeol_auditor;
grant select, insert on gyeol.case_opinion, gyeol.case_decision to gyeol_api;
grant select on gyeol.case_decision to gyeol_key;
grant select on gyeol.case_opinion, gyeol.case_decision to gyeol_auditor;
