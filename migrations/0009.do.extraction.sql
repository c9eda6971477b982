-- Where a project lets them, an agency may fetch the list of its own serials that a linkage linked, so that it pseudonymises and
-- sends only those. The key side writes the lists while it links and seals them to the desk; a newer linkage ends them, and so
-- does time.

alter table gyeol.vault_object drop constraint vault_object_kind_is_known;
alter table gyeol.vault_object add constraint vault_object_kind_is_known check (
  kind in ('key-upload', 'table-upload', 'tokens', 'typed-part', 'persons', 'link-map', 'key-index', 'cohort-part',
    'release-persons', 'release-file', 'desk-file', 'extraction')
);
drop policy vault_object_of_the_key_side on gyeol.vault_object;
create policy vault_object_of_the_key_side on gyeol.vault_object for insert to gyeol_key
  with check (kind in ('tokens', 'persons', 'link-map', 'key-index', 'extraction'));

create table gyeol.extraction (
  linkage_id uuid not null references gyeol.linkage,
  agency_id uuid not null references gyeol.agency,
  object_id uuid not null references gyeol.vault_object, -- CSV of serials, sealed to the desk
  serials bigint not null,
  bytes bigint not null, -- unsealed
  sha256 bytea not null constraint extraction_has_a_digest check (length(sha256) = 32), -- of the list, unsealed
  created_at timestamptz not null default now(),
  primary key (linkage_id, agency_id)
);

grant select, insert on gyeol.extraction to gyeol_key;
grant select on gyeol.extraction to gyeol_api, gyeol_auditor;
