import { Refusal } from '../core/errors.ts'
import { accountOf, authorize, type Caller } from '../core/grants.ts'
import { appendLeaf } from '../store/audit.ts'
import { insertEpochChange } from '../store/epochs.ts'
import { inTransaction } from '../store/pool.ts'
import { type Deps, leafBy } from './deps.ts'
import { requireProject } from './show-project.ts'

/**
 * Proposes another linkage key for a project. A second custodian approves it.
 *
 * @returns the epoch that it would bring.
 * @throws {Refusal} `grant-missing`, `not-found`, `already-exists` while one is proposed, `state-conflict` while the project
 *   is not open or the last change has not been followed by a linkage yet.
 */
export async function proposeKeyChange(
  deps: Deps,
  caller: Caller,
  wanted: { project: string; reason: string },
): Promise<number> {
  authorize(caller, 'propose-key-change')
  const account = accountOf(caller)
  return await inTransaction(deps.pool, 'propose-key-change', async (tx) => {
    const project = await requireProject(tx, wanted.project)
    if (project.state !== 'open') {
      throw new Refusal('state-conflict', 'Only the key of an open project is changed.')
    }
    if (project.retiredEpoch < project.epoch - 1) {
      throw new Refusal('state-conflict', 'The last change of the key needs a linkage first.')
    }
    const epoch = project.epoch + 1
    const change = { projectId: project.id, epoch, proposedBy: account.id, reason: wanted.reason }
    if (!(await insertEpochChange(tx, change))) {
      throw new Refusal('already-exists', 'A change of the key is proposed already. Approve it.')
    }
    await appendLeaf(tx, {
      ...leafBy(caller, 'propose-key-change', project.id),
      project: project.id,
      counts: { epoch },
    })
    return epoch
  })
}
