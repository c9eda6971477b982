import { Refusal } from '../core/errors.ts'
import { accountOf, authorize, type Caller } from '../core/grants.ts'
import { rulesVersion } from '../core/passes.ts'
import { appendLeaf } from '../store/audit.ts'
import { deliveriesOfProject } from '../store/deliveries.ts'
import { insertJobs } from '../store/jobs.ts'
import { insertLinkage, lockNextLinkage, releasedIndexVersions } from '../store/linkages.ts'
import { inTransaction } from '../store/pool.ts'
import { agenciesOfProject } from '../store/projects.ts'
import { type Deps, leafBy } from './deps.ts'
import { ringFor } from './ring.ts'
import { requireProject } from './show-project.ts'

/**
 * Asks for a linkage over the keys of every delivery that has been taken in.
 *
 * A trial tells how it would go, report and match rate, and leaves nothing else behind: no person, no map, nothing that a
 * cohort or a later linkage could rest on.
 *
 * @returns the linkage and the job that does it.
 * @throws {Refusal} `grant-missing`, `not-found`, `state-conflict` while a delivery is being taken in, the spine's is
 *   missing, or another linkage is under way.
 */
export async function requestLinkage(
  deps: Deps,
  caller: Caller,
  wanted: { project: string; trial: boolean },
): Promise<{ linkage: string; job: string }> {
  authorize(caller, 'request-linkage')
  const linkage = deps.randomUuid()
  const job = deps.randomUuid()
  await inTransaction(deps.pool, 'request-linkage', async (tx) => {
    const project = await requireProject(tx, wanted.project)
    await lockNextLinkage(tx, project.id)
    const known = await deliveriesOfProject(tx, project.id, ['submitted', 'taken'])
    const deliveries = known.filter(({ keysDeliveryId }) => keysDeliveryId === null)
    if (deliveries.some((delivery) => delivery.state === 'submitted')) {
      throw new Refusal('state-conflict', 'A delivery is still being taken in. Try again later.')
    }
    const spine = (await agenciesOfProject(tx, project.id)).find((agency) => agency.isSpine)
    if (!deliveries.some((delivery) => delivery.agencyId === spine?.agencyId)) {
      throw new Refusal('state-conflict', 'The spine has not delivered yet. Nothing can be linked.')
    }
    const createdBy = accountOf(caller).id
    await insertJobs(tx, [
      { jobId: job, projectId: project.id, side: 'key', kind: 'link', subject: { linkage } },
    ])
    const isStored = await insertLinkage(tx, {
      id: linkage,
      projectId: project.id,
      isTrial: wanted.trial,
      rulesVersion,
      releasedVersions: await releasedIndexVersions(tx, project.id),
      jobId: job,
      createdBy,
    })
    if (!isStored) {
      throw new Refusal(
        'state-conflict',
        'A linkage of the project is under way. Wait for its end.',
      )
    }
    await appendLeaf(tx, {
      ...leafBy(caller, 'request-linkage', linkage),
      project: project.id,
      counts: { deliveries: deliveries.length },
      ...(wanted.trial && { note: 'trial' }),
    })
  })
  await ringFor(deps, [{ jobId: job, side: 'key' }])
  return { linkage, job }
}
