import type { Caller } from '../core/grants.ts'
import { type Witness, witnessesOfProject } from '../store/witnesses.ts'
import type { Deps } from './deps.ts'
import { showProject } from './show-project.ts'

/** The witnesses of a project, for everybody who may see the project. @throws {Refusal} as `showProject`. */
export async function showWitnesses(
  deps: Deps,
  caller: Caller,
  idOrName: string,
): Promise<Witness[]> {
  const { project } = await showProject(deps, caller, idOrName)
  return witnessesOfProject(deps.pool, project.id)
}
