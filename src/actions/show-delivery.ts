import { Refusal } from '../core/errors.ts'
import { authorize, type Caller } from '../core/grants.ts'
import { type Delivery, deliveriesOfProject, findDelivery } from '../store/deliveries.ts'
import { type Part, partsOfDelivery } from '../store/parts.ts'
import type { Queryable } from '../store/pool.ts'
import type { Deps } from './deps.ts'
import { requireMembership, requireProject } from './show-project.ts'

/** The delivery, if the caller may know of it. @throws {Refusal} `not-found`, also for another agency's. */
export async function requireDelivery(
  db: Queryable,
  caller: Caller,
  id: string,
): Promise<Delivery> {
  const delivery = await findDelivery(db, id)
  if (!delivery || (caller.kind === 'agency' && delivery.agencyId !== caller.id)) {
    throw new Refusal('not-found', 'There is no such delivery.')
  }
  return delivery
}

/** A delivery with its parts: what is there, what became of it, which rows were refused and why. */
export async function showDelivery(
  deps: Pick<Deps, 'pool'>,
  caller: Caller,
  id: string,
): Promise<{ delivery: Delivery; parts: Part[] }> {
  authorize(caller, 'show-delivery')
  const delivery = await requireDelivery(deps.pool, caller, id)
  return { delivery, parts: await partsOfDelivery(deps.pool, id) }
}

/** The deliveries of a project, all or the calling agency's own. @throws {Refusal} `grant-missing`, `not-found`. */
export async function showDeliveries(
  deps: Deps,
  caller: Caller,
  projectName: string,
): Promise<Delivery[]> {
  authorize(caller, 'show-delivery')
  const isAgency = caller.kind === 'agency'
  const project = isAgency
    ? (await requireMembership(deps.pool, caller, projectName)).project
    : await requireProject(deps.pool, projectName)
  const deliveries = await deliveriesOfProject(deps.pool, project.id, [
    'open',
    'submitted',
    'taken',
    'refused',
    'withdrawn',
  ])
  return isAgency ? deliveries.filter(({ agencyId }) => agencyId === caller.id) : deliveries
}
