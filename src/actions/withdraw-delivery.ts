import { Refusal } from '../core/errors.ts'
import { authorize, type Caller } from '../core/grants.ts'
import { appendLeaf } from '../store/audit.ts'
import { endDelivery, lockDelivery } from '../store/deliveries.ts'
import { endObjects } from '../store/objects.ts'
import { objectsOfDelivery } from '../store/parts.ts'
import { inTransaction } from '../store/pool.ts'
import { type Deps, leafBy } from './deps.ts'
import { requireDelivery } from './show-delivery.ts'

/**
 * Withdraws a delivery that is still open: its parts are destroyed.
 *
 * @throws {Refusal} `not-found`, `state-conflict`.
 */
export async function withdrawDelivery(deps: Deps, caller: Caller, id: string): Promise<void> {
  authorize(caller, 'withdraw-delivery')
  const delivery = await requireDelivery(deps.pool, caller, id)
  const objects = await inTransaction(deps.pool, 'withdraw-delivery', async (tx) => {
    if ((await lockDelivery(tx, id, 'update')) !== 'open') {
      throw new Refusal('state-conflict', 'Only a delivery that is still open can be withdrawn.')
    }
    const ended = await objectsOfDelivery(tx, id)
    await endDelivery(tx, id, 'withdrawn')
    await endObjects(tx, ended)
    await appendLeaf(tx, {
      ...leafBy(caller, 'withdraw-delivery', id),
      project: delivery.projectId,
      counts: { objects: ended.length },
    })
    return ended
  })
  await Promise.all(objects.map((object) => deps.vault.destroy(object)))
}
