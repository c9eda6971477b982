/**
 * Destroys a release: its keys on the data side, then every object of it in the vault; and signs what was done. The desk's
 * key is gone by then. Its objects, and all backups of them, were sealed to keys of this release alone, so nothing of it can
 * be read again with any keyring from this day on.
 *
 * A domain that several releases share keeps its pseudonym key and its date key, for they are not this release's.
 */
import { createHash } from 'node:crypto'
import { canonicalJson, type Json } from '../core/canonical.ts'
import { stateAfter } from '../core/states.ts'
import type { KeyDescription } from '../keys/key-entry.ts'
import { appendLeaf } from '../store/audit.ts'
import { insertCertificate, objectsOfRelease, saveReleaseDestroyed } from '../store/destructions.ts'
import { endLease } from '../store/leases.ts'
import { endObjects } from '../store/objects.ts'
import { inTransaction, type Tx } from '../store/pool.ts'
import { findProject } from '../store/projects.ts'
import { findRelease, lockRelease, type Release } from '../store/releases.ts'
import { hasReleaseKey, releaseKeyIds, saveReleaseKeysDestroyed } from '../store/sealing-keys.ts'
import { type JobRun, leafByWorker, type WorkerDeps } from './deps.ts'
import { recordKeyring } from './make-project-keys.ts'
import { otherPerson } from './request-destruction.ts'
import { ringFor } from './ring.ts'

/** Does it; run again after a break, it goes on where it was. */
export async function destroyRelease(deps: WorkerDeps, run: JobRun): Promise<void> {
  const { job } = run
  const release = await findRelease(deps.pool, job.subject['release'] ?? '')
  if (!release?.destructionRequestedBy) throw new Error('a destruction that nobody asked for')
  if (await hasReleaseKey(deps.pool, 'desk', release.id)) {
    throw new Error('the desk destroys its key first')
  }
  const keys = await destroyKeys(deps, release, release.destructionRequestedBy)
  const objects = await objectsOfRelease(deps.pool, release.id)
  for (const id of objects) await deps.vault.destroy(id)
  const wake = await inTransaction(deps.pool, 'destroy-release', async (tx) => {
    const result = { keys: keys.length, objects: objects.length }
    const parents = await endLease(tx, job, { state: 'done', result })
    const locked = await lockRelease(tx, release.id)
    if (!locked) throw new Error('a release disappeared')
    stateAfter(locked.state, 'destroy')
    await endObjects(tx, objects)
    const sealing = await saveReleaseKeysDestroyed(tx, 'data', release.id)
    await saveReleaseDestroyed(tx, release.id, locked.state)
    await recordKeyring(tx, deps)
    const sha256 = await certify(deps, tx, { release: locked, keys, objects })
    await appendLeaf(tx, {
      ...leafByWorker(deps, 'destroy-release', release.id),
      project: job.projectId,
      counts: { ...result, sealingKeys: sealing.length, keyringRevision: deps.keyring.revision },
      digests: { certificate: sha256, keyring: deps.keyring.sha256.toString('hex') },
    })
    return parents
  })
  await ringFor(deps, wake)
}

/** Every key that is this release's alone, those destroyed in an earlier attempt included. */
async function destroyKeys(
  deps: WorkerDeps,
  release: Release,
  destroyedBy: string,
): Promise<KeyDescription[]> {
  const project = await findProject(deps.pool, release.projectId)
  if (!project) throw new Error('a release belongs to a project')
  const approvedBy = otherPerson(destroyedBy, release, project)
  const isOwn = (key: KeyDescription): boolean =>
    key.project === release.projectId && key.domain === release.id
  for (const key of deps.keyring.list().filter(isOwn)) {
    if (key.state === 'destroyed') continue
    const { purpose, domain, epoch } = key
    const ref = { purpose, project: release.projectId, domain, epoch }
    await deps.keyring.destroyKey(ref, { destroyedBy, approvedBy, now: new Date() })
  }
  return deps.keyring.list().filter(isOwn)
}

/** Signs what was destroyed and keeps it; gives the digest of what was signed. */
async function certify(
  deps: WorkerDeps,
  tx: Tx,
  destroyed: { release: Release; keys: KeyDescription[]; objects: string[] },
): Promise<string> {
  const { release, keys, objects } = destroyed
  const hex = (bytes: Uint8Array | null): string | null =>
    bytes && Buffer.from(bytes).toString('hex')
  const content: Json = {
    certificate: 'gyeol-destruction-1',
    release: release.id,
    project: release.projectId,
    domain: release.domain,
    isDomainShared: release.domain !== release.id,
    manifestSha256: hex(release.manifestSha256),
    recipient: release.recipient,
    validUntil: release.validUntil?.toISOString() ?? null,
    endedAs: release.state,
    requestedBy: release.destructionRequestedBy,
    destroyedAt: tx.now.toISOString(),
    dataKeys: keys.map(({ id, purpose, algorithm }) => ({ id, purpose, algorithm })),
    deskKeys: await releaseKeyIds(tx, 'desk', release.id),
    objects: [...objects].sort(),
    dataKeyringRevision: deps.keyring.revision,
    dataKeyringSha256: deps.keyring.sha256.toString('hex'),
  }
  const certificate = `${canonicalJson(content)}\n`
  const ref = { purpose: 'release-signature' } as const
  const signature = deps.keyring.sign(ref, Buffer.from(certificate))
  const signatureKey = deps.keyring.publicKey(ref)
  await insertCertificate(tx, { releaseId: release.id, certificate, signature, signatureKey })
  return createHash('sha256').update(certificate).digest('hex')
}
