-- The data side's part of a linkage's quality report belongs to the cohort from which it was counted: counts with the small
-- ones hidden, never a row. The page is made of it and of the linkage's own report.

alter table gyeol.cohort
  add column quality jsonb, -- src/core/quality-counts.ts; null until counted
  add column quality_counted_at timestamptz;

grant update (quality, quality_counted_at) on gyeol.cohort to gyeol_data;
