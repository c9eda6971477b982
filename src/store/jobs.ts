/**
 * The rule of this file: a job is a row. The queue only says that there is something to do; what to
 * do, who does it and what came of it is here. Leases are in leases.ts.
 */
import type { Queryable, Tx } from './pool.ts'

/** Which worker does the job: the one that sees keys or the one that sees tables. */
type JobSide = 'key' | 'data'

/**
 * A job to be stored. `subject` holds ids only. A job with children starts as `waiting` and runs
 * when all have ended.
 */
export type NewJob = {
  jobId: string
  projectId: string
  parentId?: string
  side: JobSide
  kind: string
  subject: Readonly<Record<string, string>>
  state?: 'queued' | 'waiting'
}

/** A stored job as callers see it: counts and ids only. */
export type Job = {
  jobId: string
  projectId: string
  parentId: string | null
  side: JobSide
  kind: string
  subject: Record<string, string>
  state: 'queued' | 'running' | 'waiting' | 'done' | 'failed' | 'cancelled'
  attempts: number
  progress: Record<string, number>
  result: Record<string, unknown> | null
  refusal: { code: string; sentence: string; details: Record<string, string | number> } | null
  createdAt: Date
  startedAt: Date | null
  endedAt: Date | null
}

const jobColumns = `
  job_id as "jobId", project_id as "projectId", parent_id as "parentId", side, kind, subject, state, attempts,
  progress, result, refusal, created_at as "createdAt", started_at as "startedAt", ended_at as "endedAt"`

/**
 * Stores jobs in the order given (a parent before its children). Ring the doorbell after the
 * commit.
 */
export async function insertJobs(tx: Tx, jobs: readonly NewJob[]): Promise<void> {
  if (jobs.length === 0) return
  await tx.query(
    `insert into gyeol.job (job_id, project_id, parent_id, side, kind, subject, state)
     select job_id, project_id, parent_id, side, kind, subject, state
     from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::jsonb[], $7::text[])
       as job (job_id, project_id, parent_id, side, kind, subject, state)`,
    [
      jobs.map((job) => job.jobId),
      jobs.map((job) => job.projectId),
      jobs.map((job) => job.parentId ?? null),
      jobs.map((job) => job.side),
      jobs.map((job) => job.kind),
      jobs.map((job) => JSON.stringify(job.subject)),
      jobs.map((job) => job.state ?? 'queued'),
    ],
  )
}

/** One job, or undefined. */
export async function jobOf(database: Queryable, jobId: string): Promise<Job | undefined> {
  const found = await database.query<Job>(
    `select ${jobColumns} from gyeol.job where job_id = $1::uuid`,
    [jobId],
  )
  return found.rows[0]
}

/** The children of a job, oldest first: how a parent learns what came of them. At most `limit`. */
export async function childrenOf(
  database: Queryable,
  jobId: string,
  limit = 100_000,
): Promise<Job[]> {
  const found = await database.query<Job>(
    `select ${jobColumns} from gyeol.job where parent_id = $1::uuid order by created_at, job_id limit $2::integer`,
    [jobId, limit],
  )
  return found.rows
}

/**
 * Ids of the jobs of a side that should be running and that nobody holds, oldest first: what the
 * reconciler rings.
 */
export async function jobsWithoutLease(
  database: Queryable,
  side: JobSide,
  limit: number,
): Promise<string[]> {
  const found = await database.query<{ job_id: string }>(
    `select job_id from gyeol.job
     where side = $1::text
       and ((state = 'queued' and run_after <= now()) or (state = 'running' and lease_until <= now()))
     order by created_at, job_id
     limit $2::integer`,
    [side, limit],
  )
  return found.rows.map((row) => row.job_id)
}

/** Whether a job of this kind about this subject is still to end. */
export async function isUnderWay(
  database: Queryable,
  wanted: Pick<NewJob, 'projectId' | 'kind' | 'subject'>,
): Promise<boolean> {
  const found = await database.query(
    `select from gyeol.job
     where project_id = $1::uuid and kind = $2::text and subject @> $3::jsonb
       and state in ('queued', 'running', 'waiting') limit 1`,
    [wanted.projectId, wanted.kind, JSON.stringify(wanted.subject)],
  )
  return found.rowCount === 1
}

/** How many children a job has, how many are done, and how many failed or were cancelled. */
export async function countChildren(
  database: Queryable,
  jobId: string,
): Promise<{ total: number; done: number; failed: number }> {
  const counted = await database.query<{ total: number; done: number; failed: number }>(
    `select count(*) as total, count(*) filter (where state = 'done') as done,
       count(*) filter (where state in ('failed', 'cancelled')) as failed
     from gyeol.job where parent_id = $1::uuid`,
    [jobId],
  )
  return counted.rows[0] ?? { total: 0, done: 0, failed: 0 }
}
