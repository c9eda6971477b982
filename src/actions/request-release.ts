import { createHash } from 'node:crypto'
import { catalogueSchema } from '../catalogue/schema.ts'
import { sensitiveLists } from '../catalogue/sensitive.ts'
import { canonicalJson } from '../core/canonical.ts'
import { Refusal } from '../core/errors.ts'
import { accountOf, authorize, type Caller } from '../core/grants.ts'
import type { Policy } from '../core/policy.ts'
import { checkPolicy } from '../core/policy-check.ts'
import { findAccount } from '../store/accounts.ts'
import { appendLeaf } from '../store/audit.ts'
import { insertJobs } from '../store/jobs.ts'
import { inTransaction } from '../store/pool.ts'
import { insertRelease } from '../store/releases.ts'
import { type Deps, leafBy } from './deps.ts'
import { ringFor } from './ring.ts'
import { requireCohort } from './show-cohort.ts'
import { requireProject } from './show-project.ts'

/** What a release is asked to be: under which policy, for whom, what for, where, until when. */
export type ReleaseRequest = {
  cohort: string
  policy: Policy
  /** Account name. */
  recipient: string
  purpose: string
  place: string
  validUntil: Date
}

/**
 * Asks for a release of a cohort. It is built at once and leaves only after review and approval.
 *
 * @throws {Refusal} `grant-missing`, `not-found`, `state-conflict`, `policy-refused`, `outside-period`.
 */
export async function requestRelease(
  deps: Deps,
  caller: Caller,
  request: ReleaseRequest,
): Promise<{ release: string; job: string }> {
  authorize(caller, 'request-release')
  const release = deps.randomUuid()
  const job = deps.randomUuid()
  await inTransaction(deps.pool, 'request-release', async (tx) => {
    const cohort = await requireCohort(tx, request.cohort)
    if (cohort.state !== 'assembled') {
      throw new Refusal('state-conflict', 'The cohort is not assembled.')
    }
    const project = await requireProject(tx, cohort.projectId)
    checkPolicy(request.policy, catalogueSchema.parse(project.catalogue), sensitiveLists())
    const recipient = await findAccount(tx, request.recipient)
    if (!recipient?.roles.includes('recipient')) {
      throw new Refusal('not-found', 'There is no recipient of this name.')
    }
    if (request.validUntil <= tx.now) {
      throw new Refusal('outside-period', 'The period of the release is over before it begins.')
    }
    const policySha256 = createHash('sha256').update(canonicalJson(request.policy)).digest()
    await insertJobs(tx, [
      {
        jobId: job,
        projectId: project.id,
        side: 'data',
        kind: 'build-release',
        subject: { release },
      },
    ])
    await insertRelease(tx, {
      ...request,
      id: release,
      projectId: project.id,
      cohortId: cohort.id,
      // A release has pseudonyms of its own unless its policy names a domain to share.
      domain: request.policy.domain ?? release,
      policySha256,
      jobId: job,
      recipientId: recipient.id,
      createdBy: accountOf(caller).id,
    })
    await appendLeaf(tx, {
      ...leafBy(caller, 'request-release', release),
      project: project.id,
      digests: { policy: policySha256.toString('hex') },
    })
  })
  await ringFor(deps, [{ jobId: job, side: 'data' }])
  return { release, job }
}
