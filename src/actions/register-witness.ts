import { witnessNameOf } from '../core/cosignature.ts'
import { Refusal } from '../core/errors.ts'
import { accountOf, authorize, type Caller } from '../core/grants.ts'
import { witnessesMax } from '../core/review.ts'
import { appendLeaf } from '../store/audit.ts'
import { inTransaction, type Tx } from '../store/pool.ts'
import {
  countWitnessKeys,
  insertWitness,
  retireWitnessOf,
  witnessesOfProject,
} from '../store/witnesses.ts'
import { type Deps, leafBy } from './deps.ts'
import { requireProject } from './show-project.ts'

/** What stands under a checkpoint must fit into a note. */
const keysOfAllMax = 48

/**
 * Registers a witness of a project by its verifier key. The whole key is in the leaf: whoever reads the trail sees whose
 * cosignatures were counted.
 *
 * @returns the witness's name.
 * @throws {Refusal} `grant-missing`, `not-found`, `input-malformed`, `already-exists`, `state-conflict` when there are as
 *   many as there may be.
 */
export async function registerWitness(
  deps: Deps,
  caller: Caller,
  { project: idOrName, verifierKey }: { project: string; verifierKey: string },
): Promise<string> {
  authorize(caller, 'register-witness')
  const name = witnessNameOf(verifierKey)
  return inTransaction(deps.pool, 'register-witness', async (tx) => {
    const project = await requireProject(tx, idOrName)
    await requireRoom(tx, project.id)
    const witness = { name, verifierKey, projectId: project.id, registeredBy: accountOf(caller).id }
    if (!(await insertWitness(tx, witness))) {
      throw new Refusal(
        'already-exists',
        'The project has a witness of this name, or had this key.',
      )
    }
    const leaf = leafBy(caller, 'register-witness', project.id)
    await appendLeaf(tx, { ...leaf, project: project.id, note: verifierKey })
    return name
  })
}

/** Retires a witness: its cosignatures no longer count. @throws {Refusal} `grant-missing`, `not-found`. */
export async function retireWitness(
  deps: Deps,
  caller: Caller,
  { project: idOrName, witness }: { project: string; witness: string },
): Promise<void> {
  authorize(caller, 'retire-witness')
  await inTransaction(deps.pool, 'retire-witness', async (tx) => {
    const project = await requireProject(tx, idOrName)
    const verifierKey = await retireWitnessOf(tx, project.id, witness)
    if (verifierKey === undefined) {
      throw new Refusal('not-found', 'The project has no witness of this name.')
    }
    const leaf = leafBy(caller, 'retire-witness', project.id)
    await appendLeaf(tx, { ...leaf, project: project.id, note: verifierKey })
  })
}

async function requireRoom(tx: Tx, projectId: string): Promise<void> {
  const own = await witnessesOfProject(tx, projectId)
  const active = own.filter(({ retiredAt }) => retiredAt === null).length
  if (active >= witnessesMax || (await countWitnessKeys(tx)) >= keysOfAllMax) {
    throw new Refusal(
      'state-conflict',
      'There are as many witnesses as there may be. Retire one.',
      {
        witnessesMax,
        keysOfAllMax,
      },
    )
  }
}
