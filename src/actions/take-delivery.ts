import { appendLeaf } from '../store/audit.ts'
import { endDelivery } from '../store/deliveries.ts'
import { childrenOf } from '../store/jobs.ts'
import { endLease } from '../store/leases.ts'
import { endObjects } from '../store/objects.ts'
import { objectsOfDelivery, partsOfDelivery } from '../store/parts.ts'
import { inTransaction } from '../store/pool.ts'
import { type JobRun, leafByWorker, type WorkerDeps } from './deps.ts'
import { ringFor } from './ring.ts'

/**
 * Ends the intake of a delivery, when all its parts have been looked at: taken if every part was taken, else refused
 * whole, and then nothing of it stays.
 */
export async function takeDelivery(deps: WorkerDeps, { job }: JobRun): Promise<void> {
  const deliveryId = job.subject['delivery'] ?? ''
  const { wake, objects } = await inTransaction(deps.pool, 'take-delivery', async (tx) => {
    const parts = await partsOfDelivery(tx, deliveryId)
    const children = await childrenOf(tx, job.jobId)
    const failed = children.filter((child) => child.state !== 'done').length
    const refused = parts.filter((part) => part.state !== 'taken').length
    const state = failed + refused === 0 ? 'taken' : 'refused'
    const parents = await endLease(tx, job, {
      state: 'done',
      result: { delivery: state, parts: parts.length, refused, failed },
    })
    await endDelivery(tx, deliveryId, state)
    const ended = state === 'refused' ? await objectsOfDelivery(tx, deliveryId) : []
    await endObjects(tx, ended)
    await appendLeaf(tx, {
      ...leafByWorker(deps, 'take-delivery', deliveryId),
      outcome: state === 'taken' ? 'done' : 'refused',
      project: job.projectId,
      counts: { parts: parts.length, refused, failed },
    })
    return { wake: parents, objects: ended }
  })
  await Promise.all(objects.map((object) => deps.vault.destroy(object)))
  await ringFor(deps, wake)
}
