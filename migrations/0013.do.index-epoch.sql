-- A key index names the linkage key under which its tokens are: the first linkage under another key compares none with them.

alter table gyeol.linkage
  add column epoch integer not null default 1; -- of the linkage key under which it was made

grant update (epoch) on gyeol.linkage to gyeol_key;
