import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { doubtedSerials } from '../core/doubt-list.ts'
import { Refusal } from '../core/errors.ts'
import { authorize, type Caller } from '../core/grants.ts'
import { appendLeaf } from '../store/audit.ts'
import { insertDoubt, lockDoubts, pendingDoubts } from '../store/doubts.ts'
import { endObjects, insertObjects } from '../store/objects.ts'
import { inTransaction } from '../store/pool.ts'
import { currentSealingKey } from '../store/sealing-keys.ts'
import { type Deps, leafBy } from './deps.ts'
import { requireMembership } from './show-project.ts'

/**
 * Takes the serials of an agency whose links it doubts, and seals them to the key side. The next linkage makes cases of
 * those that are linked; until then a later list of the agency stands instead of this one. The answer tells nothing of
 * whether anybody is linked, and a doubt changes no link: two people decide.
 *
 * @param sent.csv - as `core/doubt-list.ts` reads it, all or nothing.
 * @returns how many serials the list has.
 * @throws {Refusal} `grant-missing`, `not-found`, `input-malformed`, `digest-differs`; `state-conflict` before the project
 *   is open.
 */
export async function fileDoubts(
  deps: Deps,
  caller: Caller,
  sent: { project: string; csv: Buffer; sha256?: Buffer },
): Promise<number> {
  authorize(caller, 'file-doubts')
  const { csv } = sent
  const sha256 = createHash('sha256').update(csv).digest()
  if (sent.sha256 && !sent.sha256.equals(sha256)) {
    throw new Refusal('digest-differs', 'What arrived is not what the digest says. Send it again.')
  }
  const { project } = await requireMembership(deps.pool, caller, sent.project)
  const doubted = doubtedSerials(csv.toString())
  const serials = doubted.length
  const key = await currentSealingKey(deps.pool, 'key', project.id)
  if (!key) throw new Refusal('state-conflict', 'The project is not open yet.')
  const of = { projectId: project.id, agencyId: caller.id }
  const objectId = deps.randomUuid()
  const stored = await deps.vault.put(
    Readable.from([Buffer.from(['serial', ...doubted, ''].join('\n'))]),
    {
      recipientPublicKey: key.publicKey,
      keyId: key.id,
      context: { project: project.id, kind: 'doubts', objectId },
    },
  )
  const gone = await inTransaction(deps.pool, 'file-doubts', async (tx) => {
    await lockDoubts(tx, of)
    const pending = await pendingDoubts(tx, project.id)
    const instead = pending.filter(({ agencyId }) => agencyId === caller.id)
    const ended = instead.map((doubt) => doubt.objectId)
    await endObjects(tx, ended)
    const { bytes } = stored
    const sealed = { id: objectId, sealingKeyId: key.id, kind: 'doubts', bytes } as const
    await insertObjects(tx, [{ ...sealed, projectId: project.id }])
    await insertDoubt(tx, { ...of, objectId, serials, sha256 })
    await appendLeaf(tx, {
      ...leafBy(caller, 'file-doubts', objectId),
      project: project.id,
      counts: { serials },
      digests: { doubts: sha256.toString('hex') },
    })
    return ended
  })
  await Promise.all(gone.map((object) => deps.vault.destroy(object)))
  return serials
}
