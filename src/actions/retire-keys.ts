/**
 * The end of a linkage key. A linkage under a newer one retires it, in its own transaction: from then on nothing that was
 * opened under it is taken in. Then the key is destroyed, by the word of the two people who changed it; if that is cut off
 * in the middle, the next linkage does it.
 */
import { appendLeaf } from '../store/audit.ts'
import { findEpochChange, retireEpochs } from '../store/epochs.ts'
import { forgetNotices } from '../store/parts.ts'
import { inTransaction, type Tx } from '../store/pool.ts'
import type { Project } from '../store/projects.ts'
import { leafByWorker, type WorkerDeps } from './deps.ts'
import { recordKeyring } from './make-project-keys.ts'

/**
 * Retires all linkage keys but the one in force.
 *
 * @returns the objects that nothing names any more: notices under those keys.
 */
export async function retireOlderKeys(
  deps: WorkerDeps,
  tx: Tx,
  { id: projectId, epoch, retiredEpoch }: Project,
): Promise<string[]> {
  const older = epoch - 1
  if (retiredEpoch >= older) return []
  await retireEpochs(tx, projectId, older)
  await appendLeaf(tx, {
    ...leafByWorker(deps, 'retire-linkage-key', projectId),
    project: projectId,
    counts: { epoch: older },
  })
  return await forgetNotices(tx, projectId, older)
}

/** Destroys the linkage keys that are retired and still there. */
export async function destroyRetiredKeys(deps: WorkerDeps, project: Project): Promise<void> {
  const { id: projectId, epoch: newest } = project
  for (let epoch = 1; epoch < newest; epoch += 1) {
    const key = { purpose: 'linkage', project: projectId, epoch } as const
    if (!deps.keyring.has(key)) continue
    const change = await findEpochChange(deps.pool, projectId, epoch + 1)
    if (!change?.approvedBy) throw new Error('a key is destroyed after two people said so')
    const by = { destroyedBy: change.proposedBy, approvedBy: change.approvedBy, now: new Date() }
    await deps.keyring.destroyKey(key, by)
    await inTransaction(deps.pool, 'destroy-linkage-key', async (tx) => {
      await recordKeyring(tx, deps)
      await appendLeaf(tx, {
        ...leafByWorker(deps, 'destroy-linkage-key', projectId),
        project: projectId,
        counts: { epoch, keyringRevision: deps.keyring.revision },
        digests: { keyring: Buffer.from(deps.keyring.sha256).toString('hex') },
      })
    })
  }
}
