-- People who look at a case see sex, age band and year beside it. Only the data side has these: the key side seals it a list of
-- cases with the places of their persons, and when the quality of the linkage is counted the data side writes what the tables
-- say. The key side never sees it; no serial and no place of a person is in the database.

alter table gyeol.vault_object
  drop constraint vault_object_kind_is_known,
  add constraint vault_object_kind_is_known check (
    kind in ('key-upload', 'table-upload', 'tokens', 'typed-part', 'persons', 'link-map', 'key-index', 'key-map',
             'person-changes', 'cohort-part', 'release-persons', 'release-file', 'desk-file',
             'extraction', 'questions', 'case-list'));
drop policy vault_object_of_the_key_side on gyeol.vault_object;
create policy vault_object_of_the_key_side on gyeol.vault_object for insert to gyeol_key
  with check (kind in ('tokens', 'persons', 'link-map', 'key-index', 'key-map', 'person-changes', 'extraction',
                       'questions', 'case-list'));

alter table gyeol.linkage
  add column case_list_object_id uuid references gyeol.vault_object; -- sealed to the data side; destroyed by the next linkage
grant update (case_list_object_id) on gyeol.linkage to gyeol_key;

-- Of the person in question, and of the record as its own agency's tables tell; null where they do not or contradict each other.
alter table gyeol.link_case
  add column sex text constraint link_case_sex_is_known check (sex in ('M', 'F')),
  add column age_band text, -- five years, 85+ at the top; at the person's first diagnosis
  add column year integer, -- of that diagnosis
  add column record_sex text constraint link_case_record_sex_is_known check (record_sex in ('M', 'F')),
  add column record_age_band text; -- at the same time, by the record's own birth

revoke select, insert on gyeol.link_case from gyeol_key;
grant select (linkage_id, case_id, kind),
  insert (linkage_id, project_id, case_id, kind, agency, wave, pass, pattern, candidates, name_shared)
  on gyeol.link_case to gyeol_key;
grant select (linkage_id, case_id), update (sex, age_band, year, record_sex, record_age_band) on gyeol.link_case
  to gyeol_data;
