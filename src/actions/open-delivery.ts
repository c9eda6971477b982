import { Refusal } from '../core/errors.ts'
import { authorize, type Caller } from '../core/grants.ts'
import { appendLeaf } from '../store/audit.ts'
import { findLiveDelivery, insertDelivery } from '../store/deliveries.ts'
import { inTransaction } from '../store/pool.ts'
import { type Deps, leafBy } from './deps.ts'
import { requireMembership } from './show-project.ts'

/**
 * Opens an agency's delivery for a wave. An agency has one live delivery a wave.
 *
 * @returns the delivery's id.
 * @throws {Refusal} `grant-missing`, `not-found`, `state-conflict` (the project is not open), `already-exists` with the
 *   live delivery's id in its details.
 */
export async function openDelivery(
  deps: Deps,
  caller: Caller,
  wanted: { project: string; wave: number },
): Promise<string> {
  authorize(caller, 'open-delivery')
  const id = deps.randomUuid()
  return inTransaction(deps.pool, 'open-delivery', async (tx) => {
    const { project, member } = await requireMembership(tx, caller, wanted.project)
    if (project.state !== 'open') {
      throw new Refusal('state-conflict', 'The project is not open for deliveries.')
    }
    const key = { projectId: project.id, agencyId: member.agencyId, wave: wanted.wave }
    if (!(await insertDelivery(tx, { id, ...key }))) {
      const delivery = (await findLiveDelivery(tx, key)) ?? ''
      throw new Refusal('already-exists', 'There is a delivery for this wave. Continue it.', {
        delivery,
      })
    }
    await appendLeaf(tx, {
      ...leafBy(caller, 'open-delivery', id),
      project: project.id,
      counts: { wave: wanted.wave },
    })
    return id
  })
}
