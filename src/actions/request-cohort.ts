import { Refusal } from '../core/errors.ts'
import { accountOf, authorize, type Caller } from '../core/grants.ts'
import { appendLeaf } from '../store/audit.ts'
import { insertCohort } from '../store/cohorts.ts'
import { deliveriesOfProject } from '../store/deliveries.ts'
import { insertJobs, type NewJob } from '../store/jobs.ts'
import { findLinkage, type Linkage, linkMapsOf } from '../store/linkages.ts'
import { typedPartsOf } from '../store/parts.ts'
import { inTransaction, type Tx } from '../store/pool.ts'
import { type Deps, leafBy } from './deps.ts'
import { ringFor } from './ring.ts'
import { requireProject } from './show-project.ts'

/**
 * Asks for the cohort of a linkage: every typed part of its deliveries, and of the tables that came later and rest on their
 * keys, keyed by person.
 *
 * @returns the cohort and the job whose end is its end.
 * @throws {Refusal} `grant-missing`, `not-found`, `state-conflict` for a trial, and while the linkage is not finished or
 *   tables to its keys are being taken in.
 */
export async function requestCohort(
  deps: Deps,
  caller: Caller,
  wanted: { project: string; linkage: string },
): Promise<{ cohort: string; job: string }> {
  authorize(caller, 'request-cohort')
  const cohort = deps.randomUuid()
  const job = deps.randomUuid()
  const children = await inTransaction(deps.pool, 'request-cohort', async (tx) => {
    const project = await requireProject(tx, wanted.project)
    const linkage = await findLinkage(tx, wanted.linkage)
    if (linkage?.projectId !== project.id) {
      throw new Refusal('not-found', 'There is no such linkage in this project.')
    }
    if (linkage.isTrial) {
      throw new Refusal('state-conflict', 'A trial has no persons that a cohort could rest on.')
    }
    if (linkage.state !== 'linked') {
      throw new Refusal('state-conflict', 'The linkage is not finished.')
    }
    const projectId = project.id
    const parts = await assembleJobs(deps, tx, { linkage, cohort, parentId: job })
    const subject = { cohort }
    const state = parts.length > 0 ? 'waiting' : 'queued'
    await insertJobs(tx, [
      { jobId: job, projectId, side: 'data', kind: 'assemble-cohort', subject, state },
      ...parts,
    ])
    const createdBy = accountOf(caller).id
    await insertCohort(tx, { id: cohort, projectId, linkageId: linkage.id, jobId: job, createdBy })
    await appendLeaf(tx, {
      ...leafBy(caller, 'request-cohort', cohort),
      project: projectId,
      counts: { parts: parts.length },
    })
    return parts
  })
  await ringFor(deps, children.length > 0 ? children : [{ jobId: job, side: 'data' }])
  return { cohort, job }
}

/** A job for every part of a table whose serials the linkage has mapped. */
async function assembleJobs(
  deps: Deps,
  tx: Tx,
  wanted: { linkage: Linkage; cohort: string; parentId: string },
): Promise<NewJob[]> {
  const { projectId, id } = wanted.linkage
  const maps = await linkMapsOf(tx, id)
  const arriving = await deliveriesOfProject(tx, projectId, ['submitted'])
  if (maps.some(({ deliveryId }) => arriving.some((one) => one.keysDeliveryId === deliveryId))) {
    throw new Refusal('state-conflict', 'Tables are still being taken in. Try again later.')
  }
  const jobs: NewJob[] = []
  for (const map of maps) {
    for (const { deliveryId, table, number } of await typedPartsOf(tx, map.deliveryId)) {
      jobs.push({
        jobId: deps.randomUuid(),
        projectId,
        parentId: wanted.parentId,
        side: 'data',
        kind: 'assemble-part',
        subject: { cohort: wanted.cohort, delivery: deliveryId, table, number: String(number) },
      })
    }
  }
  return jobs
}
