import { appendLeaf } from '../store/audit.ts'
import { cohortTables, endCohort } from '../store/cohorts.ts'
import { childrenOf, insertJobs } from '../store/jobs.ts'
import { endLease } from '../store/leases.ts'
import { inTransaction } from '../store/pool.ts'
import { type JobRun, leafByWorker, type WorkerDeps } from './deps.ts'
import { ringFor } from './ring.ts'

/**
 * Ends the assembly of a cohort, when every part has been joined or has failed. The counts of the quality report are a job
 * of their own that nobody waits for.
 */
export async function assembleCohort(deps: WorkerDeps, { job }: JobRun): Promise<void> {
  const cohortId = job.subject['cohort'] ?? ''
  const { projectId } = job
  const wake = await inTransaction(deps.pool, 'assemble-cohort', async (tx) => {
    const children = await childrenOf(tx, job.jobId)
    const failed = children.filter((child) => child.state !== 'done').length
    const tables = await cohortTables(tx, cohortId)
    const sum = (of: 'rows' | 'kept' | 'outside' | 'unknown'): number =>
      tables.reduce((total, table) => total + table[of], 0)
    const counts = {
      parts: children.length,
      failed,
      rows: sum('rows'),
      kept: sum('kept'),
      outside: sum('outside'),
      unknown: sum('unknown'),
    }
    const parents = await endLease(tx, job, { state: 'done', result: counts })
    await endCohort(tx, cohortId, failed === 0 ? 'assembled' : 'failed')
    await appendLeaf(tx, {
      ...leafByWorker(deps, 'assemble-cohort', cohortId),
      outcome: failed === 0 ? 'done' : 'failed',
      project: projectId,
      counts,
    })
    if (failed > 0) return parents
    const counting = { jobId: deps.randomUuid(), side: 'data' } as const
    await insertJobs(tx, [
      { ...counting, projectId, kind: 'count-quality', subject: { cohort: cohortId } },
    ])
    return [...parents, counting]
  })
  await ringFor(deps, wake)
}
