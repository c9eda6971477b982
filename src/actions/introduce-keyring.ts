/**
 * A process introduces its keyring before it does anything with it: the revision becomes part of
 * the trail, so an older copy that is put back later is noticed, even by a process that has never
 * seen the newer one.
 */
import { Refusal } from '../core/errors.ts'
import type { Keyring } from '../keys/keyring.ts'
import { appendLeaf } from '../store/audit.ts'
import { insertKeyringRevision, keyringDigest } from '../store/keyring-revisions.ts'
import { inTransaction, type Pool, type Tx } from '../store/pool.ts'
import { currentSealingKey, insertSealingKey, retireSealingKey } from '../store/sealing-keys.ts'

/**
 * Records the keyring's revision and digest with a leaf; for the API also publishes the desk's
 * sealing key in place of the one before. Finds its work done when nothing changed.
 *
 * @throws {Refusal} `keyring-refused` if another keyring with this revision was introduced before.
 */
export async function introduceKeyring(deps: { pool: Pool; keyring: Keyring }): Promise<void> {
  const { side, revision, sha256 } = deps.keyring
  await inTransaction(deps.pool, 'introduce-keyring', async (tx) => {
    const isNew = await insertKeyringRevision(tx, { side, revision, sha256 })
    if (!isNew) await requireSameKeyring(tx, deps.keyring)
    const isPublished = side === 'api' && (await publishDeskKey(tx, deps.keyring))
    if (!isNew && !isPublished) return
    await appendLeaf(tx, {
      actor: { kind: 'service', name: side },
      action: 'introduce-keyring',
      object: side,
      outcome: 'done',
      digests: { keyring: sha256.toString('hex') },
      counts: { keyringRevision: revision, sealingKeysPublished: isPublished ? 1 : 0 },
    })
  })
}

async function requireSameKeyring(tx: Tx, keyring: Keyring): Promise<void> {
  const known = await keyringDigest(tx, keyring.side, keyring.revision)
  if (known?.equals(keyring.sha256)) return
  throw new Refusal(
    'keyring-refused',
    'Another keyring with this revision was in use before. Restore that one, or find out who changed it.',
    { revision: keyring.revision },
  )
}

/** Returns false if this key is the desk's already. */
async function publishDeskKey(tx: Tx, keyring: Keyring): Promise<boolean> {
  const { id } = keyring.describe({ purpose: 'sealing' })
  const current = await currentSealingKey(tx, 'desk')
  if (current?.id === id) return false
  if (current) await retireSealingKey(tx, current.id)
  const publicKey = keyring.publicKey({ purpose: 'sealing' })
  await insertSealingKey(tx, { id, publicKey, side: 'desk' })
  return true
}
