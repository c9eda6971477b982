import { Refusal } from '../core/errors.ts'
import { authorize, type Caller } from '../core/grants.ts'
import { findDelivery } from '../store/deliveries.ts'
import { countChildren, type Job, jobOf } from '../store/jobs.ts'
import type { Deps } from './deps.ts'

/** A job as callers see it. `children` counts the parts of the work by state. */
export type ShownJob = { job: Job; children: { total: number; done: number; failed: number } }

/**
 * A job with its progress. An agency sees the jobs of its own deliveries.
 *
 * @throws {Refusal} `grant-missing`, `not-found`.
 */
export async function showJob(
  deps: Pick<Deps, 'pool'>,
  caller: Caller,
  id: string,
): Promise<ShownJob> {
  authorize(caller, 'show-job')
  const job = await jobOf(deps.pool, id)
  if (!job || (caller.kind === 'agency' && !(await isOwn(deps, caller.id, job)))) {
    throw new Refusal('not-found', 'There is no such job.')
  }
  return { job, children: await countChildren(deps.pool, id) }
}

async function isOwn(deps: Pick<Deps, 'pool'>, agencyId: string, job: Job): Promise<boolean> {
  const deliveryId = job.subject['delivery']
  const delivery = deliveryId ? await findDelivery(deps.pool, deliveryId) : undefined
  return job.kind !== 'assemble-part' && delivery?.agencyId === agencyId
}
