-- A serial may stand in a text of its own row as well, by an agency's mistake. The cohort knows which columns hold some, and no
-- release takes such a column.

alter table gyeol.cohort_part
  add column serial_in jsonb not null default '{}'; -- column → rows in whose text the row's serial stands again
