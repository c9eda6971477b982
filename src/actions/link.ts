import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { noticesTable } from '../core/manifest.ts'
import { linkRulesSchema } from '../core/passes.ts'
import { type Linked, linkPersons } from '../engine/link.ts'
import type { LinkDelivery } from '../engine/linkage/agencies.ts'
import { openSession } from '../engine/session.ts'
import { appendLeaf } from '../store/audit.ts'
import { type Delivery, deliveriesOfProject } from '../store/deliveries.ts'
import { endLease } from '../store/leases.ts'
import { failLinkage, type LinkMap, saveLinked, saveTrial } from '../store/linkages.ts'
import { insertObjects } from '../store/objects.ts'
import { partsOfDelivery } from '../store/parts.ts'
import { inTransaction } from '../store/pool.ts'
import { agenciesOfProject, findProject } from '../store/projects.ts'
import { type JobRun, leafByWorker, type WorkerDeps } from './deps.ts'
import { ringFor } from './ring.ts'
import { publishExtractions, type SealedExtraction, sealExtractions } from './seal-extractions.ts'
import { openFile, type SealedFile, sealFile } from './sealed-files.ts'
import { requireLinkage } from './show-linkage.ts'

/**
 * Links the persons of a project on the key side. What crosses to the data side is the list of persons and, a delivery
 * each, the map from serials to places in that list: no token, no key. Of a trial nothing does.
 */
export async function link(deps: WorkerDeps, run: JobRun): Promise<void> {
  const linkage = await requireLinkage(deps.pool, run.job.subject['linkage'] ?? '')
  const deliveries = await openTokens(deps, run)
  run.report({ deliveries: deliveries.length })
  const project = await findProject(deps.pool, run.job.projectId)
  const person = { purpose: 'person', project: run.job.projectId } as const
  const outDir = join(run.scratchDir, 'linked')
  await mkdir(outDir)
  const session = await openSession({
    scratchDir: run.scratchDir,
    memoryMiB: deps.jobMemoryMiB * 2, // The one large join of the system; nothing else of this side runs beside it.
    threads: deps.jobThreads,
  })
  const rules = linkRulesSchema.parse(project?.rules)
  let linked: Linked
  let extractions: SealedExtraction[] = []
  try {
    linked = await linkPersons(session, {
      deliveries,
      rules,
      personsOf: (tokens) => deps.keyring.macColumn(person, tokens, 16),
      outDir,
    })
    if (rules.extraction && !linkage.isTrial) {
      extractions = await sealExtractions(deps, run, { session, deliveries, linked })
    }
  } finally {
    session.close()
  }
  if (linkage.isTrial) await endTrial(deps, run, linkage.id, linked)
  else await publish(deps, run, linkage.id, { linked, extractions })
}

/** Opens the tokens of every delivery that has been taken in. */
async function openTokens(deps: WorkerDeps, run: JobRun): Promise<LinkDelivery[]> {
  const { projectId } = run.job
  const members = await agenciesOfProject(deps.pool, projectId)
  const deliveries = await deliveriesOfProject(deps.pool, projectId, ['taken'])
  const opened: LinkDelivery[] = []
  for (const delivery of deliveries) {
    if (delivery.keysDeliveryId) continue // It rests on the keys of another, which are here.
    const member = members.find((other) => other.agencyId === delivery.agencyId)
    if (!member) throw new Error('a delivery is of an agency outside the project')
    opened.push({
      deliveryId: delivery.id,
      agency: delivery.agency,
      wave: delivery.wave,
      isSpine: member.isSpine,
      isDuplicateFree: member.isDuplicateFree,
      keyTypes: member.keyTypes,
      files: await openTokensOf(deps, run, delivery, ''),
      noticeFiles: await openTokensOf(deps, run, delivery, noticesTable),
    })
  }
  return opened
}

async function openTokensOf(
  deps: WorkerDeps,
  run: JobRun,
  delivery: Delivery,
  table: string,
): Promise<string[]> {
  const { projectId } = delivery
  const files: string[] = []
  for (const part of await partsOfDelivery(deps.pool, delivery.id)) {
    if (part.table !== table || !part.takenObjectId) continue
    const path = join(run.scratchDir, `${delivery.id}-${table}-${part.number}.parquet`)
    await openFile(deps, { id: part.takenObjectId, projectId, kind: 'tokens' }, path)
    files.push(path)
  }
  return files
}

/** Seals the result to the data side and publishes it, and the lists for agencies, in one transaction. */
async function publish(
  deps: WorkerDeps,
  { job }: JobRun,
  linkageId: string,
  { linked, extractions }: { linked: Linked; extractions: SealedExtraction[] },
): Promise<void> {
  const { projectId } = job
  const to = { projectId, side: 'data' } as const
  const persons = await sealFile(deps, linked.personsFile, { ...to, kind: 'persons' })
  const sealed: SealedFile[] = [persons]
  const maps: LinkMap[] = []
  for (const [deliveryId, map] of Object.entries(linked.maps)) {
    const file = await sealFile(deps, map.file, { ...to, kind: 'link-map' })
    sealed.push(file)
    const { serials, linked: links } = map
    maps.push({ linkageId, deliveryId, objectId: file.object.id, serials, linked: links })
  }
  const counts = { persons: linked.persons, deliveries: maps.length }
  const { wake, ended } = await inTransaction(deps.pool, 'link', async (tx) => {
    const parents = await endLease(tx, job, { state: 'done', result: counts })
    await insertObjects(
      tx,
      sealed.map((file) => file.object),
    )
    await saveLinked(
      tx,
      {
        id: linkageId,
        personsObjectId: persons.object.id,
        persons: linked.persons,
        personsSha256: persons.plainSha256,
        report: linked.report,
      },
      maps,
    )
    await appendLeaf(tx, {
      ...leafByWorker(deps, 'link', linkageId),
      project: projectId,
      counts,
      digests: { persons: persons.plainSha256.toString('hex') },
    })
    const of = { linkageId, projectId }
    return { wake: parents, ended: await publishExtractions(deps, tx, of, extractions) }
  })
  await Promise.all(ended.map((object) => deps.vault.destroy(object)))
  await ringFor(deps, wake)
}

/** Keeps a trial's counts; its persons and maps go with the job's scratch. */
async function endTrial(
  deps: WorkerDeps,
  { job }: JobRun,
  linkageId: string,
  { persons, report }: Linked,
): Promise<void> {
  const counts = { persons, deliveries: report.deliveries.length }
  const wake = await inTransaction(deps.pool, 'link-for-trial', async (tx) => {
    const parents = await endLease(tx, job, { state: 'done', result: counts })
    await saveTrial(tx, { id: linkageId, persons, report })
    await appendLeaf(tx, {
      ...leafByWorker(deps, 'link', linkageId),
      project: job.projectId,
      counts,
      note: 'trial',
    })
    return parents
  })
  await ringFor(deps, wake)
}

/** Records that a linkage could not be made. */
export async function failLink(deps: WorkerDeps, subject: Record<string, string>): Promise<void> {
  await inTransaction(deps.pool, 'fail-link', (tx) => failLinkage(tx, subject['linkage'] ?? ''))
}
