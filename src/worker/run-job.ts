/**
 * One job in one worker's hands: claimed with a lease, done in a private scratch directory, the lease renewed while it
 * runs. The action itself ends the lease, in the transaction of its effect.
 *
 * What stops a job: a refusal ends it as failed, with the refusal for its callers; a defect hands it back for another
 * attempt, later each time, until `attemptsMax`; an outage does so for hours and counts for nothing else; a lost lease ends
 * nothing, for the job is somebody else's. A job whose worker dies under it, again and again, is given up at last, for it
 * may be what the worker dies of.
 */

import type { JobRun, WorkerDeps } from '../actions/deps.ts'
import { ringFor } from '../actions/ring.ts'
import { Refusal } from '../core/errors.ts'
import { isOutage } from '../core/outage.ts'
import { EngineError } from '../engine/engine-error.ts'
import { type ClaimedJob, claimJob, endLease, LeaseLost, renewLease } from '../store/leases.ts'
import { inTransaction } from '../store/pool.ts'
import { makeScratch, removeScratch } from './scratch.ts'

export const leaseMs = 20_000
const renewMs = 5_000
const attemptsMax = 6
const outagesMax = 1_000 // At 30 s each, about eight hours.
const deathsMax = 20
const backoffMs = 1_000
const backoffMsMax = 30_000

/** What a worker says of its jobs: constant sentences, ids and counts. */
export type JobLog = (sentence: string, fields: Record<string, string | number>) => void

/** The jobs a worker can do, by kind, and what to undo when one is given up. */
export type JobTable = Record<
  string,
  {
    run: (deps: WorkerDeps, run: JobRun) => Promise<void>
    onFailed?: (deps: WorkerDeps, subject: Record<string, string>) => Promise<void>
  }
>

export type JobWorker = {
  deps: WorkerDeps
  jobs: JobTable
  scratchRoot: string
  log: JobLog
  /** Aborted when the process should stop. */
  signal: AbortSignal
}

/** Does a job if it is there to be done. A bell that rang twice finds nothing. */
export async function runJob(worker: JobWorker, jobId: string): Promise<void> {
  const job = await claimJob(worker.deps.pool, jobId, leaseMs)
  if (!job) return
  const lease = holdLease(worker, job)
  const fields = { job: job.jobId, kind: job.kind, attempt: job.attempts }
  const startedAt = performance.now()
  let scratchDir: string | undefined
  try {
    scratchDir = await makeScratch(worker.scratchRoot, job.jobId)
    const entry = worker.jobs[job.kind]
    if (!entry) throw new Error('no worker knows this kind of job')
    if (countedAttempts(job) > attemptsMax + deathsMax) {
      throw new Error('every worker died that took this job')
    }
    await entry.run(worker.deps, { job, scratchDir, signal: lease.signal, report: lease.report })
    worker.log('job done', { ...fields, ms: Math.round(performance.now() - startedAt) })
  } catch (error) {
    await letGo(worker, job, error)
  } finally {
    lease.stop()
    if (scratchDir !== undefined) await removeScratch(scratchDir)
  }
}

/** Renews the lease until stopped; aborts the job's signal when the lease is gone or the process stops. */
function holdLease(
  worker: JobWorker,
  job: ClaimedJob,
): { signal: AbortSignal; report: JobRun['report']; stop: () => void } {
  const lost = new AbortController()
  let progress: Record<string, number> | undefined
  const timer = setInterval(() => {
    renewLease(worker.deps.pool, job, leaseMs, progress).catch((error: unknown) => {
      if (error instanceof LeaseLost) lost.abort(error)
      // Otherwise the database is away for a moment; the next renewal tells.
    })
  }, renewMs)
  return {
    signal: AbortSignal.any([lost.signal, worker.signal]),
    report: (counts) => {
      progress = counts
    },
    stop: () => clearInterval(timer),
  }
}

async function letGo(worker: JobWorker, job: ClaimedJob, error: unknown): Promise<void> {
  const fields = { job: job.jobId, kind: job.kind, attempt: job.attempts }
  if (error instanceof LeaseLost) {
    worker.log('job lost to another worker', fields)
    return
  }
  const refusal = error instanceof Refusal ? error : undefined
  const wasOutage = isOutage(error) || isScratchFull(error)
  const isFinal = wasOutage
    ? job.outages >= outagesMax
    : refusal !== undefined || countedAttempts(job) >= attemptsMax
  worker.log(isFinal ? 'job failed' : 'job handed back', { ...fields, error: nameOf(error) })
  try {
    const wake = await inTransaction(worker.deps.pool, 'let-go', (tx) =>
      endLease(
        tx,
        job,
        isFinal
          ? { state: 'failed', refusal: shownRefusal(refusal) }
          : {
              state: 'queued',
              delayMs: Math.min(backoffMs * 2 ** job.attempts, backoffMsMax),
              wasOutage,
            },
      ),
    )
    if (isFinal) await worker.jobs[job.kind]?.onFailed?.(worker.deps, job.subject)
    await ringFor(worker.deps, wake)
  } catch (second) {
    // The lease runs out by itself and the reconciler announces the job again.
    worker.log('job could not be handed back', { ...fields, error: nameOf(second) })
  }
}

/** Attempts that were not ended by an outage. */
function countedAttempts({ attempts, outages }: ClaimedJob): number {
  return attempts - outages
}

/** Room is made by others, and then the job goes on. */
function isScratchFull(error: unknown): boolean {
  return error instanceof EngineError && error.kind === 'disk-full'
}

function shownRefusal(refusal: Refusal | undefined): {
  code: string
  sentence: string
  details: Readonly<Record<string, string | number>>
} {
  return refusal
    ? { code: refusal.code, sentence: refusal.message, details: refusal.details }
    : {
        code: 'defect',
        sentence: 'The job failed. The operator finds the reason in the log.',
        details: {},
      }
}

/** The kind of an error and where it was thrown: never its message, which may hold a value. */
export function nameOf(error: unknown): string {
  if (error instanceof Refusal) return `${error.name} ${error.code}`
  if (error instanceof EngineError) return `${error.name} ${error.message}`
  if (!(error instanceof Error)) return typeof error
  const code = 'code' in error ? ` ${String(error.code)}` : ''
  const place = /\n\s+at .*?([\w-]+\.ts:\d+)/.exec(error.stack ?? '')?.[1] ?? ''
  return `${error.name}${code} ${place}`.trim()
}
