import { appendLeaf } from '../store/audit.ts'
import { endLease } from '../store/leases.ts'
import { insertObjects, type VaultObject } from '../store/objects.ts'
import { inTransaction } from '../store/pool.ts'
import { filesOfRelease, type ReleaseFile, saveDeskObject } from '../store/release-files.ts'
import { moveRelease } from '../store/releases.ts'
import { releaseSealingKey, type SealingKey } from '../store/sealing-keys.ts'
import { type JobRun, leafByWorker, type WorkerDeps } from './deps.ts'
import { ringFor } from './ring.ts'
import { readObject } from './sealed-files.ts'
import { requireRelease } from './show-release.ts'

/**
 * Hands an approved release to the delivery desk: every file is sealed again, to the key of the API process. That process
 * can open only what was approved.
 */
export async function publishRelease(deps: WorkerDeps, run: JobRun): Promise<void> {
  const { job } = run
  const releaseId = job.subject['release'] ?? ''
  const desk = await releaseSealingKey(deps.pool, 'desk', releaseId)
  if (!desk) throw new Error('the delivery desk has no key for this release')
  const release = await requireRelease(deps.pool, releaseId)
  if (!release.manifestSha256) throw new Error('a release to be published has a manifest')
  const manifest = Buffer.from(release.manifestSha256).toString('hex')
  const files = await filesOfRelease(deps.pool, releaseId)
  const sealed: { file: ReleaseFile; object: VaultObject }[] = []
  for (const file of files) {
    sealed.push({ file, object: await sealToDesk(deps, job.projectId, desk, file) })
    run.report({ files: sealed.length, filesTotal: files.length })
  }
  const wake = await inTransaction(deps.pool, 'publish-release', async (tx) => {
    const parents = await endLease(tx, job, { state: 'done', result: { files: sealed.length } })
    await insertObjects(
      tx,
      sealed.map(({ object }) => object),
    )
    for (const { file, object } of sealed) {
      await saveDeskObject(tx, { releaseId, name: file.name, deskObjectId: object.id })
    }
    const isReady = await moveRelease(tx, releaseId, 'approved', 'ready')
    if (!isReady) throw new Error('a release to be published is approved')
    await appendLeaf(tx, {
      ...leafByWorker(deps, 'publish-release', releaseId),
      project: job.projectId,
      counts: { files: sealed.length },
      digests: { manifest }, // The leaf whose place in the trail goes along with the package.
    })
    return parents
  })
  await ringFor(deps, wake)
}

async function sealToDesk(
  deps: WorkerDeps,
  projectId: string,
  desk: SealingKey,
  file: ReleaseFile,
): Promise<VaultObject> {
  const source = await readObject(deps, { id: file.objectId, projectId, kind: 'release-file' })
  const objectId = deps.randomUuid()
  const stored = await deps.vault.put(source, {
    recipientPublicKey: desk.publicKey,
    keyId: desk.id,
    context: { project: projectId, kind: 'desk-file', objectId },
  })
  if (Buffer.compare(stored.plainSha256, file.sha256) !== 0) {
    throw new Error('a release file is not the one of the manifest')
  }
  return { id: objectId, projectId, kind: 'desk-file', sealingKeyId: desk.id, bytes: stored.bytes }
}
