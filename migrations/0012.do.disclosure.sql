-- Those who judge a release read before they do how recognisable its persons are and what it lost. The report itself is
-- sealed to the data side with the release's other files; what may be told of it, small counts hidden, stands with the row.

alter table gyeol.release
  add column disclosure jsonb, -- src/core/told-disclosure.ts; null until measured
  add column utility jsonb; -- the same file; null until built

grant update (disclosure, utility) on gyeol.release to gyeol_data;
