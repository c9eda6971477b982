-- A trial linkage tells how a linkage would go, from keys alone: counts and match rates. It leaves no list of persons and no
-- map, so nothing can rest on it.

alter table gyeol.linkage
  add column is_trial boolean not null default false,
  add constraint linkage_for_trial_gives_no_persons check (not is_trial or persons_object_id is null);
