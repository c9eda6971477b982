import { cosignersOf } from '../core/cosignature.ts'
import { Refusal } from '../core/errors.ts'
import { authorize, type Caller } from '../core/grants.ts'
import { checkpointOfSize } from '../store/checkpoints.ts'
import { insertCosignature } from '../store/cosignatures.ts'
import { inTransaction } from '../store/pool.ts'
import { witnessKeysNamed } from '../store/witnesses.ts'
import type { Deps } from './deps.ts'

const aheadMsMax = 5 * 60_000

/** A signature line as a witness adds it under the checkpoint of this size: `— name base64`, with its newline. */
export type GivenCosignature = { size: number; line: string }

/**
 * Stores a witness's cosignature. Who brings it does not matter: it counts by its signature, under a key that some project
 * has registered. It is no leaf, because it proves itself.
 *
 * @returns false if this witness had cosigned the checkpoint already; the first cosignature stays.
 * @throws {Refusal} `grant-missing`, `not-found` for a checkpoint that was never published, `input-malformed`,
 *   `signature-wrong` also for a witness that nobody registered and a time that lies ahead.
 */
export async function addCosignature(
  deps: Deps,
  caller: Caller,
  { size, line }: GivenCosignature,
): Promise<boolean> {
  authorize(caller, 'add-cosignature')
  return inTransaction(deps.pool, 'add-cosignature', async (tx) => {
    const checkpoint = await checkpointOfSize(tx, size)
    if (!checkpoint) throw new Refusal('not-found', 'There is no checkpoint of this size.')
    const [, name = ''] = line.split(' ')
    const [cosigner] = cosignersOf(checkpoint.note + line, await witnessKeysNamed(tx, name))
    if (!cosigner) {
      throw new Refusal('signature-wrong', 'This is not the cosignature of a registered witness.')
    }
    const { verifierKey, timeSeconds } = cosigner
    if (timeSeconds * 1000 > tx.now.getTime() + aheadMsMax) {
      throw new Refusal('signature-wrong', 'The time of the cosignature lies ahead. Set the clock.')
    }
    const signedAt = new Date(timeSeconds * 1000)
    return insertCosignature(tx, { size, verifierKey, line, signedAt })
  })
}
