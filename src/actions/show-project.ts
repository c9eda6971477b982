import { Refusal } from '../core/errors.ts'
import { agencyOf, authorize, type Caller } from '../core/grants.ts'
import type { Queryable } from '../store/pool.ts'
import {
  agenciesOfProject,
  findProject,
  listProjects,
  type Project,
  type ProjectAgency,
} from '../store/projects.ts'
import type { Deps } from './deps.ts'

/** The project of this id or name. @throws {Refusal} `not-found`. */
export async function requireProject(db: Queryable, idOrName: string): Promise<Project> {
  const project = await findProject(db, idOrName)
  if (!project) throw new Refusal('not-found', 'There is no such project.')
  return project
}

/**
 * The project and the calling agency's place in it. An agency outside it is told what one asking for an unknown project
 * is told.
 *
 * @throws {Refusal} `not-found`, `grant-missing` if a person calls.
 */
export async function requireMembership(
  db: Queryable,
  caller: Caller,
  idOrName: string,
): Promise<{ project: Project; member: ProjectAgency }> {
  const agency = agencyOf(caller)
  const project = await requireProject(db, idOrName)
  const members = await agenciesOfProject(db, project.id)
  const member = members.find((other) => other.agencyId === agency.id)
  if (!member) throw new Refusal('not-found', 'There is no such project.')
  return { project, member }
}

/** A project with its agencies; an agency sees only its own place in it. */
export async function showProject(
  deps: Deps,
  caller: Caller,
  idOrName: string,
): Promise<{ project: Project; agencies: ProjectAgency[] }> {
  authorize(caller, 'show-project')
  if (caller.kind === 'agency') {
    const { project, member } = await requireMembership(deps.pool, caller, idOrName)
    return { project, agencies: [member] }
  }
  const project = await requireProject(deps.pool, idOrName)
  return { project, agencies: await agenciesOfProject(deps.pool, project.id) }
}

/** The projects that the caller may see, newest first. */
export async function showProjects(deps: Deps, caller: Caller): Promise<Project[]> {
  authorize(caller, 'show-project')
  return listProjects(deps.pool, caller.kind === 'agency' ? caller.id : undefined)
}
