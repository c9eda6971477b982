-- A link that rules made and nothing contradicts is on no worklist. The agency whose record it is may know better: it names serials
-- of its own whose links it doubts. The list is sealed to the key side and read by the next linkage, which makes cases of it and
-- destroys it; two people decide as ever. No serial is in the database.

alter table gyeol.vault_object
  drop constraint vault_object_kind_is_known,
  add constraint vault_object_kind_is_known check (
    kind in ('key-upload', 'table-upload', 'tokens', 'typed-part', 'persons', 'link-map', 'key-index', 'key-map',
             'person-changes', 'cohort-part', 'release-persons', 'release-file', 'desk-file',
             'extraction', 'questions', 'case-list', 'doubts'));
drop policy vault_object_of_the_api on gyeol.vault_object;
create policy vault_object_of_the_api on gyeol.vault_object for insert to gyeol_api
  with check (kind in ('key-upload', 'table-upload', 'doubts'));

alter table gyeol.link_case
  drop constraint link_case_kind_is_known,
  add constraint link_case_kind_is_known check (kind in ('possible', 'conflict', 'merge', 'doubted'));

create table gyeol.doubt (
  object_id uuid primary key references gyeol.vault_object, -- CSV of serials; destroyed when a linkage has read it, or by the next list
  project_id uuid not null references gyeol.project,
  agency_id uuid not null references gyeol.agency, -- whose serials they are
  serials integer not null constraint doubt_counts_serials check (serials >= 0), -- 0: nothing is doubted any more
  sha256 bytea not null constraint doubt_has_a_digest check (length(sha256) = 32), -- of the list, unsealed
  created_at timestamptz not null default now()
);
create index doubt_by_project on gyeol.doubt (project_id, agency_id);

grant select, insert on gyeol.doubt to gyeol_api;
grant select on gyeol.doubt to gyeol_key, gyeol_auditor;
