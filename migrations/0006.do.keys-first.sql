-- An agency may deliver keys alone, and once they are linked the tables of those who were: a second delivery of the same wave,
-- of tables only, that rests on the keys of the first. So an agency has at most one live delivery of each kind a wave.

alter table gyeol.delivery
  add constraint delivery_is_of_one_wave unique (delivery_id, project_id, agency_id, wave),
  add column keys_delivery_id uuid, -- null: it brings its own keys
  add constraint delivery_rests_on_keys_of_its_wave
    foreign key (keys_delivery_id, project_id, agency_id, wave)
    references gyeol.delivery (delivery_id, project_id, agency_id, wave);

drop index gyeol.delivery_is_one_a_wave;
create unique index delivery_of_keys_is_one_a_wave on gyeol.delivery (project_id, agency_id, wave)
  where keys_delivery_id is null and state in ('open', 'submitted', 'taken');
create unique index delivery_of_tables_is_one_a_wave on gyeol.delivery (project_id, agency_id, wave)
  where keys_delivery_id is not null and state in ('open', 'submitted', 'taken');
