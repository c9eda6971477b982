/**
 * `audit-proof.txt` of a release: that the leaf of its approval, which holds the manifest's digest, is in the trail. It is
 * made once, when a checkpoint covers the leaf, and is the same for everybody from then on.
 */
import { createHash } from 'node:crypto'
import { hashBytes } from '../core/merkle.ts'
import { ProofMaker } from '../core/merkle-proof.ts'
import { tlogProofText } from '../core/tlog-proof.ts'
import { checkpointCovering, leafEntries, leafHashes } from '../store/checkpoints.ts'
import { type Release, saveAuditProof } from '../store/releases.ts'
import type { Deps } from './deps.ts'

export const auditProofName = 'audit-proof.txt'

/** The proof; undefined while no checkpoint covers the approval, which takes some seconds. */
export async function auditProofOf(
  deps: Pick<Deps, 'pool'>,
  release: Release,
): Promise<string | undefined> {
  if (release.auditProof !== null) return release.auditProof
  const index = release.approvalLeaf
  if (index === null) return undefined
  const checkpoint = await checkpointCovering(deps.pool, index)
  const [extra] = await leafEntries(deps.pool, index, 1)
  if (!checkpoint || !extra) return undefined
  const maker = new ProofMaker(async (start, end) => {
    const bytes = await leafHashes(deps.pool, start, end - start)
    return Array.from({ length: end - start }, (_, i) =>
      bytes.subarray(i * hashBytes, (i + 1) * hashBytes),
    )
  })
  const proof = await maker.inclusionProof(index, checkpoint.size)
  const text = tlogProofText({ index, proof, note: checkpoint.note, extra })
  await saveAuditProof(deps.pool, release.id, text)
  return text
}

/** The proof as a file of the package. */
export function proofFile(text: string): { bytes: number; sha256: Buffer; content: Buffer } {
  const content = Buffer.from(text, 'utf8')
  return { bytes: content.length, sha256: createHash('sha256').update(content).digest(), content }
}
