/**
 * Between the vault and a job's scratch directory. What a job reads is opened into its scratch; what it made is sealed
 * from there to the side that may read it next.
 */
import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { Refusal } from '../core/errors.ts'
import { Outage } from '../core/outage.ts'
import type { ObjectKind, VaultObject } from '../store/objects.ts'
import { currentSealingKey, releaseSealingKey, type SealingSide } from '../store/sealing-keys.ts'
import { chunksOf } from '../vault/atomic-file.ts'
import type { Opener } from '../vault/object-header.ts'
import type { WorkerDeps } from './deps.ts'

/** An object as the database names it. */
type NamedObject = { id: string; projectId: string; kind: ObjectKind }

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
export async function openFile(deps: WorkerDeps, object: NamedObject, path: string): Promise<void> {
  const { opener, context } = toOpen(deps, object)
  await deps.vault.openToFile(opener, context, path).catch(orVaultAway)
}

/** The content of an object of the worker's own side, as a stream. */
export async function readObject(deps: WorkerDeps, object: NamedObject): Promise<Readable> {
  const { opener, context } = toOpen(deps, object)
  return deps.vault.openRead(opener, context).catch(orVaultAway)
}

function toOpen({ keyring }: WorkerDeps, { id, projectId, kind }: NamedObject) {
  const opener: Opener = (keyId, enc, ciphertext, info) =>
    keyring.openSealed(keyId, enc, ciphertext, info)
  return { opener, context: { project: projectId, kind, objectId: id } }
}

/**
 * The database names the object, so it is there, and if the vault does not find it the vault is not: it is not mounted, or
 * older than the database. No delivery is refused for that.
 */
export function orVaultAway(error: unknown): never {
  if (!(error instanceof Refusal) || error.code !== 'not-found') throw error
  throw new Outage('an object that is named is not in the vault', { cause: error })
}
