import { Refusal } from '../core/errors.ts'
import { authorize, type Caller } from '../core/grants.ts'
import { hashBytes } from '../core/merkle.ts'
import { ProofMaker } from '../core/merkle-proof.ts'
import { type Checkpoint, latestCheckpoint } from '../store/checkpoints.ts'
import { cosignatureLines, newestCosigned } from '../store/cosignatures.ts'
import { leafHashes } from '../store/leaves.ts'
import type { Deps } from './deps.ts'

/**
 * The newest signed checkpoint, with the cosignatures that witnesses have added.
 *
 * @param cosignedAfter - for a witness that has seen so many leaves: the newest longer checkpoint that another witness has
 *   cosigned comes first, if there is one. So the witnesses meet at one checkpoint, however fast the trail grows.
 * @throws {Refusal} `grant-missing`, `not-found` before the first.
 */
export async function showCheckpoint(
  deps: Deps,
  caller: Caller,
  cosignedAfter?: number,
): Promise<Checkpoint> {
  authorize(caller, 'show-checkpoint')
  const met =
    cosignedAfter === undefined ? undefined : await newestCosigned(deps.pool, cosignedAfter)
  const checkpoint = met ?? (await latestCheckpoint(deps.pool))
  if (!checkpoint) throw new Refusal('not-found', 'The signer has not published a checkpoint yet.')
  const lines = await cosignatureLines(deps.pool, checkpoint.size)
  return { ...checkpoint, note: checkpoint.note + lines.join('') }
}

/** Proofs against the leaves as they are stored; whoever checks one holds it against a signed root. */
export type Prover = {
  inclusion: (caller: Caller, index: number, size: number) => Promise<Uint8Array[]>
  consistency: (caller: Caller, size1: number, size2: number) => Promise<Uint8Array[]>
}

/** Makes proofs, and remembers the roots of whole blocks of leaves between them. */
export function createProver(deps: Deps): Prover {
  const maker = new ProofMaker(async (start, end) => {
    const bytes = await leafHashes(deps.pool, start, end - start)
    return Array.from({ length: end - start }, (_, i) =>
      bytes.subarray(i * hashBytes, (i + 1) * hashBytes),
    )
  })
  const requireCovered = async (caller: Caller, size: number): Promise<void> => {
    const newest = await showCheckpoint(deps, caller)
    if (size > newest.size) throw new Refusal('not-found', 'No checkpoint covers this size yet.')
  }
  return {
    inclusion: async (caller, index, size) => {
      await requireCovered(caller, size)
      if (index >= size) throw new Refusal('input-malformed', 'The leaf lies outside this size.')
      return maker.inclusionProof(index, size)
    },
    consistency: async (caller, size1, size2) => {
      await requireCovered(caller, size2)
      if (size1 < 1 || size1 > size2) {
        throw new Refusal('input-malformed', 'The first size is from 1 to the second.')
      }
      return maker.consistencyProof(size1, size2)
    },
  }
}
