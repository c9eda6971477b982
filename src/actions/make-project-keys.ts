import type { KeyAlgorithm, KeyringSide } from '../keys/key-purposes.ts'
import type { KeyRef, Keyring } from '../keys/keyring.ts'
import { appendLeaf } from '../store/audit.ts'
import { insertKeyringRevision } from '../store/keyring-revisions.ts'
import { endLease } from '../store/leases.ts'
import { inTransaction, type Tx } from '../store/pool.ts'
import { findProject, openProjectWhenSealed } from '../store/projects.ts'
import { insertSealingKey } from '../store/sealing-keys.ts'
import { type JobRun, leafByWorker, type WorkerDeps } from './deps.ts'
import { ringFor } from './ring.ts'

/**
 * Makes a project's keys on the worker's side and publishes the public half of the sealing key. Every key is random and
 * of its own, so destroying one destroys what it protects. Run again, it finds the keys it made.
 */
export async function makeProjectKeys(deps: WorkerDeps, { job }: JobRun): Promise<void> {
  const projectId = job.projectId
  const project = await findProject(deps.pool, projectId)
  if (!project?.approvedBy) throw new Error('a project without approval has no keys')
  const by = { createdBy: project.createdBy, approvedBy: project.approvedBy, now: new Date() }
  for (const { ref, algorithm } of wantedKeys(deps.side, projectId, project.macAlgorithm)) {
    if (!deps.keyring.has(ref)) await deps.keyring.addKey({ ...ref, algorithm }, by)
  }
  const sealing = deps.keyring.describe({ purpose: 'sealing', project: projectId })
  if (!sealing.publicKey) throw new Error('a sealing key has a public half')
  const publicKey = sealing.publicKey
  const wake = await inTransaction(deps.pool, 'make-project-keys', async (tx) => {
    await insertSealingKey(tx, { id: sealing.id, publicKey, side: deps.side, projectId })
    const isOpen = await openProjectWhenSealed(tx, projectId)
    const parents = await endLease(tx, job, { state: 'done', result: { isOpen } })
    await recordKeyring(tx, deps)
    await appendLeaf(tx, {
      ...leafByWorker(deps, 'make-project-keys', projectId),
      project: projectId,
      digests: { keyring: Buffer.from(deps.keyring.sha256).toString('hex') },
      counts: { keyringRevision: deps.keyring.revision },
    })
    return parents
  })
  await ringFor(deps, wake)
}

/** Records the keyring's revision, so that an older copy put back is noticed at the next start. */
export async function recordKeyring(
  tx: Tx,
  deps: { keyring: Keyring; side: KeyringSide },
): Promise<void> {
  await insertKeyringRevision(tx, {
    side: deps.side,
    revision: deps.keyring.revision,
    sha256: deps.keyring.sha256,
  })
}

function wantedKeys(
  side: 'key' | 'data',
  project: string,
  macAlgorithm: 'cmac-aes-256' | 'cmac-aria-256' | 'hmac-sha-256',
): { ref: KeyRef; algorithm: KeyAlgorithm }[] {
  const sealing = { ref: { purpose: 'sealing', project } as const, algorithm: 'hpke-p256' as const }
  if (side === 'data') return [sealing]
  return [
    { ref: { purpose: 'linkage', project, epoch: 1 }, algorithm: macAlgorithm },
    { ref: { purpose: 'person', project }, algorithm: 'cmac-aes-256' },
    sealing,
  ]
}
