import { Refusal } from '../core/errors.ts'
import { authorize, type Caller } from '../core/grants.ts'
import { appendLeaf } from '../store/audit.ts'
import { type Delivery, endDelivery, isRestedOn, lockDelivery } from '../store/deliveries.ts'
import { lockNextLinkage } from '../store/linkages.ts'
import { endObjects } from '../store/objects.ts'
import { objectsOfDelivery } from '../store/parts.ts'
import { inTransaction, type Tx } from '../store/pool.ts'
import { type Deps, leafBy } from './deps.ts'
import { requireDelivery } from './show-delivery.ts'

/**
 * Withdraws a delivery that is still open, or taken in and not yet in any linkage: its parts are destroyed. Without the
 * second, keys that no linkage can take would stand in the way of every linkage for good.
 *
 * @throws {Refusal} `not-found`, `state-conflict`.
 */
export async function withdrawDelivery(deps: Deps, caller: Caller, id: string): Promise<void> {
  authorize(caller, 'withdraw-delivery')
  const delivery = await requireDelivery(deps.pool, caller, id)
  const objects = await inTransaction(deps.pool, 'withdraw-delivery', async (tx) => {
    await requireUnused(tx, delivery)
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

async function requireUnused(tx: Tx, delivery: Delivery): Promise<void> {
  await lockNextLinkage(tx, delivery.projectId)
  const state = await lockDelivery(tx, delivery.id, 'update')
  if (state === 'open') return
  // Of tables alone no map tells whether a cohort has them.
  if (state === 'taken' && !delivery.keysDeliveryId && !(await isRestedOn(tx, delivery))) return
  throw new Refusal(
    'state-conflict',
    'Only a delivery that is open, or that nothing rests on yet, can be withdrawn.',
  )
}
