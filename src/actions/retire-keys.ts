import { appendLeaf } from '../store/audit.ts'
import { findEpochChange, retireEpochs } from '../store/epochs.ts'
import { endObjects } from '../store/objects.ts'
import { forgetNotices } from '../store/parts.ts'
import { inTransaction } from '../store/pool.ts'
import type { Project } from '../store/projects.ts'
import { leafByWorker, type WorkerDeps } from './deps.ts'
import { recordKeyring } from './make-project-keys.ts'

/**
 * Destroys the linkage keys that a linkage under a newer one has made superfluous, and the notices under them, by the word of the two people who changed
 * the key. If it is cut off in the middle, the next linkage does the rest.
 */
export async function retireKeys(deps: WorkerDeps, project: Project): Promise<void> {
  const { id: projectId, epoch: newest, retiredEpoch } = project
  for (let epoch = retiredEpoch + 1; epoch < newest; epoch += 1) {
    const change = await findEpochChange(deps.pool, projectId, epoch + 1)
    if (!change?.approvedBy) throw new Error('a key is destroyed after two people said so')
    const by = { destroyedBy: change.proposedBy, approvedBy: change.approvedBy, now: new Date() }
    const key = { purpose: 'linkage', project: projectId, epoch } as const
    if (deps.keyring.has(key)) await deps.keyring.destroyKey(key, by)
    const gone = await inTransaction(deps.pool, 'retire-keys', async (tx) => {
      await retireEpochs(tx, projectId, epoch)
      const notices = await forgetNotices(tx, projectId, epoch)
      await endObjects(tx, notices)
      await recordKeyring(tx, deps)
      await appendLeaf(tx, {
        ...leafByWorker(deps, 'retire-linkage-key', projectId),
        project: projectId,
        counts: { epoch, keyringRevision: deps.keyring.revision },
        digests: { keyring: Buffer.from(deps.keyring.sha256).toString('hex') },
      })
      return notices
    })
    await Promise.all(gone.map((object) => deps.vault.destroy(object)))
  }
}
