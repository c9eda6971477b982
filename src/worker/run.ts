/**
 * A worker of one side: it answers the doorbell, and every few seconds it looks for itself whether a job lies there that
 * nobody holds. It rings for such a job, and takes one that is still there at the next look without asking the queue. So
 * a bell that was lost, with the whole queue or with a worker that was killed, delays a job by seconds, and a queue that
 * is away or ill for an hour delays every job by seconds and stops none.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type DoorbellConfig, listenDoorbell } from '../queue/doorbell.ts'
import { jobsWithoutLease } from '../store/jobs.ts'
import { dataSideJobs, keySideJobs } from './jobs.ts'
import { type JobWorker, nameOf, runJob } from './run-job.ts'
import { sweepScratch } from './scratch.ts'

const reconcileMs = 3_000
const reconcileJobsMax = 200
const drainMs = 25_000
const closeMs = 2_000

export type RunningWorker = {
  /** Lets running jobs finish, at most 25 s, and stops. What is left is handed to others by its lease. */
  stop: () => Promise<void>
}

/** Starts a worker that does up to `concurrency` jobs at once. */
export async function startWorker(
  options: Omit<JobWorker, 'jobs' | 'signal'> & { doorbell: DoorbellConfig; concurrency: number },
): Promise<RunningWorker> {
  const stopping = new AbortController()
  const worker: JobWorker = {
    ...options,
    jobs: options.deps.side === 'key' ? keySideJobs : dataSideJobs,
    signal: stopping.signal,
  }
  await sweepScratch(options.scratchRoot)
  const running = new Map<string, Promise<void>>()
  let isStopping = false
  let unanswered: string[] = []
  const take = async (jobId: string): Promise<void> => {
    // What is turned away here is found again by a reconciler.
    if (isStopping || running.has(jobId) || running.size >= options.concurrency) return
    const job = runJob(worker, jobId).catch((error: unknown) => {
      worker.log('job could not be taken', { job: jobId, error: nameOf(error) })
    })
    running.set(jobId, job)
    await job
    running.delete(jobId)
    takeUnanswered()
  }
  const takeUnanswered = (): void => {
    while (running.size < options.concurrency) {
      const jobId = unanswered.shift()
      if (jobId === undefined) return
      void take(jobId) // It never rejects, and nobody waits for it: a job may run for an hour.
    }
  }
  const bell = await listenDoorbell(options.doorbell, options.deps.side, options.concurrency, take)
  const reconciler = startReconciler(worker, (jobIds) => {
    unanswered = jobIds
    takeUnanswered()
  })
  return {
    stop: async () => {
      isStopping = true
      clearInterval(reconciler)
      const closed = bell.close() // No new bells from here on, while the jobs in hand may finish.
      await settledWithin(drainMs, Promise.allSettled(running.values()))
      stopping.abort()
      await settledWithin(closeMs, closed)
    },
  }
}

async function settledWithin(timeoutMs: number, promise: Promise<unknown>): Promise<void> {
  const timer = new AbortController()
  const late = sleep(timeoutMs, undefined, { signal: timer.signal }).catch(() => {})
  await Promise.race([promise, late])
  timer.abort()
}

function startReconciler(worker: JobWorker, takeAll: (jobIds: string[]) => void): NodeJS.Timeout {
  const { pool, side, doorbell } = worker.deps
  let isBusy = false
  let seenBefore: ReadonlySet<string> = new Set()
  return setInterval(async () => {
    if (isBusy) return
    isBusy = true
    try {
      const ids = await jobsWithoutLease(pool, side, reconcileJobsMax)
      takeAll(ids.filter((id) => seenBefore.has(id)))
      seenBefore = new Set(ids)
      if (ids.length > 0) await doorbell.ring(side, ids)
    } catch (error) {
      worker.log('the reconciler could not look', { error: nameOf(error) })
    } finally {
      isBusy = false
    }
  }, reconcileMs)
}
