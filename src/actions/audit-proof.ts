/**
 * `audit-proof.txt` of a release: that the leaf of its publication, which holds the manifest's digest, is in the trail. Only
 * what was approved is published; the leaf of the approval itself stays inside, for it says who approved and from where. The
 * proof is made when a checkpoint covers the leaf, of the checkpoint that most of the project's witnesses have cosigned.
 * Once there are as many as the project demands, or one if it has witnesses at all, the proof is the same for everybody.
 */
import { createHash } from 'node:crypto'
import { hashBytes } from '../core/merkle.ts'
import { ProofMaker } from '../core/merkle-proof.ts'
import { tlogProofText } from '../core/tlog-proof.ts'
import { searchLeaves } from '../store/audit.ts'
import { bestCosigned, cosignatureLines } from '../store/cosignatures.ts'
import { leafHashes } from '../store/leaves.ts'
import type { Queryable } from '../store/pool.ts'
import { type Release, saveAuditProof } from '../store/releases.ts'
import { witnessesOfProject } from '../store/witnesses.ts'
import { requireProject } from './show-project.ts'

export const auditProofName = 'audit-proof.txt'

/** The proof; undefined while no checkpoint covers the publication, which takes some seconds. */
export async function auditProofOf(db: Queryable, release: Release): Promise<string | undefined> {
  if (release.auditProof !== null) return release.auditProof
  if (release.approvalLeaf === null) return undefined
  const sought = { action: 'publish-release', object: release.id, after: release.approvalLeaf }
  const [leaf] = await searchLeaves(db, { ...sought, limit: 1 })
  const { projectId } = release
  const checkpoint = leaf && (await bestCosigned(db, { projectId, leaf: leaf.number }))
  if (!checkpoint) return undefined
  const { number: index, entry: extra } = leaf
  const maker = new ProofMaker(async (start, end) => {
    const bytes = await leafHashes(db, start, end - start)
    return Array.from({ length: end - start }, (_, i) =>
      bytes.subarray(i * hashBytes, (i + 1) * hashBytes),
    )
  })
  const proof = await maker.inclusionProof(index, checkpoint.size)
  const lines = await cosignatureLines(db, checkpoint.size, projectId)
  const note = checkpoint.note + lines.join('')
  const text = tlogProofText({ index, proof, note, extra })
  if (lines.length >= (await cosignaturesWanted(db, projectId))) {
    await saveAuditProof(db, release.id, text)
  }
  return text
}

async function cosignaturesWanted(db: Queryable, projectId: string): Promise<number> {
  const { cosignaturesMin } = await requireProject(db, projectId)
  const witnesses = await witnessesOfProject(db, projectId)
  return Math.max(cosignaturesMin, witnesses.some(({ retiredAt }) => retiredAt === null) ? 1 : 0)
}

/** The proof as a file of the package. */
export function proofFile(text: string): { bytes: number; sha256: Buffer; content: Buffer } {
  const content = Buffer.from(text, 'utf8')
  return { bytes: content.length, sha256: createHash('sha256').update(content).digest(), content }
}
