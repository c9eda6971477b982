-- The linkage key of a project can be changed. A delivery keeps the key under which it was opened; deliveries under an older
-- one are not compared with newer ones, and their records stay with whom they were linked to by their serials. The first
-- linkage under the new key needs every record of the spine again; with it the older key is destroyed.
--
-- Records of nobody wait for so many waves. Then their tokens are destroyed by the key side, and their rows by the data side
-- when it next assembles a cohort.

alter table gyeol.project
  add column epoch integer not null default 1, -- of the linkage key that new deliveries are taken in under
  add column retired_epoch integer not null default 0, -- keys up to this one are destroyed
  add constraint project_epochs_follow_each_other check (epoch >= 1 and retired_epoch < epoch);

alter table gyeol.delivery
  add column epoch integer not null default 1; -- of the linkage key, from its opening on

alter table gyeol.linkage
  add column late_wave integer; -- deliveries up to this wave have lost their records of nobody; null before it ended

create table gyeol.epoch_change (
  project_id uuid not null references gyeol.project,
  epoch integer not null constraint epoch_change_follows_the_first check (epoch >= 2),
  reason text not null,
  proposed_by uuid not null references gyeol.account,
  approved_by uuid references gyeol.account,
  job_id uuid references gyeol.job,
  created_at timestamptz not null default now(),
  approved_at timestamptz,
  primary key (project_id, epoch),
  constraint epoch_change_is_approved_by_another check (approved_by <> proposed_by)
);

grant select, insert, update (approved_by, approved_at, job_id) on gyeol.epoch_change to gyeol_api;
grant select on gyeol.epoch_change to gyeol_key, gyeol_auditor;
grant update (epoch, retired_epoch) on gyeol.project to gyeol_key;
grant update (late_wave) on gyeol.linkage to gyeol_key;
