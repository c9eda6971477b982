import { Refusal } from '../core/errors.ts'
import { authorize, type Caller } from '../core/grants.ts'
import { isOfKeys } from '../core/manifest.ts'
import { appendLeaf } from '../store/audit.ts'
import { type DeliveryPlace, findLiveDelivery, insertDelivery } from '../store/deliveries.ts'
import { partsOfDelivery } from '../store/parts.ts'
import { inTransaction, type Tx } from '../store/pool.ts'
import { type Deps, leafBy } from './deps.ts'
import { requireMembership } from './show-project.ts'

/** Which delivery. `tablesOnly`: it rests on the keys that the agency has delivered for this wave. */
export type WantedDelivery = { project: string; wave: number; tablesOnly: boolean }

/**
 * Opens an agency's delivery for a wave. An agency has one live delivery a wave, and beside it one of tables only if the
 * first brought keys alone: so that it may wait for its matching serials before it pseudonymises anything.
 *
 * @returns the delivery's id.
 * @throws {Refusal} `grant-missing`, `not-found`, `state-conflict` (the project is not open; there are no keys that tables
 *   could rest on), `already-exists` with the live delivery's id in its details.
 */
export async function openDelivery(
  deps: Deps,
  caller: Caller,
  wanted: WantedDelivery,
): Promise<string> {
  authorize(caller, 'open-delivery')
  const id = deps.randomUuid()
  const { wave, tablesOnly } = wanted
  return inTransaction(deps.pool, 'open-delivery', async (tx) => {
    const { project, member } = await requireMembership(tx, caller, wanted.project)
    if (project.state !== 'open') {
      throw new Refusal('state-conflict', 'The project is not open for deliveries.')
    }
    const of = { projectId: project.id, agencyId: member.agencyId, wave }
    const keysDeliveryId = tablesOnly ? await requireKeysAlone(tx, { ...of, kind: 'keys' }) : null
    if (!(await insertDelivery(tx, { id, ...of, keysDeliveryId, epoch: project.epoch }))) {
      const live = await findLiveDelivery(tx, { ...of, kind: tablesOnly ? 'tables' : 'keys' })
      throw new Refusal('already-exists', 'There is a delivery for this wave. Continue it.', {
        delivery: live?.id ?? '',
      })
    }
    await appendLeaf(tx, {
      ...leafBy(caller, 'open-delivery', id),
      project: project.id,
      counts: { wave },
      ...(keysDeliveryId && { note: `tables to the keys of ${keysDeliveryId}` }),
    })
    return id
  })
}

/** The delivery on whose keys tables of this wave may rest. */
async function requireKeysAlone(tx: Tx, place: DeliveryPlace): Promise<string> {
  const keys = await findLiveDelivery(tx, place)
  if (keys?.state !== 'taken') {
    throw new Refusal('state-conflict', 'The keys of this wave have to be taken in before.')
  }
  if ((await partsOfDelivery(tx, keys.id)).some(({ table }) => !isOfKeys(table))) {
    throw new Refusal('state-conflict', 'The keys of this wave came with their tables already.')
  }
  return keys.id
}
