import { catalogueSchema } from '../catalogue/schema.ts'
import { countColumns } from '../core/count-table.ts'
import { Refusal } from '../core/errors.ts'
import { accountOf, authorize, type Caller } from '../core/grants.ts'
import { policySchema, releasedColumns } from '../core/policy.ts'
import {
  requireCosignatures,
  requireFindings,
  requireNoOwnAct,
  reviewersNeeded,
} from '../core/review.ts'
import { stateAfter } from '../core/states.ts'
import { appendLeaf } from '../store/audit.ts'
import { insertProcessingRecord, type ProcessingRecord } from '../store/destructions.ts'
import { insertJobs } from '../store/jobs.ts'
import { inTransaction, type Tx } from '../store/pool.ts'
import type { Project } from '../store/projects.ts'
import { findingsOf } from '../store/release-files.ts'
import {
  lockRelease,
  type Release,
  saveApprovalLeaf,
  saveReleaseApproved,
} from '../store/releases.ts'
import { insertSealingKey, type SealingKey } from '../store/sealing-keys.ts'
import { cosignaturesOfBuilding } from './building-cosignatures.ts'
import { type Deps, leafBy } from './deps.ts'
import { recordKeyring } from './make-project-keys.ts'
import { requireManifest } from './record-finding.ts'
import { ringFor } from './ring.ts'
import { requireProject } from './show-project.ts'

/** What the head approves: these bytes, for this recipient, purpose, place and period. */
export type Approval = {
  releaseId: string
  manifestSha256: string
  recipient: string
  purpose: string
  place: string
  validUntil: Date
}

/**
 * Approves exactly these bytes for this recipient, purpose, place and period.
 *
 * @returns the job that hands the files to the delivery desk.
 * @throws {Refusal} `grant-missing`, `not-found`, `own-act`, `state-conflict`, `finding-missing`, `manifest-differs`,
 *   `outside-period`, `cosignatures-missing`.
 */
export async function approveRelease(
  deps: Deps,
  caller: Caller,
  approval: Approval,
): Promise<string> {
  authorize(caller, 'approve-release')
  const head = accountOf(caller)
  const job = deps.randomUuid()
  await inTransaction(deps.pool, 'approve-release', async (tx) => {
    const release = await lockRelease(tx, approval.releaseId)
    if (!release) throw new Refusal('not-found', 'There is no such release.')
    const project = await requireProject(tx, release.projectId)
    requireNoOwnAct(head.id, release, project)
    stateAfter(release.state, 'approve')
    const manifestSha256 = requireManifest(release, approval.manifestSha256)
    requireSameTerms(release, approval)
    if (approval.validUntil <= tx.now) {
      throw new Refusal('outside-period', 'The period of the release is over.')
    }
    const counts = await requireReviewed(tx, head.id, { release, project, manifestSha256 })
    const key = await makeDeskKey(deps, release, head.id)
    await saveReleaseApproved(tx, release.id, head.id)
    await insertSealingKey(tx, { ...key, side: 'desk', ...idsOf(release) })
    await recordKeyring(tx, { keyring: deps.keyring, side: 'api' })
    await insertProcessingRecord(tx, recordOf(release, project, tx.now))
    const subject = { release: release.id }
    const { projectId } = release
    await insertJobs(tx, [
      { jobId: job, projectId, side: 'data', kind: 'publish-release', subject },
    ])
    const leaf = await appendLeaf(tx, {
      ...leafBy(caller, 'approve-release', release.id),
      project: release.projectId,
      counts,
      digests: {
        manifest: approval.manifestSha256,
        keyring: deps.keyring.sha256.toString('hex'),
      },
    })
    await saveApprovalLeaf(tx, release.id, leaf)
  })
  await ringFor(deps, [{ jobId: job, side: 'data' }])
  return job
}

/** Enough findings, none of them the head's own, and as many cosignatures as the project demands; how many there are. */
async function requireReviewed(
  tx: Tx,
  headId: string,
  of: { release: Release; project: Project; manifestSha256: Buffer },
): Promise<Record<string, number>> {
  const { release, project } = of
  const findings = await findingsOf(tx, release.id)
  requireFindings(findings, of.manifestSha256, reviewersNeeded(project))
  if (findings.some(({ reviewerId }) => reviewerId === headId)) {
    throw new Refusal('own-act', 'Nobody approves a release on their own finding.')
  }
  const reviewers = new Set(findings.map((each) => each.reviewerId)).size
  if (project.cosignaturesMin === 0) return { reviewers }
  const cosignatures = await cosignaturesOfBuilding(tx, release)
  requireCosignatures(cosignatures, project)
  return { reviewers, cosignatures }
}

function requireSameTerms(release: Release, approval: Approval): void {
  const isSame =
    release.recipient === approval.recipient &&
    release.purpose === approval.purpose &&
    release.place === approval.place &&
    release.validUntil?.getTime() === approval.validUntil.getTime()
  if (!isSame) {
    throw new Refusal(
      'manifest-differs',
      'Recipient, purpose, place or period is not the reviewed one.',
    )
  }
}

function idsOf(release: Release): { projectId: string; releaseId: string } {
  return { projectId: release.projectId, releaseId: release.id }
}

/**
 * The key of this release's files at the desk, which is destroyed with them. An approval that was undone has left one: it
 * is taken.
 */
async function makeDeskKey(deps: Deps, release: Release, headId: string): Promise<SealingKey> {
  const ref = { purpose: 'sealing', project: release.projectId, domain: release.id } as const
  if (!deps.keyring.has(ref)) {
    const by = { createdBy: release.createdBy, approvedBy: headId, now: new Date() }
    await deps.keyring.addKey(ref, by)
  }
  return { id: deps.keyring.describe(ref).id, publicKey: deps.keyring.publicKey(ref) }
}

/** The record of Article 28-4(3): purpose, items, use, recipient, period. */
function recordOf(release: Release, project: Project, now: Date): ProcessingRecord {
  const policy = policySchema.parse(release.policy)
  const catalogue = catalogueSchema.parse(project.catalogue)
  const leaving = policy.microdata === 'none' ? [] : Object.keys(policy.tables)
  const items = leaving.map((table) => {
    const names = releasedColumns(policy, catalogue, table).map(({ name }) => name)
    return [table, names] as const
  })
  const counts = Object.entries(policy.counts ?? {}).map(
    ([name, asked]) => [`tables/${name}`, countColumns(asked)] as const,
  )
  const { legalBasis, noticeVersion, irbNumber, boardNumber } = project
  return {
    ...idsOf(release),
    purpose: release.purpose,
    items: Object.fromEntries([...items, ...counts]),
    use: [project.purpose, legalBasis, noticeVersion, irbNumber, boardNumber]
      .filter((text) => text !== null)
      .join('; '),
    recipient: release.recipient,
    place: release.place,
    validFrom: now,
    validUntil: release.validUntil ?? now,
  }
}
