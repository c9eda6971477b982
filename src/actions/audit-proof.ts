/**
 * `audit-proof.txt` of a release: that the leaf of its publication, which holds the manifest's digest, is in the trail. Only
 * what was approved is published; the leaf of the approval itself stays inside, for it says who approved and from where. The
 * proof is made once, when a checkpoint covers the leaf, and is the same for everybody from then on.
 */
import { createHash } from 'node:crypto'
import { hashBytes } from '../core/merkle.ts'
import { ProofMaker } from '../core/merkle-proof.ts'
import { tlogProofText } from '../core/tlog-proof.ts'
import { searchLeaves } from '../store/audit.ts'
import { checkpointCovering, leafHashes } from '../store/checkpoints.ts'
import { type Release, saveAuditProof } from '../store/releases.ts'
import type { Deps } from './deps.ts'

export const auditProofName = 'audit-proof.txt'

/** The proof; undefined while no checkpoint covers the publication, which takes some seconds. */
export async function auditProofOf(
  deps: Pick<Deps, 'pool'>,
  release: Release,
): Promise<string | undefined> {
  if (release.auditProof !== null) return release.auditProof
  if (release.approvalLeaf === null) return undefined
  const sought = { action: 'publish-release', object: release.id, after: release.approvalLeaf }
  const [leaf] = await searchLeaves(deps.pool, { ...sought, limit: 1 })
  const checkpoint = leaf && (await checkpointCovering(deps.pool, leaf.number))
  if (!checkpoint) return undefined
  const { number: index, entry: extra } = leaf
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
