import type { Readable } from 'node:stream'
import { catalogueSchema } from '../catalogue/schema.ts'
import { Refusal } from '../core/errors.ts'
import { authorize, type Caller } from '../core/grants.ts'
import { isOfKeys } from '../core/manifest.ts'
import { isAgencyEnabled } from '../store/agencies.ts'
import { appendLeaf } from '../store/audit.ts'
import { type Delivery, lockDelivery } from '../store/deliveries.ts'
import { insertObjects, type ObjectKind } from '../store/objects.ts'
import { findPart, insertPart, type MediaType, type Part } from '../store/parts.ts'
import { inTransaction, type Tx } from '../store/pool.ts'
import { currentSealingKey } from '../store/sealing-keys.ts'
import { type Deps, leafBy } from './deps.ts'
import { requireDelivery } from './show-delivery.ts'
import { requireProject } from './show-project.ts'

/** A part as it arrives. */
export type Upload = {
  deliveryId: string
  /** Empty for keys, `#notices` for notices. */
  table: string
  number: number
  mediaType: MediaType
  /** The digest that the agency announced, if it did: 32 bytes. */
  sha256?: Uint8Array
  body: Readable
}

export const partBytesMax = 256 * 1024 * 1024

/** `isNew` is false where the same bytes were there already. */
export type StoredPart = Pick<Part, 'table' | 'number' | 'bytes' | 'sha256'> & { isNew: boolean }

/**
 * Streams a part into the vault, sealed to the side that may read it. This process cannot open what it has stored.
 *
 * The same bytes under the same number are one part however often they come; other bytes under it are refused.
 *
 * @throws {Refusal} `not-found`, `state-conflict`, `digest-differs`, `input-malformed` without a byte, `already-exists`,
 *   `body-too-large`, `disk-full`.
 */
export async function storePart(deps: Deps, caller: Caller, upload: Upload): Promise<StoredPart> {
  authorize(caller, 'store-part')
  const delivery = await requireDelivery(deps.pool, caller, upload.deliveryId)
  if (delivery.state !== 'open') throw closed()
  if (delivery.keysDeliveryId && isOfKeys(upload.table)) {
    throw new Refusal('state-conflict', 'This delivery is of tables only: its keys came before.')
  }
  await requireTable(deps, delivery, upload.table)
  const known = await findPart(deps.pool, upload)
  if (known && upload.sha256 && Buffer.compare(known.sha256, upload.sha256) === 0) {
    upload.body.resume() // The bytes are here; let the sender finish its sentence.
    return { ...known, isNew: false }
  }
  const side = isOfKeys(upload.table) ? 'key' : 'data'
  const kind: ObjectKind = side === 'key' ? 'key-upload' : 'table-upload'
  const sealingKey = await currentSealingKey(deps.pool, side, delivery.projectId)
  if (!sealingKey) throw new Error('an open project has sealing keys')
  const objectId = deps.randomUuid()
  // The body stays open when it is refused half way: the refusal is answered on the same socket.
  const bytes = upload.body.iterator({ destroyOnReturn: false })
  const stored = await deps.vault.put(bytes, {
    recipientPublicKey: sealingKey.publicKey,
    keyId: sealingKey.id,
    context: { project: delivery.projectId, kind, objectId },
    plainBytesMax: partBytesMax,
  })
  try {
    if (upload.sha256 && Buffer.compare(stored.plainSha256, upload.sha256) !== 0) {
      throw new Refusal('digest-differs', 'The bytes are not those announced. Send the part again.')
    }
    // No manifest could list it, and its number would be taken.
    if (stored.plainBytes === 0) throw new Refusal('input-malformed', 'A part has at least a byte.')
    const part = { ...upload, bytes: stored.plainBytes, sha256: stored.plainSha256, objectId }
    const isNew = await inTransaction(deps.pool, 'store-part', async (tx) => {
      await requireStillOpen(tx, caller, delivery.id)
      await insertObjects(tx, [
        {
          id: objectId,
          projectId: delivery.projectId,
          kind,
          sealingKeyId: sealingKey.id,
          bytes: stored.bytes,
        },
      ])
      if (!(await insertPart(tx, part))) throw new SameNumber()
      await appendLeaf(tx, {
        ...leafBy(caller, 'store-part', `${delivery.id}/${upload.table}/${upload.number}`),
        project: delivery.projectId,
        counts: { bytes: part.bytes },
        digests: { part: stored.plainSha256.toString('hex') },
      })
      return true
    })
    return {
      table: upload.table,
      number: upload.number,
      bytes: part.bytes,
      sha256: part.sha256,
      isNew,
    }
  } catch (error) {
    // Only what surely left no row is removed here. After a broken connection nobody knows: the sweep will look.
    if (error instanceof Refusal || error instanceof SameNumber) await deps.vault.destroy(objectId)
    if (error instanceof SameNumber) return sameBytes(deps, upload, stored.plainSha256)
    throw error
  }
}

/** The number is taken: by the same bytes (then all is well) or by others. */
class SameNumber extends Error {}

async function sameBytes(deps: Deps, upload: Upload, sha256: Uint8Array): Promise<StoredPart> {
  const known = await findPart(deps.pool, upload)
  if (known && Buffer.compare(known.sha256, sha256) === 0) return { ...known, isNew: false }
  throw new Refusal('already-exists', 'This part number holds other bytes. Use the next number.')
}

/** What may have changed while the bytes came: the delivery's state and the agency's standing. */
async function requireStillOpen(tx: Tx, caller: Caller, deliveryId: string): Promise<void> {
  if ((await lockDelivery(tx, deliveryId, 'share')) !== 'open') throw closed()
  if (!(await isAgencyEnabled(tx, caller.id))) {
    throw new Refusal('grant-missing', 'The agency may no longer deliver.')
  }
}

async function requireTable(deps: Deps, delivery: Delivery, table: string): Promise<void> {
  if (isOfKeys(table)) return
  const project = await requireProject(deps.pool, delivery.projectId)
  const wanted = catalogueSchema.parse(project.catalogue).tables[table]
  if (wanted?.agency !== delivery.agency) {
    throw new Refusal('not-found', 'The catalogue has no such table for this agency.')
  }
}

function closed(): Refusal {
  return new Refusal('state-conflict', 'The delivery is closed. Open a new one.')
}
