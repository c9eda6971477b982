-- Notices travel as parts of a delivery beside its keys, under a table name that no table can have, and belong to the side
-- that reads keys. A project's linkage may seal, for an agency that wants it, the list of its own linked serials to the desk.

drop policy part_of_keys on gyeol.part;
drop policy part_of_tables on gyeol.part;
create policy part_of_keys on gyeol.part for update to gyeol_key using (table_name in ('', '#notices'));
create policy part_of_tables on gyeol.part for update to gyeol_data using (table_name not in ('', '#notices'));
comment on column gyeol.part.table_name is 'Empty for a part of keys, #notices for one of notices';
