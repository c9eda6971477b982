/**
 * Between the vault and a job's scratch directory. What a job reads is opened into its scratch; what it made is sealed
 * from there to the side that may read it next.
 */
import { open } from 'node:fs/promises'
import type { ObjectKind, VaultObject } from '../store/objects.ts'
import { currentSealingKey, releaseSealingKey, type SealingSide } from '../store/sealing-keys.ts'
import { chunksOf } from '../vault/atomic-file.ts'
import type { WorkerDeps } from './deps.ts'

/** A sealed file: the row that names it, and digest and size of what is inside. */
export type SealedFile = { object: VaultObject; plainBytes: number; plainSha256: Buffer }

/**
 * Seals a file of the scratch directory to a side; what is of one release, to a key of that release alone. It has no name
 * in the database yet: insert `object`.
 */
export async function sealFile(
  deps: WorkerDeps,
  path: string,
  to: { projectId: string; kind: ObjectKind } & (
    | { side: Exclude<SealingSide, 'desk'> }
    | { side: 'data'; releaseId: string }
    | { side: 'desk'; kind: 'extraction' | 'questions' }
  ),
): Promise<SealedFile> {
  const key =
    'releaseId' in to
      ? await releaseSealingKey(deps.pool, 'data', to.releaseId)
      : await currentSealingKey(deps.pool, to.side, to.side === 'desk' ? undefined : to.projectId)
  if (!key) throw new Error(`the ${to.side} side has published no sealing key`)
  const objectId = deps.randomUuid()
  await using file = await open(path, 'r')
  const stored = await deps.vault.put(chunksOf(file), {
    recipientPublicKey: key.publicKey,
    keyId: key.id,
    context: { project: to.projectId, kind: to.kind, objectId },
  })
  const object = {
    id: objectId,
    projectId: to.projectId,
    kind: to.kind,
    sealingKeyId: key.id,
    bytes: stored.bytes,
  }
  return { object, plainBytes: stored.plainBytes, plainSha256: stored.plainSha256 }
}

/** Opens an object of the worker's own side into a file of the scratch directory. */
export async function openFile(
  deps: WorkerDeps,
  object: { id: string; projectId: string; kind: ObjectKind },
  path: string,
): Promise<void> {
  const context = { project: object.projectId, kind: object.kind, objectId: object.id }
  await deps.vault.openToFile(
    (keyId, enc, ciphertext, info) => deps.keyring.openSealed(keyId, enc, ciphertext, info),
    context,
    path,
  )
}
