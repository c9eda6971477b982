import type { Readable } from 'node:stream'
import { Refusal } from '../core/errors.ts'
import { agencyOf, authorize, type Caller } from '../core/grants.ts'
import { linkRulesSchema } from '../core/passes.ts'
import { appendLeaf } from '../store/audit.ts'
import { type Extraction, findExtraction } from '../store/extractions.ts'
import { findLinkage, type Linkage } from '../store/linkages.ts'
import { inTransaction, type Tx } from '../store/pool.ts'
import { agenciesOfProject, findProject } from '../store/projects.ts'
import { type Deps, leafBy } from './deps.ts'

/** A list of serials and its bytes: CSV, one column `serial`. */
export type ReadExtraction = { bytes: number; sha256: Buffer; body: Readable }

/**
 * Gives an agency the list of its own serials that a linkage linked: nothing of others, not by which pass, not who else
 * knows the person.
 *
 * It is given however few they are. A match rate of few is hidden because it is told to people who have no business with one
 * person; the list is told to the agency that delivered these persons, says of each what its length would, and is there only
 * where the two people who approved the project decided that agencies may know.
 *
 * @throws {Refusal} `grant-missing` where the project has no extraction; `not-found` also for an agency outside the project;
 *   `state-conflict` for a trial and while it is being linked; `outside-period` when the list is destroyed.
 */
export async function readExtraction(
  deps: Deps,
  caller: Caller,
  linkageId: string,
): Promise<ReadExtraction> {
  authorize(caller, 'read-extraction')
  const { projectId, list } = await inTransaction(deps.pool, 'read-extraction', async (tx) => {
    const found = await requireExtraction(tx, agencyOf(caller).id, linkageId)
    await appendLeaf(tx, {
      ...leafBy(caller, 'read-extraction', linkageId),
      project: found.projectId,
      counts: { serials: found.list.serials, bytes: found.list.bytes },
      digests: { extraction: Buffer.from(found.list.sha256).toString('hex') },
    })
    return found
  })
  const body = await deps.vault.openRead(
    (keyId, enc, ciphertext, info) => deps.keyring.openSealed(keyId, enc, ciphertext, info),
    { project: projectId, kind: 'extraction', objectId: list.objectId },
  )
  return { bytes: list.bytes, sha256: Buffer.from(list.sha256), body }
}

async function requireExtraction(
  tx: Tx,
  agencyId: string,
  linkageId: string,
): Promise<{ projectId: string; list: Extraction }> {
  const linkage = await findLinkage(tx, linkageId)
  const members = linkage ? await agenciesOfProject(tx, linkage.projectId) : []
  if (!linkage || !members.some((member) => member.agencyId === agencyId)) {
    throw new Refusal('not-found', 'There is no such linkage.')
  }
  const { projectId } = linkage
  const project = await findProject(tx, projectId)
  if (!linkRulesSchema.parse(project?.rules).extraction) {
    const sentence = 'The project does not let agencies fetch their linked serials.'
    throw new Refusal('grant-missing', sentence)
  }
  requireLinked(linkage)
  const list = await findExtraction(tx, { linkageId, agencyId })
  if (list) return { projectId, list }
  const sentence = 'There is no list any more: it is too old, or a newer linkage took its place.'
  throw new Refusal('outside-period', sentence)
}

function requireLinked({ isTrial, state }: Linkage): void {
  if (isTrial) {
    throw new Refusal('state-conflict', 'A trial gives no list. Deliver after a linkage.')
  }
  if (state !== 'linked') throw new Refusal('state-conflict', 'The linkage is not finished.')
}
