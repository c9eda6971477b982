/**
 * The rule of this file: a worker writes the effect of a job only in a transaction that still finds
 * the worker's lease token in the job's row. Whoever claims the job later replaces the token, so of
 * any number of workers that believe they hold a job, one writes. Expiry is by the database's clock
 * and only says when another may take over: a holder whose lease has expired, but whom nobody has
 * replaced, may still finish.
 *
 * Lock order in a finishing transaction: the job, its parent, then the head of the trail
 * (`appendLeaf` last).
 */
import type { Job } from './jobs.ts'
import type { Queryable, Tx } from './pool.ts'

/** What a worker must show to write. */
export type Lease = { jobId: string; leaseToken: string }

/**
 * A job in a worker's hands. `attempts` counts claims, this one included; `outages` those that ended because something was
 * away.
 */
export type ClaimedJob = Lease & {
  projectId: string
  parentId: string | null
  side: Job['side']
  kind: string
  subject: Record<string, string>
  attempts: number
  outages: number
  progress: Record<string, number>
  createdAt: Date
}

/** A job to announce once the transaction has committed. */
type JobToRing = { jobId: string; side: Job['side'] }

/** The job is someone else's by now, or has ended: write nothing, drop the work. */
export class LeaseLost extends Error {
  constructor() {
    super('the lease on this job is gone')
    this.name = 'LeaseLost'
  }
}

/**
 * Takes a job that is due and that nobody holds.
 *
 * @returns undefined when there is nothing to take: unknown, not due, held, waiting for children,
 *   or ended. That is the usual answer to a bell that rang twice.
 */
export async function claimJob(
  database: Queryable,
  jobId: string,
  leaseMs: number,
): Promise<ClaimedJob | undefined> {
  const claimed = await database.query<ClaimedJob>(
    `update gyeol.job
     set state = 'running', attempts = attempts + 1, lease_token = gen_random_uuid(),
         lease_until = now() + $2::integer * interval '1 millisecond', started_at = coalesce(started_at, now())
     where job_id = $1::uuid
       and ((state = 'queued' and run_after <= now()) or (state = 'running' and lease_until <= now()))
     returning job_id as "jobId", lease_token as "leaseToken", project_id as "projectId", parent_id as "parentId",
       side, kind, subject, attempts, outages, progress, created_at as "createdAt"`,
    [jobId, leaseMs],
  )
  return claimed.rows[0]
}

/**
 * Holds a job for `leaseMs` from now, and tells its progress (counts only) when given.
 *
 * @throws {LeaseLost}
 */
export async function renewLease(
  database: Queryable,
  lease: Lease,
  leaseMs: number,
  progress?: Readonly<Record<string, number>>,
): Promise<void> {
  const renewed = await database.query(
    `update gyeol.job
     set lease_until = now() + $3::integer * interval '1 millisecond', progress = coalesce($4::jsonb, progress)
     where job_id = $1::uuid and lease_token = $2::uuid`,
    [
      lease.jobId,
      lease.leaseToken,
      leaseMs,
      progress === undefined ? null : JSON.stringify(progress),
    ],
  )
  if (renewed.rowCount !== 1) throw new LeaseLost()
}

/** How a holder lets go of a job. */
type JobEnd =
  | { state: 'done'; result: Readonly<Record<string, unknown>> }
  | {
      state: 'failed'
      refusal: {
        code: string
        sentence: string
        details: Readonly<Record<string, string | number>>
      }
    }
  /** For another attempt, after an outage or not; or, having only waited for something else, for the same one later. */
  | { state: 'queued'; delayMs: number; wasOutage?: boolean; hasOnlyWaited?: true }
  /** Until the children that the holder stored in this transaction have ended. */
  | { state: 'waiting' }

/**
 * Lets go of a job inside the transaction of its effect.
 *
 * When a job ends, for better or worse, and it was the last of its parent's children, the parent
 * becomes `queued`: it runs (again) and sees with `childrenOf` what came of them.
 *
 * @returns the parent to ring after the commit, if it is its turn.
 * @throws {LeaseLost} and then everything in this transaction must be undone.
 */
export async function endLease(tx: Tx, lease: Lease, end: JobEnd): Promise<JobToRing[]> {
  const hasEnded = end.state === 'done' || end.state === 'failed'
  const ended = await tx.query<{ parent_id: string | null }>(
    `update gyeol.job
     set state = $3::text, lease_token = null, lease_until = null,
         result = $4::jsonb, refusal = $5::jsonb,
         run_after = now() + $6::integer * interval '1 millisecond',
         ended_at = case when $7::boolean then now() end,
         attempts = attempts - $8::integer, outages = outages + $9::integer
     where job_id = $1::uuid and lease_token = $2::uuid
     returning parent_id`,
    [
      lease.jobId,
      lease.leaseToken,
      end.state,
      end.state === 'done' ? JSON.stringify(end.result) : null,
      end.state === 'failed' ? JSON.stringify(end.refusal) : null,
      end.state === 'queued' ? end.delayMs : 0,
      hasEnded,
      end.state === 'queued' && end.hasOnlyWaited ? 1 : 0,
      end.state === 'queued' && end.wasOutage ? 1 : 0,
    ],
  )
  const row = ended.rows[0]
  if (row === undefined) throw new LeaseLost()
  return hasEnded && row.parent_id !== null ? wakeParent(tx, row.parent_id) : []
}

/**
 * Two statements on purpose: the lock waits for a sibling that ends at the same time, and the
 * second statement then sees what it did. In one statement the last two children would each see the
 * other as unfinished.
 */
async function wakeParent(tx: Tx, parentId: string): Promise<JobToRing[]> {
  await tx.query('select 1 from gyeol.job where job_id = $1::uuid for no key update', [parentId])
  const woken = await tx.query<JobToRing>(
    `update gyeol.job as parent set state = 'queued', run_after = now()
     where parent.job_id = $1::uuid and parent.state = 'waiting' and not exists (
       select from gyeol.job as child
       where child.parent_id = parent.job_id and child.state in ('queued', 'running', 'waiting'))
     returning parent.job_id as "jobId", parent.side`,
    [parentId],
  )
  return woken.rows
}
