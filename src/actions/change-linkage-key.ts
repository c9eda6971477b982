import { appendLeaf } from '../store/audit.ts'
import { beginEpoch, findEpochChange } from '../store/epochs.ts'
import { endLease } from '../store/leases.ts'
import { inTransaction } from '../store/pool.ts'
import { findProject } from '../store/projects.ts'
import { type JobRun, leafByWorker, type WorkerDeps } from './deps.ts'
import { recordKeyring } from './make-project-keys.ts'
import { ringFor } from './ring.ts'

/**
 * Makes the next linkage key of a project. The older one can still finish what was opened under it. Run again, it finds its
 * key.
 */
export async function changeLinkageKey(deps: WorkerDeps, { job }: JobRun): Promise<void> {
  const { projectId } = job
  const epoch = Number(job.subject['epoch'])
  const project = await findProject(deps.pool, projectId)
  const change = await findEpochChange(deps.pool, projectId, epoch)
  if (!project || !change?.approvedBy) throw new Error('a key is changed after two people said so')
  const key = { purpose: 'linkage', project: projectId, epoch } as const
  if (!deps.keyring.has(key)) {
    const by = { createdBy: change.proposedBy, approvedBy: change.approvedBy, now: new Date() }
    await deps.keyring.addKey({ ...key, algorithm: project.macAlgorithm }, by)
  }
  const wake = await inTransaction(deps.pool, 'change-linkage-key', async (tx) => {
    const parents = await endLease(tx, job, { state: 'done', result: { epoch } })
    await beginEpoch(tx, projectId, epoch)
    await recordKeyring(tx, deps)
    await appendLeaf(tx, {
      ...leafByWorker(deps, 'change-linkage-key', projectId),
      project: projectId,
      counts: { epoch, keyringRevision: deps.keyring.revision },
      digests: { keyring: Buffer.from(deps.keyring.sha256).toString('hex') },
    })
    return parents
  })
  await ringFor(deps, wake)
}
