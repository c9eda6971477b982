import type { Deps } from './deps.ts'

/** Announces stored jobs, after the commit. */
export async function ringFor(
  deps: Pick<Deps, 'doorbell'>,
  jobs: readonly { jobId: string; side: 'key' | 'data' }[],
): Promise<void> {
  for (const side of ['key', 'data'] as const) {
    const ids = jobs.filter((job) => job.side === side).map((job) => job.jobId)
    if (ids.length > 0) await deps.doorbell.ring(side, ids)
  }
}
