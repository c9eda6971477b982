-- A disk that is full, a database that restarts, a vault that is not mounted: none of it is a job's fault, yet each time costs it an
-- attempt, and a job of many attempts is given up at its next mistake, and its delivery with it. So attempts that ended because
-- something of ours was away are counted apart.

alter table gyeol.job
  add column outages integer not null default 0; -- of the attempts, those that ended because something was away or full

grant update (outages) on gyeol.job to gyeol_key, gyeol_data;
