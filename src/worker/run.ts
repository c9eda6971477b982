/**
 * A worker of one side: it answers the doorbell, and every few seconds it looks for itself whether a job lies there that
 * nobody holds. So a bell that was lost, with the whole queue or with a worker that was killed, delays a job by seconds.
 */
import { type DoorbellConfig, listenDoorbell } from '../queue/doorbell.ts'
import { jobsWithoutLease } from '../store/jobs.ts'
import { dataSideJobs, keySideJobs } from './jobs.ts'
import { type JobWorker, nameOf, runJob } from './run-job.ts'
import { sweepScratch } from './scratch.ts'

const reconcileMs = 3_000
const reconcileJobsMax = 200
const drainMs = 25_000

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
  const take = async (jobId: string): Promise<void> => {
    if (stopping.signal.aborted || running.has(jobId)) return
    const job = runJob(worker, jobId).catch((error: unknown) => {
      worker.log('job could not be taken', { job: jobId, error: nameOf(error) })
    })
    running.set(jobId, job)
    await job
    running.delete(jobId)
  }
  const bell = await listenDoorbell(options.doorbell, options.deps.side, options.concurrency, take)
  const reconciler = startReconciler(worker, async (ids) => {
    await options.deps.doorbell.ring(options.deps.side, ids)
  })
  return {
    stop: async () => {
      clearInterval(reconciler)
      const drained = Promise.allSettled(running.values())
      await Promise.race([drained, new Promise((resolve) => setTimeout(resolve, drainMs).unref())])
      stopping.abort()
      await bell.close()
    },
  }
}

function startReconciler(
  worker: JobWorker,
  ring: (ids: string[]) => Promise<void>,
): NodeJS.Timeout {
  let isBusy = false
  return setInterval(async () => {
    if (isBusy) return
    isBusy = true
    try {
      const ids = await jobsWithoutLease(worker.deps.pool, worker.deps.side, reconcileJobsMax)
      if (ids.length > 0) await ring(ids)
    } catch (error) {
      worker.log('the reconciler could not look', { error: nameOf(error) })
    } finally {
      isBusy = false
    }
  }, reconcileMs)
}
