import { authorize, type Caller } from '../core/grants.ts'
import { type Ticket, ticketsOfProject } from '../store/tickets.ts'
import type { Deps } from './deps.ts'
import { requireMembership, requireProject } from './show-project.ts'

const ticketsMax = 500

/**
 * The newest tickets of a project: all of them for people, for an agency those that it was asked.
 *
 * @throws {Refusal} `grant-missing`, `not-found`.
 */
export async function showTickets(
  deps: Deps,
  caller: Caller,
  projectName: string,
): Promise<Ticket[]> {
  authorize(caller, 'show-tickets')
  const isAgency = caller.kind === 'agency'
  const { id: projectId } = isAgency
    ? (await requireMembership(deps.pool, caller, projectName)).project
    : await requireProject(deps.pool, projectName)
  const askedOf = isAgency ? caller.id : null
  return await ticketsOfProject(deps.pool, { projectId, askedOf, most: ticketsMax })
}
