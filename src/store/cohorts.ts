/** Cohorts: the typed parts of a linkage's deliveries, keyed by person. */
import type { QualityCounts } from '../core/quality-counts.ts'
import type { PartKey } from './parts.ts'
import type { Queryable, Tx } from './pool.ts'

export type Cohort = {
  id: string
  projectId: string
  linkageId: string
  state: 'queued' | 'assembled' | 'failed'
  jobId: string | null
  createdBy: string
  createdAt: Date
  endedAt: Date | null
}

export type CohortPart = PartKey & {
  cohortId: string
  objectId: string
  rows: number
  rowsKept: number
  rowsOutside: number
  rowsUnknown: number
  /** Column → rows in whose text the serial of the row stands again. */
  serialIn: Record<string, number>
}

const cohortColumns = `cohort_id as id, project_id as "projectId", linkage_id as "linkageId", state,
  job_id as "jobId", created_by as "createdBy", created_at as "createdAt", ended_at as "endedAt"`

/** The cohort, or undefined. */
export async function findCohort(db: Queryable, id: string): Promise<Cohort | undefined> {
  const { rows } = await db.query<Cohort>(
    `select ${cohortColumns} from gyeol.cohort where cohort_id = $1::uuid`,
    [id],
  )
  return rows[0]
}

/** Stores a requested cohort. */
export async function insertCohort(
  tx: Tx,
  cohort: { id: string; projectId: string; linkageId: string; jobId: string; createdBy: string },
): Promise<void> {
  await tx.query(
    `insert into gyeol.cohort (cohort_id, project_id, linkage_id, job_id, created_by)
     values ($1::uuid, $2::uuid, $3::uuid, $4::uuid, $5::uuid)`,
    [cohort.id, cohort.projectId, cohort.linkageId, cohort.jobId, cohort.createdBy],
  )
}

/** Ends a requested cohort. */
export async function endCohort(tx: Tx, id: string, state: 'assembled' | 'failed'): Promise<void> {
  await tx.query(
    `update gyeol.cohort set state = $2::text, ended_at = now()
     where cohort_id = $1::uuid and state = 'queued'`,
    [id, state],
  )
}

/** Stores what the data side counted of the quality of the cohort's linkage. */
export async function saveQuality(tx: Tx, id: string, quality: QualityCounts): Promise<void> {
  await tx.query(
    `update gyeol.cohort set quality = $2::jsonb, quality_counted_at = now()
     where cohort_id = $1::uuid`,
    [id, JSON.stringify(quality)],
  )
}

/** The counts of the newest counted cohort of a linkage, or undefined. */
export async function findQuality(
  db: Queryable,
  linkageId: string,
): Promise<{ cohortId: string; countedAt: Date; counts: unknown } | undefined> {
  const { rows } = await db.query<{ cohortId: string; countedAt: Date; counts: unknown }>(
    `select cohort_id as "cohortId", quality_counted_at as "countedAt", quality as counts
     from gyeol.cohort
     where linkage_id = $1::uuid and quality is not null
     order by quality_counted_at desc, cohort_id limit 1`,
    [linkageId],
  )
  return rows[0]
}

/** Records one assembled part. */
export async function insertCohortPart(tx: Tx, part: CohortPart): Promise<void> {
  await tx.query(
    `insert into gyeol.cohort_part
       (cohort_id, delivery_id, table_name, number, object_id, rows, rows_kept, rows_outside,
        rows_unknown, serial_in)
     values ($1::uuid, $2::uuid, $3::text, $4::integer, $5::uuid, $6::bigint, $7::bigint,
             $8::bigint, $9::bigint, $10::jsonb)`,
    [
      part.cohortId,
      part.deliveryId,
      part.table,
      part.number,
      part.objectId,
      part.rows,
      part.rowsKept,
      part.rowsOutside,
      part.rowsUnknown,
      JSON.stringify(part.serialIn),
    ],
  )
}

/** The parts of a cohort in order of table, delivery and number. */
export async function partsOfCohort(db: Queryable, cohortId: string): Promise<CohortPart[]> {
  const { rows } = await db.query<CohortPart>(
    `select cohort_id as "cohortId", delivery_id as "deliveryId", table_name as "table", number,
       object_id as "objectId", rows, rows_kept as "rowsKept", rows_outside as "rowsOutside",
       rows_unknown as "rowsUnknown", serial_in as "serialIn"
     from gyeol.cohort_part where cohort_id = $1::uuid
     order by table_name, delivery_id, number`,
    [cohortId],
  )
  return rows
}

/** Rows kept and dropped, a table each. */
export async function cohortTables(
  db: Queryable,
  cohortId: string,
): Promise<{ table: string; rows: number; kept: number; outside: number; unknown: number }[]> {
  const { rows } = await db.query<{
    table: string
    rows: number
    kept: number
    outside: number
    unknown: number
  }>(
    `select table_name as "table", sum(rows)::bigint as rows, sum(rows_kept)::bigint as kept,
       sum(rows_outside)::bigint as outside, sum(rows_unknown)::bigint as unknown
     from gyeol.cohort_part where cohort_id = $1::uuid group by table_name order by table_name`,
    [cohortId],
  )
  return rows
}
